/* The shapes that programs read: exact where they are small, key by key where they are large. */
#include "answer/answer.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

/* The document as one line, in a static space; "out of memory" for NULL. Takes it. */
static const char *text_of_take(pd_json *json)
{
    static char text[8192];
    pd_buf buf;
    pd_buf_init(&buf, sizeof text - 1);
    const bool good = json && pd_json_write(json, false, &buf) == PD_OK;
    (void)snprintf(text, sizeof text, "%s", good ? buf.data : "out of memory");
    pd_buf_done(&buf);
    pd_json_free(&json);
    return text;
}

static void a_hit_has_its_shape(void)
{
    static char path[] = "/p/\xff.jpg", words[] = "a dog";
    pd_hit hit = { .id = 7, .path = path, .score = 0.25F, .match = 81, .width = 40, .height = 30, .rating = 4 };
    CHECK(strcmp(text_of_take(pd_answer_hit(&hit)),
                 "{\"id\":7,\"path\":\"/p/\xef\xbf\xbd.jpg\",\"score\":0.25,\"match\":81,\"taken\":null,\"width\":40,"
                 "\"height\":30,\"rating\":4,\"favorite\":false,\"caption\":null,\"caption_by\":null,"
                 "\"caption_doubtful\":false}") == 0);
    hit.score = NAN; /* nothing was asked */
    hit.match = -1;
    hit.favorite = true;
    (void)snprintf(hit.taken, sizeof hit.taken, "2020-01-02T03:04:05");
    CHECK(strstr(text_of_take(pd_answer_hit(&hit)), "\"score\":null,\"match\":null,\"taken\":\"2020-01-02T03:04:05\""));
    hit.caption = words;
    hit.caption_by = PD_SAID_MACHINE;
    hit.caption_doubtful = true;
    CHECK(strstr(text_of_take(pd_answer_hit(&hit)),
                 "\"favorite\":true,\"caption\":\"a dog\",\"caption_by\":\"machine\",\"caption_doubtful\":true}"));
    pd_hits hits = { .items = &hit, .n = 1, .total = 12, .strong = -1, .order = PD_ORDER_NEWEST };
    const pd_hits_answer answer = { .query = "", .took_ms = 1.2345, .hits = &hits };
    static const char none[] = "{\"query\":\"\",\"model\":null,\"took_ms\":1.23,\"total\":12,\"strong\":null,"
                               "\"sort\":\"-date\",\"hits\":[{\"id\":7,";
    CHECK(strncmp(text_of_take(pd_answer_hits(&answer)), none, sizeof none - 1) == 0);
    hits.strong = 0;
    hits.model = "tiny";
    CHECK(strstr(text_of_take(pd_answer_hits(&answer)),
                 "\"model\":\"tiny\",\"took_ms\":1.23,\"total\":12,\"strong\":0,"));
}

/* What is appended, as text in a static space. */
static const char *text_of(pd_buf *buf)
{
    static char text[4096];
    (void)snprintf(text, sizeof text, "%s", buf->status == PD_OK && buf->len ? buf->data : "");
    pd_buf_done(buf);
    return text;
}

static void a_table_quotes_what_would_break_it(void)
{
    static char plain[] = "/p/a.jpg", odd[] = "/p/a \"b\",c\nd.jpg", edge[] = " x", words[] = "a dog, a cat";
    pd_hit hit = { .id = 7, .path = plain, .score = 0.5F, .match = 3, .taken = "2020-01-02", .width = 4, .height = 3 };
    pd_buf buf;
    pd_buf_init(&buf, 4096);
    pd_answer_csv_head(&buf);
    pd_answer_csv_hit(&buf, &hit);
    hit.path = odd;
    hit.score = NAN;
    hit.match = -1;
    hit.rating = 5;
    hit.favorite = true;
    pd_answer_csv_hit(&buf, &hit);
    hit.path = edge;
    hit.caption = words;
    hit.caption_by = PD_SAID_MACHINE;
    hit.caption_doubtful = true;
    pd_answer_csv_hit(&buf, &hit);
    CHECK(strcmp(text_of(&buf), "id,path,score,match,taken,width,height,rating,favorite,caption,caption_by,"
                                "caption_doubtful\n"
                                "7,/p/a.jpg,0.500000,3,2020-01-02,4,3,0,0,,,0\n"
                                "7,\"/p/a \"\"b\"\",c\nd.jpg\",,,2020-01-02,4,3,5,1,,,0\n"
                                "7,\" x\",,,2020-01-02,4,3,5,1,\"a dog, a cat\",machine,1\n") == 0);
}

