/* word_file.c: a word space as a file (docs/formats.md, "Words of tags"), mapped as it is. */
#include <string.h>

#include "annotate/tagger.h"
#include "base/sha256.h"

static const char magic[8] = { 'P', 'D', 'w', 'o', 'r', 'd', '\r', '\n' };

enum { VERSION = 2, HEADER_BYTES = 192 };

/* As it stands in the file. */
typedef struct header {
    char magic[8];
    uint32_t version, n;
    uint64_t dim;
    uint8_t key[PD_SHA256_BYTES]; /* of the model's id and the vocabulary's version */
    uint8_t sum[PD_SHA256_BYTES]; /* of all bytes after the header */
    uint8_t zero[HEADER_BYTES - 24 - 2 * PD_SHA256_BYTES];
} header;

_Static_assert(sizeof(header) == HEADER_BYTES && HEADER_BYTES % 64 == 0, "what follows is aligned for the kernels");

static void make_key(const char *model_id, const pd_vocabulary *vocabulary, uint8_t ret_key[PD_SHA256_BYTES])
{
    pd_sha256 sha;
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, model_id, strlen(model_id) + 1);
    pd_sha256_update(&sha, vocabulary->version, strlen(vocabulary->version));
    pd_sha256_finish(&sha, ret_key);
}

static void make_sum(const void *data, size_t len, uint8_t ret_sum[PD_SHA256_BYTES])
{
    pd_sha256 sha;
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, data, len);
    pd_sha256_finish(&sha, ret_sum);
}

static pd_status check(const pd_file_map *map, const pd_vocabulary *vocabulary, const char *model_id, size_t *ret_dim,
                       pd_error *err)
{
    header h;
    uint8_t digest[PD_SHA256_BYTES];
    if (map->len < HEADER_BYTES)
        return pd_error_set(err, PD_ERR_CORRUPT, "it was cut: %zu bytes", map->len);
    memcpy(&h, map->data, sizeof h);
    make_key(model_id, vocabulary, digest);
    if (memcmp(h.magic, magic, sizeof magic) != 0 || h.version != VERSION || h.n != pd_word_space_rows(vocabulary) ||
        memcmp(h.key, digest, sizeof digest) != 0)
        return pd_error_set(err, PD_ERR_CORRUPT, "it is of another model or of other words");
    if (h.dim < 1 || h.dim > PD_MODEL_DIM_MAX || map->len != HEADER_BYTES + pd_pack_f32_bytes(h.n, h.dim))
        return pd_error_set(err, PD_ERR_CORRUPT, "its header makes no sense");
    make_sum(map->data + HEADER_BYTES, map->len - HEADER_BYTES, digest);
    if (memcmp(h.sum, digest, sizeof digest) != 0)
        return pd_error_set(err, PD_ERR_CORRUPT, "its bytes are damaged");
    *ret_dim = h.dim;
    return PD_OK;
}

pd_status pd_word_space_read(pd_word_space *ret_space, const char *path, const pd_vocabulary *vocabulary,
                             const char *model_id, pd_error *err)
{
    pd_file_map map;
    size_t dim = 0;
    PD_TRY(pd_file_map_open(&map, path, err));
    const pd_status status = check(&map, vocabulary, model_id, &dim, err);
    if (status != PD_OK) {
        pd_error_prefix(err, "%s", path);
        pd_file_map_close(&map);
        return status;
    }
    const float *packed = (const float *)(const void *)(map.data + HEADER_BYTES);
    *ret_space = (pd_word_space){ .dim = dim, .packed = packed, .map = map };
    return PD_OK;
}

pd_status pd_word_space_write(const pd_word_space *space, const char *path, const pd_vocabulary *vocabulary,
                              const char *model_id, pd_error *err)
{
    const size_t n = pd_word_space_rows(vocabulary), len = pd_pack_f32_bytes(n, space->dim);
    header h = { .version = VERSION, .n = (uint32_t)n, .dim = space->dim };
    memcpy(h.magic, magic, sizeof magic);
    make_key(model_id, vocabulary, h.key);
    make_sum(space->packed, len, h.sum);
    const pd_file_part parts[] = { { &h, sizeof h, 0 }, { space->packed, len, HEADER_BYTES } };
    return pd_file_replace_parts(path, parts, 2, HEADER_BYTES + len, err);
}
