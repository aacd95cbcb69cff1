/* Models of a library: which one answers, which one learns, and that nothing of them stays in memory for long. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "library_fixture.h"

static void nap(int ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * PD_NS_PER_MS }, NULL); }

/* model NULL: what the library's settings say. */
static pd_library *open_for(const char *model, double idle_s)
{
    pd_library_options options = options_of("data");
    options.model = model;
    options.idle_s = idle_s;
    return open_with(&options);
}

static bool make_pictures(unsigned from, unsigned to)
{
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/picture-%u.bmp", i);
        is_made &= scene_picture(name, i);
    }
    return is_made;
}

/* A model that is another: the shipped one with a blank more in its config. `without`: a file that it lacks. */
static const char *make_model(const char *name, const char *without)
{
    static const char *const files[] = {
        "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
        "model.safetensors"
    };
    static char dir[4096];
    char from[8192], to[8192], text[65536] = "";
    (void)snprintf(dir, sizeof dir, "%s", scene_path(name));
    bool is_made = scene_folder(name);
    for (size_t i = 0; i < PD_COUNT_OF(files); i++) {
        (void)snprintf(from, sizeof from, "%s/models/tiny/%s", source, files[i]);
        (void)snprintf(to, sizeof to, "%s/%s", dir, files[i]);
        is_made &= (without && strcmp(files[i], without) == 0) || symlink(from, to) == 0;
    }
    (void)snprintf(from, sizeof from, "%s/models/tiny/config.json", source);
    (void)snprintf(to, sizeof to, "%s/config.json", name);
    FILE *file = fopen(from, "r");
    size_t len = file ? fread(text, 1, sizeof text - 2, file) : 0;
    text[len++] = ' ';
    if (file)
        (void)fclose(file);
    return is_made && len > 2 && scene_write(to, text, len) ? dir : "nothing";
}

/* The model that answers a question of words now; "": none does. Words that were asked before need no model. */
static const char *who_answers_to(pd_library *library, const char *words)
{
    static char name[256];
    pd_hits hits = { 0 };
    pd_error error = { 0 };
    name[0] = '\0';
    if (pd_library_find(library, &(pd_question){ .text = words, .n = 3 }, &hits, &error) == PD_OK)
        (void)snprintf(name, sizeof name, "%s", hits.model ? hits.model : "");
    else
        fprintf(stderr, "%s\n", error.message);
    pd_hits_done(&hits);
    return name;
}

static const char *who_answers(pd_library *library) { return who_answers_to(library, "a view"); }

static bool is_answered_by(pd_library *library, const char *model)
{
    pd_library_totals totals = { 0 };
    const bool is_it = strcmp(who_answers(library), model) == 0;
    const bool is_told =
        pd_library_totals_get(library, &totals, NULL) == PD_OK && strcmp(totals.model_name, model) == 0;
    return is_it && is_told && strcmp(pd_library_model_name(library), model) == 0;
}

static void the_old_model_answers_until_the_new_one_knows_as_much(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 9));
    const char *other = make_model("other", NULL);
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library);
    CHECK(learn(library).learned == 9 && is_answered_by(library, "tiny"));
    int64_t learned = -1;
    const atomic_bool cancelled = true;
    pd_error error = { 0 };
    CHECK(pd_library_model_use(library, other, &cancelled, &learned, &error) == PD_ERR_CANCELLED && error.message[0]);
    CHECK(learned == -1 && learn(library).learned == 0); /* with the old one, which is chosen still */
    CHECK(pd_library_model_use(library, other, NULL, &learned, NULL) == PD_OK && learned == 0);
    CHECK(is_answered_by(library, "tiny"));
    pd_library_close(&library);

    library = open_for(NULL, 0); /* the choice outlives the process */
    REQUIRE(library);
    CHECK(is_answered_by(library, "tiny"));
    CHECK(make_pictures(9, 10) && learn(library).learned == 10); /* with the new one, all of them */
    CHECK(is_answered_by(library, "other"));
    pd_library_totals totals;
    CHECK(pd_library_totals_get(library, &totals, NULL) == PD_OK && totals.learned == 10);
    pd_library_close(&library);

    library = open_for(NULL, 0);
    REQUIRE(library);
    CHECK(is_answered_by(library, "other"));
    /* going back: all but one is known */
    CHECK(pd_library_model_use(library, "tiny", NULL, &learned, NULL) == PD_OK && learned == 9);
    CHECK(is_answered_by(library, "other"));
    CHECK(learn(library).learned == 1 && is_answered_by(library, "tiny"));
    /* and now both know everything: at once, however often */
    for (int i = 0; i < 4; i++) {
        CHECK(pd_library_model_use(library, i % 2 ? "tiny" : other, NULL, &learned, NULL) == PD_OK && learned == 10);
        CHECK(is_answered_by(library, i % 2 ? "tiny" : "other"));
    }
    pd_library_close(&library);
}