static void places_in_a_query_are_counted_as_javascript_does(void)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xffz"; /* 1, 2, 3, 4 bytes, a broken one, 1 */
    static const size_t bytes[] = { 0, 1, 3, 6, 10, 11, 12 }, units[] = { 0, 1, 2, 3, 5, 6, 7 };
    for (size_t i = 0; i < PD_COUNT_OF(bytes); i++) {
        CHECK(pd_utf16_units(text, bytes[i]) == units[i]);
        CHECK(pd_utf16_bytes(text, sizeof text - 1, units[i]) == bytes[i]);
    }
    CHECK(pd_utf16_bytes(text, sizeof text - 1, 4) == 10); /* in the middle of a pair: behind it */
    CHECK(pd_utf16_bytes(text, sizeof text - 1, 99) == sizeof text - 1);
}

static pd_query *parse(const char *text)
{
    pd_query *query = NULL;
    CHECK(pd_query_parse(&query, text, strlen(text), NULL) == PD_OK);
    return query;
}

static void a_reading_tells_every_part(void)
{
    static const char text[] = "\xc3\xa9t\xc3\xa9 -camera:canon 2*red iso:fast sort:-date";
    pd_query *query = parse(text);
    const char *json = text_of_take(pd_answer_reading(query, text));
    static const char *const parts[] = {
        "{\"parts\":[{\"kind\":\"meaning\",\"field\":null,\"negated\":false,\"weight\":1,\"text\":\"",
        "\"note\":null,\"begin\":0,\"end\":3,\"without\":\"-camera:canon 2*red iso:fast sort:-date\"},",
        "{\"kind\":\"filter\",\"field\":\"camera\",\"negated\":true,\"weight\":1,",
        "\"begin\":4,\"end\":17,",
        "\"weight\":2,",
        "{\"kind\":\"sort\",\"field\":null,",
        "\"print\":\"",
    };
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        if (!strstr(json, parts[i]))
            fprintf(stderr, "%s\nlacks %s\n", json, parts[i]);
        CHECK(strstr(json, parts[i]));
    }
    CHECK(strstr(json, "iso") && !strstr(json, "\"note\":null,\"begin\":24"));
    pd_query_free(&query);
    query = parse("");
    CHECK(strcmp(text_of_take(pd_answer_reading(query, "")), "{\"parts\":[],\"print\":\"\"}") == 0);
    pd_query_free(&query);
}

static void what_leaves_photos_out_is_taken_alone(void)
{
    static const char text[] = "sunset camera:canon \"exact words\" -people like:7 year:2019 sort:name";
    pd_query *query = parse(text);
    pd_buf buf;
    pd_buf_init(&buf, 4096);
    pd_filters_of(query, text, SIZE_MAX, &buf);
    CHECK(strcmp(text_of(&buf), "camera:canon \"exact words\" year:2019") == 0);
    pd_buf_init(&buf, 4096);
    pd_filters_of(query, text, 1, &buf);
    CHECK(strcmp(text_of(&buf), "\"exact words\" year:2019") == 0);
    pd_query_free(&query);
}

