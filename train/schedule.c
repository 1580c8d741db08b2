/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <math.h>

float schedule_rate(const schedule *s, float lr, size_t epoch, double share, size_t epochs)
{
    const double pi = 3.14159265358979323846, t = (double)epoch + share;
    double factor = 1.0;
    switch (s->kind) {
    case SCHEDULE_CONSTANT:
        break;
    case SCHEDULE_STEP:
        factor = pow(s->factor, (double)(epoch / s->every));
        break;
    case SCHEDULE_INVERSE:
        factor = 1.0 / (1.0 + s->factor * t);
        break;
    case SCHEDULE_COSINE:
        factor = 0.5 * (1.0 + cos(pi * t / (double)epochs));
        break;
    }
    return (float)((double)lr * factor);
}
