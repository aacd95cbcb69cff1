/* Questions and the results that are kept of them, with the model that ships, on pictures made here. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "library_fixture.h"

static bool make_pictures(unsigned from, unsigned to)
{
    static const char *const folders[] = { "dogs", "sea", "other" };
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%s/%04u.bmp", folders[i % 3], i);
        is_made &= scene_picture(name, i) && scene_touch(name, 1000000000 + i * 86400);
    }
    return is_made;
}

static pd_library *learn_scene(unsigned n) { return scene_begin() && make_pictures(0, n) ? learn_all(n) : NULL; }

static pd_hits ask(pd_library *library, const char *text, size_t n)
{
    pd_hits hits = { 0 };
    pd_error err = { 0 };
    if (pd_library_find(library, &(pd_question){ .text = text, .n = n }, &hits, &err) != PD_OK)
        fprintf(stderr, "'%s': %s\n", text, err.message);
    return hits;
}

static uint64_t number_of(pd_library *library, const char *text)
{
    pd_hits hits = ask(library, text, 3);
    const uint64_t number = hits.result;
    pd_hits_done(&hits);
    return number;
}

static void an_equal_question_is_the_same_result_until_something_changes(void)
{
    pd_library *library = learn_scene(20);
    REQUIRE(library);
    const uint64_t first = number_of(library, "a red  thing in:dogs");
    CHECK(first != 0);
    CHECK(number_of(library, " a red thing in:dogs ") == first);
    CHECK(number_of(library, "a red thing in:sea") != first);
    CHECK(number_of(library, "a red thing in:dogs sort:name") != first);
    const uint64_t all = number_of(library, "");
    CHECK(number_of(library, NULL) == all && number_of(library, "a red thing in:dogs") == first);
    const pd_example example = { .text = "1" };
    pd_hits one = { 0 }, two = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .examples = &example, .n_examples = 1 }, &one, NULL) == PD_OK);
    CHECK(pd_library_find(library, &(pd_question){ .examples = &example, .n_examples = 1 }, &two, NULL) == PD_OK);
    CHECK(one.result == two.result && one.result != all && one.total == 19);
    pd_hits_done(&one);
    pd_hits_done(&two);
    REQUIRE(make_pictures(20, 24) && learn(library).learned == 4);
    CHECK(number_of(library, "a red thing in:dogs") != first && number_of(library, "") != all);
    pd_library_close(&library);
}

/* Page by page while photos are learned: what was on no page stays on none, nothing comes twice. */
static void a_kept_result_stays_as_it_is_while_photos_are_learned(void)
{
    enum { N = 30 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    static const char *const texts[] = { "a view", "", "a view sort:-date", "in:dogs", "in:sea sort:name stripes" };
    for (size_t t = 0; t < 5; t++) {
        pd_hits before = ask(library, texts[t], 100), page = { 0 };
        REQUIRE(before.n > 0 && (int64_t)before.n == before.total);
        const unsigned learned = (unsigned)(N + 6 * t);
        REQUIRE(make_pictures(learned, learned + 6) && learn(library).learned == 6);
        pd_hits now = ask(library, "", 100); /* takes in what came */
        CHECK(now.total == learned + 6);
        pd_hits_done(&now);
        for (size_t offset = 0; offset < before.n; offset += 7) {
            const pd_question window = { .result = before.result, .offset = offset, .n = 7 };
            CHECK(pd_library_find(library, &window, &page, NULL) == PD_OK && page.total == before.total);
            CHECK(page.strong == before.strong && page.order == before.order);
            for (size_t i = 0; i < page.n; i++)
                CHECK(page.items[i].id == before.items[offset + i].id &&
                      page.items[i].match == before.items[offset + i].match);
            pd_hits_done(&page);
        }
        int64_t *ids = NULL;
        size_t n_ids = 0;
        CHECK(pd_library_result_photos(library, before.result, &(pd_result_range){ 2, SIZE_MAX }, &ids, &n_ids, NULL) ==
              PD_OK);
        CHECK(n_ids == before.n - 2);
        for (size_t i = 0; i < n_ids; i++)
            CHECK(ids[i] == before.items[i + 2].id);
        pd_mem_free(ids);
        pd_hits_done(&before);
    }
    pd_library_close(&library);
}

static void the_results_used_longest_ago_are_given_up(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    uint64_t numbers[PD_LIBRARY_RESULTS_MAX + 1];
    pd_hits hits = { 0 };
    pd_error err = { 0 };
    for (size_t i = 0; i <= PD_LIBRARY_RESULTS_MAX; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "width:>%zu", i);
        if (i == PD_LIBRARY_RESULTS_MAX) { /* looked at: the second is the oldest now */
            CHECK(pd_library_find(library, &(pd_question){ .result = numbers[0] }, &hits, NULL) == PD_OK);
            pd_hits_done(&hits);
        }
        numbers[i] = number_of(library, text);
    }
    int64_t *ids = NULL;
    size_t n = 0;
    CHECK(pd_library_find(library, &(pd_question){ .result = numbers[1] }, &hits, &err) == PD_ERR_NO_MATCH);
    CHECK(strstr(err.message, "again") && !hits.items);
    CHECK(pd_library_result_photos(library, numbers[1], &(pd_result_range){ 0, 10 }, &ids, &n, NULL) ==
              PD_ERR_NO_MATCH &&
          !ids);
    for (size_t i = 0; i <= PD_LIBRARY_RESULTS_MAX; i++)
        if (i != 1) {
            CHECK(pd_library_find(library, &(pd_question){ .result = numbers[i] }, &hits, NULL) == PD_OK);
            pd_hits_done(&hits);
        }
    pd_library_close(&library);
}