static void what_was_done_has_its_shape(void)
{
    static char sentence[] = "tag 'beach' of 3 photos";
    const pd_step step = { .number = 17, .photos = 3, .sentence = sentence }, none = { 0 };
    CHECK(strcmp(text_of_take(pd_answer_edited(&step)),
                 "{\"edited\":3,\"step\":17,\"sentence\":\"tag 'beach' of 3 photos\"}") == 0);
    CHECK(strcmp(text_of_take(pd_answer_edited(&none)), "{\"edited\":0,\"step\":null,\"sentence\":null}") == 0);
    CHECK(strcmp(text_of_take(pd_answer_step(&step)), "{\"step\":17,\"sentence\":\"tag 'beach' of 3 photos\"}") == 0);
    CHECK(strcmp(text_of_take(pd_answer_would(4)), "{\"photos\":4,\"dry_run\":true}") == 0);
    const pd_album album = { .id = 2, .name = "Italy", .n_photos = 4, .cover = 9 }, empty = { .id = 3, .name = "x" };
    CHECK(strcmp(text_of_take(pd_answer_album(&album)), "{\"id\":2,\"name\":\"Italy\",\"photos\":4,\"cover\":9}") == 0);
    CHECK(strcmp(text_of_take(pd_answer_album(&empty)), "{\"id\":3,\"name\":\"x\",\"photos\":0,\"cover\":null}") == 0);
    const pd_saved saved = { .name = "best", .query = "rating:5", .at = 0 }, told = { .name = "", .query = "dog" };
    CHECK(strcmp(text_of_take(pd_answer_saved(&saved)),
                 "{\"name\":\"best\",\"query\":\"rating:5\",\"at\":\"1970-01-01T00:00:00Z\"}") == 0);
    CHECK(strcmp(text_of_take(pd_answer_saved(&told)), "{\"query\":\"dog\",\"at\":\"1970-01-01T00:00:00Z\"}") == 0);
    const pd_copies copies = { .copied = 2, .renamed = 1, .failed = 1, .bytes = 9, .first_failure = "gone" };
    CHECK(strcmp(text_of_take(pd_answer_copies(&copies, 3)),
                 "{\"copied\":2,\"renamed\":1,\"failed\":1,\"of\":3,\"bytes\":9,\"message\":\"gone\"}") == 0);
    const pd_work_counts counts = { 5, 3, 1, 1, 2 };
    CHECK(strcmp(text_of_take(pd_answer_work_counts(&counts)),
                 "{\"edits\":5,\"photos\":3,\"waiting\":1,\"albums\":1,\"searches\":2}") == 0);
}

static pd_photo some_photo(void)
{
    pd_photo photo = { .id = 3,
                       .content = 5,
                       .path = "/p/a.jpg",
                       .bytes = 1000,
                       .learned_model = "tiny",
                       .learned_at = "2026-01-01T00:00:00Z" };
    photo.facts = (pd_content){ .type = "jpeg",
                                .width = 40,
                                .height = 30,
                                .pages = 1,
                                .orientation = 6,
                                .taken = "",
                                .taken_source = "",
                                .make = "Canon",
                                .camera = "A70",
                                .lens = "",
                                .iso = 100,
                                .exposure_s = 0.005,
                                .fnumber = NAN,
                                .focal_mm = 0,
                                .gps_lat = -48.5,
                                .gps_lon = 2.25,
                                .gps_alt = NAN,
                                .has_phash = true,
                                .phash = 0xABC,
                                .look = { 12.34F, 2, { { 200, 30, 20, 60 }, { 255, 255, 255, 40 } } },
                                .shot = { (double)NAN, PD_STORE_ABSENT, PD_STORE_ABSENT, "" },
                                .rating = PD_STORE_ABSENT };
    photo.facts.sha256[0] = 0xFE;
    return photo;
}

static const pd_work no_work = { .caption_score = NAN };

static pd_work some_work(void)
{
    static const pd_tag tags[] = { { "beach", PD_SAID_USER, NAN, false },
                                   { "boat", PD_SAID_FILE, NAN, false },
                                   { "sea", PD_SAID_MACHINE, 0.25f, true } };
    static const char *const albums[] = { "Italy" };
    return (pd_work){ .rating = 3,
                      .rating_by = PD_SAID_USER,
                      .favorite = true,
                      .caption = "a boat",
                      .caption_by = PD_SAID_MACHINE,
                      .caption_doubtful = true,
                      .caption_score = 0.4167f,
                      .caption_machine = "a boat",
                      .tags = tags,
                      .n_tags = 3,
                      .albums = albums,
                      .n_albums = 1 };
}

