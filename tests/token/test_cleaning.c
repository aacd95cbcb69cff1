#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "token/clean.h"
#include "token/html_text.h"
#include "token/unicode.h"

typedef void transform(const pd_codes *text, pd_codes *ret_text);

static void read_codes(const char *text, pd_codes *ret_codes)
{
    for (size_t i = 0, len = strlen(text); i < len;) {
        uint32_t code;
        i += pd_utf8_next(text + i, len - i, &code);
        pd_codes_push(ret_codes, code);
    }
}

static bool same_codes(const pd_codes *got, const char *expected)
{
    pd_buf text;
    pd_buf_init(&text, 1 << 20);
    pd_buf_append(&text, "", 0);
    for (size_t i = 0; i < got->len; i++) {
        char bytes[4];
        pd_buf_append(&text, bytes, pd_utf8_put(got->data[i], bytes));
    }
    const bool same = strcmp(text.data, expected) == 0;
    if (!same)
        fprintf(stderr, "got '%s' instead of '%s'\n", text.data, expected);
    pd_buf_done(&text);
    return same;
}

static bool becomes(transform *run, const char *text, const char *expected)
{
    pd_codes before = { 0 }, after = { 0 };
    read_codes(text, &before);
    run(&before, &after);
    const bool same = same_codes(&after, expected);
    pd_codes_done(&before);
    pd_codes_done(&after);
    return same;
}

static bool cleans(const char *text, const char *expected)
{
    pd_codes clean = { 0 };
    const bool same = pd_clean_text(text, strlen(text), true, &clean) == PD_OK && same_codes(&clean, expected);
    pd_codes_done(&clean);
    return same;
}

static void classes_follow_unicode(void)
{
    CHECK(pd_unicode_is_letter('a') && pd_unicode_is_letter('Z') && !pd_unicode_is_letter('@'));
    CHECK(!pd_unicode_is_letter('[') && !pd_unicode_is_letter('`') && !pd_unicode_is_letter('{'));
    CHECK(pd_unicode_is_letter(0xE9) && pd_unicode_is_letter(0x4E2D) && pd_unicode_is_letter(0x1D518));
    CHECK(!pd_unicode_is_letter(0xD7) && !pd_unicode_is_letter(0x301) && !pd_unicode_is_letter(0x1F600));
    CHECK(pd_unicode_is_number('0') && pd_unicode_is_number('9') && !pd_unicode_is_number(':'));
    CHECK(pd_unicode_is_number(0xBD) && pd_unicode_is_number(0x2082) && pd_unicode_is_number(0x661));
    CHECK(pd_unicode_is_space(0xA0) && pd_unicode_is_space(0x2009) && !pd_unicode_is_space(0x200B));
    CHECK(pd_unicode_is_space('\v') && !pd_unicode_is_space(0x1C));
    size_t letters = 0, numbers = 0;
    for (uint32_t code = 0; code < 0x110000; code++) {
        letters += pd_unicode_is_letter(code);
        numbers += pd_unicode_is_number(code);
    }
    CHECK(letters == 131756); /* Unicode 14.0, counted by Python's unicodedata */
    CHECK(numbers == 1791);
}

static void lower_case_is_pythons(void)
{
    CHECK(becomes(pd_unicode_lower, "ÀÉÎÕÜ ŁŚŻ ЁЖ", "àéîõü łśż ёж"));
    CHECK(becomes(pd_unicode_lower, "Ǆ ǅ Ⅷ ẞ", "ǆ ǆ ⅷ ß"));
    CHECK(becomes(pd_unicode_lower, "İ", "i̇"));
    CHECK(becomes(pd_unicode_lower, "ΟΔΟΣ ΣΑΣ Σ", "οδος σας σ"));
    CHECK(becomes(pd_unicode_lower, "ΑΣ. ΑΣ.Β", "ας. ασ.β")); /* the full stop is looked through */
    CHECK(becomes(pd_unicode_lower, "aZ[@", "az[@"));
}

