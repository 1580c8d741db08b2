/* SPDX-License-Identifier: MIT
 *
 * Trains on bytes as if each feature were normalised, x̂ = (x - mean)·r, starting from weights for
 * x̂. Checks the scores against plain arithmetic, as a program without this library would do it,
 * and against the same training on x̂ in f32.
 *
 *     cc normalised.c -I DIR/include -L DIR/lib -Wl,-rpath,DIR/lib -ldownhill -lm && ./a.out */
#include <downhill.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 64, D = 16, C = 4, STEPS = 30 };

static uint8_t x[N * D];
static int32_t y[N];
static uint16_t mean[D];     /* in 256ths */
static float r[D];           /* 1 / standard deviation */
static float w[C * D], b[C]; /* for bytes */
static float w_hat[C * D];   /* for x̂ */
static float x_hat[N * D], b_hat[C], dw[C * D], db[C];
static double scores[N * C];
static float scores_hat[N * C];

static int failed(downhill_status status)
{
    if (status != DOWNHILL_OK)
        fprintf(stderr, "%s\n", downhill_status_text(status));
    return status != DOWNHILL_OK;
}

static void make_samples(void)
{
    for (int i = 0; i < N; i++) {
        y[i] = i * 7 % C;
        for (int k = 0; k < D; k++) /* features differ in mean and spread */
            x[i * D + k] =
                (uint8_t)(6 * k + (k % C == y[i] ? 3 * (k + 1) : 0) + (i * 31 + k * 17) % (k + 5));
    }
}

static void normalise(void)
{
    for (int k = 0; k < D; k++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < N; i++)
            sum += x[i * D + k];
        mean[k] = (uint16_t)(sum / N * 256.0 + 0.5);
        for (int i = 0; i < N; i++)
            squares += pow(x[i * D + k] - mean[k] / 256.0, 2.0);
        r[k] = (float)(1.0 / sqrt(squares / N));
        for (int i = 0; i < N; i++)
            x_hat[i * D + k] = (float)(x[i * D + k] - mean[k] / 256.0) * r[k];
    }
}

/* Sets the initial weights: w = r·ŵ, with the same biases. */
static void set_initial_weights(void)
{
    for (int j = 0; j < C; j++) {
        b[j] = b_hat[j] = 0.1f * (float)j;
        for (int k = 0; k < D; k++) {
            w_hat[j * D + k] = 0.01f * (float)((j * 5 + k * 3) % 11 - 5);
            w[j * D + k] = r[k] * w_hat[j * D + k];
        }
    }
}

/* Returns s = Σ w (x - mean) + b without the library. */
static double score_plainly(int i, int j)
{
    double s = b[j];
    for (int k = 0; k < D; k++)
        s += w[j * D + k] * (x[i * D + k] - mean[k] / 256.0);
    return s;
}

/* Compares the scores of packed weights with those of the formula and of f32 weights. Returns 0 if
 * they agree. */
static int compare(const char *when, const downhill_packed_u8 *packed)
{
    const downhill_batch_u8 bytes = {.x = x, .ldx = D, .x_rows = N, .n = N};
    const downhill_batch_f32 floats = {.x = x_hat, .ldx = D, .x_rows = N, .n = N};
    const downhill_weights_f32 weights = {.w = w_hat, .ldw = D, .b = b_hat, .d = D, .c = C};
    double plain_error = 0.0, f32_error = 0.0;
    const downhill_matrix_f64 of_bytes = {.data = scores, .ld = C, .rows = N, .columns = C};
    const downhill_matrix_f32 of_floats = {.data = scores_hat, .ld = C, .rows = N, .columns = C};
    if (failed(downhill_score_u8(NULL, &bytes, packed, &of_bytes)) ||
        failed(downhill_score_f32(NULL, &floats, &weights, &of_floats)))
        return 1;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < C; j++) {
            const double s = scores[i * C + j];
            plain_error = fmax(plain_error, fabs(s - score_plainly(i, j)));
            f32_error = fmax(f32_error, fabs(s - (double)scores_hat[i * C + j]));
        }
    const int good = plain_error < 0.001 && f32_error < 0.01;
    printf("%s: scores agree with the formula and with f32: %s\n", when, good ? "yes" : "no");
    return !good;
}

int main(void)
{
    make_samples();
    normalise();
    set_initial_weights();
    const downhill_batch_u8 bytes = {.x = x, .ldx = D, .x_rows = N, .y = y, .n = N};
    const downhill_batch_f32 floats = {.x = x_hat, .ldx = D, .x_rows = N, .y = y, .n = N};
    const downhill_weights_f32 weights = {.w = w, .ldw = D, .b = b, .d = D, .c = C};
    const downhill_weights_f32 weights_hat = {.w = w_hat, .ldw = D, .b = b_hat, .d = D, .c = C};
    const downhill_gradient_f32 grad = {.dw = dw, .lddw = D, .db = db, .d = D, .c = C};
    const downhill_norm_u8 norm = {.mean = mean, .scale = r};
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C),
                 u8_bytes = downhill_workspace_u8_bytes(D, C),
                 f32_bytes = downhill_workspace_f32_bytes(D, C);
    downhill_packed_u8 *packed = malloc(packed_bytes);
    const downhill_workspace u8_workspace = {.memory = malloc(u8_bytes), .bytes = u8_bytes},
                             f32_workspace = {.memory = malloc(f32_bytes), .bytes = f32_bytes};
    if (packed == NULL || u8_workspace.memory == NULL || f32_workspace.memory == NULL ||
        failed(downhill_pack_u8(NULL, &weights, &norm, packed, packed_bytes)) ||
        compare("before training", packed))
        return 1;

    const downhill_sgd sgd = {.loss = {.kind = DOWNHILL_HINGE, .margin = 1.0f},
                              .learning_rate = 0.05f,
                              .weight_decay = 2e-3f};
    for (int s = 0; s < STEPS; s++)
        if (failed(downhill_step_u8(NULL, &bytes, &weights, packed, &sgd, NULL, &u8_workspace,
                                    NULL)) ||
            failed(downhill_step_f32(NULL, &floats, &weights_hat, &sgd, &grad, NULL, &f32_workspace,
                                     NULL)))
            return 1;
    if (compare("after training", packed))
        return 1;
    free(packed);
    free(u8_workspace.memory);
    free(f32_workspace.memory);
    return 0;
}
