#include "token/token.h"

#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "token/bpe.h"
#include "token/clean.h"
#include "token/tokenizer_json.h"
#include "token/unicode.h"
#include "token/vocabulary.h"

#define CONFIG_BYTES_MAX ((size_t)4 << 20)

enum { TOKEN_TEXT_MAX = 64 }; /* bytes of a special token, with NUL */

typedef enum special { BOS, EOS, UNK, PAD, SPECIAL_COUNT } special;

typedef struct special_token {
    char text[TOKEN_TEXT_MAX];
    int32_t id;
} special_token;

struct pd_tokenizer {
    pd_bpe bpe;
    special_token specials[SPECIAL_COUNT];
    int32_t n_ids;
    size_t n_max; /* model_max_length */
    bool lower_case;
};

/* The token and its names in the files; what CLIPTokenizer takes when they say nothing. */
static const struct {
    const char *key;
    const char *fallback;
} special_names[SPECIAL_COUNT] = {
    [BOS] = { "bos_token", "<|startoftext|>" },
    [EOS] = { "eos_token", "<|endoftext|>" },
    [UNK] = { "unk_token", "<|endoftext|>" },
    [PAD] = { "pad_token", "<|endoftext|>" },
};

/* Reads dir/name; the error names the file. */
static pd_status read_file(const char *dir, const char *name, size_t bytes_max, pd_buf *buf, pd_error *err)
{
    char *path = pd_path_join(dir, name);
    if (!path)
        return pd_error_set_nomem(err);
    pd_buf_init(buf, bytes_max);
    const pd_status status = pd_file_read(path, bytes_max, buf, err);
    pd_mem_free(path);
    if (status != PD_OK)
        pd_buf_done(buf);
    return status;
}

static pd_status read_special(const pd_json *config, special which, special_token *token, pd_error *err)
{
    const char *key = special_names[which].key;
    const pd_json *value = pd_json_get(config, key);
    pd_str text;
    if (pd_json_is_null(value))
        return PD_OK;
    if (!pd_json_read_string(pd_json_is_object(value) ? pd_json_get(value, "content") : value, &text))
        return pd_error_set(err, PD_ERR_FORMAT, "%s is not a text", key);
    if (text.len == 0 || text.len >= TOKEN_TEXT_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%s has %zu bytes; 1 to %d are allowed", key, text.len,
                            TOKEN_TEXT_MAX - 1);
    memcpy(token->text, text.ptr, text.len);
    token->text[text.len] = '\0';
    return PD_OK;
}

static pd_status read_settings(const pd_json *config, pd_tokenizer *tokenizer, pd_error *err)
{
    for (special which = 0; which < SPECIAL_COUNT; which++)
        PD_TRY(read_special(config, which, &tokenizer->specials[which], err));
    (void)pd_json_read_bool(pd_json_get(config, "do_lower_case"), &tokenizer->lower_case);
    double n_max; /* "no limit" is written as 1e30: not an integer that fits */
    if (pd_json_read_number(pd_json_get(config, "model_max_length"), &n_max) && n_max < PD_TOKEN_TEXT_BYTES_MAX) {
        if (n_max < 2)
            return pd_error_set(err, PD_ERR_FORMAT, "model_max_length is %g; at least 2 is needed", n_max);
        tokenizer->n_max = (size_t)n_max;
    }
    return PD_OK;
}

