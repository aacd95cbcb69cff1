/* Writers: what reaches a file descriptor, and what people read. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/hits.h"
#include "cli/human.h"
#include "test.h"

static const char *human(void (*append)(pd_buf *buf, const char *text), const char *text)
{
    static char space[256];
    pd_buf buf;
    pd_buf_init(&buf, sizeof space - 1);
    append(&buf, text);
    (void)snprintf(space, sizeof space, "%s", buf.data ? buf.data : "");
    pd_buf_done(&buf);
    return space;
}

static void count_of_text(pd_buf *buf, const char *text) { pd_human_count(buf, strtoll(text, NULL, 10)); }
static void bytes_of_text(pd_buf *buf, const char *text) { pd_human_bytes(buf, strtoll(text, NULL, 10)); }
static void duration_of_text(pd_buf *buf, const char *text) { pd_human_duration(buf, strtod(text, NULL)); }

static void people_read_numbers_in_their_own_way(void)
{
    static const struct {
        void (*append)(pd_buf *buf, const char *text);
        const char *text, *expected;
    } cases[] = {
        { count_of_text, "0", "0" },
        { count_of_text, "999", "999" },
        { count_of_text, "1000", "1,000" },
        { count_of_text, "1234567", "1,234,567" },
        { count_of_text, "-123456", "-123,456" },
        { bytes_of_text, "1", "1 byte" },
        { bytes_of_text, "999", "999 bytes" },
        { bytes_of_text, "1000", "1.0 kB" },
        { bytes_of_text, "999999", "1.0 MB" },
        { bytes_of_text, "123456789", "123 MB" },
        { bytes_of_text, "9223372036854775807", "9223 PB" },
        { duration_of_text, "0.04", "0.0 s" },
        { duration_of_text, "9.96", "10 s" },
        { duration_of_text, "59.7", "1 min 00 s" },
        { duration_of_text, "185", "3 min 05 s" },
        { duration_of_text, "7805", "2 h 10 min" },
        { pd_human_time, "2003-05-24T15:01:33", "2003-05-24 15:01:33" },
        { pd_human_time, "2003-05-24T15:01:33+02:00", "2003-05-24 15:01:33 +02:00" },
        { pd_human_time, "2003-05-24T15:01:33Z", "2003-05-24 15:01:33 UTC" },
        { pd_human_time, "", "" },
        { pd_human_shell_word, "/usr/bin/x-1_2.3", "/usr/bin/x-1_2.3" },
        { pd_human_shell_word, "a b", "'a b'" },
        { pd_human_shell_word, "it's", "'it'\\''s'" },
        { pd_human_shell_word, "", "''" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++)
        CHECK(strcmp(human(cases[i].append, cases[i].text), cases[i].expected) == 0);
}

/* What the writer put into a pipe. */
static const char *written(void (*write_it)(pd_out *out, const void *what), const void *what, size_t *ret_len)
{
    static char space[8192];
    int ends[2];
    if (pipe(ends) != 0)
        return "no pipe";
    pd_out out;
    pd_out_init(&out, ends[1]);
    write_it(&out, what);
    const pd_status status = pd_out_finish(&out, NULL);
    pd_out_done(&out);
    close(ends[1]);
    const ssize_t n = read(ends[0], space, sizeof space - 1);
    close(ends[0]);
    space[n > 0 ? n : 0] = '\0';
    *ret_len = n > 0 ? (size_t)n : 0;
    return status == PD_OK ? space : "failed";
}

/* Three hits: the paths borrow literals, the writers do not free. */
static pd_hits three_hits(pd_hit items[3])
{
    static char paths[3][32] = { "/p/b.jpg", "/p/\xff,\n.png", "/q/a.jpg" };
    static const char *const taken[3] = { "2003-05-24T15:01:33+02:00", "", "1999-01-01T00:00:00" };
    for (int i = 0; i < 3; i++) {
        items[i] = (pd_hit){ .id = i + 1,
                             .path = paths[i],
                             .score = 0.5F - 0.1F * (float)i,
                             .match = 60 - 20 * i,
                             .width = 4,
                             .height = 3 };
        (void)snprintf(items[i].taken, sizeof items[i].taken, "%s", taken[i]);
    }
    return (pd_hits){ .items = items, .n = 3, .total = 9, .strong = 1, .order = PD_ORDER_SCORE };
}

static pd_hits_form form_in_hand(const pd_hits_form *change)
{
    static pd_hits_form form;
    if (change)
        form = *change;
    return form;
}

static void write_hits(pd_out *out, const void *what)
{
    const pd_hits_answer answer = { .query = "q", .took_ms = 1.25, .hits = what };
    pd_hits_write(out, &answer, form_in_hand(NULL), 0);
}

static const char *hits_text(pd_hits_form form, size_t *ret_len)
{
    pd_hit items[3];
    const pd_hits hits = three_hits(items);
    (void)form_in_hand(&form);
    return written(write_hits, &hits, ret_len);
}