static void one_that_is_gone_answers_no_more_when_another_is_chosen(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 4));
    char other[4096], elsewhere[4200];
    (void)snprintf(other, sizeof other, "%s", make_model("other", NULL));
    (void)snprintf(elsewhere, sizeof elsewhere, "%s-elsewhere", other);
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library);
    int64_t learned = -1;
    CHECK(pd_library_model_use(library, other, NULL, NULL, NULL) == PD_OK && learn(library).learned == 4);
    CHECK(is_answered_by(library, "other"));
    pd_library_close(&library);

    REQUIRE(rename(other, elsewhere) == 0);
    library = open_for(NULL, 0);
    REQUIRE(library);
    CHECK(strcmp(who_answers_to(library, "a dog"), "") == 0);
    CHECK(pd_library_model_use(library, "tiny", NULL, &learned, NULL) == PD_OK && learned == 0);
    CHECK(strcmp(who_answers_to(library, "a dog"), "") == 0 && strcmp(pd_library_model_name(library), "tiny") == 0);
    CHECK(learn(library).learned == 4 && is_answered_by(library, "tiny"));
    pd_library_close(&library);
}

/* The shipped model by another name: the same bytes, so the same model. */
static const char *make_twin(const char *name)
{
    static char dir[4096];
    char from[8192], to[8192];
    const char *made = make_model(name, NULL);
    (void)snprintf(dir, sizeof dir, "%s", made);
    (void)snprintf(from, sizeof from, "%s/models/tiny/config.json", source);
    (void)snprintf(to, sizeof to, "%s/config.json", dir);
    return unlink(to) == 0 && symlink(from, to) == 0 ? dir : "nothing";
}

static void a_model_by_another_name_knows_what_it_knew(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 5));
    char other[4096];
    (void)snprintf(other, sizeof other, "%s", make_model("other", NULL));
    const char *twin = make_twin("twin");
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library);
    int64_t learned = -1;
    CHECK(learn(library).learned == 5);
    CHECK(pd_library_model_use(library, twin, NULL, &learned, NULL) == PD_OK && learned == 5);
    CHECK(is_answered_by(library, "twin"));
    pd_library_close(&library);

    library = open_for(NULL, 0); /* nothing was open here: names alone tell of models */
    REQUIRE(library);
    pd_library_totals totals;
    CHECK(pd_library_totals_get(library, &totals, NULL) == PD_OK && totals.learned == 5);
    CHECK(pd_library_model_use(library, other, NULL, &learned, NULL) == PD_OK && learned == 0);
    CHECK(is_answered_by(library, "twin"));
    pd_library_close(&library);

    library = open_for(NULL, 0);
    REQUIRE(library);
    CHECK(is_answered_by(library, "twin"));
    CHECK(learn(library).learned == 5 && is_answered_by(library, "other"));
    pd_library_close(&library);
}

/* As by another process: this one is not told. */
static bool exchange(const char *name)
{
    char path[4096], text[65536];
    (void)snprintf(path, sizeof path, "%s/config.json", name);
    FILE *file = fopen(scene_path(path), "r");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[len++] = ' ';
    if (file)
        (void)fclose(file);
    return len > 1 && scene_write(path, text, len);
}

static void a_model_that_was_exchanged_is_learned_with_at_once(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3));
    char other[4096];
    (void)snprintf(other, sizeof other, "%s", make_model("other", NULL));
    pd_library *library = open_for(other, 0);
    REQUIRE(library);
    CHECK(learn(library).learned == 3 && strcmp(who_answers(library), "other") == 0);
    CHECK(pd_library_model_unload(library, other, NULL) == PD_OK);
    CHECK(learn(library).learned == 0); /* has the image tower in memory, and no other part */
    REQUIRE(exchange("other"));
    CHECK(strcmp(who_answers_to(library, "a dog"), "") == 0); /* was exchanged just now, it says */
    CHECK(learn(library).learned == 3 && strcmp(who_answers(library), "other") == 0);
    pd_library_close(&library);
}

static void an_option_is_for_one_process(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 4));
    char other[4096];
    (void)snprintf(other, sizeof other, "%s", make_model("other", NULL));
    pd_library *library = open_for(other, 0);
    REQUIRE(library);
    CHECK(learn(library).learned == 4 && is_answered_by(library, "other"));
    pd_library_close(&library);
    library = open_for(NULL, 0);
    REQUIRE(library);
    CHECK(learn(library).learned == 4 && is_answered_by(library, "tiny"));
    pd_library_close(&library);
}

