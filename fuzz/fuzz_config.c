/* Input: config.json, a NUL, preprocessor_config.json. What is accepted has sizes within their limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *end = memchr(data, 0, size);
    const size_t len = end ? (size_t)(end - data) : size;
    const pd_str text = { (const char *)data, len };
    const pd_str preprocessor = { end ? (const char *)end + 1 : "", end ? size - len - 1 : 0 };
    pd_config config = { 0 };
    pd_error err;
    if (pd_config_parse(&config, text, preprocessor, &err) == PD_OK &&
        (config.dim == 0 || config.dim > PD_MODEL_DIM_MAX))
        abort();
    return 0;
}
