/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include "base/error.h"

int origin_read(const char *command, const char *path, task_config *config, model_file *from)
{
    *from = (model_file){0};
    if (path == NULL)
        return CLI_GO_ON;
    if (config->dtype != TASK_AUTOMATIC || config->normalise != TASK_AUTOMATIC) {
        error_line("%s: --model: has a type of features and a normalisation of its own; leave "
                   "--dtype and --normalize out",
                   command);
        return EXIT_USAGE;
    }
    const int code = model_file_read(path, from);
    if (code != EXIT_OK)
        return code;
    config->dtype = (int)from->type;
    config->normalise = (int)from->norm.kind;
    return CLI_GO_ON;
}

int origin_open_features(task *t, const char *path, model_file *from)
{
    if (path == NULL)
        return task_open_features(t);
    const dataset *data = &t->data;
    const downhill_weights_f32 *w = &from->weights;
    if (w->d != data->d || w->c < data->c || from->bytes != (data->stored[0].u8 != NULL)) {
        error_line(
            "%s: a model of %zu features of %s and %zu classes, but %s has %zu of %s and %zu; "
            "name those that belong together",
            path, w->d, from->bytes ? "bytes" : "f32", w->c, data->name, data->d,
            data->stored[0].u8 != NULL ? "bytes" : "f32", data->c);
        return EXIT_DATA;
    }
    t->data.c = w->c; /* some of its classes may have no sample here */
    if (features_open_with(from->type, data, &from->norm, t->config->threads, &t->features))
        return EXIT_OK;
    return problem_failed(DOWNHILL_ERR_WORKSPACE);
}