static void what_cannot_be_used_is_refused_and_the_old_one_stays(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 4));
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library && learn(library).learned == 4);
    static const char *const lacks[] = { "merges.txt", "model.safetensors", "preprocessor_config.json" };
    for (size_t i = 0; i < PD_COUNT_OF(lacks); i++) {
        char name[32];
        int64_t learned = -1;
        pd_error error = { 0 };
        (void)snprintf(name, sizeof name, "broken-%zu", i);
        CHECK(pd_library_model_use(library, make_model(name, lacks[i]), NULL, &learned, &error) != PD_OK);
        CHECK(error.message[0] && learned == -1);
        CHECK(is_answered_by(library, "tiny"));
    }
    pd_error error = { 0 };
    CHECK(pd_library_model_use(library, "nobody", NULL, NULL, &error) == PD_ERR_NOT_FOUND &&
          strstr(error.message, "nobody"));
    CHECK(pd_library_model_load(library, "nobody", &error) == PD_ERR_NOT_FOUND);
    CHECK(is_answered_by(library, "tiny"));
    pd_library_close(&library);
}

static long anonymous_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    if (status)
        (void)fclose(status);
    return kib;
}

/* Files of models or of the library that are mapped; all are printed. */
static int count_maps(void)
{
    static const char *const parts[] = { ".prepared", ".safetensors", ".vectors", "/columns" };
    char line[8192];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        for (size_t i = 0; i < PD_COUNT_OF(parts); i++)
            n += strstr(line, parts[i]) != NULL;
    if (maps)
        (void)fclose(maps);
    return n;
}

static bool rests(pd_library *library)
{
    pd_library_totals totals = { 0 };
    return pd_library_totals_get(library, &totals, NULL) == PD_OK && strcmp(totals.model_state, "idle") == 0 &&
           count_maps() == 0;
}

static bool has_decoders(void)
{
    char path[64];
    int n = 0;
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "r");
    const bool any = children && fscanf(children, "%d", &n) == 1;
    if (children)
        (void)fclose(children);
    return any;
}

/* Idle time: a second. */
static void after_the_idle_time_memory_is_as_at_the_start(void)
{
    REQUIRE(begin_unprepared() && make_pictures(0, 40));
    pd_library *library = open_for(NULL, 1);
    REQUIRE(library);
    CHECK(pd_library_prepare_catalogue(library, NULL) == PD_OK);
    pd_mem_trim(); /* of what the cases before have left */
    const long start_kib = anonymous_kib();
    CHECK(learn(library).learned == 40);
    pd_hits hits = { 0 };
    const pd_example example = { .text = scene_path("photos/picture-1.bmp"), .fd = -1 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = 3 }, &hits, NULL) == PD_OK);
    const uint64_t result = hits.result;
    pd_hits_done(&hits);
    CHECK(scene_picture("elsewhere.bmp", 77));
    CHECK(pd_library_find(library, &(pd_question){ .examples = &example, .n_examples = 1, .n = 3 }, &hits, NULL) ==
          PD_OK);
    pd_hits_done(&hits);
    CHECK(count_maps() > 0);
    const long ready_kib = anonymous_kib();
    for (int i = 0; i < 1200 && !rests(library); i++)
        nap(50);
    CHECK(rests(library) && !has_decoders());
    long idle_kib = anonymous_kib();
    for (int i = 0; i < 100 && idle_kib >= start_kib + 8 * 1024; i++, idle_kib = anonymous_kib())
        nap(50); /* a part is told of as idle before its memory is given back */
    printf("# RssAnon: %ld KiB at the start, %ld ready, %ld after the idle time\n", start_kib, ready_kib, idle_kib);
    CHECK(TEST_SANITIZED || idle_kib < start_kib + 8 * 1024); /* measured 1,100 more */
    /* a kept result is gone, and says so; a question is answered as ever */
    pd_error error = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .result = result, .n = 3 }, &hits, &error) == PD_ERR_NO_MATCH);
    CHECK(strstr(error.message, "ask the question again"));
    CHECK(is_answered_by(library, "tiny"));
    CHECK(pd_library_model_load(library, "tiny", NULL) == PD_OK);
    pd_library_set_idle(library, NULL, -1); /* never */
    for (int i = 0; i < 400 && count_maps() < 2; i++)
        nap(25);
    nap(1500);
    CHECK(count_maps() > 0);
    CHECK(pd_library_model_unload(library, "tiny", NULL) == PD_OK);
    pd_library_close(&library);
    CHECK(count_maps() == 0);
}

