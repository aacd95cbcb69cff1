#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "query/query.h"
#include "query_reading.h"
#include "test.h"

#define YEAR_2019 1546300800.0
#define YEAR_2020 1577836800.0
#define DAY 86400.0

typedef struct row {
    const char *text, *expected;
} row;

#define CHECK_ROWS(rows)                           \
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) \
    CHECK(reads_as(rows[i].text, rows[i].expected))

/* The table of PRODUCT.md 'Search'. */
static void every_form_of_the_grammar_is_read(void)
{
    static const row rows[] = {
        { "sunset over water", "looks like: sunset over water" },
        { "-people", "away from: people" },
        { "-(people at night)", "away from: people at night" },
        { "2*red", "looks like: red (2 times)" },
        { "2*(red car) -1.5*blue", "looks like: red car (2 times) | away from: blue (1.5 times)" },
        { "-\"exact\"", "does not say \xE2\x80\x9C"
                        "exact\xE2\x80\x9D" },
        { "like:12 at night", "like the picture: 12 | looks like: at night" },
        { "1.5*like:\"/home/me/a b.jpg\" -like:7",
          "like the picture: /home/me/a b.jpg (1.5 times) | unlike the picture: 7" },
        { "\"exact words\"", "says \xE2\x80\x9C"
                             "exact words\xE2\x80\x9D" },
        { "\"the \"\"old\"\" town\"", "says \xE2\x80\x9Cthe \"old\" town\xE2\x80\x9D" },
        { "camera:canon lens:50mm iso:>=800 f:<2.8 focal:24..70 exposure:<=1/60",
          "camera: canon | lens: 50mm | ISO: from 800 | f-number: below 2.8 | focal length: 24 to 70 | "
          "exposure: up to 1/60" },
        { "date:2019 date:2019-06..2019-08 year:2020 month:7",
          "date: 2019 | date: 2019-06 to 2019-08 | year: 2020 | month: 7" },
        { "in:folder/sub name:*.png type:raw,heic size:>5mb width:>=4000 orientation:portrait",
          "folder: folder/sub | file name: *.png | type: raw or heif | size: above 5mb | width: from 4000 | "
          "orientation: portrait" },
        { "type:JPG,jpe,tif,heif,j2k", "type: jpeg or jpeg or tiff or heif or jp2" },
        { "tag:beach caption:boat rating:>=4 album:name", "tag: beach | caption: boat | rating: from 4 | album: name" },
        { "has:gps near:48.85,2.35,10km", "has: gps | within 10km of 48.85, 2.35" },
        { "color:red color:#336699 gray:yes", "colour: red | colour: #336699 | black and white: yes" },
        { "-camera:canon", "not camera: canon" },
        { "sort:score sort:date sort:-date sort:name sort:size",
          "best match first | oldest first | newest first | by name | smallest file first" },
    };
    CHECK_ROWS(rows);
}

static void the_mistakes_of_the_origin_do_not_come_back(void)
{
    static const row rows[] = {
        { "photos of 2017", "looks like: photos of 2017" },
        { "maybe", "looks like: maybe" },
        { "march of the penguins in may", "looks like: march of the penguins in may" },
        { "camera:canon", "camera: canon" }, /* and nothing of it is meaning */
        { "tag:beach tag:sea", "tag: beach | tag: sea" },
        { "tag:beach,sea", "tag: beach or sea" },
    };
    CHECK_ROWS(rows);
}

static void what_is_no_filter_is_meaning(void)
{
    static const row rows[] = {
        { "", "" },
        { " \t\n ", "" },
        { "http://x.org/?a=b", "looks like: http://x.org/?a=b" },
        { "time: 5 foo:bar C:\\x", "looks like: time: 5 foo:bar C:\\x" },
        { "a - b -- c --d", "looks like: a - b -- c --d" },
        { "-", "looks like: -" },
        { "3* *2 100.5*x 0*x 2*", "looks like: 3* *2 100.5*x 0*x 2*" },
        { "black-and-white 5\" disk", "looks like: black-and-white 5\" disk" },
        { "2*\"red car\"", "looks like: 2*\"red car\"" },
        { "\"never closed", "looks like: \"never closed" },
        { "\"\" -\" \" -() x", "looks like: \"\" -\" \" -() x" },
        { "(a (b) -(c", "looks like: (a (b) -(c" },
        { "dog  on\tthe \xE3\x80\x80 beach", "looks like: dog on the beach" },
        { "dog camera:canon cat", "looks like: dog | camera: canon | looks like: cat" },
        { "\xF0\x9F\x90\xB6 \xE6\x97\xA5\xE6\x9C\xAC", "looks like: \xF0\x9F\x90\xB6 \xE6\x97\xA5\xE6\x9C\xAC" },
        { "\xFF\xFE -\xC3", "looks like: \xFF\xFE | away from: \xC3" },
    };
    CHECK_ROWS(rows);
}

