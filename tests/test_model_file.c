/* SPDX-License-Identifier: MIT
 *
 * Model files: reading returns exactly what was written, and everything else is rejected. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/npz.h"
#include "support.h"
#include "train/model_file.h"
#include "trainer_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { D = 5, C = 3 };

static dataset sets[2]; /* bytes, f32 */

static int open_all(void **state)
{
    const trainer_size size = {40, 10, D, C};
    for (int i = 0; i < 2; i++)
        trainer_data(&size, i == 0, 3, &sets[i]);
    return scratch_open(state);
}

static int close_all(void **state)
{
    dataset_close(&sets[0]);
    dataset_close(&sets[1]);
    return scratch_close(state);
}

/* Makes a model of the data set with every part that a checkpoint has. Its normalisation belongs to
 * *f. */
static model_file make_model(const dataset *data, feature_type type, normalise_kind kind,
                             features *f)
{
    assert_true(features_open(type, data, kind, 1, f));
    return (model_file){.type = type,
                        .bytes = data->stored[0].u8 != NULL,
                        .norm = f->norm,
                        .weights = trainer_weights(data->d, data->c, 1),
                        .velocity = trainer_weights(data->d, data->c, 2),
                        .best = trainer_weights(data->d, data->c, 3),
                        .record = json_pack("{s:s, s:[f]}", "note", "kept", "numbers", 0.1)};
}

static void free_model(model_file *m, features *f)
{
    m->norm = (normalisation){0};
    model_file_close(m);
    features_close(f);
}

/* Writes a valid file for the test to damage. */
static void write_good(const char *path)
{
    features f;
    model_file m = make_model(&sets[0], FEATURES_U8, NORMALISE_STANDARDISE, &f);
    assert_int_equal(model_file_write(path, &m, &sets[0]), EXIT_OK);
    free_model(&m, &f);
}

static bool same_model(const model_file *a, const model_file *b)
{
    const normalisation *x = &a->norm, *y = &b->norm;
    return a->type == b->type && a->bytes == b->bytes && x->kind == y->kind && x->d == y->d &&
           memcmp(x->mean, y->mean, x->d * sizeof *x->mean) == 0 &&
           memcmp(x->mean_256, y->mean_256, x->d * sizeof *x->mean_256) == 0 &&
           memcmp(x->scale, y->scale, x->d * sizeof *x->scale) == 0 &&
           trainer_same_weights(&a->weights, &b->weights) &&
           trainer_same_weights(&a->velocity, &b->velocity) &&
           trainer_same_weights(&a->best, &b->best);
}

static void test_model_file__round_trip__every_bit_kept(void **state)
{
    (void)state;
    const char *path = scratch_path("m.npz"), *again = scratch_path("again.npz");
    for (int set = 0; set < 2; set++)
        for (int type = set == 0 ? FEATURES_U8 : FEATURES_F32; type <= FEATURES_F32; type++)
            for (int kind = NORMALISE_NONE; kind <= NORMALISE_RAW_CENTER; kind++) {
                features f;
                model_file m = make_model(&sets[set], (feature_type)type, (normalise_kind)kind, &f),
                           got;
                assert_int_equal(model_file_write(path, &m, &sets[set]), EXIT_OK);
                assert_int_equal(model_file_read(path, &got), EXIT_OK);
                if (!same_model(&m, &got))
                    fail_msg("set %d, type %d, normalisation %d", set, type, kind);
                assert_string_equal(json_string_value(json_object_get(got.record, "note")), "kept");
                assert_true(json_equal(json_object_get(got.record, "numbers"),
                                       json_object_get(m.record, "numbers")));
                assert_string_equal(got.class_names[C - 1], "2");
                /* Writing what was read gives the same file. */
                assert_int_equal(model_file_write(again, &got, &sets[set]), EXIT_OK);
                char *a = read_text(path), *b = read_text(again);
                struct stat info;
                assert_int_equal(stat(path, &info), 0);
                assert_memory_equal(a, b, (size_t)info.st_size);
                free(a);
                free(b);
                model_file_close(&got);
                free_model(&m, &f);
            }
}

static void test_model_file__class_names__kept(void **state)
{
    (void)state;
    static const char *const names[C] = {"shoe", "", "a\tb \xc3\xa9"};
    features f;
    model_file m = make_model(&sets[0], FEATURES_U8, NORMALISE_NONE, &f), got;
    weights_free(&m.velocity);
    weights_free(&m.best);
    dataset named = sets[0];
    named.class_names = names;
    assert_int_equal(model_file_write(scratch_path("m.npz"), &m, &named), EXIT_OK);
    assert_int_equal(model_file_read(scratch_path("m.npz"), &got), EXIT_OK);
    for (size_t j = 0; j < C; j++)
        assert_string_equal(got.class_names[j], names[j]);
    assert_null(got.velocity.w);
    assert_null(got.best.w);
    model_file_close(&got);
    free_model(&m, &f);
}

/* ---- damage ---- */

