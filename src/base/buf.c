#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BUF_CAPACITY_MIN = 256 };

void pd_buf_init(pd_buf *buf, size_t len_max) { *buf = (pd_buf){ .len_max = len_max }; }

void pd_buf_done(pd_buf *buf)
{
    pd_mem_free(buf->data);
    *buf = (pd_buf){ 0 };
}

void pd_buf_clear(pd_buf *buf)
{
    buf->len = 0;
    buf->status = PD_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

pd_status pd_buf_reserve(pd_buf *buf, size_t len)
{
    if (buf->status != PD_OK)
        return buf->status;
    if (len > buf->len_max - buf->len)
        return buf->status = PD_ERR_LIMIT;
    const size_t need = buf->len + len + 1;
    if (need <= buf->capacity)
        return PD_OK;
    size_t capacity = buf->capacity < BUF_CAPACITY_MIN ? BUF_CAPACITY_MIN : buf->capacity;
    while (capacity < need)
        capacity += capacity / 2 + 1;
    char *data = pd_mem_realloc(buf->data, capacity, 1);
    if (!data)
        return buf->status = PD_ERR_NOMEM;
    buf->data = data;
    buf->capacity = capacity;
    return PD_OK;
}

pd_status pd_buf_append(pd_buf *buf, const void *data, size_t len)
{
    const pd_status status = pd_buf_reserve(buf, len);
    if (status != PD_OK)
        return status;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return PD_OK;
}

pd_status pd_buf_append_string(pd_buf *buf, const char *string) { return pd_buf_append(buf, string, strlen(string)); }

pd_status pd_buf_appendf(pd_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    pd_status status = n < 0 ? PD_ERR_INTERNAL : pd_buf_reserve(buf, (size_t)n);
    if (status == PD_OK) {
        (void)vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    return status;
}

char *pd_buf_take(pd_buf *buf)
{
    char *data = buf->status == PD_OK ? buf->data : NULL;
    if (!data)
        pd_mem_free(buf->data);
    *buf = (pd_buf){ .len_max = buf->len_max };
    return data;
}
