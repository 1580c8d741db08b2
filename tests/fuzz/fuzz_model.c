/* SPDX-License-Identifier: MIT
 *
 * Models and checkpoints. If the first byte is odd, the rest is turned into an archive with the
 * right checksums and digest, which no fuzzer would guess. Other inputs are used as files
 * unchanged. */
#include "fuzz.h"

#include "base/error.h"
#include "data/npz.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 9, FLOATS = 64 };

static const char *const names[NAMES] = {"w",          "b",          "mean",   "scale", "unit",
                                         "velocity_w", "velocity_b", "best_w", "best_b"};

/* Creates the archive. The input has, per array, one byte with its shape and type and then its
 * elements; then the record. */
static const char *make_archive(const uint8_t *bytes, size_t count)
{
    static float values[NAMES][FLOATS];
    npz_entry entries[NAMES + 1];
    size_t n = 0;
    for (size_t i = 0; i < NAMES && count > 1; i++) {
        const size_t rows = bytes[0] & 7, columns = bytes[0] >> 3 & 7, kind = bytes[0] >> 6;
        bytes++, count--;
        if (rows == 0)
            continue;
        const npy_header h = {.kind = kind == 3 ? 'i' : 'f',
                              .element_bytes = sizeof(float),
                              .dimensions = columns > 0 ? 2 : 1,
                              .shape = {rows, columns}};
        const size_t needed = rows * (columns > 0 ? columns : 1) * sizeof(float);
        const size_t available = needed < count ? needed : count;
        memset(values[i], 0, sizeof values[i]);
        memcpy(values[i], bytes, available);
        bytes += available, count -= available;
        entries[n++] = (npz_entry){names[i], h, values[i], needed};
    }
    json_t *record = json_loadb((const char *)bytes, count, JSON_DISABLE_EOF_CHECK, NULL);
    if (record == NULL)
        record = json_object();
    char digest[MODEL_DIGEST_TEXT];
    const downhill_weights_f32 w = {values[0], 0, values[1], 0, 0};
    if (json_is_object(record) && n > 1 && entries[0].header.dimensions == 2) {
        downhill_weights_f32 shaped = w;
        shaped.c = entries[0].header.shape[0];
        shaped.d = shaped.ldw = entries[0].header.shape[1];
        if (weights_digest(&shaped, digest))
            json_object_set_new(record, "model_digest", json_string(digest));
    }
    char *text = json_dumps(record, JSON_ENCODE_ANY);
    json_decref(record);
    if (text == NULL)
        abort();
    entries[n++] = (npz_entry){.name = "record.json", .elements = text, .bytes = strlen(text)};
    const char *path = fuzz_path("x.npz");
    unlink(path);
    if (npz_write(path, OUTPUT_NEW, entries, n) != EXIT_OK)
        abort();
    free(text);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    model_file m;
    sgd_state state;
    const bool is_archive = count > 0 && bytes[0] % 2 == 1;
    const char *path =
        is_archive ? make_archive(bytes + 1, count - 1) : fuzz_file("x.npz", bytes, count);
    const int code = model_file_read(path, &m);
    fuzz_expect(code);
    if (code == EXIT_OK) {
        const int state_code = checkpoint_take(path, &m, &state);
        fuzz_expect(state_code);
        if (state_code == EXIT_OK)
            sgd_state_free(&state);
    }
    model_file_close(&m);
    return 0;
}