static const char *refused(const char *path)
{
    model_file got;
    capture_stderr();
    const int code = model_file_read(path, &got);
    const char *text = captured();
    if (code != EXIT_DATA || count_of(text, '\n') != 1 || strstr(text, path) == NULL)
        fail_msg("exit code %d, stderr: %s", code, text);
    assert_null(got.weights.w);
    assert_null(got.record);
    return text;
}

/* Changes each byte in turn: the file is rejected, or reads the same because the byte is unused. */
static void test_model_file__changed_byte__refused_or_unused(void **state)
{
    (void)state;
    const char *path = scratch_path("m.npz"), *bad = scratch_path("bad.npz");
    write_good(path);
    model_file good;
    assert_int_equal(model_file_read(path, &good), EXIT_OK);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    const size_t size = (size_t)info.st_size;
    char *bytes = read_text(path);
    size_t accepted = 0;
    for (size_t at = 0; at < size; at++)
        for (int b = 0; b < 2; b++) {
            const char flip = b == 0 ? 1 : (char)0xff;
            bytes[at] ^= flip;
            write_raw(bad, bytes, size);
            model_file got;
            capture_stderr();
            const int code = model_file_read(bad, &got);
            const char *text = captured();
            if (code == EXIT_OK ? !same_model(&good, &got) || !json_equal(good.record, got.record)
                                : code != EXIT_DATA || count_of(text, '\n') != 1)
                fail_msg("byte %zu of %zu, %#x: exit code %d, stderr: %s", at, size, flip, code,
                         text);
            accepted += code == EXIT_OK;
            model_file_close(&got);
            bytes[at] ^= flip;
        }
    print_message("%zu of %zu flips do not matter\n", accepted, 2 * size);
    assert_true(accepted < size / 2); /* the checksums are verified */
    for (size_t length = 0; length < size; length++) {
        write_raw(bad, bytes, length);
        refused(bad);
    }
    free(bytes);
    model_file_close(&good);
}

/* Entries of a model file, of which a test changes or removes one. */
struct entries {
    npz_entry list[NPZ_ENTRIES_MAX];
    size_t count;
};

static struct npz_entry *entry(struct entries *e, const char *name)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->list[i].name, name) == 0)
            return &e->list[i];
    fail_msg("no entry %s", name);
    return NULL;
}

/* Reads all entries of the valid file. Free them with free_entries(). */
static struct entries read_entries(const char *path)
{
    static const char *const names[] = {"w",          "b",          "mean",   "scale", "unit",
                                        "velocity_w", "velocity_b", "best_w", "best_b"};
    struct entries e = {.count = 0};
    npz *file;
    char *text;
    assert_int_equal(npz_open(path, NULL, &file), EXIT_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        npz_entry *to = &e.list[e.count++];
        void *elements;
        to->name = names[i];
        assert_int_equal(npz_array(file, names[i], true, &to->header, &elements), EXIT_OK);
        to->elements = elements;
        to->bytes = to->header.elements * to->header.element_bytes;
    }
    assert_int_equal(npz_text(file, "record.json", &text), EXIT_OK);
    e.list[e.count++] = (npz_entry){.name = "record.json", .elements = text, .bytes = strlen(text)};
    npz_close(file);
    return e;
}

static void free_entries(struct entries *e)
{
    for (size_t i = 0; i < e->count; i++)
        free((void *)(uintptr_t)e->list[i].elements);
}

static void refused_with(const struct entries *e, const char *message)
{
    const char *path = scratch_path("bad.npz");
    unlink(path);
    assert_int_equal(npz_write(path, OUTPUT_NEW, e->list, e->count), EXIT_OK);
    const char *text = refused(path);
    if (strstr(text, message) == NULL)
        fail_msg("expected \"%s\": %s", message, text);
}

static void test_model_file__missing_array__refused(void **state)
{
    (void)state;
    write_good(scratch_path("m.npz"));
    struct entries all = read_entries(scratch_path("m.npz"));
    size_t optional = 0;
    for (size_t i = 0; i < all.count; i++) {
        struct entries e = all;
        e.list[i] = e.list[--e.count];
        const char *name = all.list[i].name;
        if (strcmp(name, "velocity_w") == 0 || strcmp(name, "best_w") == 0)
            optional++; /* its bias is then ignored */
        else
            refused_with(&e, "it is missing");
    }
    assert_int_equal(optional, 2);
    const struct entries data = {.list = {all.list[2], all.list[3]}, .count = 2}; /* no weights */
    refused_with(&data, "not a model of downhill; give a file written by downhill train");
    free_entries(&all);
}