static void work_stands_beside_what_the_file_says(void)
{
    const pd_photo photo = some_photo();
    const pd_work work = some_work();
    const char *text = text_of_take(pd_answer_photo(&photo, &work));
#define TAGS                                                                            \
    "\"tags\":[{\"name\":\"beach\",\"score\":null,\"doubtful\":false,\"by\":\"user\"}," \
    "{\"name\":\"boat\",\"score\":null,\"doubtful\":false,\"by\":\"file\"},"            \
    "{\"name\":\"sea\",\"score\":0.25,\"doubtful\":true,\"by\":\"machine\"}],"
    CHECK(strstr(text, "\"rating\":3,\"caption\":\"a boat\"," TAGS));
    CHECK(strstr(text, "\"work\":{\"rating\":3,\"rating_by\":\"user\",\"favorite\":true,\"caption\":\"a boat\","
                       "\"caption_by\":\"machine\",\"caption_doubtful\":true,\"caption_score\":0.4167,"
                       "\"caption_machine\":\"a boat\"," TAGS "\"albums\":[\"Italy\"]},"));
#undef TAGS
}

static void a_photo_has_its_shape(void)
{
    pd_photo photo = some_photo();
    const char *text = text_of_take(pd_answer_photo(&photo, &no_work));
    static const char *const parts[] = {
        "{\"id\":3,\"path\":\"/p/a.jpg\",\"bytes\":1000,",
        "\"type\":\"jpeg\",\"width\":40,\"height\":30,\"orientation\":6,",
        "\"taken\":null,\"subsec\":null,\"taken_source\":null,\"make\":\"Canon\",\"model\":\"A70\",",
        "\"lens\":null,\"iso\":100,",
        "\"fnumber\":null,\"focal_mm\":null,\"focal35_mm\":null,\"flash\":null,\"white_balance\":null,",
        "\"gps\":{\"lat\":-48.5,\"lon\":2.25,\"alt\":null},\"title\":null,\"description\":null,",
        "\"keywords\":[],\"keyword_paths\":[],\"persons\":[],\"rating\":null,\"caption\":null,\"tags\":[],",
        "\"work\":{\"rating\":0,\"rating_by\":null,\"favorite\":false,",
        "\"caption\":null,\"caption_by\":null,\"caption_doubtful\":false,\"caption_score\":null,",
        "\"caption_machine\":null,\"tags\":[],\"albums\":[]},",
        "\"sha256\":\"fe00",
        "\"phash\":\"0000000000000abc\",\"sharpness\":12.3,\"colours\":[{\"rgb\":\"#c81e14\",\"share\":60},",
        "{\"rgb\":\"#ffffff\",\"share\":40}],\"pages\":1,",
        "\"learned\":{\"model\":\"tiny\",\"at\":\"2026-01-01T00:00:00Z\"},\"error\":null}",
    };
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        if (!strstr(text, parts[i]))
            fprintf(stderr, "%s\nlacks %s\n", text, parts[i]);
        CHECK(strstr(text, parts[i]));
    }
    photo.content = 0;
    photo.learned_model = NULL;
    photo.error = "broken";
    photo.facts.gps_lat = NAN;
    text = text_of_take(pd_answer_photo(&photo, &no_work));
    CHECK(strstr(text, "\"gps\":null") &&
          strstr(text, "\"sha256\":null,\"phash\":null,\"sharpness\":null,\"colours\":[]"));
    CHECK(strstr(text, "\"learned\":null,\"error\":\"broken\"}"));
}

