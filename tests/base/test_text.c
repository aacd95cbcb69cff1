/* str.h, error.h, status.h, cpu.h, clock.h */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/fold.h"
#include "base/str.h"

/* The definition in RFC 3629's grammar, written the other way round: which code points and lengths are allowed. */
static bool is_well_formed(const unsigned char *s, size_t n)
{
    static const unsigned char lows[] = { 0xE0, 0xED, 0xF0, 0xF4 };
    static const unsigned char seconds[][2] = { { 0xA0, 0xBF }, { 0x80, 0x9F }, { 0x90, 0xBF }, { 0x80, 0x8F } };
    const size_t wanted = s[0] < 0x80                    ? 1
                          : s[0] >= 0xC2 && s[0] <= 0xDF ? 2
                          : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                          : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                         : 0;
    if (wanted == 0 || wanted > n)
        return false;
    unsigned char low = 0x80, high = 0xBF;
    for (size_t i = 0; i < PD_COUNT_OF(lows); i++)
        if (s[0] == lows[i]) {
            low = seconds[i][0];
            high = seconds[i][1];
        }
    for (size_t i = 1; i < wanted; i++, low = 0x80, high = 0xBF)
        if (s[i] < low || s[i] > high)
            return false;
    return true;
}

/* All first and second bytes, and the third and fourth at the borders of what matters. */
static void every_sequence_of_bytes_is_judged_by_the_standard(void)
{
    static const unsigned char borders[] = { 0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0,
                                             0xBE, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF };
    size_t wrong = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t c = 0; c < PD_COUNT_OF(borders); c++)
                for (size_t d = 0; d < PD_COUNT_OF(borders); d++)
                    for (size_t n = 1; n <= 4; n++) {
                        const unsigned char s[4] = { (unsigned char)a, (unsigned char)b, borders[c], borders[d] };
                        uint32_t code;
                        const size_t used = pd_utf8_next((const char *)s, n, &code);
                        const bool malformed = code == 0xFFFD && used == 1;
                        wrong += malformed == is_well_formed(s, n);
                    }
    CHECK(wrong == 0);
}

static void every_code_point_goes_through_utf8_and_back(void)
{
    size_t wrong = 0;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char bytes[4];
        uint32_t back;
        const size_t n = pd_utf8_put(code, bytes);
        wrong += pd_utf8_next(bytes, n, &back) != n || back != code || !pd_utf8_valid(bytes, n);
    }
    CHECK(wrong == 0);
}

static bool becomes(pd_status (*append)(pd_buf *, const char *, size_t), const char *text, size_t len,
                    const char *expected)
{
    pd_buf buf;
    pd_buf_init(&buf, 1000);
    const bool same = append(&buf, text, len) == PD_OK && strcmp(buf.data, expected) == 0;
    if (!same)
        fprintf(stderr, "got '%s'\n", buf.data);
    pd_buf_done(&buf);
    return same;
}

static void malformed_bytes_are_replaced_one_by_one(void)
{
    CHECK(becomes(pd_utf8_append_clean, "a\xFF\xC3(\xE2\x82", 6, "a\uFFFD\uFFFD(\uFFFD\uFFFD"));
    CHECK(becomes(pd_utf8_append_clean, "\xED\xA0\x80", 3, "\uFFFD\uFFFD\uFFFD"));
    CHECK(becomes(pd_utf8_append_clean, "\uFFFDé", 5, "\uFFFDé"));
    CHECK(pd_utf8_valid("\uFFFD", 3) && !pd_utf8_valid("\xC0\x80", 2) && pd_utf8_valid("", 0));
}

