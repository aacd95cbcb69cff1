#include "test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static pd_json *parse(const char *text)
{
    pd_json *json = NULL;
    return pd_json_parse(&json, text, strlen(text), NULL) == PD_OK ? json : NULL;
}

static bool is_refused(const char *text, size_t len, const char *what)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    const size_t live = pd_mem_live();
    const bool ok = pd_json_parse(&json, text, len, &err) == PD_ERR_FORMAT && strstr(err.message, what) && !json &&
                    pd_mem_live() == live;
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    return ok;
}

static void values_are_read_as_what_they_are(void)
{
    pd_json *json = parse("{\"s\":\"a\\u0000b\",\"i\":-5,\"r\":2.5,\"w\":12.0,\"t\":true,\"n\":null,\"a\":[1,[]]}");
    REQUIRE(json != NULL);
    pd_str s;
    int64_t i = 0;
    double r = 0;
    bool t = false;
    CHECK(pd_json_read_string(pd_json_get(json, "s"), &s) && s.len == 3 && memcmp(s.ptr, "a\0b", 3) == 0);
    CHECK(pd_json_read_int(pd_json_get(json, "i"), &i) && i == -5);
    CHECK(pd_json_read_int(pd_json_get(json, "w"), &i) && i == 12);
    CHECK(!pd_json_read_int(pd_json_get(json, "r"), &i) && i == 12);
    CHECK(pd_json_read_number(pd_json_get(json, "r"), &r) && r == 2.5);
    CHECK(pd_json_read_number(pd_json_get(json, "i"), &r) && r == -5);
    CHECK(pd_json_read_bool(pd_json_get(json, "t"), &t) && t);
    CHECK(pd_json_is_null(pd_json_get(json, "n")) && pd_json_is_null(pd_json_get(json, "absent")));
    CHECK(pd_json_count(pd_json_get(json, "a")) == 2 && pd_json_count(json) == 7);
    CHECK(pd_json_is_array(pd_json_at(pd_json_get(json, "a"), 1)));
    CHECK(pd_json_at(pd_json_get(json, "a"), 2) == NULL && pd_json_get(pd_json_get(json, "a"), "x") == NULL);
    CHECK(!pd_json_read_string(NULL, &s) && !pd_json_read_int(NULL, &i) && !pd_json_read_bool(NULL, &t));
    CHECK(!pd_json_read_string(pd_json_get(json, "i"), &s) && pd_json_count(NULL) == 0);
    pd_json_free(&json);
    CHECK(json == NULL);
    pd_json_free(&json);
}

static void members_come_in_file_order(void)
{
    pd_json *json = parse("{\"z\":1,\"a\":2,\"m\":3}");
    void *iterator = NULL;
    pd_str key;
    const pd_json *value;
    char keys[8] = "";
    REQUIRE(json != NULL);
    while (pd_json_next(json, &iterator, &key, &value))
        memcpy(keys + strlen(keys), key.ptr, key.len + 1);
    CHECK(strcmp(keys, "zam") == 0);
    pd_json_free(&json);
}

static void broken_texts_are_refused_with_the_place(void)
{
    CHECK(is_refused("", 0, "line"));
    CHECK(is_refused("{\"a\":", 5, "line 1, column 5"));
    CHECK(is_refused("{\"a\":1,\n\"a\":2}", 14, "line 2"));
    CHECK(is_refused("1 2", 3, "line 1"));
    CHECK(is_refused("[\"\xFF\"]", 5, "decode byte 0xff"));
    CHECK(is_refused("[\"\xED\xA0\x80\"]", 7, "decode byte 0xed"));
    CHECK(is_refused("{\"a\\u0000b\":1}", 14, "NUL"));
    CHECK(is_refused("[1e999]", 7, "overflow"));
    CHECK(is_refused("[NaN]", 5, "line 1"));
    char deep[5000];
    memset(deep, '[', sizeof deep);
    CHECK(is_refused(deep, sizeof deep, "depth"));
    pd_json *json = NULL;
    pd_error err;
    CHECK(pd_json_parse(&json, deep, PD_JSON_BYTES_MAX + 1, &err) == PD_ERR_LIMIT);
}

static void integers_beyond_64_bits_are_numbers(void)
{
    pd_json *json = parse("{\"n\":1000000000000000019884624838656,\"m\":77}");
    REQUIRE(json != NULL);
    double number = 0;
    int64_t m = 0;
    CHECK(pd_json_read_number(pd_json_get(json, "n"), &number) && number > 0.99e30 && number < 1.01e30);
    CHECK(!pd_json_read_int(pd_json_get(json, "n"), &m));
    CHECK(pd_json_read_int(pd_json_get(json, "m"), &m) && m == 77);
    pd_json_free(&json);
}

