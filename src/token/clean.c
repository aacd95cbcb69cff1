#include "token/clean.h"

#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "token/html_text.h"
#include "token/unicode.h"
#include "token/windows1252.h"

typedef void clean_stage(const pd_codes *text, pd_codes *ret_text);

static void fix_c1_controls(const pd_codes *text, pd_codes *ret_text)
{
    for (size_t i = 0; i < text->len; i++)
        pd_codes_push(ret_text, pd_windows1252_decode(text->data[i]));
}

static void take_ligatures_apart(const pd_codes *text, pd_codes *ret_text)
{
    static const struct {
        uint32_t code, parts[3];
    } ligatures[] = {
        { 0x132, { 'I', 'J' } },       { 0x133, { 'i', 'j' } },       { 0x149, { 0x2BC, 'n' } },
        { 0x1C4, { 'D', 0x17D } },     { 0x1C5, { 'D', 0x17E } },     { 0x1C6, { 'd', 0x17E } },
        { 0x1C7, { 'L', 'J' } },       { 0x1C8, { 'L', 'j' } },       { 0x1C9, { 'l', 'j' } },
        { 0x1CA, { 'N', 'J' } },       { 0x1CB, { 'N', 'j' } },       { 0x1CC, { 'n', 'j' } },
        { 0x1F1, { 'D', 'Z' } },       { 0x1F2, { 'D', 'z' } },       { 0x1F3, { 'd', 'z' } },
        { 0xFB00, { 'f', 'f' } },      { 0xFB01, { 'f', 'i' } },      { 0xFB02, { 'f', 'l' } },
        { 0xFB03, { 'f', 'f', 'i' } }, { 0xFB04, { 'f', 'f', 'l' } }, { 0xFB05, { 0x17F, 't' } },
        { 0xFB06, { 's', 't' } },
    };
    for (size_t i = 0; i < text->len; i++) {
        size_t k = 0;
        while (text->data[i] >= 0x132 && k < PD_COUNT_OF(ligatures) && ligatures[k].code != text->data[i])
            k++;
        if (text->data[i] < 0x132 || k == PD_COUNT_OF(ligatures))
            pd_codes_push(ret_text, text->data[i]);
        else
            pd_codes_append(ret_text, ligatures[k].parts, ligatures[k].parts[2] ? 3 : 2);
    }
}

static void fix_width(const pd_codes *text, pd_codes *ret_text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] == 0xFFE3) { /* full-width macron: a space and a combining one */
            pd_codes_push(ret_text, ' ');
            pd_codes_push(ret_text, 0x304);
        } else {
            pd_codes_push(ret_text, text->data[i] == 0x3000 ? ' ' : pd_unicode_standard_width(text->data[i]));
        }
    }
}

static void straighten_quotes(const pd_codes *text, pd_codes *ret_text)
{
    for (size_t i = 0; i < text->len; i++) {
        const uint32_t code = text->data[i];
        if (code == 0x2BC || (code >= 0x2018 && code <= 0x201B))
            pd_codes_push(ret_text, '\'');
        else
            pd_codes_push(ret_text, code >= 0x201C && code <= 0x201F ? '"' : code);
    }
}

/* The length of "ESC [ digits and semicolons letter" at `at`; 0 when there is none. */
static size_t terminal_escape(const pd_codes *text, size_t at)
{
    if (text->len - at < 3 || text->data[at] != 0x1B || text->data[at + 1] != '[')
        return 0;
    size_t end = at + 2;
    while (end < text->len && ((text->data[end] >= '0' && text->data[end] <= '9') || text->data[end] == ';'))
        end++;
    const bool ends = end < text->len && text->data[end] < 0x80 && pd_unicode_is_letter(text->data[end]);
    return ends ? end + 1 - at : 0;
}

static bool is_unwanted_control(uint32_t code)
{
    return code <= 0x8 || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F ||
           (code >= 0x206A && code <= 0x206F) || code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFC);
}

static void remove_controls(const pd_codes *text, pd_codes *ret_text)
{
    for (size_t i = 0; i < text->len; i++) {
        const size_t escape = terminal_escape(text, i);
        if (escape > 0)
            i += escape - 1;
        else if (!is_unwanted_control(text->data[i]))
            pd_codes_push(ret_text, text->data[i]);
    }
}

static void fold_spaces(const pd_codes *text, pd_codes *ret_text)
{
    bool pending = false;
    for (size_t i = 0; i < text->len; i++) {
        if (pd_unicode_is_space(text->data[i])) {
            pending = ret_text->len > 0;
            continue;
        }
        if (pending)
            pd_codes_push(ret_text, ' ');
        pending = false;
        pd_codes_push(ret_text, text->data[i]);
    }
}

static void run_stage(clean_stage *stage, pd_codes *text, pd_codes *scratch)
{
    pd_codes_clear(scratch);
    stage(text, scratch);
    const pd_codes swapped = *text;
    *text = *scratch;
    *scratch = swapped;
}

static bool contains(const pd_codes *text, uint32_t code)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] == code)
            return true;
    return false;
}

static bool equal(const pd_codes *a, const pd_codes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len * sizeof *a->data) == 0);
}

/* One line as ftfy.fix_text does it: all fixes, until nothing changes. A line with '<' may be HTML and keeps its
 * character references. */
static void fix_line(pd_codes *line, pd_codes *scratch, pd_codes *before)
{
    static clean_stage *const stages[] = { fix_c1_controls,   take_ligatures_apart, fix_width,
                                           straighten_quotes, remove_controls,      pd_unicode_compose };
    const bool maybe_html = contains(line, '<');
    do {
        pd_codes_clear(before);
        pd_codes_append(before, line->data, line->len);
        if (!maybe_html)
            run_stage(pd_html_unescape_whole, line, scratch);
        for (size_t i = 0; i < PD_COUNT_OF(stages); i++)
            run_stage(stages[i], line, scratch);
    } while (!equal(line, before) && line->status == PD_OK && scratch->status == PD_OK && before->status == PD_OK);
}

static pd_status first_failure(const pd_codes *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].status != PD_OK)
            return list[i].status;
    return PD_OK;
}

pd_status pd_clean_text(const char *text, size_t len, bool lower_case, pd_codes *ret_clean)
{
    pd_codes space[3] = { 0 };
    pd_codes *line = &space[0], *scratch = &space[1];
    pd_codes_clear(ret_clean);
    for (size_t i = 0; i < len;) {
        uint32_t code;
        i += pd_utf8_next(text + i, len - i, &code);
        pd_codes_push(line, code);
        if (code == '\n' || i == len) {
            fix_line(line, scratch, &space[2]);
            pd_codes_append(ret_clean, line->data, line->len);
            pd_codes_clear(line);
        }
    }
    run_stage(pd_html_unescape, ret_clean, scratch);
    run_stage(pd_html_unescape, ret_clean, scratch);
    run_stage(fold_spaces, ret_clean, scratch);
    if (lower_case)
        run_stage(pd_unicode_lower, ret_clean, scratch);
    pd_status status = first_failure(space, PD_COUNT_OF(space));
    if (status == PD_OK)
        status = ret_clean->status;
    for (size_t i = 0; i < PD_COUNT_OF(space); i++)
        pd_codes_done(&space[i]);
    return status;
}
