/* SPDX-License-Identifier: MIT
 *
 * Trains on features that are bytes: packs the weights once, performs a step per minibatch, which
 * also packs the new weights, and predicts classes at the end. The features count as x/255. Every
 * ISA level gives the same bits.
 *
 *     cc bytes.c -I DIR/include -L DIR/lib -Wl,-rpath,DIR/lib -ldownhill && ./a.out */
#include <downhill.h>

#include <stdio.h>
#include <stdlib.h>

enum { N = 64, D = 16, C = 4, BATCH = 16, EPOCHS = 20 };

static int failed(downhill_status status)
{
    if (status != DOWNHILL_OK)
        fprintf(stderr, "%s\n", downhill_status_text(status));
    return status != DOWNHILL_OK;
}

int main(void)
{
    static uint8_t x[N * D]; /* every C-th feature, starting at the class, is bright */
    static int32_t y[N];
    static float w[C * D], b[C], scale[D];
    static double scores[N * C];
    for (int i = 0; i < N; i++) {
        y[i] = i * 7 % C;
        for (int k = 0; k < D; k++)
            x[i * D + k] = (uint8_t)((k % C == y[i] ? 150 : 50) + i * 31 % 50);
    }
    for (int k = 0; k < D; k++)
        scale[k] = 1.0f / 255.0f;

    const downhill_weights_f32 weights = {.w = w, .ldw = D, .b = b, .d = D, .c = C};
    const downhill_norm_u8 norm = {.scale = scale};
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C),
                 workspace_bytes = downhill_workspace_u8_bytes(D, C);
    downhill_packed_u8 *packed = malloc(packed_bytes);
    const downhill_workspace workspace = {.memory = malloc(workspace_bytes),
                                          .bytes = workspace_bytes};
    if (packed == NULL || workspace.memory == NULL ||
        failed(downhill_pack_u8(NULL, &weights, &norm, packed, packed_bytes)))
        return 1;

    const downhill_sgd sgd = {.loss = {.kind = DOWNHILL_HINGE, .margin = 1.0f},
                              .learning_rate = 0.1f,
                              .weight_decay = 2e-4f};
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t first = 0; first < N; first += BATCH) {
            const downhill_batch_u8 batch = {
                .x = x + first * D, .ldx = D, .x_rows = BATCH, .y = y + first, .n = BATCH};
            if (failed(
                    downhill_step_u8(NULL, &batch, &weights, packed, &sgd, NULL, &workspace, NULL)))
                return 1;
        }

    const downhill_batch_u8 all = {.x = x, .ldx = D, .x_rows = N, .n = N};
    static int32_t classes[N];
    const downhill_matrix_f64 matrix = {.data = scores, .ld = C, .rows = N, .columns = C};
    if (failed(downhill_score_u8(NULL, &all, packed, &matrix)) ||
        failed(downhill_predict_u8(&matrix, classes)))
        return 1;
    int right = 0;
    for (int i = 0; i < N; i++)
        right += classes[i] == y[i];
    printf("%d of %d samples are classified correctly\n", right, N);
    free(packed);
    free(workspace.memory);
    return 0;
}
