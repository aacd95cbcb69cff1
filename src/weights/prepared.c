/* prepared.c: blocks are laid out in memory exactly as in the file.
 *
 * A builder's blocks lie in a row in one reserved range of addresses. Where the folder takes a file without a name
 * (O_TMPFILE), they are built in that file, mapped there: what is finished need not stay resident, sealing gives the
 * file its name, and a builder that is killed leaves nothing behind. Elsewhere they are built in memory, written, and
 * the file is mapped over the range. In both cases the pointers that were handed out stay good. Bytes on disk:
 * docs/formats.md, "Prepared weights". */
#include "weights/weights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"

#define PREPARED_BYTES_MAX ((size_t)16 << 30)
#define RESERVED_BYTES_MIN ((size_t)64 << 20)
#define COMMIT_STEP_BYTES ((size_t)1 << 20)
#define FORGET_STEP_BYTES ((size_t)8 << 20) /* of finished blocks that may stay resident while building in a file */

enum {
    BLOCK_ALIGNMENT = 64,
    FIRST_BLOCK_AT = 128,
    EDGE_BYTES = 4096, /* of a block, at either end, under its checksum */
    FORMAT_VERSION = 1
};

static const char format_magic[8] = "PDPREP\r\n";

typedef struct file_header {
    char magic[8];
    uint32_t version;
    uint32_t n_blocks;
    uint8_t key[PD_SHA256_BYTES];
    uint64_t table_at;   /* the blocks end, the table begins */
    uint64_t file_bytes; /* the table ends */
    uint64_t table_sum;
    uint64_t header_sum; /* of all before it */
} file_header;

typedef struct block_row {
    uint64_t at;
    uint64_t bytes;
    uint64_t edge_sum;
} block_row;

_Static_assert(sizeof(file_header) == 80 && sizeof(block_row) == 24, "as written to disk");

struct pd_prepared {
    char *path; /* NULL: never on disk */
    uint8_t key[PD_SHA256_BYTES];
    uint8_t *base;    /* the mapped file, or the reserved range */
    size_t reserved;  /* bytes from base that are ours */
    size_t writable;  /* of these, while building */
    size_t used;      /* end of the last block, while building */
    size_t forgotten; /* before it, finished blocks are left to the file */
    int fd;           /* of the file without a name that the blocks are built in; -1: in memory */
    block_row *rows;
    size_t n_rows, capacity;
    size_t next; /* row of the next block */
    bool from_file;
    bool sealed;
};

static uint64_t sum_of(const void *data, size_t len) { return XXH3_64bits(data, len); }

/* Both ends of a block: what a cut or a torn write takes away first. The middle of a large one is not read. */
static uint64_t sum_edges(const uint8_t *block, size_t bytes)
{
    if (bytes <= 2 * EDGE_BYTES)
        return sum_of(block, bytes);
    return sum_of(block, EDGE_BYTES) ^ (sum_of(block + bytes - EDGE_BYTES, EDGE_BYTES) + bytes);
}

static bool is_sound_header(const file_header *header, const uint8_t key[PD_SHA256_BYTES], size_t file_len)
{
    return memcmp(header->magic, format_magic, sizeof format_magic) == 0 && header->version == FORMAT_VERSION &&
           header->header_sum == sum_of(header, offsetof(file_header, header_sum)) &&
           memcmp(header->key, key, PD_SHA256_BYTES) == 0 && header->file_bytes == file_len &&
           header->table_at <= file_len && file_len - header->table_at == header->n_blocks * sizeof(block_row);
}

static bool are_sound_rows(const block_row *rows, size_t n, size_t table_at)
{
    uint64_t end = FIRST_BLOCK_AT;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].at < end || rows[i].at % BLOCK_ALIGNMENT != 0 || rows[i].at > table_at ||
            rows[i].bytes > table_at - rows[i].at)
            return false;
        end = rows[i].at + rows[i].bytes;
    }
    return true;
}

/* Takes the file over when its header and table are sound; leaves `prepared` as it is when not. */
static pd_status adopt_file(pd_prepared *prepared, const pd_file_map *map, pd_error *err)
{
    file_header header;
    if (map->len < FIRST_BLOCK_AT)
        return PD_OK;
    memcpy(&header, map->data, sizeof header);
    if (!is_sound_header(&header, prepared->key, map->len) ||
        header.table_sum != sum_of(map->data + header.table_at, map->len - header.table_at))
        return PD_OK;
    block_row *rows = pd_mem_alloc(header.n_blocks, sizeof *rows);
    if (!rows)
        return pd_error_set_nomem(err);
    memcpy(rows, map->data + header.table_at, header.n_blocks * sizeof *rows);
    if (!are_sound_rows(rows, header.n_blocks, header.table_at)) {
        pd_mem_free(rows);
        return PD_OK;
    }
    prepared->rows = rows;
    prepared->n_rows = header.n_blocks;
    prepared->base = (uint8_t *)(uintptr_t)map->data; /* read-only: nobody writes where ret_fill is false */
    prepared->reserved = map->len;
    prepared->from_file = true;
    return PD_OK;
}