static void file_names_cannot_speak_to_the_terminal(void)
{
    CHECK(becomes(pd_text_append_printable, "a\nb\tc\\d", 7, "a\\nb\\tc\\\\d"));
    CHECK(becomes(pd_text_append_printable, "a\xE2\x80\xAEgnp.exe", 11, "a\\xe2\\x80\\xaegnp.exe"));
    CHECK(becomes(pd_text_append_printable, "\xE2\x81\xA9\xE2\x80\xA8", 6, "\\xe2\\x81\\xa9\\xe2\\x80\\xa8"));
    CHECK(becomes(pd_text_append_printable, "\x1b[2J\x7f\0\r", 7, "\\x1b[2J\\x7f\\x00\\x0d"));
    CHECK(becomes(pd_text_append_printable,
                  "\xC2\x9B"
                  "1m",
                  4, "\\xc2\\x9b1m")); /* CSI as one C1 control */
    CHECK(becomes(pd_text_append_printable, "caf\xE9 été", 10, "caf\\xe9 été"));
}

static void numbers_are_whole_or_refused(void)
{
    uint64_t n = 7;
    CHECK(pd_parse_u64("0", 10, &n) && n == 0);
    CHECK(pd_parse_u64("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
    CHECK(!pd_parse_u64("18446744073709551616", UINT64_MAX, &n) && n == UINT64_MAX);
    CHECK(!pd_parse_u64("11", 10, &n) && !pd_parse_u64("", 10, &n) && !pd_parse_u64("-1", 10, &n));
    CHECK(!pd_parse_u64("1 ", 10, &n) && !pd_parse_u64("0x1", 10, &n) && !pd_parse_u64("+1", 10, &n));
}

static void a_long_sentence_is_cut_between_characters(void)
{
    char text[600];
    for (size_t start = 0; start < 3; start++) { /* a three-byte character at every place of the border */
        memset(text, 'x', start);
        for (size_t i = start; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "€", 4);
        pd_error err;
        CHECK(pd_error_set(&err, PD_ERR_IO, "%s", text) == PD_ERR_IO);
        const size_t len = strlen(err.message);
        CHECK(len < PD_ERROR_MESSAGE_BYTES && len > PD_ERROR_MESSAGE_BYTES - 8);
        CHECK(pd_utf8_valid(err.message, len) && strcmp(err.message + len - 3, "...") == 0);
        pd_error_prefix(&err, "%s", "€€");
        CHECK(pd_utf8_valid(err.message, strlen(err.message)) && strncmp(err.message, "€€: ", 8) == 0);
        CHECK(pd_error_set_errno(&err, ENOSPC, "%s", text) == PD_ERR_FULL && err.sys_errno == ENOSPC);
        CHECK(pd_utf8_valid(err.message, strlen(err.message)));
    }
}

static void errors_are_prefixed_and_may_be_nobodys(void)
{
    pd_error err;
    CHECK(pd_error_set_errno(&err, ENOENT, "cannot open '%s'", "a") == PD_ERR_NOT_FOUND);
    CHECK(strcmp(err.message, "cannot open 'a': No such file or directory") == 0);
    pd_error_prefix(&err, "in %s", "b");
    CHECK(strcmp(err.message, "in b: cannot open 'a': No such file or directory") == 0);
    CHECK(pd_error_set(NULL, PD_ERR_LIMIT, "x") == PD_ERR_LIMIT);
    CHECK(pd_error_set_errno(NULL, EIO, "x") == PD_ERR_IO);
    CHECK(pd_error_set_nomem(NULL) == PD_ERR_NOMEM);
    pd_error_prefix(NULL, "x");
    CHECK(pd_status_of_errno(ENOTDIR) == PD_ERR_NOT_FOUND && pd_status_of_errno(EDQUOT) == PD_ERR_FULL);
}

static void every_status_has_a_name_of_its_own(void)
{
    for (unsigned i = 0; i < PD_STATUS_COUNT; i++) {
        const char *name = pd_status_name((pd_status)i);
        REQUIRE(name != NULL);
        CHECK(strcmp(name, "unknown") != 0);
        for (unsigned k = 0; k < i; k++)
            CHECK(strcmp(name, pd_status_name((pd_status)k)) != 0);
    }
    CHECK(strcmp(pd_status_name(PD_STATUS_COUNT), "unknown") == 0);
    CHECK(strcmp(pd_status_name((pd_status)-1), "unknown") == 0);
    CHECK(PD_ERR_INTERNAL == 17 && PD_ERR_CORRUPT == 9); /* pinned: they are in logs */
}

static void levels_go_from_scalar_to_what_is_there(void)
{
    unsigned mask = 99, all = 0;
    CHECK(pd_cpu_level("scalar", &mask) && (mask & ~(unsigned)PD_CPU_SHA) == 0);
    CHECK(strcmp(pd_cpu_level_name(mask), "scalar") == 0);
    CHECK(pd_cpu_level("auto", &all) && all == pd_cpu_detect());
    CHECK(!pd_cpu_level("avx3", &mask) && !pd_cpu_level("", &mask));
    static const char *const names[] = { "sse2", "avx2", "avxvnni", "avx512", "amx", "neon", "dotprod" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++)
        if (pd_cpu_level(names[i], &mask))
            CHECK(strcmp(pd_cpu_level_name(mask), names[i]) == 0 && (mask & ~all) == 0);
}

static void clocks_go_forward_and_print_utc(void)
{
    char text[PD_TIME_TEXT_BYTES];
    const int64_t before = pd_clock_ns();
    CHECK(pd_clock_ns() >= before);
    CHECK(pd_clock_unix_ns() > INT64_C(1700000000) * PD_NS_PER_S);
    pd_time_format_utc(0, text);
    CHECK(strcmp(text, "1970-01-01T00:00:00Z") == 0);
    pd_time_format_utc(1795493170, text);
    CHECK(strcmp(text, "2026-11-24T04:06:10Z") == 0);
    pd_time_format_local(INT64_MAX, text);
    CHECK(text[0] == '\0');
}

static void texts_are_folded_as_people_compare_them(void)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "Beach 12", "beach 12" },
        { "\xc3\x89tang \xc3\x9f\xc3\x86\xc5\x93", "etang ssaeoe" },
        { "e\xcc\x81", "e" },                               /* a combining mark */
        { "\xe1\xba\xbf\xc4\xb0\xc5\x81\xc3\x98", "eilo" }, /* Vietnamese, Turkish, Polish, Danish */
        { "\xce\xa3\xd0\x96\xd0\x81", "\xcf\x83\xd0\xb6\xd1\x91" },
        { "\xe6\x97\xa5*?[\xff\xc3", "\xe6\x97\xa5*?[\xff\xc3" },
        { "\xc3\x97\xc9\x90", "\xc3\x97\xc9\x90" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(pairs); i++) {
        pd_buf buf;
        pd_buf_init(&buf, 64);
        CHECK(pd_fold_append(&buf, pairs[i][0], strlen(pairs[i][0])) == PD_OK);
        CHECK(strcmp(buf.data ? buf.data : "", pairs[i][1]) == 0);
        pd_buf_done(&buf);
    }
    pd_buf small;
    pd_buf_init(&small, 3);
    CHECK(pd_fold_append(&small, "\xc3\x9f\xc3\x9f", 4) == PD_ERR_LIMIT);
    pd_buf_done(&small);
}

int main(void)
{
    RUN(texts_are_folded_as_people_compare_them);
    RUN(every_sequence_of_bytes_is_judged_by_the_standard);
    RUN(every_code_point_goes_through_utf8_and_back);
    RUN(malformed_bytes_are_replaced_one_by_one);
    RUN(file_names_cannot_speak_to_the_terminal);
    RUN(numbers_are_whole_or_refused);
    RUN(a_long_sentence_is_cut_between_characters);
    RUN(errors_are_prefixed_and_may_be_nobodys);
    RUN(every_status_has_a_name_of_its_own);
    RUN(levels_go_from_scalar_to_what_is_there);
    RUN(clocks_go_forward_and_print_utc);
    return TEST_RESULT();
}