static void a_filter_that_says_nothing_is_meaning_with_a_note(void)
{
    static const row rows[] = {
        { "dog iso:fast cat",
          "looks like: dog | looks like: iso:fast {iso: is a number or a range, as in iso:>=800} | looks like: cat" },
        { "camera:", "looks like: camera: {nothing stands behind the colon yet}" },
        { "-camera:\"\",", "looks like: -camera:\"\", {nothing stands behind the colon yet}" },
        { "tag:\"new york", "looks like: tag:\"new {a quotation mark is not closed} | looks like: york" },
        { "2*camera:canon", "looks like: 2*camera:canon {only words and like: have a weight}" },
        { "-sort:date", "looks like: -sort:date {an order is turned around with sort:-date}" },
        { "like:", "looks like: like: {like: is the path of a picture or the id of a photo, as in like:12}" },
        { "-(camera:canon x)", "away from: camera:canon x {inside of parentheses everything is words}" },
    };
    CHECK_ROWS(rows);
    static const char *const bad[] = {
        "iso:100,fast",
        "iso:..",
        "iso:1e3",
        "iso:-5",
        "f:2.8mm",
        "exposure:1/0",
        "rating:6",
        "month:13",
        "month:6.5",
        "month:ju",
        "date:19",
        "date:2019-13",
        "date:2019-02-29",
        "date:2019-06-03t24",
        "date:june",
        "year:0000",
        "date:>2019..2020",
        "size:5lb",
        "width:4000..x",
        "orientation:up",
        "has:wings",
        "near:91,0",
        "near:1",
        "near:1,2,0km",
        "near:1,2,3,4",
        "color:reddish",
        "color:#12345",
        "gray:perhaps",
        "type:photo",
        "sort:up",
        "iso:1234567890123456",
        "exposure:1//2",
        "date:2019-06-",
    };
    for (size_t i = 0; i < PD_COUNT_OF(bad); i++) {
        size_t n;
        pd_query *query = parse(bad[i]);
        REQUIRE(query);
        const pd_query_part *parts = pd_query_parts(query, &n);
        if (n != 1 || parts[0].kind != PD_PART_MEANING || !parts[0].note || strcmp(parts[0].words, bad[i]) != 0)
            fprintf(stderr, "%s\n", bad[i]);
        CHECK(n == 1 && parts[0].kind == PD_PART_MEANING && parts[0].note && strcmp(parts[0].words, bad[i]) == 0);
        pd_query_free(&query);
    }
}

