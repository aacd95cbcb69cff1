#include "fetch/listing.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* In this order; config.json first, so that what cannot be used is refused before anything else is fetched. */
static const char *const small_names[] = {
    "config.json",
    "preprocessor_config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "vocab.txt",
};

enum { FILES_MAX = 300 };

static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") == len && text[len] == '\0';
}

bool pd_is_sha256_text(const char *text) { return is_hex(text, PD_SHA256_TEXT_BYTES - 1); }

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* model-00001-of-00003.safetensors */
static bool is_shard(const char *name)
{
    return strncmp(name, "model-", 6) == 0 && strchr(name, '/') == NULL && strstr(name, "-of-") &&
           ends_with(name, ".safetensors");
}

static bool copy_text(char *ret_text, size_t size, const pd_json *json)
{
    pd_str text;
    if (!pd_json_read_string(json, &text) || text.len == 0 || text.len >= size || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
    return true;
}

static bool read_sibling(const pd_json *sibling, pd_listed *ret_file)
{
    pd_listed file = { .size = -1 };
    if (!copy_text(file.name, sizeof file.name, pd_json_get(sibling, "rfilename")))
        return false;
    const pd_json *lfs = pd_json_get(sibling, "lfs");
    if (!pd_json_read_int(pd_json_get(lfs, "size"), &file.size) &&
        !pd_json_read_int(pd_json_get(sibling, "size"), &file.size))
        file.size = -1;
    char sha256[PD_SHA256_TEXT_BYTES] = "";
    if (copy_text(sha256, sizeof sha256, pd_json_get(lfs, "sha256")) && pd_is_sha256_text(sha256))
        memcpy(file.sha256, sha256, sizeof sha256);
    *ret_file = file;
    return true;
}

static const pd_listed *find(const pd_listing *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->files[i].name, name) == 0)
            return &all->files[i];
    return NULL;
}

static void take(pd_listing *chosen, const pd_listed *file, bool is_weights)
{
    chosen->files[chosen->n] = *file;
    chosen->files[chosen->n++].is_weights = is_weights;
}

static pd_status choose_weights(const pd_listing *all, pd_listing *chosen, pd_error *err)
{
    const pd_listed *single = find(all, "model.safetensors"), *index = find(all, "model.safetensors.index.json");
    const pd_listed *pickled = find(all, "pytorch_model.bin");
    if (single) {
        take(chosen, single, true);
        return PD_OK;
    }
    if (index) {
        take(chosen, index, false);
        const size_t before = chosen->n;
        for (size_t i = 0; i < all->n && chosen->n < FILES_MAX; i++)
            if (is_shard(all->files[i].name))
                take(chosen, &all->files[i], true);
        if (chosen->n > before)
            return PD_OK;
    } else if (pickled) {
        take(chosen, pickled, true);
        return PD_OK;
    }
    return pd_error_set(err, PD_ERR_UNSUPPORTED,
                        "the repository has no weights that can be read: model.safetensors, or pytorch_model.bin");
}

static pd_status check_sizes(const pd_listing *chosen, pd_error *err)
{
    int64_t total = 0;
    for (size_t i = 0; i < chosen->n; i++) {
        const pd_listed *file = &chosen->files[i];
        if (!file->is_weights && file->size > PD_LISTING_SMALL_BYTES_MAX)
            return pd_error_set(err, PD_ERR_LIMIT, "%s has %lld MiB: at most %lld are fetched", file->name,
                                (long long)(file->size >> 20), (long long)(PD_LISTING_SMALL_BYTES_MAX >> 20));
        if (file->size > PD_LISTING_TOTAL_BYTES_MAX ||
            (total += file->size > 0 ? file->size : 0) > PD_LISTING_TOTAL_BYTES_MAX)
            return pd_error_set(err, PD_ERR_LIMIT, "the model has more than %lld GiB",
                                (long long)(PD_LISTING_TOTAL_BYTES_MAX >> 30));
    }
    return PD_OK;
}

static pd_status choose(const pd_listing *all, pd_listing *chosen, pd_error *err)
{
    for (size_t i = 0; i < PD_COUNT_OF(small_names); i++) {
        const pd_listed *file = find(all, small_names[i]);
        if (file)
            take(chosen, file, false);
        else if (i == 0)
            return pd_error_set(err, PD_ERR_UNSUPPORTED,
                                "the repository has no config.json: it is no model in Hugging Face layout");
    }
    PD_TRY(choose_weights(all, chosen, err));
    return check_sizes(chosen, err);
}

static pd_status read_siblings(const pd_json *siblings, pd_listing *all, pd_error *err)
{
    const size_t n = pd_json_count(siblings);
    all->files = pd_mem_alloc(n, sizeof *all->files);
    if (!all->files)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        all->n += read_sibling(pd_json_at(siblings, i), &all->files[all->n]);
    return PD_OK;
}

static pd_status read_document(const pd_json *document, pd_listing *all, pd_listing *chosen, pd_error *err)
{
    const pd_json *siblings = pd_json_get(document, "siblings");
    const bool has_commit = copy_text(chosen->commit, sizeof chosen->commit, pd_json_get(document, "sha"));
    const size_t commit_len = strlen(chosen->commit);
    if (!has_commit || commit_len < 40 || !is_hex(chosen->commit, commit_len) || !pd_json_is_array(siblings))
        return pd_error_set(err, PD_ERR_FORMAT, "the hub's answer is no list of a repository");
    PD_TRY(read_siblings(siblings, all, err));
    chosen->files = pd_mem_alloc(FILES_MAX + PD_COUNT_OF(small_names) + 2, sizeof *chosen->files);
    if (!chosen->files)
        return pd_error_set_nomem(err);
    return choose(all, chosen, err);
}

pd_status pd_listing_parse(pd_listing *ret_listing, const char *json, size_t len, pd_error *err)
{
    pd_json *document = NULL;
    pd_listing all = { 0 }, chosen = { 0 };
    pd_status status = pd_json_parse(&document, json, len, NULL);
    if (status == PD_ERR_NOMEM)
        status = pd_error_set_nomem(err);
    else if (status != PD_OK)
        status = pd_error_set(err, PD_ERR_FORMAT, "the hub's answer is no list of a repository");
    if (status == PD_OK)
        status = read_document(document, &all, &chosen, err);
    pd_json_free(&document);
    pd_listing_done(&all);
    if (status == PD_OK)
        *ret_listing = chosen;
    else
        pd_listing_done(&chosen);
    return status;
}

void pd_listing_done(pd_listing *listing)
{
    pd_mem_free(listing->files);
    *listing = (pd_listing){ 0 };
}