static bool is_written(pd_json *json, bool pretty, const char *expected)
{
    pd_buf buf;
    pd_buf_init(&buf, 1000);
    const bool same = pd_json_write(json, pretty, &buf) == PD_OK && strcmp(buf.data, expected) == 0;
    if (!same)
        fprintf(stderr, "%s\n", buf.data ? buf.data : "nothing");
    pd_buf_done(&buf);
    return same;
}

static pd_json *make_answer(void)
{
    pd_json *json = pd_json_object(), *list = pd_json_array();
    pd_status status = pd_json_append_take(list, pd_json_int(1));
    if (status == PD_OK)
        status = pd_json_append_take(list, pd_json_string("b\xFF\0c", 4));
    const pd_status set = pd_json_set_take(json, "list", list);
    if (status != PD_OK || set != PD_OK || pd_json_set_text(json, "text", "\"\n\x01é") != PD_OK ||
        pd_json_set_text(json, "none", NULL) != PD_OK || pd_json_set_int(json, "big", INT64_MIN) != PD_OK ||
        pd_json_set_number(json, "part", 0.1) != PD_OK || pd_json_set_number(json, "nan", (double)NAN) != PD_OK ||
        pd_json_set_bool(json, "yes", true) != PD_OK)
        pd_json_free(&json);
    return json;
}

static void what_is_set_is_written(void)
{
    pd_json *json = make_answer();
    REQUIRE(json != NULL);
    CHECK(is_written(json, false,
                     "{\"list\":[1,\"b\uFFFD\\u0000c\"],\"text\":\"\\\"\\n\\u0001é\",\"none\":null,"
                     "\"big\":-9223372036854775808,\"part\":0.1,\"nan\":null,\"yes\":true}"));
    CHECK(pd_json_set_int(json, "list", 2) == PD_OK); /* replaces, keeps the place */
    pd_json_free(&json);
    json = parse("[1,{}]");
    CHECK(is_written(json, true, "[\n  1,\n  {}\n]"));
    pd_buf small;
    pd_buf_init(&small, 3);
    CHECK(pd_json_write(json, false, &small) == PD_ERR_LIMIT);
    pd_buf_done(&small);
    pd_json_free(&json);
}

static void nothing_can_be_set_on_nothing(void)
{
    CHECK(pd_json_set_take(NULL, "a", NULL) == PD_ERR_NOMEM);
    CHECK(pd_json_set_int(NULL, "a", 1) == PD_ERR_NOMEM);
    CHECK(pd_json_append_take(NULL, pd_json_int(1)) == PD_ERR_NOMEM);
}

/* jansson's buffer of a word grows at 16, 32, 64 ... bytes, and it does not look whether it could. */
static void running_out_of_memory_within_a_word_is_noticed(void)
{
    const size_t live = pd_mem_live();
    for (size_t len = 1; len < 70; len++) {
        char text[200];
        pd_status status = PD_ERR_NOMEM;
        memset(text, 'x', sizeof text);
        memcpy(text, "[\"", 2);
        for (size_t i = 0; i + 1 < len; i += 2)
            memcpy(text + 2 + i, "\\n", 2);
        memcpy(text + 2 + (len & ~(size_t)1), "\",1]", 5);
        for (size_t nth = 1; status != PD_OK; nth++) {
            pd_json *json = NULL;
            pd_error err;
            (void)pd_mem_fail_at(nth);
            status = pd_json_parse(&json, text, strlen(text), &err);
            (void)pd_mem_fail_at(0);
            CHECK(status == PD_OK || status == PD_ERR_NOMEM);
            pd_json_free(&json);
            REQUIRE(pd_mem_live() == live && nth < 1000);
        }
    }
}

static void running_out_of_memory_leaks_nothing(void)
{
    static const char text[] =
        "{\"a\":[1,2.5,\"text\",{\"b\":null}],\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}";
    const size_t live = pd_mem_live();
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        pd_json *json = NULL;
        pd_error err;
        (void)pd_mem_fail_at(nth);
        status = pd_json_parse(&json, text, strlen(text), &err);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        pd_json_free(&json);
        CHECK(pd_mem_live() == live);
        REQUIRE(nth < 1000);
    }
    CHECK(nth > 5);
    pd_json *made = NULL;
    for (nth = 1; !made; nth++) {
        (void)pd_mem_fail_at(nth);
        made = make_answer();
        (void)pd_mem_fail_at(0);
        CHECK(made || pd_mem_live() == live);
        REQUIRE(nth < 1000);
    }
    pd_json_free(&made);
    CHECK(pd_mem_live() == live);
}

int main(void)
{
    RUN(values_are_read_as_what_they_are);
    RUN(members_come_in_file_order);
    RUN(broken_texts_are_refused_with_the_place);
    RUN(integers_beyond_64_bits_are_numbers);
    RUN(what_is_set_is_written);
    RUN(nothing_can_be_set_on_nothing);
    RUN(running_out_of_memory_within_a_word_is_noticed);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
