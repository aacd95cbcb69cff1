#include "base/str.h"

#include <string.h>

pd_str pd_str_of(const char *string) { return (pd_str){ string, strlen(string) }; }

bool pd_str_equal(pd_str a, pd_str b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

static size_t malformed(uint32_t *ret_code)
{
    *ret_code = 0xFFFD;
    return 1;
}

size_t pd_utf8_next(const char *text, size_t len, uint32_t *ret_code)
{
    static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) {
        *ret_code = s[0];
        return 1;
    }
    size_t n;
    uint32_t code;
    if ((s[0] & 0xE0) == 0xC0) {
        n = 2;
        code = s[0] & 0x1Fu;
    } else if ((s[0] & 0xF0) == 0xE0) {
        n = 3;
        code = s[0] & 0x0Fu;
    } else if ((s[0] & 0xF8) == 0xF0) {
        n = 4;
        code = s[0] & 0x07u;
    } else {
        return malformed(ret_code);
    }
    if (n > len)
        return malformed(ret_code);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return malformed(ret_code);
        code = code << 6 | (s[i] & 0x3Fu);
    }
    if (code < smallest[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return malformed(ret_code);
    *ret_code = code;
    return n;
}

size_t pd_utf8_put(uint32_t code, char ret_bytes[4])
{
    if (code < 0x80) {
        ret_bytes[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_bytes[0] = (char)(0xC0 | code >> 6);
        ret_bytes[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        ret_bytes[0] = (char)(0xE0 | code >> 12);
        ret_bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
        ret_bytes[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    ret_bytes[0] = (char)(0xF0 | code >> 18);
    ret_bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
    ret_bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
    ret_bytes[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* A real U+FFFD in the text is 3 bytes long, the sign for a malformed byte is 1. */
static bool is_malformed(uint32_t code, size_t used) { return code == 0xFFFD && used == 1; }

bool pd_utf8_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        const size_t used = pd_utf8_next(text + i, len - i, &code);
        if (is_malformed(code, used))
            return false;
        i += used;
    }
    return true;
}

pd_status pd_utf8_append_clean(pd_buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        const size_t used = pd_utf8_next(text + i, len - i, &code);
        if (is_malformed(code, used))
            PD_TRY(pd_buf_append(buf, "\xEF\xBF\xBD", 3));
        else
            PD_TRY(pd_buf_append(buf, text + i, used));
        i += used;
    }
    return PD_OK;
}

/* Embeddings, overrides and isolates of the writing direction, and separators of lines: they make a name look like
 * another one. */
static bool misleads(uint32_t code) { return (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069); }

static pd_status append_escaped(pd_buf *buf, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        PD_TRY(pd_buf_appendf(buf, "\\x%02x", (unsigned char)bytes[i]));
    return PD_OK;
}

pd_status pd_text_append_printable(pd_buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        const size_t used = pd_utf8_next(text + i, len - i, &code);
        if (code == '\n')
            PD_TRY(pd_buf_append(buf, "\\n", 2));
        else if (code == '\t')
            PD_TRY(pd_buf_append(buf, "\\t", 2));
        else if (code == '\\')
            PD_TRY(pd_buf_append(buf, "\\\\", 2));
        else if (is_malformed(code, used) || code < 0x20 || code == 0x7F || misleads(code) ||
                 (code >= 0x80 && code < 0xA0)) /* C1 controls: some terminals obey them */
            PD_TRY(append_escaped(buf, text + i, used));
        else
            PD_TRY(pd_buf_append(buf, text + i, used));
        i += used;
    }
    return PD_OK;
}

bool pd_parse_u64(const char *string, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!*string)
        return false;
    for (const char *p = string; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        const uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
        if (value > max)
            return false;
    }
    *ret_value = value;
    return true;
}
