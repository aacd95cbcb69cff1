#include "token/json_scan.h"

#include <string.h>

pd_status pd_scan_refuse(const pd_scan *r, const char *what)
{
    return pd_error_set(r->err, PD_ERR_FORMAT, "byte %zu: %s", r->at, what);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int pd_scan_peek(pd_scan *r)
{
    while (r->at < r->len && is_space(r->text[r->at]))
        r->at++;
    return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

bool pd_scan_take(pd_scan *r, char wanted)
{
    if (pd_scan_peek(r) != wanted)
        return false;
    r->at++;
    return true;
}

static pd_status read_hex4(pd_scan *r, uint32_t *ret_code)
{
    uint32_t code = 0;
    if (r->len - r->at < 4)
        return pd_scan_refuse(r, "a \\u escape is cut short");
    for (size_t i = 0; i < 4; i++) {
        const char c = r->text[r->at];
        if (c >= '0' && c <= '9')
            code = code << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return pd_scan_refuse(r, "a \\u escape needs four hexadecimal digits");
        r->at++;
    }
    *ret_code = code;
    return PD_OK;
}

/* Behind "\u": four digits, or a pair of surrogates in two escapes. */
static pd_status read_unicode_escape(pd_scan *r, uint32_t *ret_code)
{
    PD_TRY(read_hex4(r, ret_code));
    if (*ret_code < 0xD800 || *ret_code > 0xDFFF)
        return PD_OK;
    uint32_t low;
    if (*ret_code > 0xDBFF || r->len - r->at < 2 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
        return pd_scan_refuse(r, "half a surrogate pair");
    r->at += 2;
    PD_TRY(read_hex4(r, &low));
    if (low < 0xDC00 || low > 0xDFFF)
        return pd_scan_refuse(r, "half a surrogate pair");
    *ret_code = 0x10000 + ((*ret_code - 0xD800) << 10) + (low - 0xDC00);
    return PD_OK;
}

static pd_status read_escape(pd_scan *r, char *texts, size_t *len)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->len)
        return pd_scan_refuse(r, "a word does not end");
    const char c = r->text[r->at++];
    if (c == 'u') {
        uint32_t code;
        PD_TRY(read_unicode_escape(r, &code));
        *len += pd_utf8_put(code, texts + *len);
        return PD_OK;
    }
    const char *found = c ? strchr(letters, c) : NULL;
    if (!found)
        return pd_scan_refuse(r, "an unknown escape");
    texts[(*len)++] = meanings[found - letters];
    return PD_OK;
}

pd_status pd_scan_word(pd_scan *r, char *texts, size_t *texts_len)
{
    size_t len = *texts_len;
    if (!pd_scan_take(r, '"'))
        return pd_scan_refuse(r, "a word in quotes was expected");
    for (;;) {
        if (r->at == r->len)
            return pd_scan_refuse(r, "a word does not end");
        const char c = r->text[r->at++];
        if (c == '"')
            break;
        if ((unsigned char)c < 0x20)
            return pd_scan_refuse(r, "a control character inside a word");
        if (c == '\\')
            PD_TRY(read_escape(r, texts, &len));
        else
            texts[len++] = c;
    }
    *texts_len = len;
    return PD_OK;
}

/* Behind the opening quote. */
static pd_status skip_quoted(pd_scan *r)
{
    while (r->at < r->len && r->text[r->at] != '"')
        r->at += r->text[r->at] == '\\' ? 2 : 1;
    if (r->at >= r->len)
        return pd_scan_refuse(r, "a word does not end");
    r->at++;
    return PD_OK;
}

pd_status pd_scan_skip(pd_scan *r)
{
    size_t depth = 0;
    do {
        const int c = pd_scan_peek(r);
        if (c < 0)
            return pd_scan_refuse(r, "the text is cut short");
        r->at++;
        if (c == '"')
            PD_TRY(skip_quoted(r));
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth-- == 0)
            return pd_scan_refuse(r, "a bracket closes that was never opened");
        else if (depth == 0) /* a number or a name */
            while (r->at < r->len && !is_space(r->text[r->at]) && !strchr(",]}", r->text[r->at]))
                r->at++;
    } while (depth > 0);
    return PD_OK;
}
