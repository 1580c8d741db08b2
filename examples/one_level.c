/* SPDX-License-Identifier: MIT
 *
 * Prints which ISA levels run here, and the scores of one sample by each of them. A level is
 * selected by name; its kernel table is passed to any call in place of NULL, which stands for the
 * default.
 *
 *     cc one_level.c -I DIR/include -L DIR/lib -Wl,-rpath,DIR/lib -ldownhill && ./a.out */
#include <downhill.h>

#include <stdio.h>

int main(void)
{
    const float x[4] = {1, 2, 3, 4}, w[2 * 4] = {1, 0, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f};
    float b[2] = {0, 1}, scores[2];
    const downhill_batch_f32 batch = {.x = x, .ldx = 4, .x_rows = 1, .n = 1};
    const downhill_weights_f32 weights = {.w = (float *)w, .ldw = 4, .b = b, .d = 4, .c = 2};
    const downhill_matrix_f32 matrix = {.data = scores, .ld = 2, .rows = 1, .columns = 2};
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
        const downhill_kernels *kernels;
        char why[256];
        downhill_status status = downhill_select(level.name, &kernels, why, sizeof why);
        if (status == DOWNHILL_OK)
            status = downhill_score_f32(kernels, &batch, &weights, &matrix);
        if (status == DOWNHILL_OK)
            printf("%-12s scores %g and %g%s\n", level.name, (double)scores[0], (double)scores[1],
                   level.chosen ? ", the default" : "");
        else
            printf("%-12s %s\n", level.name, why);
    }
    return 0;
}
