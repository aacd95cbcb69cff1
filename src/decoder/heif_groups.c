#include "decoder/heif_groups.h"

#include <string.h>

#include "base/mem.h"

enum {
    BOX_BYTES = 8,  /* length and name */
    META_BYTES = 4, /* version and flags before the boxes inside */
};

/* Where the box `name` begins among those in [at, end); `end` when it is not there. */
static size_t find_box(const uint8_t *data, size_t at, size_t end, const char *name, size_t *ret_end)
{
    while (at <= end && end - at >= BOX_BYTES) {
        const size_t bytes =
            (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
        if (bytes < BOX_BYTES || bytes > end - at) /* the last may be open, or of 64 bits: those are no such boxes */
            break;
        if (memcmp(data + at + 4, name, 4) == 0) {
            *ret_end = at + bytes;
            return at;
        }
        at += bytes;
    }
    return end;
}

uint8_t *pd_heif_hide_groups(const uint8_t *data, size_t len)
{
    size_t meta_end = 0, groups_end = 0;
    const size_t meta = find_box(data, 0, len, "meta", &meta_end);
    if (meta == len || meta_end - meta < BOX_BYTES + META_BYTES)
        return NULL;
    const size_t groups = find_box(data, meta + BOX_BYTES + META_BYTES, meta_end, "grpl", &groups_end);
    uint8_t *copy = groups < meta_end ? pd_mem_alloc(len, 1) : NULL;
    if (copy) {
        memcpy(copy, data, len);
        memcpy(copy + groups + 4, "free", 4);
    }
    return copy;
}
