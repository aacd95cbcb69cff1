#include "vindex/vfile.h"

#include <inttypes.h>
#include <string.h>

#include "vindex/vindex.h"

static const char magic[8] = { 'P', 'D', 'v', 'e', 'c', 't', '\r', '\n' };

/* As it stands in the file. */
typedef struct slot {
    char magic[8];
    uint32_t version, dim, block_rows, reserved;
    char model_id[PD_VFILE_MODEL_ID_BYTES];
    uint64_t generation, count;
    int64_t last_seq;
    uint64_t check; /* of all bytes before */
} slot;

_Static_assert(sizeof(slot) == 184, "the slot has no holes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is mapped as it is: little-endian");

enum {
    ROWS = PD_VFILE_BLOCK_ROWS,
    AT_SCALE = ROWS * sizeof(int64_t),
    AT_ERROR = AT_SCALE + ROWS * sizeof(float),
    AT_CHECK = AT_ERROR + ROWS * sizeof(float),
    AT_ROWS = AT_CHECK + ROWS * sizeof(uint32_t),
};

/* A checksum against accidents, not against people. Every step is invertible, so a change of one word of 8 bytes always
 * changes the 64-bit result. `len` is a multiple of 4. */
static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    const char *bytes = data;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, len - i < 8 ? len - i : 8);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return hash;
}

size_t pd_vfile_stride(size_t dim) { return (dim + 63) & ~(size_t)63; }

size_t pd_vfile_block_bytes(size_t dim) { return AT_ROWS + ROWS * pd_vfile_stride(dim); }

size_t pd_vfile_block_count(uint64_t n_rows) { return n_rows / ROWS + (n_rows % ROWS != 0); }

static bool read_slot(const uint8_t *data, slot *ret_slot)
{
    memcpy(ret_slot, data, sizeof *ret_slot);
    return memcmp(ret_slot->magic, magic, sizeof magic) == 0 &&
           mix(0, ret_slot, offsetof(slot, check)) == ret_slot->check;
}

static pd_status check_slot(const slot *s, uint64_t file_bytes, pd_error *err)
{
    if (s->version != PD_VFILE_VERSION)
        return pd_error_set(err, PD_ERR_CORRUPT, "it has version %" PRIu32 ", this program uses version %d", s->version,
                            PD_VFILE_VERSION);
    if (s->dim < 1 || s->dim > PD_VINDEX_DIM_MAX || s->block_rows != ROWS || s->reserved || s->last_seq < 0 ||
        !memchr(s->model_id, '\0', sizeof s->model_id))
        return pd_error_set(err, PD_ERR_CORRUPT, "its header makes no sense");
    const uint64_t blocks_there =
        file_bytes < PD_VFILE_HEADER_BYTES ? 0 : (file_bytes - PD_VFILE_HEADER_BYTES) / pd_vfile_block_bytes(s->dim);
    if (pd_vfile_block_count(s->count) > blocks_there)
        return pd_error_set(err, PD_ERR_CORRUPT,
                            "it was cut: %" PRIu64 " rows were written, %" PRIu64 " bytes are left", s->count,
                            file_bytes);
    return PD_OK;
}

pd_status pd_vfile_parse(const uint8_t *data, size_t len, uint64_t file_bytes, pd_vfile_header *ret_header,
                         pd_error *err)
{
    if (len < PD_VFILE_HEADER_BYTES)
        return pd_error_set(err, PD_ERR_CORRUPT, "it was cut: %zu bytes", len);
    slot slots[2];
    const bool valid[2] = { read_slot(data, &slots[0]), read_slot(data + PD_VFILE_SLOT_BYTES, &slots[1]) };
    if (!valid[0] && !valid[1])
        return pd_error_set(err, PD_ERR_CORRUPT, "its header is damaged, or it is no vector file");
    const slot *s = valid[1] && (!valid[0] || slots[1].generation > slots[0].generation) ? &slots[1] : &slots[0];
    PD_TRY(check_slot(s, file_bytes, err));
    *ret_header = (pd_vfile_header){
        .dim = s->dim,
        .generation = s->generation,
        .count = s->count,
        .last_seq = s->last_seq,
    };
    memcpy(ret_header->model_id, s->model_id, sizeof s->model_id);
    return PD_OK;
}

void pd_vfile_format(const pd_vfile_header *header, uint8_t ret_slot[PD_VFILE_SLOT_BYTES])
{
    slot s = {
        .version = PD_VFILE_VERSION,
        .dim = (uint32_t)header->dim,
        .block_rows = ROWS,
        .generation = header->generation,
        .count = header->count,
        .last_seq = header->last_seq,
    };
    memcpy(s.magic, magic, sizeof magic);
    memcpy(s.model_id, header->model_id, sizeof s.model_id);
    s.check = mix(0, &s, offsetof(slot, check));
    memset(ret_slot, 0, PD_VFILE_SLOT_BYTES);
    memcpy(ret_slot, &s, sizeof s);
}

pd_vfile_block pd_vfile_block_at(uint8_t *base)
{
    return (pd_vfile_block){
        .content = (int64_t *)(void *)base,
        .scale = (float *)(void *)(base + AT_SCALE),
        .error = (float *)(void *)(base + AT_ERROR),
        .check = (uint32_t *)(void *)(base + AT_CHECK),
        .rows = base + AT_ROWS,
    };
}

uint32_t pd_vfile_row_check(const pd_vfile_block *block, size_t row, size_t stride)
{
    uint64_t hash = mix(0, &block->content[row], sizeof block->content[row]);
    hash = mix(hash, &block->scale[row], sizeof block->scale[row]);
    hash = mix(hash, &block->error[row], sizeof block->error[row]);
    hash = mix(hash, block->rows + row * stride, stride);
    return (uint32_t)(hash ^ hash >> 32);
}

bool pd_vfile_block_valid(const pd_vfile_block *block, size_t n_rows, size_t stride)
{
    for (size_t row = 0; row < n_rows; row++)
        if (pd_vfile_row_check(block, row, stride) != block->check[row])
            return false;
    return true;
}
