#include "token/tokenizer_json.h"

#include <string.h>

#include "base/mem.h"
#include "token/json_scan.h"
#include "token/token.h"

#define CLIP_PATTERN "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"

/* A value in the text: [from, to). */
typedef struct span {
    size_t from, to;
} span;

/* The vocabulary and the merges in the text; empty where they are not. */
typedef struct long_parts {
    span vocabulary, merges;
} long_parts;

/* Goes through the members of the object that begins here, and tells each. */
static pd_status scan_members(pd_scan *scan, pd_status (*tell)(pd_scan *scan, pd_str key, long_parts *parts),
                              long_parts *parts)
{
    if (!pd_scan_take(scan, '{'))
        return pd_scan_refuse(scan, "'{' was expected");
    if (pd_scan_take(scan, '}'))
        return PD_OK;
    do {
        if (pd_scan_peek(scan) != '"')
            return pd_scan_refuse(scan, "a name in quotes was expected");
        const size_t from = scan->at;
        PD_TRY(pd_scan_skip(scan));
        const pd_str key = { scan->text + from + 1, scan->at - from - 2 }; /* an escaped one is none of ours */
        if (!pd_scan_take(scan, ':'))
            return pd_scan_refuse(scan, "':' was expected");
        PD_TRY(tell(scan, key, parts));
    } while (pd_scan_take(scan, ','));
    return pd_scan_take(scan, '}') ? PD_OK : pd_scan_refuse(scan, "',' or '}' was expected");
}

static pd_status scan_model_member(pd_scan *scan, pd_str key, long_parts *parts)
{
    const int first = pd_scan_peek(scan);
    const size_t from = scan->at;
    PD_TRY(pd_scan_skip(scan));
    if (pd_str_equal(key, pd_str_of("vocab")) && first == '{')
        parts->vocabulary = (span){ from, scan->at };
    if (pd_str_equal(key, pd_str_of("merges")) && first == '[')
        parts->merges = (span){ from, scan->at };
    return PD_OK;
}

static pd_status scan_top_member(pd_scan *scan, pd_str key, long_parts *parts)
{
    if (pd_str_equal(key, pd_str_of("model")) && pd_scan_peek(scan) == '{')
        return scan_members(scan, scan_model_member, parts);
    return pd_scan_skip(scan);
}

/* The text with null in place of the two long parts, as JSON. */
static pd_status parse_rest(const char *text, size_t len, const long_parts *parts, pd_json **ret_rest, pd_error *err)
{
    const bool in_order = parts->vocabulary.from < parts->merges.from;
    const span first = in_order ? parts->vocabulary : parts->merges;
    const span second = in_order ? parts->merges : parts->vocabulary;
    pd_buf rest;
    pd_buf_init(&rest, PD_TOKENIZER_JSON_BYTES_MAX);
    (void)pd_buf_append(&rest, text, first.from); /* the buffer remembers a failure */
    (void)pd_buf_append_string(&rest, first.to ? "null" : "");
    (void)pd_buf_append(&rest, text + first.to, second.from - first.to);
    (void)pd_buf_append_string(&rest, second.to ? "null" : "");
    (void)pd_buf_append(&rest, text + second.to, len - second.to);
    const pd_status status =
        rest.status == PD_OK ? pd_json_parse(ret_rest, rest.data, rest.len, err) : pd_error_set_nomem(err);
    pd_buf_done(&rest);
    return status;
}

/* One merge, "a b" or ["a", "b"], as a line. */
static pd_status read_merge(pd_scan *scan, pd_buf *merges)
{
    const bool is_pair = pd_scan_take(scan, '[');
    const size_t from = merges->len;
    size_t texts_len = 0;
    const size_t start = scan->at;
    PD_TRY(pd_scan_skip(scan)); /* how long it is, at most; and the other */
    if (is_pair) {
        if (!pd_scan_take(scan, ','))
            return pd_scan_refuse(scan, "a merge is not of two symbols");
        PD_TRY(pd_scan_skip(scan));
    }
    if (pd_buf_reserve(merges, scan->at - start + 1) != PD_OK)
        return pd_error_set_nomem(scan->err);
    scan->at = start;
    PD_TRY(pd_scan_word(scan, merges->data + from, &texts_len));
    if (is_pair) {
        (void)pd_scan_take(scan, ',');
        merges->data[from + texts_len++] = ' ';
        PD_TRY(pd_scan_word(scan, merges->data + from, &texts_len));
        if (!pd_scan_take(scan, ']'))
            return pd_scan_refuse(scan, "a merge is not of two symbols");
    }
    const char *line = merges->data + from, *space = memchr(line, ' ', texts_len);
    if (memchr(line, '\n', texts_len) || memchr(line, '\r', texts_len) || !space ||
        memchr(space + 1, ' ', texts_len - (size_t)(space + 1 - line)))
        return pd_scan_refuse(scan, "a merge is not of two symbols");
    merges->data[from + texts_len++] = '\n';
    merges->len = from + texts_len;
    return PD_OK;
}