static void filters_alone_need_no_model(void)
{
    pd_library *library = learn_scene(9);
    REQUIRE(library);
    pd_library_close(&library);
    pd_library_options options = options_of("data");
    options.model = "/there/is/no/such/model";
    library = open_with(&options);
    REQUIRE(library);
    pd_hits hits = ask(library, "in:dogs", 10);
    CHECK(hits.n == 3 && hits.total == 3 && hits.strong == -1 && !hits.model && hits.order == PD_ORDER_NEWEST);
    for (size_t i = 0; i < hits.n; i++)
        CHECK(isnan(hits.items[i].score) && hits.items[i].match == -1 && strstr(hits.items[i].path, "/dogs/"));
    pd_hits_done(&hits);
    pd_error err = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a dog" }, &hits, &err) == PD_ERR_NOT_FOUND);
    pd_library_close(&library);
}

static void parts_are_added_and_taken_away(void)
{
    pd_library *library = learn_scene(30);
    REQUIRE(library);
    pd_hits like = ask(library, "like:5", 40), without = ask(library, "-like:5", 40),
            twice = ask(library, "3*like:5", 40);
    CHECK(like.n == 29 && without.n == 29 && twice.n == 29 && like.model);
    for (size_t i = 0; i < like.n; i++) {
        CHECK(like.items[i].id != 5 && like.items[i].id == twice.items[i].id);
        CHECK(fabs((double)like.items[i].score + (double)without.items[28 - i].score) < 1e-6);
    }
    pd_hits_done(&like);
    pd_hits_done(&without);
    pd_hits_done(&twice);
    pd_error err = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "like:5 -like:5" }, &like, &err) == PD_ERR_USAGE);
    CHECK(strstr(err.message, "cancel") != NULL);
    CHECK(pd_library_find(library, &(pd_question){ .text = "like:77" }, &like, &err) == PD_ERR_NO_MATCH);
    pd_library_close(&library);
}

static void strong_ones_come_first_in_every_order(void)
{
    pd_library *library = learn_scene(40);
    REQUIRE(library);
    static const char *const texts[] = { "stripes", "stripes sort:-date", "stripes sort:name", "stripes sort:size" };
    int64_t strong = -1;
    for (size_t t = 0; t < 4; t++) {
        pd_hits hits = ask(library, texts[t], 100);
        CHECK(hits.strong >= 0 && (t == 0 || hits.strong == strong));
        strong = hits.strong;
        for (size_t i = 0; i < hits.n; i++)
            CHECK(((int64_t)i < strong) == (hits.items[i].match >= 50));
        pd_hits_done(&hits);
    }
    pd_library_close(&library);
}