static void ranges_have_the_ends_that_were_written(void)
{
    static const struct {
        const char *text;
        double low, high;
        bool low_open, high_open;
    } rows[] = {
        { "iso:800", 800, 800, false, false },
        { "ISO:>=800", 800, INFINITY, false, false },
        { "iso:>800", 800, INFINITY, true, false },
        { "f:<2.8", -INFINITY, 2.8, false, true },
        { "aperture:<=f/2.8", -INFINITY, 2.8, false, false },
        { "focal:24..70", 24, 70, false, false },
        { "focal:70-24mm", 24, 70, false, false },
        { "focal:24..", 24, INFINITY, false, false },
        { "focal:..70", -INFINITY, 70, false, false },
        { "exposure:<=1/60", -INFINITY, 1.0 / 60, false, false },
        { "exposure:1/1000..0.5s", 0.001, 0.5, false, false },
        { "size:>5mb", 5e6, INFINITY, true, false },
        { "size:5MiB", 5242880, 5242880, false, false },
        { "size:5..10kb", 5000, 10000, false, false },
        { "size:500kb..1.5gb", 5e5, 1.5e9, false, false },
        { "rating:>=4", 4, INFINITY, false, false },
        { "rating:\"1 .. 3\"", 1, 3, false, false },
        { "month:July", 7, 7, false, false },
        { "month:sept", 9, 9, false, false },
        { "month:jun..8", 6, 8, false, false },
        { "date:2019", YEAR_2019, YEAR_2020, false, true },
        { "date:2019..2019", YEAR_2019, YEAR_2020, false, true },
        { "year:=2019", YEAR_2019, YEAR_2020, false, true },
        { "date:>2019", YEAR_2020, INFINITY, false, true },
        { "date:>=2019", YEAR_2019, INFINITY, false, true },
        { "date:2019..", YEAR_2019, INFINITY, false, true },
        { "date:<2020", -INFINITY, YEAR_2020, false, true },
        { "date:..2019", -INFINITY, YEAR_2020, false, true },
        { "date:<=2019-12-31", -INFINITY, YEAR_2020, false, true },
        { "date:2019-06..2019-08", YEAR_2019 + 151 * DAY, YEAR_2019 + 243 * DAY, false, true },
        { "date:2019-08..2019-6", YEAR_2019 + 151 * DAY, YEAR_2019 + 243 * DAY, false, true },
        { "date:2019-jun-03", YEAR_2019 + 153 * DAY, YEAR_2019 + 154 * DAY, false, true },
        { "date:2020-02-29", YEAR_2020 + 59 * DAY, YEAR_2020 + 60 * DAY, false, true },
        { "date:2019-01-01T01:02", YEAR_2019 + 3720, YEAR_2019 + 3780, false, true },
        { "date:1970-01-01T00:00:01", 1, 2, false, true },
        { "date:0001-01-01", -62135596800.0, -62135510400.0, false, true },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        size_t n;
        pd_query *query = parse(rows[i].text);
        REQUIRE(query);
        const pd_query_part *parts = pd_query_parts(query, &n);
        REQUIRE(n == 1 && parts[0].kind == PD_PART_FILTER && parts[0].n_values == 1);
        const pd_query_value *value = parts[0].values;
        if (value->low != rows[i].low || value->high != rows[i].high)
            fprintf(stderr, "%s: %.17g .. %.17g\n", rows[i].text, value->low, value->high);
        CHECK(value->low == rows[i].low && value->high == rows[i].high);
        CHECK(value->low_open == rows[i].low_open && value->high_open == rows[i].high_open);
        pd_query_free(&query);
    }
}

static void months_go_over_the_turn_of_the_year(void)
{
    size_t n;
    pd_query *query = parse("month:nov..2");
    REQUIRE(query);
    const pd_query_part *part = pd_query_parts(query, &n);
    REQUIRE(n == 1 && part->n_values == 2);
    CHECK(part->values[0].low == 11 && part->values[0].high == 12);
    CHECK(part->values[1].low == 1 && part->values[1].high == 2);
    CHECK(reads_as("month:nov..2", "month: nov to 2"));
    pd_query_free(&query);
}

static void other_values_are_what_they_say(void)
{
    size_t n;
    pd_query *query = parse("type:JPG,tif color:#369 COLOUR:grey "
                            "orientation:tall has:tags flash:no in:\"a, \"\"b\"\"\",c");
    REQUIRE(query);
    const pd_query_part *p = pd_query_parts(query, &n);
    REQUIRE(n == 7 && p[0].n_values == 2 && p[6].n_values == 2);
    CHECK(strcmp(p[0].values[0].words, "jpeg") == 0 && strcmp(p[0].values[1].words, "tiff") == 0);
    CHECK(p[1].values->red == 0x33 && p[1].values->green == 0x66 && p[1].values->blue == 0x99);
    CHECK(p[2].values->red == 0x80 && p[2].field == PD_FIELD_COLOR && p[2].value_kind == PD_VALUE_COLOUR);
    CHECK(p[3].values->code == PD_SHAPE_PORTRAIT && p[4].values->code == PD_HAS_TAG && p[5].values->code == 0);
    CHECK(strcmp(p[6].values[0].words, "a, \"b\"") == 0 && strcmp(p[6].values[1].words, "c") == 0);
    pd_query_free(&query);
}