static pd_status read_merges(pd_str list, pd_buf *merges, pd_error *err)
{
    pd_scan scan = { .text = list.ptr, .len = list.len, .err = err };
    (void)pd_scan_take(&scan, '['); /* it was seen */
    if (pd_scan_take(&scan, ']'))
        return PD_OK;
    do
        PD_TRY(read_merge(&scan, merges));
    while (pd_scan_take(&scan, ','));
    return pd_scan_take(&scan, ']') ? PD_OK : pd_scan_refuse(&scan, "',' or ']' was expected");
}

static pd_str type_of(const pd_json *part)
{
    pd_str type = pd_str_of("of no type");
    (void)pd_json_read_string(pd_json_get(part, "type"), &type);
    return (pd_str){ type.ptr, type.len < 60 ? type.len : 60 };
}

static bool is_type(const pd_json *part, const char *type) { return pd_str_equal(type_of(part), pd_str_of(type)); }

static pd_status refuse_part(const char *what, const pd_json *part, pd_error *err)
{
    const pd_str type = type_of(part);
    return pd_error_set(err, PD_ERR_UNSUPPORTED,
                        "its %s '%.*s' is not one of CLIP's; only CLIP's byte-level BPE is handled", what,
                        (int)type.len, type.ptr);
}

/* A setting that has one handled value: absent, null, or as good as absent. */
static bool is_off(const pd_json *value)
{
    bool flag = false;
    double number = 0;
    pd_str text = { "", 0 };
    return pd_json_is_null(value) || (pd_json_read_bool(value, &flag) && !flag) ||
           (pd_json_read_number(value, &number) && number == 0) || (pd_json_read_string(value, &text) && text.len == 0);
}

static pd_status check_model(const pd_json *model, pd_error *err)
{
    static const char *const must_be_off[] = { "dropout", "continuing_subword_prefix", "byte_fallback",
                                               "ignore_merges" };
    pd_str ending = { "", 0 };
    if (!pd_json_is_null(pd_json_get(model, "type")) && !is_type(model, "BPE")) /* the first files have no type */
        return refuse_part("model", model, err);
    if (!pd_json_read_string(pd_json_get(model, "end_of_word_suffix"), &ending) ||
        !pd_str_equal(ending, pd_str_of("</w>")))
        return pd_error_set(err, PD_ERR_UNSUPPORTED,
                            "its BPE does not mark word ends by '</w>'; only CLIP's byte-level BPE is handled");
    for (size_t i = 0; i < PD_COUNT_OF(must_be_off); i++)
        if (!is_off(pd_json_get(model, must_be_off[i])))
            return pd_error_set(err, PD_ERR_UNSUPPORTED, "its BPE has a %s; only CLIP's byte-level BPE is handled",
                                must_be_off[i]);
    return PD_OK;
}

static pd_status check_normaliser(const pd_json *normaliser, bool *lower_case, pd_error *err)
{
    pd_str pattern = { "", 0 };
    if (is_type(normaliser, "Lowercase"))
        *lower_case = true;
    else if (is_type(normaliser, "Replace") &&
             pd_json_read_string(pd_json_get(pd_json_get(normaliser, "pattern"), "Regex"), &pattern) &&
             pd_str_equal(pattern, pd_str_of("\\s+")))
        return PD_OK;
    else if (!is_type(normaliser, "NFC"))
        return refuse_part("normalizer", normaliser, err);
    return PD_OK;
}

