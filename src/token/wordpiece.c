#include "token/wordpiece.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "token/codes.h"
#include "token/unicode.h"

#define CONFIG_BYTES_MAX ((size_t)4 << 20)

enum {
    WORD_CHARACTERS_MAX = 100, /* longer words are unknown, as in the reference */
    PIECE_BYTES_MAX = 4 * WORD_CHARACTERS_MAX + 2
};

/* The token and its names in the files; what BertTokenizer takes when they say nothing. */
static const struct {
    const char *key, *fallback;
} special_names[PD_WORDPIECE_SPECIALS] = {
    [PD_WORDPIECE_UNK] = { "unk_token", "[UNK]" },    [PD_WORDPIECE_CLS] = { "cls_token", "[CLS]" },
    [PD_WORDPIECE_SEP] = { "sep_token", "[SEP]" },    [PD_WORDPIECE_PAD] = { "pad_token", "[PAD]" },
    [PD_WORDPIECE_MASK] = { "mask_token", "[MASK]" },
};

static pd_status read_special(const pd_json *config, pd_wordpiece_special which, pd_wordpiece *wordpiece, pd_error *err)
{
    const char *key = special_names[which].key;
    const pd_json *value = pd_json_get(config, key);
    pd_str text = pd_str_of(special_names[which].fallback);
    if (!pd_json_is_null(value) &&
        !pd_json_read_string(pd_json_is_object(value) ? pd_json_get(value, "content") : value, &text))
        return pd_error_set(err, PD_ERR_FORMAT, "tokenizer_config.json: \"%s\" is not a text", key);
    if (text.len == 0 || text.len >= sizeof wordpiece->texts[which])
        return pd_error_set(err, PD_ERR_LIMIT, "tokenizer_config.json: \"%s\" has %zu bytes; 1 to %zu are allowed", key,
                            text.len, sizeof wordpiece->texts[which] - 1);
    memcpy(wordpiece->texts[which], text.ptr, text.len);
    return PD_OK;
}

static pd_status read_config(pd_wordpiece *wordpiece, pd_str text, pd_error *err)
{
    pd_json *config = NULL;
    pd_status status = text.len ? pd_json_parse(&config, text.ptr, text.len, err) : PD_OK;
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "tokenizer_config.json");
    wordpiece->lower_case = wordpiece->chinese = wordpiece->clean_up = true;
    for (pd_wordpiece_special which = 0; status == PD_OK && which < PD_WORDPIECE_SPECIALS; which++)
        status = read_special(config, which, wordpiece, err);
    (void)pd_json_read_bool(pd_json_get(config, "do_lower_case"), &wordpiece->lower_case);
    wordpiece->strip_accents = wordpiece->lower_case; /* null means so */
    (void)pd_json_read_bool(pd_json_get(config, "strip_accents"), &wordpiece->strip_accents);
    (void)pd_json_read_bool(pd_json_get(config, "tokenize_chinese_chars"), &wordpiece->chinese);
    (void)pd_json_read_bool(pd_json_get(config, "clean_up_tokenization_spaces"), &wordpiece->clean_up);
    pd_json_free(&config);
    return status;
}

static pd_status find_specials(pd_wordpiece *wordpiece, pd_error *err)
{
    for (pd_wordpiece_special which = 0; which < PD_WORDPIECE_SPECIALS; which++) {
        const char *text = wordpiece->texts[which];
        wordpiece->specials[which] = -1;
        if (!pd_vocabulary_find(&wordpiece->vocabulary, pd_str_of(text), &wordpiece->specials[which]) &&
            which == PD_WORDPIECE_UNK)
            return pd_error_set(err, PD_ERR_FORMAT, "vocab.txt: the %s '%s' is not in it", special_names[which].key,
                                text);
    }
    return PD_OK;
}

pd_status pd_wordpiece_parse(pd_wordpiece *ret_wordpiece, pd_str config, pd_str words, pd_error *err)
{
    pd_wordpiece wordpiece = { 0 };
    PD_TRY(read_config(&wordpiece, config, err));
    pd_status status = pd_vocabulary_parse_lines(&wordpiece.vocabulary, words.ptr, words.len, err);
    if (status != PD_OK) {
        if (status != PD_ERR_NOMEM)
            pd_error_prefix(err, "vocab.txt");
        return status;
    }
    status = find_specials(&wordpiece, err);
    if (status == PD_OK)
        *ret_wordpiece = wordpiece;
    else
        pd_wordpiece_done(&wordpiece);
    return status;
}

void pd_wordpiece_done(pd_wordpiece *wordpiece) { pd_vocabulary_done(&wordpiece->vocabulary); }

/* Reads dir/name; when `optional`, a file that is not there is an empty one. */
static pd_status read_file(const char *dir, const char *name, size_t bytes_max, bool optional, pd_buf *buf,
                           pd_error *err)
{
    char *path = pd_path_join(dir, name);
    pd_error reading;
    pd_buf_init(buf, bytes_max);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status = pd_file_read(path, bytes_max, buf, &reading);
    pd_mem_free(path);
    if (status == PD_OK || (optional && status == PD_ERR_NOT_FOUND))
        return PD_OK;
    return pd_error_hand_on(err, &reading);
}

