/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include "base/error.h"
#include "base/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *origin_objective(const task_config *config)
{
    json_t *o = json_object();
    output_set(o, "loss", json_string(task_loss_words[config->loss]));
    output_set(o, "reg", output_f32(config->reg));
    output_set(o, "delta", output_f32(config->delta));
    return o;
}

static bool take_number(const json_t *o, const char *key, float *number)
{
    const json_t *value = json_object_get(o, key);
    const double real = json_number_value(value);
    if (*number == TASK_AUTOMATIC)
        *number = (float)real;
    return json_is_number(value) && real >= 0.0 && isfinite((float)real);
}

static bool take_objective(const json_t *o, task_config *config)
{
    const char *word = json_string_value(json_object_get(o, "loss"));
    int loss = DOWNHILL_HINGE;
    if (word == NULL)
        return false;
    if (strcmp(word, task_loss_words[loss]) != 0)
        loss = DOWNHILL_SOFTMAX;
    if (config->loss == TASK_AUTOMATIC)
        config->loss = loss;
    return strcmp(word, task_loss_words[loss]) == 0 && take_number(o, "reg", &config->reg) &&
           take_number(o, "delta", &config->delta);
}

/* Refuses the default data set if --data was not given and the model was trained on another.
 * Returns CLI_CONTINUE, or an exit code after a line. */
static int check_default_data(const char *command, const char *path, const task_config *config,
                              const model_file *from)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(from->record, "data"), "name"));
    if (config->data != task_default_data || (name != NULL && strcmp(name, config->data) == 0))
        return CLI_CONTINUE;
    error_line("%s: --data was not given, and %s was trained on %s, not on %s; give --data",
               command, path, name != NULL ? name : "an unnamed data set", config->data);
    return EXIT_USAGE;
}

int origin_read(const char *command, const char *path, task_config *config, model_file *from)
{
    *from = (model_file){0};
    if (path == NULL)
        return CLI_CONTINUE;
    if (config->dtype != TASK_AUTOMATIC || config->normalise != TASK_AUTOMATIC) {
        error_line("%s: --model: the model determines feature type and normalisation; leave "
                   "--dtype and --normalize out",
                   command);
        return EXIT_USAGE;
    }
    int code = model_file_read(path, from);
    if (code != EXIT_OK)
        return code;
    if ((code = check_default_data(command, path, config, from)) != CLI_CONTINUE) {
        model_file_close(from);
        return code;
    }
    config->dtype = (int)from->type;
    config->normalise = (int)from->norm.kind;
    config->use.d = from->weights.d;
    config->use.classes = from->class_names;
    config->use.n_classes = from->weights.c;
    if (take_objective(json_object_get(from->record, "objective"), config))
        return CLI_CONTINUE;
    error_line("%s: record.json: its loss and penalty cannot be read; the file is damaged", path);
    model_file_close(from);
    return EXIT_DATA;
}

/* Checks that the data match the model: as many features, of the same type, and no other classes.
 * Returns an exit code. */
static int check_data_matches(const char *path, const char *spec, const dataset *data,
                              const model_file *from)
{
    const bool bytes = data->stored[0].u8 != NULL;
    if (from->weights.d != data->d)
        error_line("%s: trained on %zu features, but %s has %zu; give data with the features of "
                   "the training",
                   path, from->weights.d, spec, data->d);
    else if (from->bytes && !bytes)
        error_line("%s: trained on bytes, but the features of %s are not bytes; convert them with "
                   "NumPy: X.astype(np.uint8), or (X * 255).round().astype(np.uint8) if they are "
                   "from 0 to 1",
                   path, spec);
    else if (!from->bytes && bytes)
        error_line("%s: trained on f32, but the features of %s are bytes; convert them with NumPy "
                   "as for the training: X.astype(np.float32), or X.astype(np.float32) / 255",
                   path, spec);
    else if (from->weights.c < data->c)
        error_line("%s: trained on %zu classes, but %s has %zu; give data of the same classes",
                   path, from->weights.c, spec, data->c);
    else
        return EXIT_OK;
    return EXIT_DATA;
}

int origin_open_features(task *t, const char *path, model_file *from)
{
    if (path == NULL)
        return task_open_features(t);
    const dataset *data = &t->data;
    const downhill_weights_f32 *w = &from->weights;
    int code = check_data_matches(path, t->config->data, data, from);
    if (code == EXIT_OK)
        code = task_settle_data(t);
    if (code != EXIT_OK)
        return code;
    t->data.c = w->c; /* classes of the model may have no sample in this data */
    if (features_open_with(from->type, data, &from->norm, t->config->threads, &t->features))
        return EXIT_OK;
    return problem_failed(DOWNHILL_ERR_WORKSPACE);
}