static void hits_come_in_every_form(void)
{
    size_t len;
    CHECK(strcmp(hits_text(PD_HITS_TEXT, &len), "1   60   0.500  2003-05-24 15:01  /p/b.jpg\n"
                                                "-- weaker matches below --\n"
                                                "2   40   0.400  -                 /p/\\xff,\\n.png\n"
                                                "3   20   0.300  1999-01-01 00:00  /q/a.jpg\n") == 0);
    CHECK(strcmp(hits_text(PD_HITS_CSV, &len), "id,path,score,match,taken,width,height,rating,favorite,caption,"
                                               "caption_by,caption_doubtful\n"
                                               "1,/p/b.jpg,0.500000,60,2003-05-24T15:01:33+02:00,4,3,0,0,,,0\n"
                                               "2,\"/p/\xff,\n.png\",0.400000,40,,4,3,0,0,,,0\n"
                                               "3,/q/a.jpg,0.300000,20,1999-01-01T00:00:00,4,3,0,0,,,0\n") == 0);
    static const char nul[] = "/p/b.jpg\0/p/\xff,\n.png\0/q/a.jpg";
    CHECK(memcmp(hits_text(PD_HITS_NUL, &len), nul, sizeof nul) == 0 && len == sizeof nul);
    static const char line[] =
        "{\"id\":1,\"path\":\"/p/b.jpg\",\"score\":0.5,\"match\":60,"
        "\"taken\":\"2003-05-24T15:01:33+02:00\",\"width\":4,\"height\":3,\"rating\":0,"
        "\"favorite\":false,\"caption\":null,\"caption_by\":null,\"caption_doubtful\":false}\n{\"id\":2,";
    CHECK(strncmp(hits_text(PD_HITS_JSONL, &len), line, sizeof line - 1) == 0);
}

static void the_json_answer_has_its_keys(void)
{
    static const char *const keys[] = { "query", "model", "took_ms", "total", "strong", "sort", "hits" };
    size_t len;
    const char *text = hits_text(PD_HITS_JSON, &len);
    pd_json *json = NULL;
    CHECK(pd_json_parse(&json, text, len, NULL) == PD_OK);
    CHECK(pd_json_count(json) == PD_COUNT_OF(keys));
    for (size_t i = 0; i < PD_COUNT_OF(keys); i++)
        CHECK(pd_json_get(json, keys[i]) != NULL);
    CHECK(pd_json_count(pd_json_get(json, "hits")) == 3);
    pd_json_free(&json);
}

static void write_unmeasured(pd_out *out, const void *what)
{
    const pd_hits_answer answer = { .query = "q", .hits = what };
    pd_hits_write(out, &answer, PD_HITS_TEXT, 98);
}

static void ranks_go_on_and_what_was_not_compared_has_no_measure(void)
{
    size_t len;
    pd_hit items[3];
    pd_hits hits = three_hits(items);
    for (int i = 0; i < 3; i++) {
        items[i].match = -1;
        items[i].score = NAN;
    }
    hits.strong = -1;
    CHECK(strcmp(written(write_unmeasured, &hits, &len), " 99    -       -  2003-05-24 15:01  /p/b.jpg\n"
                                                         "100    -       -  -                 /p/\\xff,\\n.png\n"
                                                         "101    -       -  1999-01-01 00:00  /q/a.jpg\n") == 0);
    hits.strong = 100;
    CHECK(strstr(written(write_unmeasured, &hits, &len), "\n-- weaker matches below --\n101 "));
    hits.strong = 98;
    CHECK(strncmp(written(write_unmeasured, &hits, &len), "-- weaker", 9) == 0);
    hits.strong = 97; /* it was on an earlier page */
    CHECK(!strstr(written(write_unmeasured, &hits, &len), "weaker"));
}

static void a_full_disk_is_told_with_its_own_status(void)
{
    pd_out out;
    pd_error err = { 0 };
    const int fd = open("/dev/full", O_WRONLY);
    REQUIRE(fd >= 0);
    pd_out_init(&out, fd);
    pd_out_text(&out, "x");
    CHECK(pd_out_finish(&out, &err) == PD_ERR_FULL);
    CHECK(strstr(err.message, "standard output: No space left") != NULL);
    pd_out_done(&out);
    close(fd);
}

static void a_reader_that_left_is_no_reason_to_talk(void)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    (void)signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    pd_out out;
    pd_error err = { 0 };
    pd_out_init(&out, ends[1]);
    pd_out_text(&out, "x");
    CHECK(pd_out_finish(&out, &err) == PD_ERR_CANCELLED);
    CHECK(err.message[0] == '\0' && out.sys_errno == EPIPE);
    pd_out_done(&out);
    close(ends[1]);
}

static void without_memory_no_half_answer_is_written(void)
{
    const size_t live = pd_mem_live();
    size_t tries = 1;
    for (bool done = false; !done && tries < 1000; tries++) {
        size_t len;
        (void)pd_mem_fail_at(tries);
        const char *text = hits_text(PD_HITS_JSON, &len);
        const bool failed = pd_mem_fail_at(0) >= tries;
        CHECK(!failed || strcmp(text, "failed") == 0);
        done = !failed;
        CHECK(pd_mem_live() == live);
    }
    CHECK(tries > 10 && tries < 1000);
}

int main(void)
{
    RUN(people_read_numbers_in_their_own_way);
    RUN(hits_come_in_every_form);
    RUN(the_json_answer_has_its_keys);
    RUN(ranks_go_on_and_what_was_not_compared_has_no_measure);
    RUN(a_full_disk_is_told_with_its_own_status);
    RUN(a_reader_that_left_is_no_reason_to_talk);
    RUN(without_memory_no_half_answer_is_written);
    return TEST_RESULT();
}
