/* SPDX-License-Identifier: MIT
 *
 * The loss of the exact scores is summed in integers, so that its order does not show. */
#ifndef DOWNHILL_HINGE_U8_H
#define DOWNHILL_HINGE_U8_H

/* 1 / DOWNHILL_LOSS_UNIT. */
#define UNITS_OF_LOSS 0x1p20

/* Added to a number below 2⁵¹ and taken off again it rounds to an integer, to nearest even. */
#define ROUNDER 0x1.8p52

#endif