/* A file that is not there changes nothing. */
static pd_status read_config(const char *dir, const char *name, pd_tokenizer *tokenizer, pd_error *err)
{
    pd_buf text;
    pd_error reading;
    pd_status status = read_file(dir, name, CONFIG_BYTES_MAX, &text, &reading);
    if (status != PD_OK)
        return status == PD_ERR_NOT_FOUND ? PD_OK : pd_error_hand_on(err, &reading);
    pd_json *config = NULL;
    status = pd_json_parse(&config, text.data, text.len, err);
    if (status == PD_OK)
        status = read_settings(config, tokenizer, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s/%s", dir, name);
    pd_json_free(&config);
    pd_buf_done(&text);
    return status;
}

/* json: may list them beside the vocabulary; NULL: there is none. */
static pd_status find_specials(pd_tokenizer *tokenizer, const pd_vocabulary *vocabulary, const pd_tokenizer_json *json,
                               pd_error *err)
{
    tokenizer->n_ids = vocabulary->n_ids;
    for (special which = 0; which < SPECIAL_COUNT; which++) {
        special_token *token = &tokenizer->specials[which];
        const pd_str text = pd_str_of(token->text);
        if (!pd_vocabulary_find(vocabulary, text, &token->id) &&
            !(json && pd_tokenizer_json_added(json, text, &token->id)))
            return pd_error_set(err, PD_ERR_FORMAT, "the %s '%s' is not in it", special_names[which].key, token->text);
        if (token->id >= tokenizer->n_ids)
            tokenizer->n_ids = token->id + 1;
    }
    return PD_OK;
}

static pd_status read_vocabulary(const char *dir, pd_tokenizer *tokenizer, pd_vocabulary *ret_vocabulary, pd_error *err)
{
    pd_buf text;
    PD_TRY(read_file(dir, "vocab.json", PD_VOCABULARY_BYTES_MAX, &text, err));
    pd_vocabulary vocabulary = { 0 };
    pd_status status = pd_vocabulary_parse(&vocabulary, text.data, text.len, err);
    if (status == PD_OK)
        status = find_specials(tokenizer, &vocabulary, NULL, err);
    pd_buf_done(&text);
    if (status == PD_OK) {
        *ret_vocabulary = vocabulary;
        return PD_OK;
    }
    pd_vocabulary_done(&vocabulary);
    if (status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s/vocab.json", dir);
    return status;
}

static pd_status read_merges(const char *dir, pd_tokenizer *tokenizer, const pd_vocabulary *vocabulary, pd_error *err)
{
    pd_buf text;
    PD_TRY(read_file(dir, "merges.txt", PD_BPE_MERGES_BYTES_MAX, &text, err));
    const pd_status status =
        pd_bpe_init(&tokenizer->bpe, vocabulary, (pd_str){ text.data, text.len }, tokenizer->specials[UNK].id, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s/merges.txt", dir);
    pd_buf_done(&text);
    return status;
}

static pd_status read_pair(const char *dir, pd_tokenizer *tokenizer, pd_error *err)
{
    pd_vocabulary vocabulary = { 0 };
    PD_TRY(read_vocabulary(dir, tokenizer, &vocabulary, err));
    const pd_status status = read_merges(dir, tokenizer, &vocabulary, err);
    pd_vocabulary_done(&vocabulary);
    return status;
}

/* Vocabulary and merges of a tokenizer.json. */
static pd_status use_json(const pd_tokenizer_json *json, pd_tokenizer *tokenizer, pd_error *err)
{
    pd_vocabulary vocabulary = { 0 };
    pd_status status = pd_vocabulary_parse(&vocabulary, json->vocabulary.ptr, json->vocabulary.len, err);
    if (status != PD_OK) {
        pd_error_prefix(err, "its vocab");
        return status;
    }
    status = find_specials(tokenizer, &vocabulary, json, err);
    if (status == PD_OK) {
        const pd_str merges = { json->merges.data, json->merges.len };
        status = pd_bpe_init(&tokenizer->bpe, &vocabulary, merges, tokenizer->specials[UNK].id, err);
        if (status != PD_OK)
            pd_error_prefix(err, "its merges");
    }
    pd_vocabulary_done(&vocabulary);
    tokenizer->lower_case = json->lower_case;
    return status;
}

static pd_status read_json(const char *dir, pd_tokenizer *tokenizer, pd_error *err)
{
    pd_buf text;
    pd_tokenizer_json json = { 0 };
    PD_TRY(read_file(dir, PD_TOKENIZER_JSON, PD_TOKENIZER_JSON_BYTES_MAX, &text, err));
    pd_status status = pd_tokenizer_json_read(&json, text.data, text.len, err);
    if (status == PD_OK)
        status = use_json(&json, tokenizer, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s/%s", dir, PD_TOKENIZER_JSON);
    pd_tokenizer_json_done(&json);
    pd_buf_done(&text);
    return status;
}

/* Which of three files are there. */
typedef struct word_files {
    bool vocabulary, merges, json;
} word_files;

static pd_status look_for(const char *dir, word_files *ret_files, pd_error *err)
{
    bool *const found[] = { &ret_files->vocabulary, &ret_files->merges, &ret_files->json };
    static const char *const names[] = { "vocab.json", "merges.txt", PD_TOKENIZER_JSON };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        char *path = pd_path_join(dir, names[i]);
        if (!path)
            return pd_error_set_nomem(err);
        *found[i] = pd_file_exists(path);
        pd_mem_free(path);
    }
    return PD_OK;
}

pd_status pd_tokenizer_reads_json(const char *dir, bool *ret_reads, pd_error *err)
{
    word_files files;
    PD_TRY(look_for(dir, &files, err));
    *ret_reads = files.json && !(files.vocabulary && files.merges);
    return PD_OK;
}

static pd_status read_words(const char *dir, pd_tokenizer *tokenizer, pd_error *err)
{
    word_files files;
    PD_TRY(look_for(dir, &files, err));
    if (files.vocabulary && files.merges)
        return read_pair(dir, tokenizer, err);
    if (files.json)
        return read_json(dir, tokenizer, err);
    return pd_error_set(err, PD_ERR_NOT_FOUND,
                        "no %s in '%s': a tokenizer is vocab.json and merges.txt, or " PD_TOKENIZER_JSON,
                        files.vocabulary ? "merges.txt" : "vocab.json", dir);
}

pd_status pd_tokenizer_open_clip(pd_tokenizer **ret_tokenizer, const char *dir, pd_error *err)
{
    pd_tokenizer *tokenizer = pd_mem_alloc(1, sizeof *tokenizer);
    if (!tokenizer)
        return pd_error_set_nomem(err);
    tokenizer->lower_case = true;
    tokenizer->n_max = SIZE_MAX;
    for (special which = 0; which < SPECIAL_COUNT; which++)
        memcpy(tokenizer->specials[which].text, special_names[which].fallback,
               strlen(special_names[which].fallback) + 1);
    pd_status status = read_config(dir, "special_tokens_map.json", tokenizer, err);
    if (status == PD_OK)
        status = read_config(dir, "tokenizer_config.json", tokenizer, err);
    if (status == PD_OK)
        status = read_words(dir, tokenizer, err);
    if (status == PD_OK)
        *ret_tokenizer = tokenizer;
    else
        pd_tokenizer_close(&tokenizer);
    return status;
}

void pd_tokenizer_close(pd_tokenizer **tokenizer)
{
    if (!*tokenizer)
        return;
    pd_bpe_done(&(*tokenizer)->bpe);
    pd_mem_free(*tokenizer);
    *tokenizer = NULL;
}

size_t pd_tokenizer_vocabulary(const pd_tokenizer *tokenizer) { return (size_t)tokenizer->n_ids; }
int32_t pd_tokenizer_eos(const pd_tokenizer *tokenizer) { return tokenizer->specials[EOS].id; }

static bool starts_with(const pd_codes *text, size_t at, const char *ascii)
{
    for (; *ascii; ascii++, at++)
        if (at >= text->len || text->data[at] != (unsigned char)*ascii)
            return false;
    return true;
}

/* 's 't 're 've 'm 'll 'd, capitals too; the old long s counts as an s, since the pattern ignores case. */
static size_t contraction_at(const pd_codes *text, size_t at)
{
    const size_t left = text->len - at;
    const uint32_t *code = text->data + at;
    if (code[0] != '\'' || left < 2)
        return 0;
    const uint32_t first = code[1] < 0x80 ? code[1] | 0x20 : code[1];
    const uint32_t second = left > 2 && code[2] < 0x80 ? code[2] | 0x20 : 0;
    if (first == 's' || first == 't' || first == 'm' || first == 'd' || first == 0x17F)
        return 2;
    return ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l') ? 3 : 0;
}

static bool is_other(uint32_t code)
{
    return !pd_unicode_is_space(code) && !pd_unicode_is_letter(code) && !pd_unicode_is_number(code);
}

/* The length of the word at `at`, which is no space: a contraction, letters, one digit, or a run of other characters
 * (openai/CLIP's pattern, in its order). */
static size_t word_at(const pd_codes *text, size_t at)
{
    const size_t contraction = contraction_at(text, at);
    if (contraction > 0)
        return contraction;
    if (pd_unicode_is_number(text->data[at]))
        return 1;
    bool (*belongs)(uint32_t code) = pd_unicode_is_letter(text->data[at]) ? pd_unicode_is_letter : is_other;
    size_t end = at + 1;
    while (end < text->len && belongs(text->data[end]))
        end++;
    return end - at;
}

/* A special token written out in the text stands for itself. */
static const special_token *special_at(const pd_tokenizer *tokenizer, const pd_codes *text, size_t at)
{
    for (special which = BOS; which <= EOS; which++)
        if (starts_with(text, at, tokenizer->specials[which].text))
            return &tokenizer->specials[which];
    return NULL;
}

typedef struct id_list {
    int32_t *ids;
    size_t n, n_max;
} id_list;

static void append_id(id_list *list, int32_t id)
{
    if (list->n < list->n_max)
        list->ids[list->n++] = id;
}

/* Room for the longest word: its bytes and the symbols they become. */
typedef struct word_space {
    uint8_t *bytes;
    pd_bpe_symbol *symbols;
} word_space;

static void append_word(const pd_tokenizer *tokenizer, const uint32_t *word, size_t len, word_space *space,
                        id_list *list)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < len; i++)
        n_bytes += pd_utf8_put(word[i], (char *)space->bytes + n_bytes);
    const size_t n = pd_bpe_encode(&tokenizer->bpe, space->bytes, n_bytes, space->symbols);
    for (size_t i = 0; i < n; i++)
        append_id(list, space->symbols[i].id);
}

static void append_text(const pd_tokenizer *tokenizer, const pd_codes *text, word_space *space, id_list *list)
{
    for (size_t at = 0; at < text->len && list->n < list->n_max;) {
        const special_token *token = special_at(tokenizer, text, at);
        if (token) {
            append_id(list, token->id);
            at += strlen(token->text);
        } else if (pd_unicode_is_space(text->data[at])) {
            at++;
        } else {
            const size_t len = word_at(text, at);
            append_word(tokenizer, text->data + at, len, space, list);
            at += len;
        }
    }
}

static pd_status report_clean(pd_status status, pd_error *err)
{
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    return pd_error_set(err, status, "the text becomes longer than %d characters", PD_CODES_MAX);
}

pd_status pd_tokenizer_encode(const pd_tokenizer *tokenizer, const char *text, size_t len, size_t n_max,
                              int32_t *ret_ids, size_t *ret_n_used, pd_error *err)
{
    PD_CHECK(n_max >= 2);
    if (len > PD_TOKEN_TEXT_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the text is %zu bytes long; at most %d are allowed", len,
                            PD_TOKEN_TEXT_BYTES_MAX);
    pd_codes clean = { 0 };
    word_space space = { 0 };
    pd_status status = pd_clean_text(text, len, tokenizer->lower_case, &clean);
    if (status != PD_OK) {
        status = report_clean(status, err);
        goto done;
    }
    space.bytes = pd_mem_alloc(clean.len, 4);
    space.symbols = pd_mem_realloc(NULL, 4 * clean.len, sizeof *space.symbols);
    if (!space.bytes || !space.symbols) {
        status = pd_error_set_nomem(err);
        goto done;
    }
    const size_t n_ids = n_max < tokenizer->n_max ? n_max : tokenizer->n_max;
    id_list list = { .ids = ret_ids, .n_max = n_ids - 1 };
    append_id(&list, tokenizer->specials[BOS].id);
    append_text(tokenizer, &clean, &space, &list);
    ret_ids[list.n] = tokenizer->specials[EOS].id;
    *ret_n_used = list.n + 1;
    for (size_t i = list.n + 1; i < n_max; i++)
        ret_ids[i] = tokenizer->specials[PAD].id;
done:
    pd_mem_free(space.symbols);
    pd_mem_free(space.bytes);
    pd_codes_done(&clean);
    return status;
}
