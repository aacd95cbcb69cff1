#include "token/vocabulary.h"

#include <string.h>

#include "base/mem.h"
#include "token/json_scan.h"
#include "token/token.h"

enum { PROBES_MAX = 1024 }; /* at most half full, honest words need a dozen; forged ones must not take for ever */

static pd_status read_id(pd_scan *r, int32_t *ret_id)
{
    int32_t id = 0;
    const int first = pd_scan_peek(r);
    if (first < '0' || first > '9')
        return pd_scan_refuse(r, "an id was expected");
    while (r->at < r->len && r->text[r->at] >= '0' && r->text[r->at] <= '9') {
        id = id * 10 + (r->text[r->at++] - '0');
        if (id >= PD_TOKEN_VOCABULARY_MAX)
            return pd_error_set(r->err, PD_ERR_LIMIT, "byte %zu: an id above %d", r->at, PD_TOKEN_VOCABULARY_MAX - 1);
    }
    *ret_id = id;
    return PD_OK;
}

static pd_status append_entry(pd_vocabulary *vocabulary, size_t *capacity, const pd_vocabulary_entry *entry,
                              pd_error *err)
{
    if (vocabulary->n_entries == PD_TOKEN_VOCABULARY_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "more than %d words", PD_TOKEN_VOCABULARY_MAX);
    if (vocabulary->n_entries == *capacity) {
        const size_t more = *capacity ? *capacity * 2 : 8192;
        pd_vocabulary_entry *entries = pd_mem_realloc(vocabulary->entries, more, sizeof *entries);
        if (!entries)
            return pd_error_set_nomem(err);
        vocabulary->entries = entries;
        *capacity = more;
    }
    vocabulary->entries[vocabulary->n_entries++] = *entry;
    if (entry->id >= vocabulary->n_ids)
        vocabulary->n_ids = entry->id + 1;
    return PD_OK;
}

static pd_status read_entries(pd_vocabulary *vocabulary, pd_scan *r)
{
    size_t capacity = 0, texts_len = 0;
    if (!pd_scan_take(r, '{'))
        return pd_scan_refuse(r, "'{' was expected");
    if (pd_scan_take(r, '}'))
        return pd_scan_refuse(r, "there are no words");
    do {
        pd_vocabulary_entry entry = { .at = (uint32_t)texts_len };
        PD_TRY(pd_scan_word(r, vocabulary->texts, &texts_len));
        entry.len = (uint32_t)(texts_len - entry.at);
        if (!pd_scan_take(r, ':'))
            return pd_scan_refuse(r, "':' was expected");
        PD_TRY(read_id(r, &entry.id));
        PD_TRY(append_entry(vocabulary, &capacity, &entry, r->err));
    } while (pd_scan_take(r, ','));
    if (!pd_scan_take(r, '}'))
        return pd_scan_refuse(r, "',' or '}' was expected");
    return pd_scan_peek(r) == -1 ? PD_OK : pd_scan_refuse(r, "there is more behind the last '}'");
}

static size_t hash_word(pd_str word)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, then mixed: the low bits choose the slot */
    for (size_t i = 0; i < word.len; i++)
        hash = (hash ^ (unsigned char)word.ptr[i]) * 0x100000001b3;
    return (size_t)(hash ^ hash >> 29);
}

pd_str pd_vocabulary_word(const pd_vocabulary *vocabulary, size_t index)
{
    const pd_vocabulary_entry *entry = &vocabulary->entries[index];
    return (pd_str){ vocabulary->texts + entry->at, entry->len };
}

/* The slot where `word` is or would be; NULL when too many others lie in its way. */
static uint32_t *find_slot(const pd_vocabulary *vocabulary, pd_str word)
{
    const size_t mask = vocabulary->n_slots - 1;
    size_t at = hash_word(word) & mask;
    for (size_t probes = 0; probes < PROBES_MAX; probes++, at = (at + 1) & mask) {
        const uint32_t taken = vocabulary->slots[at];
        if (!taken || pd_str_equal(pd_vocabulary_word(vocabulary, taken - 1), word))
            return &vocabulary->slots[at];
    }
    return NULL;
}

