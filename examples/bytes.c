/* SPDX-License-Identifier: MIT
 *
 * Training on features that are bytes: weights packed once, then a step for each minibatch, which packs what it has
 * changed, and scores at the end. As if the features were x/255; the weights are those of the bytes. From every ISA
 * level come the same bits.
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
    static uint8_t x[N * D]; /* bright where the class says */
    static int32_t y[N];
    static float w[C * D], b[C], gain[D];
    static double scores[N * C];
    for (int i = 0; i < N; i++) {
        y[i] = i * 7 % C;
        for (int k = 0; k < D; k++)
            x[i * D + k] = (uint8_t)((k % C == y[i] ? 150 : 50) + i * 31 % 50);
    }
    for (int k = 0; k < D; k++)
        gain[k] = 1.0f / (255.0f * 255.0f);

    const downhill_weights_f32 weights = {.w = w, .ldw = D, .b = b, .d = D, .c = C};
    const downhill_norm_u8 norm = {.gain = gain};
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C),
                 workspace_bytes = downhill_workspace_u8(D, C);
    void *packed = malloc(packed_bytes), *workspace = malloc(workspace_bytes);
    if (packed == NULL || workspace == NULL ||
        failed(downhill_pack_u8(NULL, &weights, &norm, packed, packed_bytes)))
        return 1;

    const float learning_rate = 0.1f, penalty = 1e-4f, delta = 1.0f;
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t first = 0; first < N; first += BATCH) {
            const downhill_batch_u8 batch = {
                .x = x + first * D, .ldx = D, .x_rows = BATCH, .y = y + first, .n = BATCH};
            if (failed(downhill_step_u8(
                    NULL, &batch, &weights, delta, 1.0f - 2.0f * learning_rate * penalty,
                    learning_rate / BATCH, NULL, packed, workspace, workspace_bytes, NULL)))
                return 1;
        }

    const downhill_batch_u8 all = {.x = x, .ldx = D, .x_rows = N, .n = N};
    if (failed(downhill_score_u8(NULL, &all, packed, scores, C)))
        return 1;
    int right = 0;
    for (int i = 0; i < N; i++) {
        int best = 0;
        for (int j = 1; j < C; j++)
            if (scores[i * C + j] > scores[i * C + best])
                best = j;
        right += best == y[i];
    }
    printf("%d of %d samples are put in their class\n", right, N);
    free(packed);
    free(workspace);
    return 0;
}
