#include "token/codes.h"

#include "base/mem.h"

enum { CAPACITY_MIN = 256 };

void pd_codes_push(pd_codes *codes, uint32_t code)
{
    if (codes->status != PD_OK)
        return;
    if (codes->len == codes->capacity) {
        const size_t capacity = codes->capacity ? codes->capacity * 2 : CAPACITY_MIN;
        uint32_t *data = capacity > PD_CODES_MAX ? NULL : pd_mem_realloc(codes->data, capacity, sizeof *data);
        if (!data) {
            codes->status = capacity > PD_CODES_MAX ? PD_ERR_LIMIT : PD_ERR_NOMEM;
            return;
        }
        codes->data = data;
        codes->capacity = capacity;
    }
    codes->data[codes->len++] = code;
}

void pd_codes_append(pd_codes *codes, const uint32_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        pd_codes_push(codes, data[i]);
}

void pd_codes_clear(pd_codes *codes) { codes->len = 0; }

void pd_codes_done(pd_codes *codes)
{
    pd_mem_free(codes->data);
    *codes = (pd_codes){ 0 };
}