static pd_status open_file(pd_prepared *prepared, pd_error *err)
{
    pd_file_map map;
    if (!prepared->path || pd_file_map_open(&map, prepared->path, NULL) != PD_OK)
        return PD_OK; /* whatever the reason: it can be built again */
    const pd_status status = adopt_file(prepared, &map, err);
    if (!prepared->from_file)
        pd_file_map_close(&map);
    return status;
}

/* A copy of `path` without its last part; NULL when out of memory. */
static char *copy_folder(const char *path)
{
    const size_t len = (size_t)(pd_path_name(path) - path);
    return len > 1 ? pd_mem_dup_text(path, len - 1) : pd_mem_dup_string(len ? "/" : ".");
}

/* Whatever goes wrong: then the blocks are built in memory. */
static void begin_file(pd_prepared *prepared)
{
    char *folder = prepared->path ? copy_folder(prepared->path) : NULL;
    if (folder && pd_dir_make(folder, NULL) == PD_OK)
        prepared->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    pd_mem_free(folder);
}

static void end_file(pd_prepared *prepared)
{
    if (prepared->fd >= 0)
        (void)close(prepared->fd);
    prepared->fd = -1;
}

/* From the file into memory, at the same addresses: for a disk that is full. */
static pd_status leave_file(pd_prepared *prepared, pd_error *err)
{
    end_file(prepared);
    if (prepared->writable == 0)
        return PD_OK;
    void *copy = mmap(NULL, prepared->writable, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return pd_error_set_nomem(err);
    memcpy(copy, prepared->base, prepared->used);
    if (mremap(copy, prepared->writable, prepared->writable, MREMAP_MAYMOVE | MREMAP_FIXED, prepared->base) ==
        MAP_FAILED) {
        (void)munmap(copy, prepared->writable);
        return pd_error_set_nomem(err);
    }
    return PD_OK;
}

/* Address space only; less of it where the process is not allowed that much. */
static pd_status reserve(pd_prepared *prepared, pd_error *err)
{
    for (size_t bytes = PREPARED_BYTES_MAX; bytes >= RESERVED_BYTES_MIN; bytes /= 2) {
        void *base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED)
            continue;
        prepared->base = base;
        prepared->reserved = bytes;
        prepared->used = FIRST_BLOCK_AT;
        return PD_OK;
    }
    return pd_error_set_nomem(err);
}

pd_status pd_prepared_open(pd_prepared **ret_prepared, const char *path, const uint8_t key[PD_SHA256_BYTES],
                           pd_error *err)
{
    pd_prepared *prepared = pd_mem_alloc(1, sizeof *prepared);
    if (!prepared)
        return pd_error_set_nomem(err);
    memcpy(prepared->key, key, PD_SHA256_BYTES);
    prepared->fd = -1;
    prepared->path = path ? pd_mem_dup_string(path) : NULL;
    pd_status status = path && !prepared->path ? pd_error_set_nomem(err) : open_file(prepared, err);
    if (status == PD_OK && !prepared->from_file)
        status = reserve(prepared, err);
    if (status == PD_OK && !prepared->from_file)
        begin_file(prepared);
    if (status == PD_OK)
        *ret_prepared = prepared;
    else
        pd_prepared_close(&prepared);
    return status;
}

/* Space on the disk first: a page of a hole that finds none when it is written ends the process. */
static bool extend_file(const pd_prepared *prepared, size_t writable)
{
    const size_t more = writable - prepared->writable;
    return posix_fallocate(prepared->fd, (off_t)prepared->writable, (off_t)more) == 0 &&
           mmap(prepared->base + prepared->writable, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, prepared->fd,
                (off_t)prepared->writable) != MAP_FAILED;
}

