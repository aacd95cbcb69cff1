#include "store/work_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/fold.h"
#include "base/str.h"

void pd_work_text_done(pd_work_text *text)
{
    pd_buf_done(&text->text);
    pd_buf_done(&text->folded);
}

const char *pd_work_text_plain(const pd_work_text *text) { return text->text.data ? text->text.data : ""; }

const char *pd_work_text_folded(const pd_work_text *text) { return text->folded.data ? text->folded.data : ""; }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        i += pd_utf8_next(text + i, len - i, &code);
        if (code < 0x20 || (code >= 0x7F && code < 0xA0))
            return true;
    }
    return false;
}

static pd_status check(const char *text, size_t len, const char *what, size_t len_max, pd_error *err)
{
    if (len > len_max)
        return pd_error_set(err, PD_ERR_LIMIT, "%s of %zu bytes is too long: at most %zu are allowed", what, len,
                            len_max);
    if (!pd_utf8_valid(text, len))
        return pd_error_set(err, PD_ERR_USAGE, "%s must be UTF-8 text", what);
    if (has_control(text, len))
        return pd_error_set(err, PD_ERR_USAGE, "%s must be one line without control characters", what);
    return PD_OK;
}

pd_status pd_work_text_make(pd_work_text *ret_text, const char *text, const char *what, size_t len_max, pd_error *err)
{
    pd_buf_init(&ret_text->text, len_max + 1);
    pd_buf_init(&ret_text->folded, 2 * len_max + 1);
    while (is_blank(*text))
        text++;
    size_t len = strlen(text);
    while (len && is_blank(text[len - 1]))
        len--;
    PD_TRY(check(text, len, what, len_max, err));
    (void)pd_buf_append(&ret_text->text, text, len);
    (void)pd_fold_append(&ret_text->folded, text, len);
    if (ret_text->folded.len == 0) /* nothing but marks, or nothing */
        (void)pd_buf_append(&ret_text->folded, text, len);
    if (ret_text->text.status == PD_OK && ret_text->folded.status == PD_OK)
        return PD_OK;
    return pd_error_set_nomem(err);
}
