/* What pd_json_parse accepts is written and parsed again to the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_json *json = NULL, *again = NULL;
    pd_error err;
    if (pd_json_parse(&json, (const char *)data, size, &err) != PD_OK)
        return 0;
    pd_buf first, second;
    pd_buf_init(&first, PD_JSON_BYTES_MAX);
    pd_buf_init(&second, PD_JSON_BYTES_MAX);
    if (pd_json_write(json, false, &first) != PD_OK || pd_json_parse(&again, first.data, first.len, &err) != PD_OK ||
        pd_json_write(again, false, &second) != PD_OK)
        abort();
    if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
        abort();
    pd_buf_done(&first);
    pd_buf_done(&second);
    pd_json_free(&json);
    pd_json_free(&again);
    return 0;
}