pd_status pd_wordpiece_open(pd_wordpiece **ret_wordpiece, const char *dir, pd_error *err)
{
    pd_buf config, words = { 0 };
    pd_wordpiece *wordpiece = pd_mem_alloc(1, sizeof *wordpiece);
    if (!wordpiece)
        return pd_error_set_nomem(err);
    pd_status status = read_file(dir, "tokenizer_config.json", CONFIG_BYTES_MAX, true, &config, err);
    if (status == PD_OK)
        status = read_file(dir, "vocab.txt", PD_VOCABULARY_BYTES_MAX, false, &words, err);
    if (status == PD_OK) {
        status =
            pd_wordpiece_parse(wordpiece, (pd_str){ config.data, config.len }, (pd_str){ words.data, words.len }, err);
        if (status != PD_OK && status != PD_ERR_NOMEM)
            pd_error_prefix(err, "model '%s'", dir);
    }
    pd_buf_done(&words);
    pd_buf_done(&config);
    if (status == PD_OK)
        *ret_wordpiece = wordpiece;
    else
        pd_mem_free(wordpiece);
    return status;
}

void pd_wordpiece_close(pd_wordpiece **wordpiece)
{
    if (!*wordpiece)
        return;
    pd_wordpiece_done(*wordpiece);
    pd_mem_free(*wordpiece);
    *wordpiece = NULL;
}

size_t pd_wordpiece_vocabulary(const pd_wordpiece *wordpiece) { return (size_t)wordpiece->vocabulary.n_ids; }

/* The CJK blocks that the reference puts spaces around. */
static bool is_chinese(uint32_t code)
{
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2CEAF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

/* All ASCII that is neither letter nor digit, and the blocks where nearly all other punctuation (\p{P}) lies. */
static bool is_punctuation(uint32_t code)
{
    static const uint16_t ranges[][2] = {
        { 0xA1, 0xA1 },     { 0xA7, 0xA7 },     { 0xAB, 0xAB },     { 0xB6, 0xB7 },
        { 0xBB, 0xBB },     { 0xBF, 0xBF },     { 0x2010, 0x2027 }, { 0x2030, 0x2043 },
        { 0x2045, 0x205E }, { 0x3001, 0x3003 }, { 0x3008, 0x3011 }, { 0x3014, 0x301F },
        { 0xFF01, 0xFF03 }, { 0xFF05, 0xFF0F }, { 0xFF1A, 0xFF1B }, { 0xFF1F, 0xFF1F },
    };
    if (code < 0x80)
        return code > ' ' && code < 0x7F && !pd_unicode_is_letter(code) && !pd_unicode_is_number(code);
    for (size_t i = 0; i < PD_COUNT_OF(ranges); i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
}

static bool is_control(uint32_t code)
{
    return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7F && code < 0xA0) ||
           code == 0xAD || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code == 0xFFFD;
}

/* The text as words and single spaces: ret_words is what is cut further. scratch: another one. */
static pd_status cut_words(const pd_wordpiece *wordpiece, pd_str text, pd_codes *scratch, pd_codes *ret_words)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t code;
        at += pd_utf8_next(text.ptr + at, text.len - at, &code);
        if (!is_control(code))
            pd_codes_push(scratch, code);
    }
    if (wordpiece->lower_case) {
        pd_unicode_lower(scratch, ret_words);
        pd_codes_clear(scratch);
        pd_codes_append(scratch, ret_words->data, ret_words->len);
        pd_codes_clear(ret_words);
    }
    if (wordpiece->strip_accents) {
        pd_unicode_strip_marks(scratch, ret_words);
        pd_codes_clear(scratch);
        pd_codes_append(scratch, ret_words->data, ret_words->len);
        pd_codes_clear(ret_words);
    }
    for (size_t i = 0; i < scratch->len; i++) {
        const uint32_t code = scratch->data[i];
        const bool alone = is_punctuation(code) || (wordpiece->chinese && is_chinese(code));
        if (alone)
            pd_codes_push(ret_words, ' ');
        pd_codes_push(ret_words, pd_unicode_is_space(code) ? ' ' : code);
        if (alone)
            pd_codes_push(ret_words, ' ');
    }
    return scratch->status != PD_OK ? scratch->status : ret_words->status;
}

/* The longest piece of the vocabulary that the word goes on with at `at`; *ret_len characters. */
static bool find_piece(const pd_wordpiece *wordpiece, const uint32_t *word, size_t at, size_t len, size_t *ret_len,
                       int32_t *ret_id)
{
    char bytes[PIECE_BYTES_MAX];
    size_t ends[WORD_CHARACTERS_MAX + 1], used = at ? 2 : 0;
    memcpy(bytes, "##", 2);
    for (size_t i = at; i < len; i++) {
        used += pd_utf8_put(word[i], bytes + used);
        ends[i - at] = used;
    }
    for (size_t n = len - at; n > 0; n--)
        if (pd_vocabulary_find(&wordpiece->vocabulary, (pd_str){ bytes, ends[n - 1] }, ret_id)) {
            *ret_len = n;
            return true;
        }
    return false;
}

