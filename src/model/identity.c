#include "model/identity.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "token/token.h"

#define NOTE_HEAD "pixel-detective model identity 2\n"
#define NOTE_BYTES_MAX ((size_t)1 << 20)
#define NOTE_NAME_BYTES 24 /* of the directory's digest that name the note */

static const char *const identity_files[] = { "config.json", "preprocessor_config.json", "vocab.json",
                                              "merges.txt",  "tokenizer_config.json",    "special_tokens_map.json",
                                              "vocab.txt",   "generation_config.json" };

static bool has_ending(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

/* One line for every file that the identity may depend on. Another order of the same files (readdir promises none)
 * costs a new hash, no more. */
static pd_status describe_files(const char *dir, pd_buf *note, pd_error *err)
{
    DIR *files = opendir(dir);
    if (!files)
        return pd_error_set_errno(err, errno, "model '%s'", dir);
    (void)pd_buf_append_string(note, NOTE_HEAD); /* the buffer remembers a failure */
    for (const struct dirent *file; (file = readdir(files));) {
        struct stat info;
        if (!has_ending(file->d_name, ".json") && !has_ending(file->d_name, ".txt") &&
            !has_ending(file->d_name, ".safetensors") && !has_ending(file->d_name, ".bin"))
            continue;
        if (fstatat(dirfd(files), file->d_name, &info, 0) == 0)
            (void)pd_buf_appendf(note, "%s %lld %lld.%09ld %lld.%09ld %llu:%llu\n", file->d_name,
                                 (long long)info.st_size, (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                                 (long long)info.st_ctim.tv_sec, info.st_ctim.tv_nsec, (unsigned long long)info.st_dev,
                                 (unsigned long long)info.st_ino);
    }
    closedir(files);
    if (note->status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    if (note->status != PD_OK)
        return pd_error_set(err, note->status, "model '%s': the directory holds too many files", dir);
    return PD_OK;
}

static pd_status hash_file(pd_sha256 *sha, const char *dir, const char *name, pd_error *err)
{
    pd_file_map map = { 0 };
    char *path = pd_path_join(dir, name);
    pd_status status = path ? PD_OK : pd_error_set_nomem(err);
    if (path && pd_file_exists(path)) {
        status = pd_file_map_open(&map, path, err);
        if (status == PD_OK) {
            uint8_t len[8];
            for (size_t i = 0; i < sizeof len; i++)
                len[i] = (uint8_t)((uint64_t)map.len >> (8 * i));
            pd_sha256_update(sha, name, strlen(name) + 1);
            pd_sha256_update(sha, len, sizeof len);
            pd_sha256_update(sha, map.data, map.len);
            pd_file_map_close(&map);
        }
    }
    pd_mem_free(path);
    return status;
}

static int read_nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* as pd_sha256_format writes them, and hubs too */
}

static bool parse_digest(const char *text, uint8_t ret_digest[PD_SHA256_BYTES])
{
    uint8_t digest[PD_SHA256_BYTES];
    for (size_t i = 0; i < sizeof digest; i++) {
        const int high = read_nibble(text[2 * i]), low = high < 0 ? -1 : read_nibble(text[2 * i + 1]);
        if (low < 0)
            return false;
        digest[i] = (uint8_t)(high * 16 + low);
    }
    memcpy(ret_digest, digest, sizeof digest);
    return true;
}

/* The digest of the weights, or what is said to be it. A list of shards has no one digest that a hub could promise. */
static pd_status digest_weights(const pd_identity_source *source, uint8_t ret_digest[PD_SHA256_BYTES], pd_error *err)
{
    const pd_weights *weights = source->weights;
    const char *weights_sha256 = source->weights_sha256;
    if (!weights_sha256) {
        const pd_status status = pd_weights_hash(weights, source->cancelled, ret_digest, err);
        if (status != PD_OK)
            pd_error_prefix(err, "model '%s'", source->dir);
        return status;
    }
    if (pd_weights_files(weights) != 1)
        return pd_error_set(err, PD_ERR_USAGE, "weights in %zu files cannot be opened before they are complete",
                            pd_weights_files(weights));
    if (strlen(weights_sha256) != PD_SHA256_TEXT_BYTES - 1 || !parse_digest(weights_sha256, ret_digest))
        return pd_error_set(err, PD_ERR_USAGE, "'%.80s' is no SHA-256 in hex", weights_sha256);
    return PD_OK;
}

static pd_status hash_all(const pd_identity_source *source, pd_identity *ret_identity, pd_error *err)
{
    pd_sha256 sha;
    bool reads_json = false;
    pd_sha256_init(&sha);
    for (size_t i = 0; i < PD_COUNT_OF(identity_files); i++)
        PD_TRY(hash_file(&sha, source->dir, identity_files[i], err));
    PD_TRY(pd_tokenizer_reads_json(source->dir, &reads_json, err));
    if (reads_json)
        PD_TRY(hash_file(&sha, source->dir, PD_TOKENIZER_JSON, err));
    PD_TRY(digest_weights(source, ret_identity->weights, err));
    pd_sha256_update(&sha, ret_identity->weights, sizeof ret_identity->weights);
    pd_sha256_finish(&sha, ret_identity->all);
    return PD_OK;
}

/* A note is the description of the files, then both digests in hex, each with a newline. */
static bool read_note(const char *path, const pd_buf *files, pd_identity *ret_identity)
{
    pd_buf note;
    pd_buf_init(&note, NOTE_BYTES_MAX);
    const bool same =
        pd_file_read(path, NOTE_BYTES_MAX, &note, NULL) == PD_OK && note.len == files->len + 2 * PD_SHA256_TEXT_BYTES &&
        memcmp(note.data, files->data, files->len) == 0 && parse_digest(note.data + files->len, ret_identity->all) &&
        parse_digest(note.data + files->len + PD_SHA256_TEXT_BYTES, ret_identity->weights);
    pd_buf_done(&note);
    return same;
}

static void write_note(const char *path, pd_buf *files, const pd_identity *identity)
{
    char all[PD_SHA256_TEXT_BYTES], weights[PD_SHA256_TEXT_BYTES];
    pd_sha256_format(identity->all, all);
    pd_sha256_format(identity->weights, weights);
    if (pd_buf_appendf(files, "%s\n%s\n", all, weights) == PD_OK) {
        pd_error ignored;
        const pd_status status = pd_file_replace(path, files->data, files->len, false, &ignored);
        (void)status; /* the next open hashes again */
    }
}

/* "<cache_dir>/<name of the directory>.id" */
static char *make_note_path(const char *dir, const char *cache_dir)
{
    pd_sha256 sha;
    uint8_t digest[PD_SHA256_BYTES];
    char name[PD_SHA256_TEXT_BYTES + 4];
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, dir, strlen(dir));
    pd_sha256_finish(&sha, digest);
    pd_sha256_format(digest, name);
    snprintf(name + NOTE_NAME_BYTES, sizeof name - NOTE_NAME_BYTES, ".id");
    return pd_path_join(cache_dir, name);
}

pd_status pd_identity_find(const pd_identity_source *source, pd_identity *ret_identity, pd_error *err)
{
    if (!source->cache_dir || source->weights_sha256)
        return hash_all(source, ret_identity, err);
    pd_buf files;
    pd_buf_init(&files, NOTE_BYTES_MAX);
    char *path = make_note_path(source->dir, source->cache_dir);
    pd_status status = path ? describe_files(source->dir, &files, err) : pd_error_set_nomem(err);
    if (status == PD_OK && !read_note(path, &files, ret_identity)) {
        status = hash_all(source, ret_identity, err);
        if (status == PD_OK)
            write_note(path, &files, ret_identity);
    }
    pd_mem_free(path);
    pd_buf_done(&files);
    return status;
}