typedef struct listed {
    const char *key;
    int n; /* rows of it */
    pd_library_model model;
    int n_rows, n_chosen, n_answering;
} listed;

static bool find_listed(void *user, const pd_library_model *model)
{
    listed *l = user;
    l->n_rows++;
    if (model->kind == PD_HUB_SEARCH) {
        l->n_chosen += model->chosen;
        l->n_answering += model->answering;
    }
    if (strcmp(model->key, l->key) == 0) {
        l->n++;
        l->model = *model; /* its strings are gone after the visit */
    }
    return true;
}

static listed look_up(pd_library *library, const char *key)
{
    listed l = { .key = key };
    CHECK(pd_library_models(library, find_listed, &l, NULL) == PD_OK);
    CHECK(l.n_chosen == 1 && l.n_answering == 1);
    return l;
}

static void the_list_tells_what_is_here(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3));
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library);
    listed tiny = look_up(library, "tiny");
    CHECK(tiny.n == 1 && tiny.n_rows > 5 && tiny.model.built_in && tiny.model.complete && tiny.model.chosen);
    CHECK(tiny.model.state == PD_RESIDENCE_COLD && tiny.model.memory_bytes == 0 && tiny.model.disk_bytes > 1 << 20);
    const listed absent = look_up(library, "openai--clip-vit-base-patch32");
    CHECK(absent.n == 1 && !absent.model.complete && !absent.model.built_in && !absent.model.chosen &&
          !absent.model.dir);
    CHECK(learn(library).learned == 3);
    CHECK(is_answered_by(library, "tiny"));
    tiny = look_up(library, "tiny");
    CHECK(tiny.model.learned == 3 && tiny.model.state == PD_RESIDENCE_READY && tiny.model.memory_bytes > 1 << 20);
    CHECK(tiny.model.load_ms > 0 && tiny.model.answering);
    pd_library_close(&library);
}

static void the_list_tells_who_is_chosen_and_who_answers(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3));
    const char *other = make_model("other", NULL);
    pd_library *library = open_for(NULL, 0);
    REQUIRE(library && learn(library).learned == 3);
    int64_t learned = -1;
    CHECK(pd_library_model_use(library, other, NULL, &learned, NULL) == PD_OK && learned == 0);
    const listed elsewhere = look_up(library, other);
    const listed tiny = look_up(library, "tiny");
    CHECK(elsewhere.n == 1 && elsewhere.model.chosen && !elsewhere.model.answering && elsewhere.model.learned == 0);
    CHECK(!tiny.model.chosen && tiny.model.answering);
    pd_library_close(&library);
    /* a directory that is one of those with a key is no row of its own */
    char dir[4096 + 32];
    (void)snprintf(dir, sizeof dir, "%s/models/tiny", source);
    library = open_for(dir, 0);
    REQUIRE(library);
    CHECK(look_up(library, "tiny").model.chosen && look_up(library, dir).n == 0);
    pd_library_close(&library);
}

typedef struct crowd {
    pd_library *library;
    const char *models[2];
    atomic_bool ends;
    atomic_int n_answers, n_wrong;
} crowd;

typedef struct puller {
    pd_library *library;
    pthread_barrier_t *begin;
    pd_status status;
} puller;

static void *pull(void *user)
{
    puller *p = user;
    pthread_barrier_wait(p->begin);
    p->status = pd_library_pull(p->library, "owner/name", false, NULL);
    return NULL;
}

static void of_many_pulls_at_once_one_begins(void)
{
    enum { N = 8, ROUNDS = 20 };
    static const char text[] = "#!/bin/sh\nread -r request\nread -r end\n"; /* until it is told to stop */
    REQUIRE(scene_begin() && scene_write("fetch", text, sizeof text - 1));
    char fetch[4096], data[4096];
    (void)snprintf(fetch, sizeof fetch, "%s", scene_path("fetch"));
    (void)snprintf(data, sizeof data, "%s", scene_path("data"));
    REQUIRE(chmod(fetch, 0700) == 0);
    pd_library_options options;
    pd_library_options_init(&options);
    options.data_home = options.cache_home = data;
    options.fetch_path = fetch;
    pd_library *library = NULL;
    REQUIRE(pd_library_open(&library, &options, NULL) == PD_OK);
    pthread_barrier_t begin;
    REQUIRE(pthread_barrier_init(&begin, NULL, N) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        puller pullers[N];
        pthread_t threads[N];
        int n_begun = 0, n_busy = 0;
        pd_pull_state state = { .running = true };
        for (int i = 0; i < N; i++) {
            pullers[i] = (puller){ library, &begin, PD_OK };
            REQUIRE(pthread_create(&threads[i], NULL, pull, &pullers[i]) == 0);
        }
        for (int i = 0; i < N; i++) {
            pthread_join(threads[i], NULL);
            n_begun += pullers[i].status == PD_OK;
            n_busy += pullers[i].status == PD_ERR_BUSY;
        }
        CHECK(n_begun == 1 && n_busy == N - 1);
        pd_library_pull_cancel(library);
        for (int i = 0; i < 200 && pd_library_pull_look(library, &state) && state.running; i++)
            nap(50);
        CHECK(!state.running);
    }
    pthread_barrier_destroy(&begin);
    pd_library_close(&library);
}