static pd_status index_words(pd_vocabulary *vocabulary, pd_error *err)
{
    vocabulary->n_slots = 1024;
    while (vocabulary->n_slots < 2 * vocabulary->n_entries)
        vocabulary->n_slots *= 2;
    vocabulary->slots = pd_mem_alloc(vocabulary->n_slots, sizeof *vocabulary->slots);
    if (!vocabulary->slots)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < vocabulary->n_entries; i++) {
        const pd_str word = pd_vocabulary_word(vocabulary, i);
        uint32_t *slot = find_slot(vocabulary, word);
        if (!slot)
            return pd_error_set(err, PD_ERR_LIMIT, "too many words with the same hash");
        if (*slot)
            return pd_error_set(err, PD_ERR_FORMAT, "'%.*s' is there twice", (int)word.len, word.ptr);
        *slot = (uint32_t)i + 1;
    }
    return PD_OK;
}

static pd_status refuse_bytes(size_t len, pd_error *err)
{
    return pd_error_set(err, PD_ERR_LIMIT, "%zu bytes; at most %zu are allowed", len, PD_VOCABULARY_BYTES_MAX);
}

/* Python's universal newlines: "\r\n" and "\r" end a line too. */
static pd_status read_lines(pd_vocabulary *vocabulary, pd_scan *r)
{
    size_t capacity = 0, texts_len = 0;
    while (r->at < r->len) {
        pd_vocabulary_entry entry = { .at = (uint32_t)texts_len, .id = (int32_t)vocabulary->n_entries };
        while (r->at < r->len && r->text[r->at] != '\n' && r->text[r->at] != '\r')
            vocabulary->texts[texts_len++] = r->text[r->at++];
        if (r->at + 1 < r->len && r->text[r->at] == '\r' && r->text[r->at + 1] == '\n')
            r->at++;
        r->at++;
        entry.len = (uint32_t)(texts_len - entry.at);
        PD_TRY(append_entry(vocabulary, &capacity, &entry, r->err));
    }
    return vocabulary->n_entries ? PD_OK : pd_scan_refuse(r, "there are no words");
}

pd_status pd_vocabulary_parse_lines(pd_vocabulary *ret_vocabulary, const char *text, size_t len, pd_error *err)
{
    if (len > PD_VOCABULARY_BYTES_MAX)
        return refuse_bytes(len, err);
    pd_vocabulary vocabulary = { .texts = pd_mem_realloc(NULL, len, 1) };
    pd_scan r = { .text = text, .len = len, .err = err };
    pd_status status = vocabulary.texts ? read_lines(&vocabulary, &r) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = index_words(&vocabulary, err);
    if (status == PD_OK)
        *ret_vocabulary = vocabulary;
    else
        pd_vocabulary_done(&vocabulary);
    return status;
}

pd_status pd_vocabulary_parse(pd_vocabulary *ret_vocabulary, const char *text, size_t len, pd_error *err)
{
    if (len > PD_VOCABULARY_BYTES_MAX)
        return refuse_bytes(len, err);
    pd_vocabulary vocabulary = { .texts = pd_mem_realloc(NULL, len, 1) };
    pd_scan r = { .text = text, .len = len, .err = err };
    pd_status status = vocabulary.texts ? read_entries(&vocabulary, &r) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = index_words(&vocabulary, err);
    if (status == PD_OK)
        *ret_vocabulary = vocabulary;
    else
        pd_vocabulary_done(&vocabulary);
    return status;
}

void pd_vocabulary_done(pd_vocabulary *vocabulary)
{
    pd_mem_free(vocabulary->texts);
    pd_mem_free(vocabulary->entries);
    pd_mem_free(vocabulary->slots);
    *vocabulary = (pd_vocabulary){ 0 };
}

bool pd_vocabulary_find(const pd_vocabulary *vocabulary, pd_str word, int32_t *ret_id)
{
    const uint32_t *slot = find_slot(vocabulary, word);
    if (!slot || !*slot)
        return false;
    *ret_id = vocabulary->entries[*slot - 1].id;
    return true;
}
