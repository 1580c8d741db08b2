/* SPDX-License-Identifier: MIT
 *
 * Constants of the hinge loss of exact scores. The loss is summed in integers, so that the order of the sum does not
 * change it. */
#ifndef DOWNHILL_HINGE_U8_H
#define DOWNHILL_HINGE_U8_H

/* Units per 1 of loss. */
#define UNITS_OF_LOSS (1.0 / DOWNHILL_LOSS_UNIT)

/* Adding this to a number below 2⁵¹ and subtracting it again rounds the number to an integer, to nearest even. */
#define ROUNDER 0x1.8p52

#endif