/* Makes the range writable up to `end`. */
static pd_status commit(pd_prepared *prepared, size_t end, pd_error *err)
{
    if (end <= prepared->writable)
        return PD_OK;
    if (end > prepared->reserved)
        return pd_error_set(err, PD_ERR_LIMIT, "prepared weights of more than %zu bytes", prepared->reserved);
    size_t writable = (end + COMMIT_STEP_BYTES - 1) & ~(COMMIT_STEP_BYTES - 1);
    if (writable > prepared->reserved)
        writable = prepared->reserved;
    if (prepared->fd >= 0 && !extend_file(prepared, writable))
        PD_TRY(leave_file(prepared, err));
    if (prepared->fd < 0 && mprotect(prepared->base, writable, PROT_READ | PROT_WRITE) != 0)
        return pd_error_set_nomem(err);
    prepared->writable = writable;
    return PD_OK;
}

/* Finished blocks go to the file; they come back from it when they are touched again. */
static void forget_finished(pd_prepared *prepared)
{
    if (prepared->fd < 0 || prepared->used - prepared->forgotten < FORGET_STEP_BYTES)
        return;
    pd_file_map_forget(prepared->base + prepared->forgotten, prepared->used - prepared->forgotten);
    prepared->forgotten = prepared->used & ~(COMMIT_STEP_BYTES - 1);
}

static pd_status append_row(pd_prepared *prepared, const block_row *row, pd_error *err)
{
    if (prepared->n_rows == prepared->capacity) {
        const size_t capacity = prepared->capacity ? prepared->capacity * 2 : 64;
        block_row *rows = pd_mem_realloc(prepared->rows, capacity, sizeof *rows);
        if (!rows)
            return pd_error_set_nomem(err);
        prepared->rows = rows;
        prepared->capacity = capacity;
    }
    prepared->rows[prepared->n_rows++] = *row;
    return PD_OK;
}

bool pd_prepared_is_fresh(const pd_prepared *prepared) { return !prepared->from_file; }

static pd_status check_block(const pd_prepared *prepared, size_t bytes, pd_error *err)
{
    if (prepared->next == prepared->n_rows)
        return pd_error_set(err, PD_ERR_CORRUPT, "'%s' ends after block %zu", prepared->path, prepared->n_rows);
    const block_row *row = &prepared->rows[prepared->next];
    if (row->bytes != bytes)
        return pd_error_set(err, PD_ERR_CORRUPT, "block %zu of '%s' has %llu bytes; %zu were expected", prepared->next,
                            prepared->path, (unsigned long long)row->bytes, bytes);
    if (row->edge_sum != sum_edges(prepared->base + row->at, bytes))
        return pd_error_set(err, PD_ERR_CORRUPT, "block %zu of '%s' is damaged", prepared->next, prepared->path);
    return PD_OK;
}

pd_status pd_prepared_block(pd_prepared *prepared, size_t count, size_t size, void **ret_block, bool *ret_fill,
                            pd_error *err)
{
    PD_CHECK(!prepared->sealed);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PREPARED_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a block of %zu times %zu bytes", count, size);
    if (prepared->from_file) {
        PD_TRY(check_block(prepared, bytes, err));
    } else {
        const size_t at = (prepared->used + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1);
        const block_row row = { .at = at, .bytes = bytes };
        forget_finished(prepared);
        PD_TRY(commit(prepared, at + bytes, err));
        PD_TRY(append_row(prepared, &row, err));
        prepared->used = at + bytes;
    }
    *ret_block = prepared->base + prepared->rows[prepared->next++].at;
    *ret_fill = !prepared->from_file;
    return PD_OK;
}

/* Puts table and header around the blocks. Returns the length of the whole. */
static pd_status complete_image(pd_prepared *prepared, size_t *ret_len, pd_error *err)
{
    const size_t table_at = (prepared->used + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1);
    const size_t table_len = prepared->n_rows * sizeof *prepared->rows;
    PD_TRY(commit(prepared, table_at + table_len, err));
    for (size_t i = 0; i < prepared->n_rows; i++) {
        block_row *row = &prepared->rows[i];
        row->edge_sum = sum_edges(prepared->base + row->at, row->bytes);
    }
    if (table_len > 0)
        memcpy(prepared->base + table_at, prepared->rows, table_len);
    file_header header = { .version = FORMAT_VERSION,
                           .n_blocks = (uint32_t)prepared->n_rows,
                           .table_at = table_at,
                           .file_bytes = table_at + table_len,
                           .table_sum = sum_of(prepared->base + table_at, table_len) };
    memcpy(header.magic, format_magic, sizeof format_magic);
    memcpy(header.key, prepared->key, sizeof header.key);
    header.header_sum = sum_of(&header, offsetof(file_header, header_sum));
    memcpy(prepared->base, &header, sizeof header);
    *ret_len = table_at + table_len;
    return PD_OK;
}