static void places_have_a_distance(void)
{
    static const struct {
        const char *text;
        double lat, lon, km;
    } rows[] = {
        { "near:48.85,2.35,10km", 48.85, 2.35, 10 },
        { "near:-1.5,\"2 , 3mi\"", -1.5, 2, 3 * 1.609344 },
        { "near:48.85,-2.35", 48.85, -2.35, 10 },
        { "near:0,+180,500m", 0, 180, 0.5 },
        { "near:-90,0,7", -90, 0, 7 },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_query *query = parse(rows[i].text);
        REQUIRE(query);
        const pd_query_part *part = pd_query_parts(query, &(size_t){ 0 });
        REQUIRE(part->kind == PD_PART_FILTER && part->value_kind == PD_VALUE_PLACE && part->n_values == 1);
        CHECK(part->values->lat == rows[i].lat && part->values->lon == rows[i].lon && part->values->km == rows[i].km);
        pd_query_free(&query);
    }
}

static void every_colour_with_a_name_is_understood(void)
{
    size_t n;
    const pd_query_colour *colours = pd_query_colours(&n);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        snprintf(text, sizeof text, "color:%s", colours[i].name);
        pd_query *query = parse(text);
        REQUIRE(query);
        const pd_query_part *p = pd_query_parts(query, &(size_t){ 0 });
        CHECK(p->kind == PD_PART_FILTER && p->values->red == colours[i].red && p->values->blue == colours[i].blue);
        pd_query_free(&query);
    }
}

static void the_last_order_counts(void)
{
    static const struct {
        const char *text;
        pd_order order;
    } rows[] = {
        { "dog", PD_ORDER_NONE },           { "sort:name dog sort:Newest", PD_ORDER_NEWEST },
        { "sort:oldest", PD_ORDER_OLDEST }, { "sort:-name", PD_ORDER_NAME_BACKWARDS },
        { "sort:-size", PD_ORDER_LARGEST }, { "sort:smallest sort:up", PD_ORDER_SMALLEST },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_query *query = parse(rows[i].text);
        REQUIRE(query);
        CHECK(pd_query_order(query) == rows[i].order);
        pd_query_free(&query);
    }
}

