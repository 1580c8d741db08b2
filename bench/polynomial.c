/* SPDX-License-Identifier: MIT */
#include "polynomial.h"

#include <stdio.h>
#include <string.h>

double polynomial_value(const polynomial *p, size_t n, size_t d, size_t c)
{
    const double fn = (double)n, fd = (double)d, fc = (double)c;
    return p->nd_c * fn * fd * fc + p->nd * fn * fd + p->dc * fd * fc + p->nc * fn * fc +
           p->c * fc + p->n * fn;
}

void polynomial_text(const polynomial *p, char *text, size_t size)
{
    const struct {
        double coefficient;
        const char *product;
    } terms[] = {{p->nd_c, "n*d*c"}, {p->nd, "n*d"}, {p->dc, "d*c"},
                 {p->nc, "n*c"},     {p->c, "c"},    {p->n, "n"}};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        if (terms[i].coefficient == 0.0)
            continue;
        const size_t used = strlen(text);
        const char *plus = used > 0 ? " + " : "";
        if (terms[i].coefficient == 1.0)
            snprintf(text + used, size - used, "%s%s", plus, terms[i].product);
        else
            snprintf(text + used, size - used, "%s%g*%s", plus, terms[i].coefficient,
                     terms[i].product);
    }
}
