#include "base/texts.h"

#include <string.h>

#include "base/str.h"

bool pd_text_kind_is_list(pd_text_kind kind)
{
    return kind == PD_TEXT_KEYWORD || kind == PD_TEXT_KEYWORD_PATH || kind == PD_TEXT_PERSON;
}

size_t pd_text_kind_bytes_max(pd_text_kind kind)
{
    return kind == PD_TEXT_LABEL || kind == PD_TEXT_KEYWORD || kind == PD_TEXT_PERSON ? PD_TEXTS_WORD_BYTES_MAX
                                                                                      : PD_TEXTS_TEXT_BYTES_MAX;
}

const char *pd_texts_next(pd_texts texts, const char *previous)
{
    const char *record = previous ? previous + strlen(previous) + 1 : texts.bytes;
    return !texts.len || record == texts.bytes + texts.len ? NULL : record + 1;
}

pd_text_kind pd_texts_kind(const char *text) { return (pd_text_kind)(unsigned char)text[-1]; }

const char *pd_texts_find(pd_texts texts, pd_text_kind kind)
{
    const char *text = NULL;
    while ((text = pd_texts_next(texts, text)) && pd_texts_kind(text) != kind)
        continue;
    return text;
}

static bool is_text_sound(const char *text, size_t len, pd_text_kind kind)
{
    if (len == 0 || len > pd_text_kind_bytes_max(kind) || !pd_utf8_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && !(c == '\n' && kind == PD_TEXT_DESCRIPTION)) || c == 0x7f)
            return false;
    }
    return true;
}

bool pd_texts_are_sound(pd_texts texts)
{
    unsigned kind_before = 0, n_of_kind = 0;
    if (texts.len > PD_TEXTS_BYTES_MAX)
        return false;
    for (size_t at = 0; at < texts.len;) {
        const unsigned kind = (unsigned char)texts.bytes[at];
        const size_t left = texts.len - at - 1, len = strnlen(texts.bytes + at + 1, left);
        if (len == left || kind < kind_before || kind == 0 || kind >= PD_TEXT_KIND_END)
            return false;
        n_of_kind = kind == kind_before ? n_of_kind + 1 : 1;
        if (n_of_kind > (pd_text_kind_is_list((pd_text_kind)kind) ? PD_TEXTS_OF_KIND_MAX : 1) ||
            !is_text_sound(texts.bytes + at + 1, len, (pd_text_kind)kind))
            return false;
        kind_before = kind;
        at += len + 2;
    }
    return true;
}

pd_status pd_texts_append(pd_buf *buf, pd_text_kind kind, const char *text, size_t len)
{
    const char mark = (char)kind;
    const pd_status status = pd_buf_reserve(buf, len + 2); /* the whole record or nothing */
    if (status != PD_OK)
        return status;
    (void)pd_buf_append(buf, &mark, 1);
    (void)pd_buf_append(buf, text, len);
    return pd_buf_append(buf, "", 1);
}