static void what_is_printed_is_short_and_reads_the_same(void)
{
    static const row rows[] = {
        { "  dog   on a  beach ", "dog on a beach" },
        { "-(people) 2.50*(red  car) 1*(x) y", "-people 2.5*(red car) 1*x y" },
        { "-(camera:canon) -(2*x) -(-x)", "-(camera:canon) -(2*x) -(-x)" },
        { "-(a)b", "-(a)b" },
        { "Camera:\"Canon\",\"EOS 5\" APERTURE:f2 colour:RED favourite:Yes",
          "camera:Canon,\"EOS 5\" f:f2 color:red favorite:yes" },
        { "type:jpeg,heif near:\"1, 2\" month:11..2 size:5MB", "type:jpg,heic near:1,2 month:11..2 size:5mb" },
        { "tag:a,,b, tag:\"say \"\"hi\"\"\"", "tag:a,b tag:\"say \"\"hi\"\"\"" },
        { "sort:newest like:\"12\" like:a,b", "sort:-date like:12 like:a,b" },
        { "\" a  b \"c iso:fast", "\"a  b\"c iso:fast" },
        { "tag:\"new york  x", "tag:\"new york x" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_buf buf;
        pd_buf_init(&buf, 65536);
        pd_query *query = parse(rows[i].text);
        REQUIRE(query);
        pd_query_print(query, &buf);
        if (strcmp(buf.data, rows[i].expected) != 0)
            fprintf(stderr, "%s\n  is printed as %s\n", rows[i].text, buf.data);
        CHECK(strcmp(buf.data, rows[i].expected) == 0);
        pd_query *printed = parse(buf.data);
        REQUIRE(printed);
        CHECK(pd_query_equal(query, printed));
        pd_query_free(&query);
        pd_query_free(&printed);
        pd_buf_done(&buf);
    }
}

static void queries_are_equal_when_they_mean_the_same(void)
{
    static const struct {
        const char *a, *b;
        bool are_equal;
    } rows[] = {
        { "size:5mb", "size:5000000", true },
        { "date:2019", "date:2019-01..2019-12", true },
        { "colour:red", "color:#d61f1f", true },
        { "1*red", "red", true },
        { "red", "-red", false },
        { "red", "2*red", false },
        { "red car", "\"red car\"", false },
        { "tag:a", "tag:A", false },
        { "tag:a", "album:a", false },
        { "tag:a,b", "tag:a", false },
        { "iso:>800", "iso:>=800", false },
        { "near:1,2", "near:1,2,11km", false },
        { "sort:date", "sort:name", false },
        { "a", "a tag:b", false },
        { "gray:yes", "gray:no", false },
        { "color:red", "color:blue", false },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_query *a = parse(rows[i].a), *b = parse(rows[i].b);
        REQUIRE(a && b);
        CHECK(pd_query_equal(a, b) == rows[i].are_equal && pd_query_equal(b, a) == rows[i].are_equal);
        pd_query_free(&a);
        pd_query_free(&b);
    }
}

static void a_part_can_be_taken_out(void)
{
    static const struct {
        const char *text;
        size_t part;
        const char *expected;
    } rows[] = {
        { "dog  camera:canon  cat", 1, "dog cat" },
        { "dog  camera:canon  cat", 0, "camera:canon  cat" },
        { " dog camera:canon ", 1, "dog" },
        { "dog", 0, "" },
        { "-(a)b", 0, "b" },
        { "\"a\"b tag:c", 1, "\"a\" tag:c" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_buf buf;
        pd_buf_init(&buf, 65536);
        pd_query *query = parse(rows[i].text);
        REQUIRE(query);
        pd_query_without(query, rows[i].text, rows[i].part, &buf);
        CHECK(strcmp(buf.data ? buf.data : "", rows[i].expected) == 0);
        pd_query_free(&query);
        pd_buf_done(&buf);
    }
}

static void names_of_fields_are_found_in_any_case(void)
{
    pd_field field = PD_FIELD_COUNT;
    for (int i = 0; i < PD_FIELD_COUNT; i++) {
        const pd_field_info *info = pd_field_info_of((pd_field)i);
        CHECK(pd_field_find(info->name, strlen(info->name), &field) && field == (pd_field)i);
        CHECK(info->help[0] && strncmp(info->sample, info->name, strlen(info->name)) == 0);
        CHECK(!info->alias[0] || (pd_field_find(info->alias, strlen(info->alias), &field) && field == (pd_field)i));
        pd_query *query = parse(info->sample);
        REQUIRE(query);
        const pd_query_part *part = pd_query_parts(query, &(size_t){ 0 });
        CHECK(part->kind == PD_PART_FILTER && part->field == (pd_field)i && part->value_kind == info->kind);
        pd_query_free(&query);
    }
    CHECK(pd_field_find("CoLoUr", 6, &field) && field == PD_FIELD_COLOR);
    CHECK(!pd_field_find("", 0, &field) && !pd_field_find("came", 4, &field) && !pd_field_find("like", 4, &field));
}

/* '|' is the cursor. */
static void what_is_being_typed_is_known(void)
{
    static const struct {
        const char *text, *replaced;
        int field; /* -1: a name */
        const char *prefix;
    } rows[] = {
        { "|", "", -1, "" },
        { "dog |", "", -1, "" },
        { "dog cam|", "cam", -1, "cam" },
        { "-cam|", "cam", -1, "cam" },
        { "-|", "", -1, "" },
        { "ca|mera:canon", "camera:", -1, "ca" },
        { "camera:|", "", PD_FIELD_CAMERA, "" },
        { "dog camera:ca|n x", "can", PD_FIELD_CAMERA, "ca" },
        { "-type:raw,he|", "he", PD_FIELD_TYPE, "he" },
        { "type:ra|w,heic", "raw", PD_FIELD_TYPE, "ra" },
        { "type:|,heic", "", PD_FIELD_TYPE, "" },
        { "tag:\"new y|", "\"new y", PD_FIELD_TAG, "new y" },
        { "tag:\"new y|ork\" dog", "\"new york\"", PD_FIELD_TAG, "new y" },
        { "tag:a,\"b, \"\"c|", "\"b, \"\"c", PD_FIELD_TAG, "b, \"c" },
        { "near:48,2|", "48,2", PD_FIELD_NEAR, "48,2" },
        { "\"red ca|", "\"red ca", -1, "\"red ca" },
        { "-\"red ca|", "\"red ca", -1, "\"red ca" },
        { "\"red ca|r\"", "\"red car\"", -1, "\"red ca" },
        { "sort:da|", "sort:da", -1, "sort:da" },
        { "2*li|", "li", -1, "li" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        char text[64], replaced[64];
        const size_t cursor = strcspn(rows[i].text, "|");
        snprintf(text, sizeof text, "%.*s%s", (int)cursor, rows[i].text, rows[i].text + cursor + 1);
        pd_query_typing typing;
        pd_query_typing_at(text, strlen(text), cursor, &typing);
        snprintf(replaced, sizeof replaced, "%.*s", (int)(typing.end - typing.begin), text + typing.begin);
        if (strcmp(replaced, rows[i].replaced) != 0 || strcmp(typing.prefix, rows[i].prefix) != 0)
            fprintf(stderr, "%s: replaces '%s', prefix '%s'\n", rows[i].text, replaced, typing.prefix);
        CHECK(strcmp(replaced, rows[i].replaced) == 0 && strcmp(typing.prefix, rows[i].prefix) == 0);
        CHECK(typing.is_value == (rows[i].field >= 0) && (!typing.is_value || (int)typing.field == rows[i].field));
    }
    char text[400];
    memset(text, 'x', sizeof text);
    pd_query_typing typing;
    pd_query_typing_at(text, sizeof text, 300, &typing); /* more than fits */
    CHECK(typing.prefix[0] == '\0' && typing.begin == 0 && typing.end == sizeof text);
    pd_query_typing_at(text, sizeof text, 1000, &typing); /* behind the end */
    CHECK(typing.end == sizeof text);
}

static void values_are_quoted_where_they_must_be(void)
{
    static const row rows[] = {
        { "Canon", "Canon" }, { "EOS 5", "\"EOS 5\"" }, { "a,b", "\"a,b\"" }, { "say \"hi\"", "\"say \"\"hi\"\"\"" },
        { "", "\"\"" },       { "(x)-y", "(x)-y" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_buf buf;
        pd_buf_init(&buf, 100);
        (void)pd_buf_append_string(&buf, "tag:");
        pd_query_quote(rows[i].text, &buf);
        CHECK(strcmp(buf.data + 4, rows[i].expected) == 0);
        pd_query *query = parse(buf.data);
        REQUIRE(query);
        const pd_query_part *part = pd_query_parts(query, &(size_t){ 0 });
        CHECK(!rows[i].text[0] || strcmp(part->values[0].words, rows[i].text) == 0);
        pd_query_free(&query);
        pd_buf_done(&buf);
    }
}

static void limits_are_kept(void)
{
    static char text[PD_QUERY_BYTES_MAX + 2];
    pd_query *query = NULL;
    pd_error err;
    size_t n;
    memset(text, 'a', sizeof text);
    REQUIRE(pd_query_parse(&query, NULL, 0, &err) == PD_OK);
    (void)pd_query_parts(query, &n);
    CHECK(n == 0 && pd_query_order(query) == PD_ORDER_NONE);
    pd_query_free(&query);
    CHECK(pd_query_parse(&query, text, PD_QUERY_BYTES_MAX + 1, &err) == PD_ERR_LIMIT && !query);
    CHECK(strcmp(err.message, "the query has 4097 bytes; 4096 are allowed") == 0);
    for (size_t i = 0; i + 4 <= sizeof text; i += 3)
        memcpy(text + i, "-a ", 3);
    REQUIRE(pd_query_parse(&query, text, PD_QUERY_BYTES_MAX, &err) == PD_OK);
    const pd_query_part *parts = pd_query_parts(query, &n);
    CHECK(n == PD_QUERY_PARTS_MAX);
    const pd_query_part *rest = &parts[n - 1];
    CHECK(parts[n - 2].negated && !rest->negated && strncmp(rest->words, "-a -a", 5) == 0 && !rest->note);
    CHECK(rest->end == PD_QUERY_BYTES_MAX - (PD_QUERY_BYTES_MAX % 3 == 0));
    pd_query_free(&query);
    REQUIRE(pd_query_parse(&query, text, 3 * PD_QUERY_PARTS_MAX, &err) == PD_OK);
    parts = pd_query_parts(query, &n);
    CHECK(n == PD_QUERY_PARTS_MAX && parts[n - 1].negated);
    pd_query_free(&query);
    CHECK(!query);
    pd_query_free(&query);
}

/* Every byte that opens, marks or joins something, 4,096 times, and pairs of them. */
static void nothing_is_too_much(void)
{
    static const char *const bits[] = { "(",    ")",      "-",    "-(",      "\"",       "\"\" ",  "-\"",
                                        "2*",   "2*(",    "tag:", "tag:\" ", ",",        "tag:a,", "\xFF",
                                        "\x01", "a\"b\"", ":",    "1*1*",    "\xE3\x80", "(\"" };
    static char text[PD_QUERY_BYTES_MAX];
    for (size_t i = 0; i < PD_COUNT_OF(bits); i++) {
        for (size_t at = 0; at < sizeof text; at++)
            text[at] = bits[i][at % strlen(bits[i])];
        pd_query *query = NULL, *printed = NULL;
        REQUIRE(pd_query_parse(&query, text, sizeof text, NULL) == PD_OK);
        pd_buf buf;
        pd_buf_init(&buf, sizeof text);
        pd_query_print(query, &buf);
        CHECK(buf.status == PD_OK);
        REQUIRE(pd_query_parse(&printed, buf.data, buf.len, NULL) == PD_OK);
        CHECK(pd_query_equal(query, printed));
        pd_query_free(&query);
        pd_query_free(&printed);
        pd_buf_done(&buf);
    }
}

static void every_allocation_can_fail(void)
{
    static const char text[] = "dog -(a b) camera:\"canon eos\",nikon iso:fast month:11..2 sort:date \"x\"";
    const size_t live = pd_mem_live();
    for (size_t nth = 1;; nth++) {
        pd_query *query = NULL;
        pd_error err = { 0 };
        (void)pd_mem_fail_at(nth);
        const pd_status status = pd_query_parse(&query, text, strlen(text), &err);
        (void)pd_mem_fail_at(0);
        if (status == PD_OK) {
            CHECK(nth > 4);
            pd_buf buf;
            pd_buf_init(&buf, 4096);
            (void)pd_mem_fail_at(1);
            pd_query_print(query, &buf);
            (void)pd_mem_fail_at(0);
            CHECK(buf.status == PD_ERR_NOMEM && buf.len == 0);
            pd_buf_done(&buf);
            pd_query_free(&query);
            break;
        }
        CHECK(status == PD_ERR_NOMEM && err.status == PD_ERR_NOMEM && !query && pd_mem_live() == live);
    }
    CHECK(pd_mem_live() == live);
}

int main(void)
{
    RUN(every_form_of_the_grammar_is_read);
    RUN(the_mistakes_of_the_origin_do_not_come_back);
    RUN(what_is_no_filter_is_meaning);
    RUN(a_filter_that_says_nothing_is_meaning_with_a_note);
    RUN(ranges_have_the_ends_that_were_written);
    RUN(months_go_over_the_turn_of_the_year);
    RUN(other_values_are_what_they_say);
    RUN(places_have_a_distance);
    RUN(every_colour_with_a_name_is_understood);
    RUN(the_last_order_counts);
    RUN(what_is_printed_is_short_and_reads_the_same);
    RUN(queries_are_equal_when_they_mean_the_same);
    RUN(a_part_can_be_taken_out);
    RUN(names_of_fields_are_found_in_any_case);
    RUN(what_is_being_typed_is_known);
    RUN(values_are_quoted_where_they_must_be);
    RUN(limits_are_kept);
    RUN(nothing_is_too_much);
    RUN(every_allocation_can_fail);
    return TEST_RESULT();
}
