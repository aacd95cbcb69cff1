#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "token/token.h"
#include "token/vocabulary.h"

static pd_status parse(pd_vocabulary *vocabulary, const char *text, pd_error *err)
{
    return pd_vocabulary_parse(vocabulary, text, strlen(text), err);
}

static bool is_refused(const char *text, pd_status status, const char *what)
{
    pd_vocabulary vocabulary = { 0 };
    pd_error err = { 0 };
    const size_t live = pd_mem_live();
    const pd_status got = parse(&vocabulary, text, &err);
    const bool ok = got == status && strstr(err.message, what) && !vocabulary.texts && pd_mem_live() == live;
    if (!ok)
        fprintf(stderr, "%s: %s: %s\n", text, pd_status_name(got), err.message);
    return ok;
}

static bool has(const pd_vocabulary *vocabulary, const char *word, int32_t id)
{
    int32_t found = -1;
    return pd_vocabulary_find(vocabulary, pd_str_of(word), &found) && found == id;
}

static void words_are_found_by_their_text(void)
{
    pd_vocabulary vocabulary = { 0 };
    pd_error err;
    REQUIRE(parse(&vocabulary, " {\"a\" :0,\n\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1,\"\\u00e9\\uD83D\\uDE00\" : 7, \"\":3}\n",
                  &err) == PD_OK);
    CHECK(vocabulary.n_entries == 4 && vocabulary.n_ids == 8);
    CHECK(has(&vocabulary, "a", 0) && has(&vocabulary, "\"\\/\b\f\n\r\t", 1));
    CHECK(has(&vocabulary, "é😀", 7) && has(&vocabulary, "", 3) && !has(&vocabulary, "b", 0));
    pd_vocabulary_done(&vocabulary);
}

static void broken_texts_are_refused(void)
{
    CHECK(is_refused("", PD_ERR_FORMAT, "byte 0: '{'"));
    CHECK(is_refused("{}", PD_ERR_FORMAT, "no words"));
    CHECK(is_refused("[]", PD_ERR_FORMAT, "'{'"));
    CHECK(is_refused("{\"a\":1", PD_ERR_FORMAT, "',' or '}'"));
    CHECK(is_refused("{\"a\":1,}", PD_ERR_FORMAT, "quotes"));
    CHECK(is_refused("{\"a\":1}x", PD_ERR_FORMAT, "more behind"));
    CHECK(is_refused("{\"a\" 1}", PD_ERR_FORMAT, "':'"));
    CHECK(is_refused("{\"a\":-1}", PD_ERR_FORMAT, "an id"));
    CHECK(is_refused("{\"a\":\"1\"}", PD_ERR_FORMAT, "an id"));
    CHECK(is_refused("{\"a\":1.5}", PD_ERR_FORMAT, "',' or '}'"));
    CHECK(is_refused("{\"a\":1000000}", PD_ERR_LIMIT, "an id above 999999"));
    CHECK(is_refused("{\"a\":99999999999999999999}", PD_ERR_LIMIT, "an id above"));
    CHECK(is_refused("{\"a", PD_ERR_FORMAT, "does not end"));
    CHECK(is_refused("{\"a\\", PD_ERR_FORMAT, "does not end"));
    CHECK(is_refused("{\"a\n\":1}", PD_ERR_FORMAT, "control character"));
    CHECK(is_refused("{\"\\x\":1}", PD_ERR_FORMAT, "unknown escape"));
    CHECK(is_refused("{\"\\u12", PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("{\"\\u12g4\":1}", PD_ERR_FORMAT, "hexadecimal"));
    CHECK(is_refused("{\"\\uD800\":1}", PD_ERR_FORMAT, "surrogate"));
    CHECK(is_refused("{\"\\uD800\\u0041\":1}", PD_ERR_FORMAT, "surrogate"));
    CHECK(is_refused("{\"\\uDC00\":1}", PD_ERR_FORMAT, "surrogate"));
    CHECK(is_refused("{\"a\":1,\"b\":2,\"a\":3}", PD_ERR_FORMAT, "'a' is there twice"));
}

static void every_cut_is_refused(void)
{
    static const char text[] = "{\"a\": 0, \"\\u00e9\": 12}";
    for (size_t len = 0; len + 1 < sizeof text; len++) {
        pd_vocabulary vocabulary = { 0 };
        pd_error err;
        CHECK(pd_vocabulary_parse(&vocabulary, text, len, &err) == PD_ERR_FORMAT);
    }
}

static void a_large_vocabulary_is_indexed(void)
{
    enum { N = 100000 };
    pd_vocabulary vocabulary = { 0 };
    pd_buf text;
    pd_error err;
    pd_buf_init(&text, 16 << 20);
    for (int i = 0; i < N; i++)
        pd_buf_appendf(&text, "%c\"w%x\":%d", i ? ',' : '{', i, i);
    pd_buf_append_string(&text, "}");
    REQUIRE(pd_vocabulary_parse(&vocabulary, text.data, text.len, &err) == PD_OK);
    bool all = true;
    for (int i = 0; i < N; i++) {
        char word[16];
        snprintf(word, sizeof word, "w%x", i);
        all = all && has(&vocabulary, word, i);
    }
    CHECK(all && vocabulary.n_ids == N);
    pd_vocabulary_done(&vocabulary);
    pd_buf_done(&text);
}

int main(void)
{
    RUN(words_are_found_by_their_text);
    RUN(broken_texts_are_refused);
    RUN(every_cut_is_refused);
    RUN(a_large_vocabulary_is_indexed);
    return TEST_RESULT();
}
