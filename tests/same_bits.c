/* SPDX-License-Identifier: MIT
 *
 * Prints checksums, per usable level, of results that must have the same bits in every build of
 * the library and on every level. Uses only the public header. */
#include <downhill.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 37, D = 203, C = 11, STEPS = 50 };

static uint64_t state = 1;

static uint32_t draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static uint64_t checksum(const void *bytes, size_t count)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return sum;
}

static int failed(const char *place, downhill_status status)
{
    fprintf(stderr, "same_bits: %s: %s\n", place, downhill_status_text(status));
    return 1;
}

/* Computes softmax of scores that are close, far apart, infinite and NaN, and a checksum of the
 * results. */
static downhill_status softmax_of_any_scores(const downhill_kernels *kernels, uint64_t *sum)
{
    enum { ROWS = 400, MANY = 37 };
    static double scores[ROWS * MANY];
    static int16_t dscores[ROWS * MANY];
    static int32_t labels[ROWS];
    double loss[2];
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = (int32_t)(draw() % MANY);
    for (size_t i = 0; i < ROWS * MANY; i++)
        scores[i] = ((double)draw() / 1048576.0 - 1000.0) / (double)(1 + i / MANY);
    const downhill_matrix_f64 in = {scores, MANY, ROWS, MANY};
    const downhill_matrix_i16 out = {dscores, MANY, ROWS, MANY};
    downhill_status status = downhill_softmax_u8(kernels, &in, labels, &out, &loss[0]);
    *sum = checksum(dscores, sizeof dscores);
    scores[3] = INFINITY;
    scores[5 * MANY] = NAN; /* must give a loss of NaN, even if the compiler ignores NaN */
    scores[7 * MANY + (size_t)labels[7]] = -INFINITY;
    if (status == DOWNHILL_OK)
        status = downhill_softmax_u8(kernels, &in, labels, &out, &loss[1]);
    loss[1] = isnan(loss[1]) ? 1.0 : 0.0;
    *sum += checksum(dscores, sizeof dscores) + checksum(loss, sizeof loss);
    return status;
}

static int print_checksums(const char *level)
{
    static unsigned char x[N * D];
    static int32_t y[N];
    static float w[C * D], b[C], scale[D], scores[N * C], dscores[N * C];
    static uint16_t mean[D];
    const downhill_kernels *kernels;
    char why[256];
    downhill_status status = downhill_select(level, &kernels, why, sizeof why);
    if (status != DOWNHILL_OK)
        return 0; /* not usable on this CPU, or not part of this build */
    state = 1;
    for (size_t i = 0; i < N * D; i++)
        x[i] = (unsigned char)draw();
    for (size_t i = 0; i < N; i++)
        y[i] = (int32_t)(draw() % C);
    for (size_t k = 0; k < D; k++) {
        mean[k] = (uint16_t)(draw() % 65281);
        scale[k] = (float)(draw() % 1000) / 65536000.0f;
    }
    for (size_t j = 0; j < C; j++)
        b[j] = 0.0f;
    for (size_t i = 0; i < C * D; i++)
        w[i] = (float)(draw() % 2001) / 1000000.0f - 0.001f;

    const downhill_batch_u8 batch = {x, D, N, y, NULL, N, 0};
    const downhill_weights_f32 weights = {w, D, b, D, C};
    const downhill_norm_u8 norm = {mean, scale};
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C),
                 bytes = downhill_workspace_u8_bytes(D, C);
    downhill_packed_u8 *packed = malloc(packed_bytes);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    const downhill_sgd sgd = {{DOWNHILL_HINGE, 1.0f}, 0.7f, 0.0001f},
                       softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 0.7f, 0.0001f};
    const downhill_matrix_f32 in = {scores, C, N, C}, out = {dscores, C, N, C};
    double loss = 0.0, total_loss = 0.0;
    uint64_t special = 0;
    if (packed == NULL || workspace.memory == NULL)
        return failed("malloc", DOWNHILL_ERR_WORKSPACE);
    status = downhill_pack_u8(kernels, &weights, &norm, packed, packed_bytes);
    for (int s = 0; s < STEPS && status == DOWNHILL_OK; s++) {
        status = downhill_step_u8(kernels, &batch, &weights, packed, &sgd, &loss, &workspace, NULL);
        total_loss += loss;
    }
    for (int s = 0; s < STEPS && status == DOWNHILL_OK; s++) {
        status =
            downhill_step_u8(kernels, &batch, &weights, packed, &softmax, &loss, &workspace, NULL);
        total_loss += loss;
    }
    if (status == DOWNHILL_OK)
        status = softmax_of_any_scores(kernels, &special);
    free(packed);
    free(workspace.memory);
    if (status != DOWNHILL_OK)
        return failed("bytes", status);
    for (size_t i = 0; i < N * C; i++)
        scores[i] = (float)(draw() % 4001) / 1000.0f - 2.0f;
    const float finite = scores[0];
    scores[0] = NAN; /* must count as violated, even if the compiler ignores NaN */
    status = downhill_hinge_f32(kernels, &in, y, 0.7f, &out, &loss);
    scores[0] = finite;
    const downhill_gradient_f32 grad = {dscores, N, NULL, N, C};
    const downhill_weights_f32 weights_f32 = {scores, N, NULL, N, C};
    if (status == DOWNHILL_OK)
        status = downhill_update_f32(kernels, &weights_f32, &grad, 3, &sgd);
    if (status != DOWNHILL_OK)
        return failed("f32", status);
    printf("%s %016llx %016llx %.17g %016llx %016llx\n", level,
           (unsigned long long)checksum(w, sizeof w), (unsigned long long)checksum(b, sizeof b),
           total_loss, (unsigned long long)checksum(scores, sizeof scores),
           (unsigned long long)special);
    return 0;
}

int main(void)
{
    static const char *const levels[] = {"scalar",     "avx2",       "avxvnni", "avx512",
                                         "avx512vnni", "avx512bf16", "amx"};
    int code = 0;
    for (size_t l = 0; l < sizeof levels / sizeof levels[0] && code == 0; l++)
        code = print_checksums(levels[l]);
    return code;
}