static void words_of_another_script_are_told(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    static const struct {
        const char *text;
        bool is_told;
    } cases[] = { { "a dog", false },
                  { "собака", true },
                  { "Zürich à l'été ñ ß", false },
                  { "犬 in the snow", true },
                  { "dog \xF0\x9F\x90\xB6 \xE2\x80\x94 3\xC2\xB0", false },
                  { "-κύμα red", true },
                  { "tag:собака red", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pd_hits hits = ask(library, cases[i].text, 3);
        CHECK(hits.english_only == cases[i].is_told);
        pd_hits_done(&hits);
    }
    pd_library_close(&library);
}

static void a_question_can_be_cancelled_and_limits_are_told(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    pd_hits hits = { 0 };
    pd_error err = { 0 };
    const atomic_bool cancelled = true;
    CHECK(pd_library_find(library, &(pd_question){ .text = "a dog", .cancelled = &cancelled }, &hits, &err) ==
          PD_ERR_CANCELLED);
    CHECK(pd_library_find(library, &(pd_question){ .text = "in:dogs", .cancelled = &cancelled }, &hits, &err) ==
          PD_ERR_CANCELLED);
    CHECK(pd_library_find(library, &(pd_question){ .n = PD_LIBRARY_WINDOW_MAX + 1 }, &hits, &err) == PD_ERR_LIMIT);
    static char longest[PD_QUERY_BYTES_MAX + 2];
    memset(longest, 'a', sizeof longest - 1);
    CHECK(pd_library_find(library, &(pd_question){ .text = longest }, &hits, &err) == PD_ERR_LIMIT);
    static pd_example many[PD_LIBRARY_EXAMPLES_MAX + 1];
    for (size_t i = 0; i <= PD_LIBRARY_EXAMPLES_MAX; i++)
        many[i].text = "1";
    const pd_question too_many = { .examples = many, .n_examples = PD_LIBRARY_EXAMPLES_MAX + 1 };
    CHECK(pd_library_find(library, &too_many, &hits, &err) == PD_ERR_LIMIT);
    const pd_question enough = { .examples = many, .n_examples = PD_LIBRARY_EXAMPLES_MAX };
    CHECK(pd_library_find(library, &enough, &hits, &err) == PD_OK && hits.total == 2);
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static bool hear_value(void *user, const pd_value_count *value)
{
    char *said = user;
    const size_t len = strlen(said);
    (void)snprintf(said + len, 256 - len, "%s=%lld ", value->value, (long long)value->count);
    return true;
}

static void a_panel_is_told_what_there_is(void)
{
    pd_library *library = learn_scene(10);
    REQUIRE(library);
    char said[256] = "";
    const pd_value_question question = { .field = PD_FIELD_TYPE, .n_max = 10, .visit = hear_value, .user = said };
    CHECK(pd_library_values(library, "in:dogs", &question, NULL) == PD_OK);
    CHECK(strcmp(said, "bmp=4 ") == 0);
    said[0] = '\0';
    CHECK(pd_library_values(library, "type:bmp", &question, NULL) == PD_OK);
    CHECK(strcmp(said, "bmp=10 ") == 0);
    pd_library_close(&library);
}

static void everything_survives_a_lack_of_memory(void)
{
    pd_library *library = learn_scene(6);
    REQUIRE(library);
    pd_library_close(&library);
    static const char *const texts[] = { "in:dogs sort:name", "stripes -like:2 in:dogs" };
    for (size_t t = 0; t < 2; t++) {
        size_t tries = 1;
        for (bool done = false; !done && tries < 5000; tries += tries < 100 ? 1 : 9) {
            const size_t live = pd_mem_live();
            library = open_library();
            REQUIRE(library);
            pd_hits hits = { 0 };
            CHECK(t == 0 || pd_library_prepare_model(library, NULL) == PD_OK);
            (void)pd_mem_fail_at(tries);
            const pd_status status = pd_library_find(library, &(pd_question){ .text = texts[t], .n = 3 }, &hits, NULL);
            done = pd_mem_fail_at(0) < tries;
            CHECK(status == PD_OK || (!done && !hits.items && hits.n == 0));
            pd_hits_done(&hits);
            hits = ask(library, texts[t], 3);
            CHECK(hits.n > 0);
            pd_hits_done(&hits);
            pd_library_close(&library);
            CHECK(pd_mem_live() == live);
        }
        printf("# question %zu: %zu allocations\n", t, tries);
        CHECK(tries > 3 && tries < 5000);
    }
}

int main(void)
{
    find_program();
    RUN(an_equal_question_is_the_same_result_until_something_changes);
    RUN(a_kept_result_stays_as_it_is_while_photos_are_learned);
    RUN(the_results_used_longest_ago_are_given_up);
    RUN(filters_alone_need_no_model);
    RUN(parts_are_added_and_taken_away);
    RUN(strong_ones_come_first_in_every_order);
    RUN(words_of_another_script_are_told);
    RUN(a_question_can_be_cancelled_and_limits_are_told);
    RUN(a_panel_is_told_what_there_is);
    RUN(everything_survives_a_lack_of_memory);
    scene_end();
    return TEST_RESULT();
}