static void words_of_a_photo_have_their_keys(void)
{
    static const char words[] =
        "\1A title\0\2line\nline\0\3Jane\0\4(c)\0\5GIMP\0\6Red\0\7robin\0\7sea\0\10birds|robin\0\11Carla";
    pd_photo photo = some_photo();
    photo.facts.texts = (pd_texts){ words, sizeof words };
    photo.facts.taken = "2020-01-02T03:04:05+01:00";
    photo.facts.taken_source = "xmp";
    photo.facts.shot = (pd_shot){ 52, 25, 1, "25" };
    photo.facts.rating = -1;
    const char *text = text_of_take(pd_answer_photo(&photo, &no_work));
    static const char *const parts[] = {
        "\"taken\":\"2020-01-02T03:04:05+01:00\",\"subsec\":\"25\",\"taken_source\":\"xmp\",",
        "\"focal35_mm\":52.0,\"flash\":true,\"white_balance\":\"manual\",",
        "\"title\":\"A title\",\"description\":\"line\\nline\",\"artist\":\"Jane\",\"copyright\":\"(c)\",",
        "\"software\":\"GIMP\",\"label\":\"Red\",\"keywords\":[\"robin\",\"sea\"],",
        "\"keyword_paths\":[\"birds|robin\"],\"persons\":[\"Carla\"],\"rating\":-1,",
    };
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        if (!strstr(text, parts[i]))
            fprintf(stderr, "%s\nlacks %s\n", text, parts[i]);
        CHECK(strstr(text, parts[i]));
    }
}

static void progress_has_its_shape(void)
{
    pd_progress p = { .seq = 9,
                      .phase = PD_PHASE_LEARN,
                      .running = true,
                      .found = 10,
                      .todo = 8,
                      .done = 4,
                      .learned = 3,
                      .failed = 1,
                      .rate = 2.5,
                      .eta_s = -1,
                      .fraction = 0.5,
                      .elapsed_s = 1.5 };
    CHECK(strcmp(text_of_take(pd_answer_progress(&p)),
                 "{\"seq\":9,\"phase\":\"learn\",\"running\":true,\"paused\":false,\"cancelling\":false,\"found\":10,"
                 "\"todo\":8,\"done\":4,\"learned\":3,\"unchanged\":0,\"moved\":0,\"removed\":0,\"skipped\":0,"
                 "\"failed\":1,\"rate\":2.5,\"eta_s\":null,\"fraction\":0.5,\"elapsed_s\":1.5,\"outcome\":null}") == 0);
    p.phase = PD_PHASE_READY;
    p.running = false;
    p.outcome = PD_ERR_PARTIAL;
    p.eta_s = p.rate = 0;
    CHECK(strstr(text_of_take(pd_answer_progress(&p)), "\"rate\":null,\"eta_s\":0.0,"));
    CHECK(strstr(text_of_take(pd_answer_progress(&p)), "\"outcome\":\"partial\"}"));
}

static void errors_roots_and_status_have_their_shapes(void)
{
    CHECK(strcmp(text_of_take(pd_answer_file_error("/a", PD_ERR_FORMAT, "the file is empty")),
                 "{\"path\":\"/a\",\"reason\":\"the file is empty\",\"status\":\"format\"}") == 0);
    CHECK(strstr(text_of_take(pd_answer_file_error("/a", PD_ERR_TIMEOUT, "")), "\"reason\":\"timeout\""));
    const pd_root root = { .id = 1, .path = "/p", .offline = true, .n_photos = 4 };
    CHECK(strcmp(text_of_take(pd_answer_root(&root)), "{\"path\":\"/p\",\"photos\":4,\"offline\":true}") == 0);
    pd_library_status status = { .files = 4,
                                 .learned = 3,
                                 .errors = 1,
                                 .catalogue_bytes = 10,
                                 .vectors_bytes = 20,
                                 .thumbs_bytes = 30,
                                 .prepared_bytes = 40,
                                 .model_name = "tiny",
                                 .model_state = "cold" };
    CHECK(strcmp(text_of_take(pd_answer_status_take("/d", &status, pd_json_array())),
                 "{\"library\":\"/d\",\"roots\":[],\"files\":4,\"learned\":3,\"errors\":1,\"offline\":0,"
                 "\"model\":{\"name\":\"tiny\",\"state\":\"cold\"},\"bytes\":{\"catalogue\":10,\"vectors\":20,"
                 "\"thumbs\":30,\"prepared\":40},\"job\":null}") == 0);
    status.learner_pid = 99;
    CHECK(strstr(text_of_take(pd_answer_status_take("/d", &status, pd_json_array())), "\"job\":{\"pid\":99}}"));
}

