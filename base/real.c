/* SPDX-License-Identifier: MIT */
#include "real.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *real_f32(float value, char text[REAL_TEXT])
{
    for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, REAL_TEXT, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return text;
}

const char *real_f64(double value, char text[REAL_TEXT])
{
    for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, REAL_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return text;
}

double real_of_f32(float value)
{
    char text[REAL_TEXT];
    return isfinite(value) ? strtod(real_f32(value, text), NULL) : (double)value;
}

const char *real_fixed(double value, int decimals, char text[REAL_FIXED_TEXT])
{
    if (isnan(value))
        return "not a number";
    if (isinf(value))
        return value > 0.0 ? "infinite" : "minus infinite";
    if (fabs(value) < 1e6)
        snprintf(text, REAL_FIXED_TEXT, "%.*f", decimals, value);
    else
        snprintf(text, REAL_FIXED_TEXT, "%g", value);
    return text;
}

/* Returns the length of the number, string or other character at `at`. */
static size_t token_length(const char *at)
{
    size_t length = strspn(at, "+-.0123456789eE");
    if (*at != '"')
        return (*at >= '0' && *at <= '9') || *at == '-' ? length : 1;
    for (length = 1; at[length] != '"'; length++)
        length += at[length] == '\\';
    return length + 1;
}

char *real_json(const json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (text == NULL)
        return NULL;
    char *to = text; /* never overtakes `at`: a shorter number replaces each */
    for (const char *at = text; *at != '\0';) {
        const size_t length = token_length(at);
        char token[REAL_TEXT], shortest[REAL_TEXT];
        const bool number = *at != '"' && length > 1 && length < sizeof token;
        snprintf(token, sizeof token, "%.*s", number ? (int)length : 0, at);
        if (strpbrk(token, ".eE") != NULL) {
            (void)real_f64(strtod(token, NULL), shortest);
            /* Readers must not take it for an integer. */
            if (strpbrk(shortest, ".e") == NULL)
                strcat(shortest, ".0");
            if (strlen(shortest) <= length) {
                memcpy(to, shortest, strlen(shortest));
                to += strlen(shortest);
                at += length;
                continue;
            }
        }
        memmove(to, at, length);
        to += length;
        at += length;
    }
    *to = '\0';
    return text;
}
