/* SPDX-License-Identifier: MIT */
#include "npy.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "\x93NUMPY"

enum { MAGIC_BYTES = 6, HEADER_TEXT_MAX = 65536, ELEMENT_MAX = 1 << 20 };

/* Text of the header that is still to be parsed, a dictionary in Python syntax. */
struct text {
    const char *at, *end;
};

static void skip_space(struct text *t)
{
    while (t->at < t->end && isspace((unsigned char)*t->at))
        t->at++;
}

static bool take(struct text *t, char c)
{
    skip_space(t);
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

/* Reads 'text' or "text". */
static bool take_string(struct text *t, const char **start, size_t *length)
{
    skip_space(t);
    if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
        return false;
    const char *close = memchr(t->at + 1, *t->at, (size_t)(t->end - t->at - 1));
    if (close == NULL)
        return false;
    *start = t->at + 1;
    *length = (size_t)(close - *start);
    t->at = close + 1;
    return true;
}

static bool take_size(struct text *t, size_t *value)
{
    skip_space(t);
    if (t->at == t->end || !isdigit((unsigned char)*t->at))
        return false;
    for (*value = 0; t->at < t->end && isdigit((unsigned char)*t->at); t->at++) {
        const size_t digit = (size_t)(*t->at - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

static bool take_word(struct text *t, const char *word)
{
    const size_t length = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->at) < length || strncmp(t->at, word, length) != 0)
        return false;
    t->at += length;
    return true;
}

/* Skips a list or tuple, in which strings may hold brackets. */
static bool skip_nested(struct text *t)
{
    size_t depth = 0;
    const char *string;
    size_t length;
    do {
        skip_space(t);
        if (t->at == t->end)
            return false;
        if (*t->at == '\'' || *t->at == '"') {
            if (!take_string(t, &string, &length))
                return false;
            continue;
        }
        depth += *t->at == '[' || *t->at == '(';
        depth -= *t->at == ']' || *t->at == ')';
        t->at++;
    } while (depth > 0);
    return true;
}

/* Parses a type descriptor such as "<f8", "|O" or "<M8[ns]". */
static bool parse_type(const char *type, size_t length, npy_header *h)
{
    if (length < 2 || length >= sizeof h->type || strchr("<>|=", type[0]) == NULL ||
        strchr("fiubcUSOMmV", type[1]) == NULL)
        return false;
    memcpy(h->type, type, length);
    h->kind = type[1];
    h->big_endian = type[0] == '>';
    struct text number = {type + 2, type + length};
    if (h->kind == 'O') {
        h->element_bytes = sizeof(void *);
        return length == 2;
    }
    if (!take_size(&number, &h->element_bytes) || h->element_bytes == 0 ||
        h->element_bytes > ELEMENT_MAX)
        return false;
    if (h->kind == 'U')
        h->element_bytes *= 4;
    return number.at == number.end || ((h->kind == 'M' || h->kind == 'm') && *number.at == '[');
}

static const char *take_type(struct text *t, npy_header *h)
{
    const char *type;
    size_t length;
    skip_space(t);
    if (t->at < t->end && (*t->at == '[' || *t->at == '(')) {
        h->kind = 'V';
        h->element_bytes = 1;
        return skip_nested(t) ? NULL : "its element type cannot be read";
    }
    return take_string(t, &type, &length) && parse_type(type, length, h)
               ? NULL
               : "its element type cannot be read";
}

static const char *take_shape(struct text *t, npy_header *h)
{
    if (!take(t, '('))
        return "its shape cannot be read";
    while (!take(t, ')')) {
        if (h->dimensions == NPY_DIMENSIONS_MAX)
            return "it has more than eight dimensions";
        if (!take_size(t, &h->shape[h->dimensions++]))
            return "its shape cannot be read";
        if (!take(t, ',')) {
            if (!take(t, ')'))
                return "its shape cannot be read";
            break;
        }
    }
    h->elements = 1;
    for (size_t i = 0; i < h->dimensions; i++) {
        if (h->shape[i] != 0 && h->elements > PTRDIFF_MAX / h->shape[i])
            return "its shape overflows";
        h->elements *= h->shape[i];
    }
    return NULL;
}

static const char *parse_dictionary(struct text *t, npy_header *h)
{
    bool type = false, order = false, shape = false;
    if (!take(t, '{'))
        return "its header is no dictionary";
    while (!take(t, '}')) {
        const char *key, *wrong = NULL;
        size_t length;
        if (!take_string(t, &key, &length) || !take(t, ':'))
            return "its header cannot be read";
        if (length == 5 && strncmp(key, "descr", 5) == 0 && !type) {
            wrong = take_type(t, h);
            type = true;
        } else if (length == 5 && strncmp(key, "shape", 5) == 0 && !shape) {
            wrong = take_shape(t, h);
            shape = true;
        } else if (length == 13 && strncmp(key, "fortran_order", 13) == 0 && !order) {
            h->fortran_order = take_word(t, "True");
            if (!h->fortran_order && !take_word(t, "False"))
                wrong = "its header cannot be read";
            order = true;
        } else {
            wrong = "its header has a key that is not known";
        }
        if (wrong != NULL)
            return wrong;
        if (!take(t, ',')) {
            if (!take(t, '}'))
                return "its header cannot be read";
            break;
        }
    }
    skip_space(t);
    if (!type || !order || !shape || t->at != t->end)
        return "its header is not complete";
    /* Narrow elements are converted to f32, whose size must not overflow either. */
    const size_t bytes = h->element_bytes > sizeof(float) ? h->element_bytes : sizeof(float);
    return h->elements > PTRDIFF_MAX / bytes ? "its shape overflows" : NULL;
}

const char *npy_parse(const unsigned char *bytes, size_t count, npy_header *h)
{
    *h = (npy_header){0};
    if (count < NPY_PREFIX || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
        return "it is not an NPY file";
    const unsigned version = bytes[MAGIC_BYTES];
    if (version < 1 || version > 3)
        return "its version is not known";
    const size_t prefix = version == 1 ? 10 : 12;
    const size_t text = version == 1 ? (size_t)bytes[8] | (size_t)bytes[9] << 8
                                     : (size_t)bytes[8] | (size_t)bytes[9] << 8 |
                                           (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (text > HEADER_TEXT_MAX)
        return "its header is too long";
    h->size = prefix + text;
    if (h->size > count)
        return NULL;
    struct text t = {(const char *)bytes + prefix, (const char *)bytes + prefix + text};
    return parse_dictionary(&t, h);
}

size_t npy_format(const npy_header *h, unsigned char bytes[NPY_HEADER_MAX])
{
    char text[NPY_HEADER_MAX], shape[96] = "";
    size_t used = 0;
    for (size_t i = 0; i < h->dimensions; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, i > 0 ? " %zu," : "%zu,",
                                 h->shape[i]);
    if (h->dimensions > 1)
        shape[used - 1] = '\0'; /* only a single one is followed by a comma */
    const int length =
        snprintf(text, sizeof text, "{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (%s), }",
                 h->element_bytes == 1 ? '|' : '<', h->kind, h->element_bytes, shape);
    const size_t prefix = 10, size = (prefix + (size_t)length + 1 + 63) / 64 * 64;
    memcpy(bytes, MAGIC "\x01\x00", MAGIC_BYTES + 2);
    bytes[8] = (unsigned char)((size - prefix) & 0xff);
    bytes[9] = (unsigned char)((size - prefix) >> 8);
    memset(bytes + prefix, ' ', size - prefix);
    memcpy(bytes + prefix, text, (size_t)length);
    bytes[size - 1] = '\n';
    return size;
}

bool npy_is_raw(const npy_header *h)
{
    return h->kind == 'V' && h->type[0] != '\0';
}

void npy_type_text(const npy_header *h, char text[NPY_TYPE_TEXT])
{
    static const struct {
        char kind;
        const char *word;
        bool sized; /* NumPy appends the number of bits */
    } kinds[] = {{'f', "float", true},       {'i', "int", true},     {'u', "uint", true},
                 {'b', "bool", false},       {'c', "complex", true}, {'U', "str", false},
                 {'S', "bytes", false},      {'O', "object", false}, {'M', "datetime64", false},
                 {'m', "timedelta64", false}};
    if (h->type[0] == '\0')
        snprintf(text, NPY_TYPE_TEXT, "structured");
    else
        snprintf(text, NPY_TYPE_TEXT, "void ('%s')", h->type);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        if (kinds[k].kind == h->kind && kinds[k].sized)
            snprintf(text, NPY_TYPE_TEXT, "%s%zu ('%s')", kinds[k].word, 8 * h->element_bytes,
                     h->type);
        else if (kinds[k].kind == h->kind)
            snprintf(text, NPY_TYPE_TEXT, "%s ('%s')", kinds[k].word, h->type);
}
