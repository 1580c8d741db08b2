/* SPDX-License-Identifier: MIT
 *
 * Constants of the hinge loss of exact scores. The loss is summed in integers, so that the order of the sum does not
 * change it. */
#ifndef DOWNHILL_HINGE_U8_H
#define DOWNHILL_HINGE_U8_H

#include <stddef.h>

/* Units per 1 of loss. */
#define UNITS_OF_LOSS (1.0 / DOWNHILL_LOSS_UNIT)

/* Classes that are taken together where no masks are needed, and the number of classes from which on most of them are. */
enum { GROUP = 16, WHOLE_MIN = 32 };

/* Ends of the parts of a row: whole groups, the group with the label, whole groups. The rest is a part of its own. */
struct row_parts {
    size_t before, label, after;
};

static inline struct row_parts parts_of_row(size_t c, size_t label)
{
    const size_t before = label / GROUP * GROUP, end = before + GROUP < c ? before + GROUP : c;
    return (struct row_parts){before, end, end + (c - end) / GROUP * GROUP};
}

/* Adding this to a number below 2⁵¹ and subtracting it again rounds the number to an integer, to nearest even. */
#define ROUNDER 0x1.8p52

#endif