static pd_json *make(unsigned kind)
{
    static char path[] = "/p/a.jpg";
    pd_hit hit = { .id = 7, .path = path };
    const pd_hits hits = { .items = &hit, .n = 1, .total = 1 };
    const pd_hits_answer answer = { .query = "q", .hits = &hits };
    const pd_photo photo = some_photo();
    const pd_work work = some_work();
    static char sentence[] = "done";
    const pd_step step = { .number = 1, .sentence = sentence };
    const pd_album album = { .name = "x", .cover = 1 };
    const pd_saved saved = { .name = "x", .query = "y" };
    const pd_copies copies = { .first_failure = "gone" };
    const pd_work_counts counts = { 0 };
    const pd_progress progress = { .seq = 1 };
    const pd_root root = { .path = "/p" };
    const pd_library_status status = { .learner_pid = 1 };
    switch (kind) {
    case 0: return pd_answer_hits(&answer);
    case 1: return pd_answer_photo(&photo, &work);
    case 2: return pd_answer_progress(&progress);
    case 3: return pd_answer_file_error("/a", PD_ERR_IO, NULL);
    case 4: return pd_answer_root(&root);
    case 5: return pd_answer_edited(&step);
    case 6: return pd_answer_step(&step);
    case 7: return pd_answer_album(&album);
    case 8: return pd_answer_saved(&saved);
    case 9: return pd_answer_copies(&copies, 1);
    case 10: return pd_answer_work_counts(&counts);
    case 11: return pd_answer_would(1);
    default: return pd_answer_status_take("/d", &status, pd_json_array());
    }
}

static void without_memory_there_is_no_reading(void)
{
    static const char text[] = "sunset -camera:canon";
    pd_query *query = parse(text);
    const size_t live = pd_mem_live();
    size_t tries = 1;
    for (bool done = false; !done && tries < 1000; tries++) {
        (void)pd_mem_fail_at(tries);
        pd_json *json = pd_answer_reading(query, text);
        done = pd_mem_fail_at(0) < tries;
        CHECK((json != NULL) == done);
        pd_json_free(&json);
        CHECK(pd_mem_live() == live);
    }
    CHECK(tries > 10 && tries < 1000);
    pd_query_free(&query);
}

static void without_memory_there_is_no_answer(void)
{
    for (unsigned kind = 0; kind < 13; kind++) {
        const size_t live = pd_mem_live();
        size_t tries = 1;
        for (bool done = false; !done && tries < 1000; tries++) {
            (void)pd_mem_fail_at(tries);
            pd_json *json = make(kind);
            done = pd_mem_fail_at(0) < tries;
            CHECK((json != NULL) == done); /* a half answer is none */
            pd_json_free(&json);
            CHECK(pd_mem_live() == live);
        }
        CHECK(tries > 3 && tries < 1000);
    }
}

int main(void)
{
    RUN(a_hit_has_its_shape);
    RUN(a_table_quotes_what_would_break_it);
    RUN(places_in_a_query_are_counted_as_javascript_does);
    RUN(a_reading_tells_every_part);
    RUN(what_leaves_photos_out_is_taken_alone);
    RUN(what_was_done_has_its_shape);
    RUN(work_stands_beside_what_the_file_says);
    RUN(a_photo_has_its_shape);
    RUN(words_of_a_photo_have_their_keys);
    RUN(progress_has_its_shape);
    RUN(errors_roots_and_status_have_their_shapes);
    RUN(without_memory_there_is_no_answer);
    RUN(without_memory_there_is_no_reading);
    return TEST_RESULT();
}