static pd_status check_pre_tokeniser(const pd_json *pre, bool *is_split, pd_error *err)
{
    pd_str pattern = { "", 0 };
    const size_t len = strlen(CLIP_PATTERN);
    if (is_type(pre, "Split") && pd_json_read_string(pd_json_get(pd_json_get(pre, "pattern"), "Regex"), &pattern) &&
        pattern.len >= len && memcmp(pattern.ptr + pattern.len - len, CLIP_PATTERN, len) == 0) {
        *is_split = true; /* special tokens may stand in front of the pattern */
        return PD_OK;
    }
    if (is_type(pre, "ByteLevel") && is_off(pd_json_get(pre, "add_prefix_space")))
        return PD_OK;
    return refuse_part("pre_tokenizer", pre, err);
}

static pd_status check_parts(pd_tokenizer_json *json, pd_error *err)
{
    const pd_json *normaliser = pd_json_get(json->rest, "normalizer"), *pre = pd_json_get(json->rest, "pre_tokenizer");
    const pd_json *const normalisers = pd_json_get(normaliser, "normalizers");
    const pd_json *const pres = pd_json_get(pre, "pretokenizers");
    bool is_split = false;
    PD_TRY(check_model(pd_json_get(json->rest, "model"), err));
    if (!is_type(normaliser, "Sequence") && !pd_json_is_null(normaliser))
        PD_TRY(check_normaliser(normaliser, &json->lower_case, err));
    for (size_t i = 0; i < pd_json_count(normalisers); i++)
        PD_TRY(check_normaliser(pd_json_at(normalisers, i), &json->lower_case, err));
    if (!is_type(pre, "Sequence"))
        return refuse_part("pre_tokenizer", pre, err);
    for (size_t i = 0; i < pd_json_count(pres); i++)
        PD_TRY(check_pre_tokeniser(pd_json_at(pres, i), &is_split, err));
    if (!is_split)
        return refuse_part("pre_tokenizer", pre, err);
    return PD_OK;
}

pd_status pd_tokenizer_json_read(pd_tokenizer_json *ret_json, const char *text, size_t len, pd_error *err)
{
    pd_tokenizer_json json = { 0 };
    pd_scan scan = { .text = text, .len = len, .err = err };
    long_parts parts = { 0 };
    if (len > PD_TOKENIZER_JSON_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu bytes; at most %zu are allowed", len, PD_TOKENIZER_JSON_BYTES_MAX);
    PD_TRY(scan_members(&scan, scan_top_member, &parts));
    PD_TRY(parse_rest(text, len, &parts, &json.rest, err));
    pd_buf_init(&json.merges, PD_TOKENIZER_JSON_BYTES_MAX);
    pd_status status = check_parts(&json, err);
    if (status == PD_OK && (parts.vocabulary.to == 0 || parts.merges.to == 0))
        status = pd_error_set(err, PD_ERR_FORMAT, "its model has no %s", parts.merges.to ? "vocab" : "merges");
    if (status == PD_OK)
        status =
            read_merges((pd_str){ text + parts.merges.from, parts.merges.to - parts.merges.from }, &json.merges, err);
    json.vocabulary = (pd_str){ text + parts.vocabulary.from, parts.vocabulary.to - parts.vocabulary.from };
    if (status == PD_OK)
        *ret_json = json;
    else
        pd_tokenizer_json_done(&json);
    return status;
}

void pd_tokenizer_json_done(pd_tokenizer_json *json)
{
    pd_buf_done(&json->merges);
    pd_json_free(&json->rest);
    *json = (pd_tokenizer_json){ 0 };
}

bool pd_tokenizer_json_added(const pd_tokenizer_json *json, pd_str content, int32_t *ret_id)
{
    const pd_json *added = pd_json_get(json->rest, "added_tokens");
    for (size_t i = 0; i < pd_json_count(added); i++) {
        const pd_json *token = pd_json_at(added, i);
        pd_str text;
        int64_t id;
        if (pd_json_read_string(pd_json_get(token, "content"), &text) && pd_str_equal(text, content) &&
            pd_json_read_int(pd_json_get(token, "id"), &id) && id >= 0 && id < PD_TOKEN_VOCABULARY_MAX) {
            *ret_id = (int32_t)id;
            return true;
        }
    }
    return false;
}