/* Whole files under other names: left by a builder that was killed. One that is still at it keeps its blocks as they
 * are, and finds ours next time. */
static void remove_leftovers(const char *path)
{
    static const char suffix[] = ".tmp-";
    const char *name = pd_path_name(path);
    const size_t len = strlen(name);
    char *folder = copy_folder(path);
    DIR *dir = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, name, len) == 0 && strncmp(entry->d_name + len, suffix, sizeof suffix - 1) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    pd_mem_free(folder);
}

/* Gives the file its name. Where that does not work the blocks stay as they are. */
static void name_file(pd_prepared *prepared, size_t len)
{
    char from[64], temporary[PATH_MAX];
    const int n = snprintf(temporary, sizeof temporary, "%s.tmp-%ld-%d", prepared->path, (long)getpid(), prepared->fd);
    (void)snprintf(from, sizeof from, "/proc/self/fd/%d", prepared->fd);
    if (n > 0 && (size_t)n < sizeof temporary && ftruncate(prepared->fd, (off_t)len) == 0 && fsync(prepared->fd) == 0 &&
        linkat(AT_FDCWD, from, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0 && rename(temporary, prepared->path) != 0)
        (void)unlink(temporary);
}

static pd_status write_image(const pd_prepared *prepared, size_t len)
{
    char *folder = copy_folder(prepared->path);
    pd_status status = folder ? pd_dir_make(folder, NULL) : PD_ERR_NOMEM;
    pd_mem_free(folder);
    return status == PD_OK ? pd_file_replace(prepared->path, prepared->base, len, true, NULL) : status;
}

/* Maps the file over the blocks. Another process may have put its own file there in the meantime: only one with the
 * same header and table is taken. */
static pd_status map_over(pd_prepared *prepared, size_t len, pd_error *err)
{
    pd_file_map map;
    if (pd_file_map_open(&map, prepared->path, NULL) != PD_OK)
        return PD_OK;
    const file_header *header = (const file_header *)(const void *)prepared->base;
    if (map.len != len || memcmp(map.data, header, sizeof *header) != 0 ||
        memcmp(map.data + header->table_at, prepared->base + header->table_at, len - header->table_at) != 0) {
        pd_file_map_close(&map);
        return PD_OK;
    }
    void *moved = mremap((void *)(uintptr_t)map.data, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, prepared->base);
    if (moved != MAP_FAILED)
        return PD_OK;
    const int sys_errno = errno; /* the blocks may be gone by now: nothing to go on with */
    pd_file_map_close(&map);
    return pd_error_set_errno(err, sys_errno, "cannot map '%s' in place", prepared->path);
}

pd_status pd_prepared_seal(pd_prepared *prepared, pd_error *err)
{
    PD_CHECK(!prepared->sealed);
    if (prepared->from_file) {
        if (prepared->next != prepared->n_rows)
            return pd_error_set(err, PD_ERR_CORRUPT, "'%s' has %zu blocks; %zu were expected", prepared->path,
                                prepared->n_rows, prepared->next);
        prepared->sealed = true;
        return PD_OK;
    }
    size_t len;
    PD_TRY(complete_image(prepared, &len, err));
    (void)mprotect(prepared->base, prepared->writable, PROT_READ); /* a belt: sealed blocks are immutable */
    prepared->sealed = true;
    if (prepared->path)
        remove_leftovers(prepared->path);
    if (prepared->fd >= 0) {
        name_file(prepared, len);
        end_file(prepared);
    } else if (!prepared->path || write_image(prepared, len) != PD_OK)
        return PD_OK;
    return map_over(prepared, len, err);
}

void pd_prepared_close(pd_prepared **prepared)
{
    pd_prepared *p = *prepared;
    if (!p)
        return;
    end_file(p);
    if (p->base)
        (void)munmap(p->base, p->reserved);
    pd_mem_free(p->rows);
    pd_mem_free(p->path);
    pd_mem_free(p);
    *prepared = NULL;
}

void pd_prepared_discard(pd_prepared **prepared)
{
    if (*prepared && (*prepared)->path)
        (void)unlink((*prepared)->path);
    pd_prepared_close(prepared);
}

size_t pd_prepared_bytes(const pd_prepared *prepared)
{
    size_t bytes = 0;
    for (size_t i = 0; i < prepared->n_rows; i++)
        bytes += (size_t)prepared->rows[i].bytes;
    return bytes;
}