static void composition_is_nfc(void)
{
    CHECK(becomes(pd_unicode_compose, "e\u0301", "é"));
    CHECK(becomes(pd_unicode_compose, "\u1EB9\u0302 e\u0302\u0323", "\u1EC7 \u1EC7")); /* marks in either order */
    CHECK(becomes(pd_unicode_compose, "\u1100\u1161\u11A8 \uAC00\u11A8", "\uAC01 \uAC01"));
    CHECK(becomes(pd_unicode_compose, "\u212B \u0958", "\u00C5 \u0915\u093C")); /* a singleton, an exclusion */
    CHECK(becomes(pd_unicode_compose, "\u0301a", "\u0301a"));
    CHECK(becomes(pd_unicode_compose, "a\u0305\u0301", "a\u0305\u0301")); /* the second cannot reach past the first */
    CHECK(becomes(pd_unicode_compose, "a\u0315\u0300", "\u00E0\u0315"));
    CHECK(becomes(pd_unicode_compose, "a\u0327\u0327\u0301", "\u00E1\u0327\u0327"));
}

static void html_is_unescaped_as_browsers_do(void)
{
    CHECK(becomes(pd_html_unescape, "&amp;&lt&copy2 &notit; &notin;", "&<©2 ¬it; ∉"));
    CHECK(becomes(pd_html_unescape, "&#233;&#xE9;&#XE9 &#; &#x; &", "ééé &#; &#x; &"));
    CHECK(becomes(pd_html_unescape, "&#0;&#xD800;&#x110000;&#99999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD"));
    CHECK(becomes(pd_html_unescape, "&#150;&#1;&#13;", "–\r"));
    CHECK(becomes(pd_html_unescape, "&NotEqualTilde;&CounterClockwiseContourIntegral;", "≂̸∳"));
    CHECK(becomes(pd_html_unescape, "&EACUTE; &nosuch; &a", "&EACUTE; &nosuch; &a"));
    CHECK(becomes(pd_html_unescape_whole, "&amp &amp; &EACUTE; &#233; &#59;", "&amp & É é &#59;"));
    CHECK(becomes(pd_html_unescape_whole, "&#12a; &;", "&#12a; &;"));
}

static void text_is_cleaned(void)
{
    CHECK(cleans("  A \t\r\n B\u3000C\u00A0 ", "a b c"));
    CHECK(cleans("kid\u2019s \u201Cred\u201D car", "kid's \"red\" car"));
    CHECK(cleans("ﬁsh ﬄ Ĳ ŉ", "fish ffl ij 'n"));
    CHECK(cleans("ＡＢＣ１２ ｶﾞ", "abc12 ガ"));
    CHECK(cleans("\uFFE3", "\u0304"));
    CHECK(cleans("red\x1b[31;1mcar\x07 x\x1b[", "redcar x["));
    CHECK(cleans("\uFEFF\u206Aa\uFFFC", "a"));
    CHECK(cleans("a\xC2\x85"
                 "b \xC2\x80",
                 "a…b €"));
    CHECK(cleans("&amp;amp;amp;amp;amp;lt;", "<"));
    CHECK(cleans("<&amp;amp;amp;", "<&amp;")); /* HTML keeps its references, but for the two rounds at the end */
    CHECK(cleans("", ""));
}

static void hostile_texts_end(void)
{
    static char text[4096];
    pd_codes clean = { 0 };
    for (size_t i = 0; i + 4 <= sizeof text; i += 4)
        memcpy(text + i, "&amp", 4);
    CHECK(pd_clean_text(text, sizeof text, true, &clean) == PD_OK);
    for (size_t i = 0; i + 2 <= sizeof text; i += 2)
        memcpy(text + i, "\xCC\x81", 2);
    CHECK(pd_clean_text(text, sizeof text, true, &clean) == PD_OK && clean.len == sizeof text / 2);
    memset(text, 0xFF, sizeof text);
    CHECK(pd_clean_text(text, sizeof text, true, &clean) == PD_OK && clean.len == sizeof text);
    pd_codes_done(&clean);
}

static void code_points_have_a_ceiling(void)
{
    pd_codes codes = { 0 };
    for (size_t i = 0; i < PD_CODES_MAX; i++)
        pd_codes_push(&codes, 'x');
    CHECK(codes.status == PD_OK && codes.len == PD_CODES_MAX);
    pd_codes_push(&codes, 'x');
    CHECK(codes.status == PD_ERR_LIMIT && codes.len == PD_CODES_MAX);
    pd_codes_done(&codes);
}

int main(void)
{
    RUN(classes_follow_unicode);
    RUN(lower_case_is_pythons);
    RUN(composition_is_nfc);
    RUN(html_is_unescaped_as_browsers_do);
    RUN(text_is_cleaned);
    RUN(hostile_texts_end);
    RUN(code_points_have_a_ceiling);
    return TEST_RESULT();
}
