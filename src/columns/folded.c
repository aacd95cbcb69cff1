#include "columns/folded.h"

#include <string.h>

#include "base/fold.h"

pd_status pd_folded_set(pd_buf *buf, const char *text)
{
    pd_buf_clear(buf);
    PD_TRY(pd_fold_append(buf, text, strlen(text)));
    return pd_buf_append(buf, "", 0);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_wordy(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80; }

bool pd_folded_has_words(const char *text, const char *words)
{
    const size_t len = strlen(words);
    if (len == 0)
        return false;
    for (const char *at = strstr(text, words); at; at = strstr(at + 1, words)) {
        const bool splits_before = at > text && is_digit(at[0]) && is_digit(at[-1]);
        const bool splits_behind = is_digit(at[len - 1]) && is_digit(at[len]);
        if (!splits_before && !splits_behind)
            return true;
    }
    return false;
}

bool pd_folded_begins_word(const char *text, const char *prefix)
{
    if (!prefix[0])
        return true;
    for (const char *at = strstr(text, prefix); at; at = strstr(at + 1, prefix))
        if (at == text || !is_wordy(at[-1]))
            return true;
    return false;
}

bool pd_folded_is_glob(const char *pattern) { return pattern[strcspn(pattern, "*?")] != '\0'; }

static const char *skip_character(const char *text)
{
    text++;
    while (((unsigned char)*text & 0xC0) == 0x80)
        text++;
    return text;
}

/* Only the last star is ever tried again: what an earlier one could take more, the later one can take too. */
bool pd_folded_glob(const char *text, const char *pattern)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == '?') {
            text = skip_character(text);
            pattern++;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            text = retry = skip_character(retry);
            pattern = star;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool pd_folded_has_folder(const char *path, const char *words)
{
    size_t len = strlen(words);
    while (len > 0 && words[len - 1] == '/')
        len--;
    const bool is_whole = words[0] == '/';
    if (len == 0)
        return is_whole; /* "/": everything is below it */
    for (const char *at = path; *at; at++) {
        const bool begins = is_whole ? at == path : at > path && at[-1] == '/';
        if (begins && strncmp(at, words, len) == 0 && (at[len] == '/' || at[len] == '\0'))
            return true;
        if (is_whole)
            return false;
    }
    return false;
}