typedef struct id_list {
    int32_t *ids;
    size_t n, n_max;
    bool full;
} id_list;

static void append_id(id_list *list, int32_t id)
{
    list->full = list->full || list->n == list->n_max;
    if (!list->full)
        list->ids[list->n++] = id;
}

/* A word that cannot be taken apart to its end is unknown as a whole. */
static void append_word(const pd_wordpiece *wordpiece, const uint32_t *word, size_t len, id_list *list)
{
    id_list pieces = *list;
    size_t at = 0, n = 0;
    int32_t id = 0;
    while (len <= WORD_CHARACTERS_MAX && at < len && find_piece(wordpiece, word, at, len, &n, &id)) {
        append_id(&pieces, id);
        at += n;
    }
    if (at == len)
        *list = pieces;
    else
        append_id(list, wordpiece->specials[PD_WORDPIECE_UNK]);
}

pd_status pd_wordpiece_encode(const pd_wordpiece *wordpiece, pd_str text, size_t n_max, int32_t *ret_ids, size_t *ret_n,
                              pd_error *err)
{
    if (text.len > PD_TOKEN_TEXT_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the text is %zu bytes long; at most %d are allowed", text.len,
                            PD_TOKEN_TEXT_BYTES_MAX);
    pd_codes scratch = { 0 }, words = { 0 };
    id_list list = { .ids = ret_ids, .n_max = n_max };
    pd_status status = cut_words(wordpiece, text, &scratch, &words);
    for (size_t at = 0; status == PD_OK && at < words.len;) {
        size_t end = at;
        while (end < words.len && words.data[end] != ' ')
            end++;
        if (end > at)
            append_word(wordpiece, words.data + at, end - at, &list);
        at = end + 1;
    }
    pd_codes_done(&words);
    pd_codes_done(&scratch);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    if (status != PD_OK)
        return pd_error_set(err, status, "the text becomes longer than %d characters", PD_CODES_MAX);
    if (list.full)
        return pd_error_set(err, PD_ERR_LIMIT, "the text has more than %zu tokens", n_max);
    *ret_n = list.n;
    return PD_OK;
}

static bool is_special(const pd_wordpiece *wordpiece, int32_t id)
{
    for (pd_wordpiece_special which = 0; which < PD_WORDPIECE_SPECIALS; which++)
        if (wordpiece->specials[which] == id)
            return true;
    return false;
}

typedef struct writer {
    char *text;
    size_t len, bytes;
    bool full;
} writer;

/* All of the piece or, when it does not fit, as many whole characters as do. */
static void write_piece(writer *w, pd_str piece)
{
    size_t n = piece.len, left = w->bytes - 1 - w->len;
    if (w->full)
        return;
    if (n > left) {
        for (n = left; n > 0 && ((unsigned char)piece.ptr[n] & 0xC0) == 0x80;)
            n--;
        w->full = true;
    }
    memcpy(w->text + w->len, piece.ptr, n);
    w->len += n;
}

/* Takes out the spaces of " ." and the like; transformers' clean_up_tokenization, in its order. */
static size_t clean_up(char *text, size_t len)
{
    static const struct {
        const char *from, *to;
    } rules[] = { { " .", "." },     { " ?", "?" },   { " !", "!" },   { " ,", "," },     { " ' ", "'" },
                  { " n't", "n't" }, { " 'm", "'m" }, { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" } };
    for (size_t i = 0; i < PD_COUNT_OF(rules); i++) {
        const size_t from = strlen(rules[i].from), to = strlen(rules[i].to);
        size_t out = 0;
        for (size_t at = 0; at < len;) {
            if (len - at >= from && memcmp(text + at, rules[i].from, from) == 0) {
                memcpy(text + out, rules[i].to, to);
                out += to;
                at += from;
            } else {
                text[out++] = text[at++];
            }
        }
        len = out;
    }
    return len;
}

void pd_wordpiece_decode(const pd_wordpiece *wordpiece, const int32_t *ids, size_t n, char *ret_text, size_t bytes)
{
    writer w = { .text = ret_text, .bytes = bytes };
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= wordpiece->vocabulary.n_ids || is_special(wordpiece, ids[i]))
            continue;
        pd_str piece = pd_vocabulary_word(&wordpiece->vocabulary, (size_t)ids[i]);
        const bool goes_on = piece.len > 2 && memcmp(piece.ptr, "##", 2) == 0;
        if (goes_on && w.len)
            piece = (pd_str){ piece.ptr + 2, piece.len - 2 };
        else if (w.len)
            write_piece(&w, pd_str_of(" "));
        write_piece(&w, piece);
    }
    if (wordpiece->clean_up)
        w.len = clean_up(ret_text, w.len);
    ret_text[w.len] = '\0';
}
