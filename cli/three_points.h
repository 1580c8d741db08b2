/* SPDX-License-Identifier: MIT
 *
 * The example of the CS231n notes: three samples of one feature, one of each of three classes, no
 * bias. The hinge loss of each sample is then a piecewise-linear function of each weight, and their
 * mean a convex one. */
#ifndef DOWNHILL_CLI_THREE_POINTS_H
#define DOWNHILL_CLI_THREE_POINTS_H

#include "task.h"

/* Varies the weight of class 0 from -range to +range and shows the losses of the three samples and
 * their mean. Returns an exit code. */
int three_points_show(const task_config *config, const char *csv, double range, size_t points);

#endif
