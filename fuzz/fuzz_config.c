/* Input: config.json, a NUL, preprocessor_config.json, a NUL, generation_config.json. What is accepted, as a model or
 * as a captioner, has sizes within their limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/caption_config.h"
#include "model/config.h"
#include "model/model.h"

static pd_str take_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0, *size);
    const size_t len = end ? (size_t)(end - *data) : *size, used = end ? len + 1 : len;
    const pd_str part = { (const char *)*data, len };
    *data += used;
    *size -= used;
    return part;
}

static void check_captioner(const pd_caption_config *config)
{
    const pd_caption_options *options = &config->options;
    const size_t vocabulary = config->vocabulary;
    if (config->start < 0 || (size_t)config->start >= vocabulary || config->stop < 0 ||
        (size_t)config->stop >= vocabulary || config->n_suppressed > PD_CAPTION_SUPPRESSED_MAX)
        abort();
    if (options->n_beams < 1 || options->n_beams > PD_CAPTION_BEAMS_MAX || options->max_tokens < 1 ||
        options->max_tokens >= config->n_positions || options->min_tokens > options->max_tokens)
        abort();
    if (config->decoder.width % config->decoder.n_heads || !memchr(config->encoder_folder, 0, 256))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const pd_str text = take_part(&data, &size), preprocessor = take_part(&data, &size);
    const pd_str generation = take_part(&data, &size);
    pd_config config = { 0 };
    pd_caption_config captioner = { 0 };
    pd_error err;
    if (pd_config_parse(&config, text, preprocessor, &err) == PD_OK &&
        (config.dim == 0 || config.dim > PD_MODEL_DIM_MAX))
        abort();
    if (pd_caption_config_parse(&captioner, text, generation, preprocessor, &err) == PD_OK)
        check_captioner(&captioner);
    return 0;
}