static void *ask_again_and_again(void *user)
{
    static const char *const questions[] = { "a view", "a dog", "sea -sky", "" };
    crowd *c = user;
    for (unsigned i = 0; !atomic_load(&c->ends); i++) {
        pd_hits hits = { 0 };
        pd_error error = { 0 };
        const pd_example example = { .text = "1", .fd = -1 };
        const bool by_example = i % 7 == 3;
        const pd_question question = { .text = by_example ? "" : questions[i % PD_COUNT_OF(questions)],
                                       .examples = &example,
                                       .n_examples = by_example,
                                       .n = 3,
                                       .cancelled = &c->ends };
        const pd_status status = pd_library_find(c->library, &question, &hits, &error);
        if (status == PD_OK)
            atomic_fetch_add(&c->n_answers, 1);
        else if (status != PD_ERR_CANCELLED) {
            fprintf(stderr, "%s\n", error.message);
            atomic_fetch_add(&c->n_wrong, 1);
        }
        pd_hits_done(&hits);
    }
    return NULL;
}

static void *load_and_unload(void *user)
{
    crowd *c = user;
    for (unsigned i = 0; !atomic_load(&c->ends); i++) {
        const pd_status status = pd_library_model_unload(c->library, i % 2 ? "tiny" : NULL, NULL);
        atomic_fetch_add(&c->n_wrong, status != PD_OK && status != PD_ERR_BUSY);
        atomic_fetch_add(&c->n_wrong, pd_library_model_load(c->library, "tiny", NULL) != PD_OK);
        atomic_fetch_add(&c->n_wrong, i % 8 == 5 && pd_library_model_use(c->library, c->models[i / 8 % 2], NULL, NULL,
                                                                         NULL) != PD_OK);
        pd_library_set_idle(c->library, i % 3 ? "tiny" : NULL, i % 4 ? 0.01 : 1);
        nap(5);
    }
    return NULL;
}

static void a_crowd_asks_and_learns_while_models_come_and_go(void)
{
    enum { N_ASKING = 3 };
    REQUIRE(scene_begin() && make_pictures(0, 30));
    const char *other = make_model("other", NULL);
    pd_library *library = open_for(NULL, 0.01);
    REQUIRE(library);
    CHECK(learn(library).learned == 30);
    crowd c = { .library = library, .models = { other, "tiny" } };
    pthread_t threads[N_ASKING + 1];
    for (int i = 0; i <= N_ASKING; i++)
        REQUIRE(pthread_create(&threads[i], NULL, i < N_ASKING ? ask_again_and_again : load_and_unload, &c) == 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(make_pictures(30 + 10 * i, 40 + 10 * i));
        CHECK(learn(library).learned >= 10);
        nap(200);
    }
    atomic_store(&c.ends, true);
    for (int i = 0; i <= N_ASKING; i++)
        pthread_join(threads[i], NULL);
    printf("# %d answers\n", atomic_load(&c.n_answers));
    CHECK(atomic_load(&c.n_answers) > 10 && atomic_load(&c.n_wrong) == 0);
    pd_library_close(&library);
}

int main(void)
{
    find_program();
    RUN(the_old_model_answers_until_the_new_one_knows_as_much);
    RUN(one_that_is_gone_answers_no_more_when_another_is_chosen);
    RUN(a_model_by_another_name_knows_what_it_knew);
    RUN(a_model_that_was_exchanged_is_learned_with_at_once);
    RUN(an_option_is_for_one_process);
    RUN(what_cannot_be_used_is_refused_and_the_old_one_stays);
    RUN(the_list_tells_what_is_here);
    RUN(the_list_tells_who_is_chosen_and_who_answers);
    RUN(of_many_pulls_at_once_one_begins);
    RUN(after_the_idle_time_memory_is_as_at_the_start);
    RUN(a_crowd_asks_and_learns_while_models_come_and_go);
    scene_end();
    return TEST_RESULT();
}
