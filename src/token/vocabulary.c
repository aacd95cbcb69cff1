#include "token/vocabulary.h"

#include <string.h>

#include "base/mem.h"
#include "token/token.h"

enum { PROBES_MAX = 1024 }; /* at most half full, honest words need a dozen; forged ones must not take for ever */

typedef struct reader {
    const char *text;
    size_t len, at;
    size_t texts_len;
    pd_error *err;
} reader;

static pd_status refuse(const reader *r, const char *what)
{
    return pd_error_set(r->err, PD_ERR_FORMAT, "byte %zu: %s", r->at, what);
}

static int peek_token(reader *r)
{
    while (r->at < r->len && strchr(" \t\r\n", r->text[r->at]) && r->text[r->at])
        r->at++;
    return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

static bool take_token(reader *r, char wanted)
{
    if (peek_token(r) != wanted)
        return false;
    r->at++;
    return true;
}

static pd_status read_hex4(reader *r, uint32_t *ret_code)
{
    uint32_t code = 0;
    if (r->len - r->at < 4)
        return refuse(r, "a \\u escape is cut short");
    for (size_t i = 0; i < 4; i++) {
        const char c = r->text[r->at];
        if (c >= '0' && c <= '9')
            code = code << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return refuse(r, "a \\u escape needs four hexadecimal digits");
        r->at++;
    }
    *ret_code = code;
    return PD_OK;
}

/* Behind "\u": four digits, or a pair of surrogates in two escapes. */
static pd_status read_unicode_escape(reader *r, uint32_t *ret_code)
{
    PD_TRY(read_hex4(r, ret_code));
    if (*ret_code < 0xD800 || *ret_code > 0xDFFF)
        return PD_OK;
    uint32_t low;
    if (*ret_code > 0xDBFF || r->len - r->at < 2 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
        return refuse(r, "half a surrogate pair");
    r->at += 2;
    PD_TRY(read_hex4(r, &low));
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(r, "half a surrogate pair");
    *ret_code = 0x10000 + ((*ret_code - 0xD800) << 10) + (low - 0xDC00);
    return PD_OK;
}

static pd_status read_escape(reader *r, char *texts)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->len)
        return refuse(r, "a word does not end");
    const char c = r->text[r->at++];
    if (c == 'u') {
        uint32_t code;
        PD_TRY(read_unicode_escape(r, &code));
        r->texts_len += pd_utf8_put(code, texts + r->texts_len);
        return PD_OK;
    }
    const char *found = c ? strchr(letters, c) : NULL;
    if (!found)
        return refuse(r, "an unknown escape");
    texts[r->texts_len++] = meanings[found - letters];
    return PD_OK;
}

/* `texts` has room: a decoded word is shorter than the quoted one. */
static pd_status read_word(reader *r, char *texts, pd_vocabulary_entry *entry)
{
    if (!take_token(r, '"'))
        return refuse(r, "a word in quotes was expected");
    entry->at = (uint32_t)r->texts_len;
    for (;;) {
        if (r->at == r->len)
            return refuse(r, "a word does not end");
        const char c = r->text[r->at++];
        if (c == '"')
            break;
        if ((unsigned char)c < 0x20)
            return refuse(r, "a control character inside a word");
        if (c == '\\')
            PD_TRY(read_escape(r, texts));
        else
            texts[r->texts_len++] = c;
    }
    entry->len = (uint32_t)(r->texts_len - entry->at);
    return PD_OK;
}

static pd_status read_id(reader *r, int32_t *ret_id)
{
    int32_t id = 0;
    const int first = peek_token(r);
    if (first < '0' || first > '9')
        return refuse(r, "an id was expected");
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

static pd_status read_entries(pd_vocabulary *vocabulary, reader *r)
{
    size_t capacity = 0;
    if (!take_token(r, '{'))
        return refuse(r, "'{' was expected");
    if (take_token(r, '}'))
        return refuse(r, "there are no words");
    do {
        pd_vocabulary_entry entry;
        PD_TRY(read_word(r, vocabulary->texts, &entry));
        if (!take_token(r, ':'))
            return refuse(r, "':' was expected");
        PD_TRY(read_id(r, &entry.id));
        PD_TRY(append_entry(vocabulary, &capacity, &entry, r->err));
    } while (take_token(r, ','));
    if (!take_token(r, '}'))
        return refuse(r, "',' or '}' was expected");
    return peek_token(r) == -1 ? PD_OK : refuse(r, "there is more behind the last '}'");
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
static pd_status read_lines(pd_vocabulary *vocabulary, reader *r)
{
    size_t capacity = 0;
    while (r->at < r->len) {
        pd_vocabulary_entry entry = { .at = (uint32_t)r->texts_len, .id = (int32_t)vocabulary->n_entries };
        while (r->at < r->len && r->text[r->at] != '\n' && r->text[r->at] != '\r')
            vocabulary->texts[r->texts_len++] = r->text[r->at++];
        if (r->at + 1 < r->len && r->text[r->at] == '\r' && r->text[r->at + 1] == '\n')
            r->at++;
        r->at++;
        entry.len = (uint32_t)(r->texts_len - entry.at);
        PD_TRY(append_entry(vocabulary, &capacity, &entry, r->err));
    }
    return vocabulary->n_entries ? PD_OK : refuse(r, "there are no words");
}

pd_status pd_vocabulary_parse_lines(pd_vocabulary *ret_vocabulary, const char *text, size_t len, pd_error *err)
{
    if (len > PD_VOCABULARY_BYTES_MAX)
        return refuse_bytes(len, err);
    pd_vocabulary vocabulary = { .texts = pd_mem_realloc(NULL, len, 1) };
    reader r = { .text = text, .len = len, .err = err };
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
    reader r = { .text = text, .len = len, .err = err };
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
