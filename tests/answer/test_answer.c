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
    static char path[] = "/p/\xff.jpg";
    pd_hit hit = { .id = 7, .path = path, .score = 0.25F, .width = 40, .height = 30 };
    CHECK(strcmp(text_of_take(pd_answer_hit(&hit)), "{\"id\":7,\"path\":\"/p/\xef\xbf\xbd.jpg\",\"score\":0.25,"
                                                    "\"match\":null,\"taken\":null,\"width\":40,\"height\":30}") == 0);
    hit.score = NAN; /* nothing was asked */
    (void)snprintf(hit.taken, sizeof hit.taken, "2020-01-02T03:04:05");
    CHECK(strstr(text_of_take(pd_answer_hit(&hit)), "\"score\":null,\"match\":null,\"taken\":\"2020-01-02T03:04:05\""));
    const pd_hits hits = { .items = &hit, .n = 1, .total = 12 };
    const pd_hits_answer answer = { .query = "", .took_ms = 1.2345, .hits = &hits };
    CHECK(strncmp(text_of_take(pd_answer_hits(&answer)),
                  "{\"query\":\"\",\"model\":null,\"took_ms\":1.23,\"total\":12,\"strong\":null,\"hits\":[{\"id\":7,",
                  77) == 0);
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

static void a_photo_has_its_shape(void)
{
    pd_photo photo = some_photo();
    const char *text = text_of_take(pd_answer_photo(&photo));
    static const char *const parts[] = {
        "{\"id\":3,\"path\":\"/p/a.jpg\",\"bytes\":1000,",
        "\"type\":\"jpeg\",\"width\":40,\"height\":30,\"orientation\":6,",
        "\"taken\":null,\"subsec\":null,\"taken_source\":null,\"make\":\"Canon\",\"model\":\"A70\",",
        "\"lens\":null,\"iso\":100,",
        "\"fnumber\":null,\"focal_mm\":null,\"focal35_mm\":null,\"flash\":null,\"white_balance\":null,",
        "\"gps\":{\"lat\":-48.5,\"lon\":2.25,\"alt\":null},\"title\":null,\"description\":null,",
        "\"keywords\":[],\"keyword_paths\":[],\"persons\":[],\"rating\":null,",
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
    text = text_of_take(pd_answer_photo(&photo));
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
    const char *text = text_of_take(pd_answer_photo(&photo));
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
    const pd_hits_answer answer = { .query = "q", .model = "m", .hits = &hits };
    const pd_photo photo = some_photo();
    const pd_progress progress = { .seq = 1 };
    const pd_root root = { .path = "/p" };
    const pd_library_status status = { .learner_pid = 1 };
    switch (kind) {
    case 0: return pd_answer_hits(&answer);
    case 1: return pd_answer_photo(&photo);
    case 2: return pd_answer_progress(&progress);
    case 3: return pd_answer_file_error("/a", PD_ERR_IO, NULL);
    case 4: return pd_answer_root(&root);
    default: return pd_answer_status_take("/d", &status, pd_json_array());
    }
}

static void without_memory_there_is_no_answer(void)
{
    for (unsigned kind = 0; kind < 6; kind++) {
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
        CHECK(tries > 5 && tries < 1000);
    }
}

int main(void)
{
    RUN(a_hit_has_its_shape);
    RUN(a_photo_has_its_shape);
    RUN(words_of_a_photo_have_their_keys);
    RUN(progress_has_its_shape);
    RUN(errors_roots_and_status_have_their_shapes);
    RUN(without_memory_there_is_no_answer);
    return TEST_RESULT();
}