/* Each array in turn with another shape or type, or with a value that is not finite. */
static void test_model_file__wrong_array__refused(void **state)
{
    (void)state;
    write_good(scratch_path("m.npz"));
    struct entries all = read_entries(scratch_path("m.npz"));
    for (size_t i = 0; i + 1 < all.count; i++) {
        struct entries e = all;
        npz_entry *changed = &e.list[i];
        npy_header *h = &changed->header;
        float copy[C * D];
        h->shape[h->dimensions - 1]--;
        changed->bytes = h->dimensions == 1 ? h->shape[0] * 4 : h->shape[0] * h->shape[1] * 4;
        refused_with(&e, "match the shape of the other arrays");
        *changed = all.list[i];
        h->dimensions = 3 - h->dimensions;
        h->shape[0] = changed->bytes / 4;
        h->shape[1] = 1;
        refused_with(&e, "number of dimensions");
        *changed = all.list[i];
        h->kind = 'i';
        refused_with(&e, "is not of f32");
        *changed = all.list[i];
        h->element_bytes = 2;
        refused_with(&e, "its size is not that of its header");
        *changed = all.list[i];
        const float not_finite[] = {NAN, INFINITY, -INFINITY};
        for (int n = 0; n < 3; n++) {
            memcpy(copy, changed->elements, changed->bytes);
            copy[changed->bytes / 4 - 1] = not_finite[n];
            changed->elements = copy;
            refused_with(&e, "not finite");
            *changed = all.list[i];
        }
    }
    free_entries(&all);
}

static void test_model_file__wrong_values__refused(void **state)
{
    (void)state;
    write_good(scratch_path("m.npz"));
    struct entries all = read_entries(scratch_path("m.npz"));
    float copy[C * D];
    struct entries e = all;
    npz_entry *w = entry(&e, "w");
    memcpy(copy, w->elements, w->bytes);
    copy[0] = nextafterf(copy[0], 2.0f); /* the last bit of one weight */
    w->elements = copy;
    refused_with(&e, "do not match the digest");
    for (int above = 0; above < 2; above++) {
        e = all;
        npz_entry *mean = entry(&e, "mean");
        memcpy(copy, mean->elements, mean->bytes);
        copy[D - 1] = above ? 255.01f : -0.01f;
        mean->elements = copy;
        refused_with(&e, "outside 0 ... 255");
    }
    free_entries(&all);
}

static void test_model_file__wrong_record__refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *message;
    } wrong[] = {
        {"format", "\"other\"", "does not describe a model"},
        {"format", "1", "does not describe a model"},
        {"version", "1", "version"},
        {"version", "0", "version"},
        {"version", "\"2\"", "version"},
        {"dtype", "\"f64\"", "unknown dtype"},
        {"dtype", "null", "unknown dtype"},
        {"features", "\"f32\"", "unknown dtype"}, /* weights for bytes, but features are f32 */
        {"normalize", "\"centre\"", "unknown dtype"},
        {"classes", "[\"a\", \"b\"]", "number of class names"},
        {"classes", "[\"a\", \"b\", \"c\", \"d\"]", "number of class names"},
        {"classes", "[\"a\", \"b\", 3]", "not a string"},
        {"classes", "{}", "number of class names"},
        {"model_digest", "\"\"", "digest"},
        {"model_digest", "null", "digest"},
    };
    write_good(scratch_path("m.npz"));
    struct entries all = read_entries(scratch_path("m.npz"));
    const npz_entry *text = entry(&all, "record.json");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *record = json_loads(text->elements, 0, NULL);
        json_object_set_new(record, wrong[i].key,
                            json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
        char *changed = json_dumps(record, 0);
        struct entries e = all;
        *entry(&e, "record.json") =
            (npz_entry){.name = "record.json", .elements = changed, .bytes = strlen(changed)};
        refused_with(&e, wrong[i].message);
        free(changed);
        json_decref(record);
    }
    static const char *const texts[] = {"", "{", "[]", "{\"format\": 1, \"format\": 1}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct entries e = all;
        *entry(&e, "record.json") =
            (npz_entry){.name = "record.json", .elements = texts[i], .bytes = strlen(texts[i])};
        refused_with(&e, "record.json");
    }
    free_entries(&all);
}

static void test_model_file__not_a_model__refused(void **state)
{
    (void)state;
    write_raw(scratch_path("text"), "no archive", 10);
    assert_non_null(strstr(refused(scratch_path("text")), "text: not a model of downhill; give"));
    write_raw(scratch_path("empty"), "", 0);
    assert_non_null(strstr(refused(scratch_path("empty")), "empty: is empty; name another file\n"));
    refused(scratch_path("."));
    assert_non_null(strstr(refused(scratch_path("none.npz")), "No such file"));
    refused(scratch_path("text/m.npz")); /* a file instead of a directory */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_file__round_trip__every_bit_kept),
        cmocka_unit_test(test_model_file__class_names__kept),
        cmocka_unit_test(test_model_file__changed_byte__refused_or_unused),
        cmocka_unit_test(test_model_file__missing_array__refused),
        cmocka_unit_test(test_model_file__wrong_array__refused),
        cmocka_unit_test(test_model_file__wrong_values__refused),
        cmocka_unit_test(test_model_file__wrong_record__refused),
        cmocka_unit_test(test_model_file__not_a_model__refused),
    };
    return cmocka_run_group_tests_name("model_file", tests, open_all, close_all);
}
