/* Parts of models that come when they are needed and go when they are not, with the shipped model; prepared in memory
 * (a few hundred ms, with progress) where a loading has to take a while, and mapped from a cache elsewhere. */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "model/model.h"
#include "residency_fixture.h"
#include "test.h"

enum { N_BORROWERS = 12, DIM_MAX = 1024 };

static const char words[] = "a dog on the beach";
static char tiny[4096], scratch[4096], cache[4096 + 16];

static pd_residency *create(const char *cache_dir, double idle_s, const char *system_root)
{
    const pd_residency_options options = { .cpu_mask = pd_cpu_detect(),
                                           .cache_dir = cache_dir,
                                           .idle_s = idle_s,
                                           .system_root = system_root,
                                           .look_s = system_root ? 0.05 : 0 };
    pd_residency *residency = NULL;
    return pd_residency_create(&residency, &options, NULL) == PD_OK ? residency : NULL;
}

static pd_status borrow(pd_residency *residency, pd_model_part part, pd_lease *ret_lease)
{
    pd_error error = { 0 };
    const pd_status status = pd_residency_borrow(residency, tiny, part, NULL, ret_lease, &error);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    return status;
}

static bool is_mapped(const char *name)
{
    char line[8192];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, name) != NULL;
    if (maps)
        (void)fclose(maps);
    return found;
}

/* Waits for that: a part is told to be idle, and may be loaded again, a moment before the last of it is unmapped. */
static bool is_gone(const char *name)
{
    for (int i = 0; i < 500 && is_mapped(name); i++)
        nap(10);
    return !is_mapped(name);
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

static void all_who_need_a_part_share_one_loading(void)
{
    pd_residency *residency = create(NULL, 0, NULL);
    REQUIRE(residency);
    borrower borrowers[N_BORROWERS];
    pthread_t threads[N_BORROWERS];
    for (int i = 0; i < N_BORROWERS; i++) {
        borrowers[i] = (borrower){ .residency = residency, .dir = tiny };
        REQUIRE(pthread_create(&threads[i], NULL, borrow_in_thread, &borrowers[i]) == 0);
    }
    for (int i = 0; i < N_BORROWERS; i++)
        pthread_join(threads[i], NULL);
    float first[DIM_MAX], again[DIM_MAX];
    for (int i = 0; i < N_BORROWERS; i++) {
        const pd_lease *lease = &borrowers[i].lease;
        CHECK(borrowers[i].status == PD_OK && lease->model == borrowers[0].lease.model && !lease->captioner);
        for (int k = 0; k < i; k++)
            CHECK(lease->session != borrowers[k].lease.session);
        CHECK(pd_session_embed_text(lease->session, words, strlen(words), i ? again : first, NULL) == PD_OK);
        CHECK(i == 0 || memcmp(first, again, pd_model_dim(lease->model) * sizeof *first) == 0);
    }
    const looked text = look(residency, tiny, PD_PART_TEXT);
    CHECK(text.found && text.resident.state == PD_RESIDENCE_READY && text.resident.n_borrowed == N_BORROWERS);
    CHECK(text.resident.load_ms > 0 && text.resident.bytes > 1 << 20 && text.resident.idle_s == 0);
    CHECK(!look(residency, tiny, PD_PART_VISION).found); /* nobody needed it */
    for (int i = N_BORROWERS - 1; i >= 0; i--)
        pd_residency_return(residency, &borrowers[i].lease);
    CHECK(!borrowers[0].lease.entry);
    pd_residency_return(residency, &borrowers[0].lease); /* nothing is borrowed: nothing happens */
    pd_lease lease = { 0 };
    REQUIRE(borrow(residency, PD_PART_TEXT, &lease) == PD_OK);
    CHECK(lease.model && lease.session);
    CHECK(look(residency, tiny, PD_PART_TEXT).resident.bytes <= text.resident.bytes);
    pd_residency_return(residency, &lease);
    pd_residency_free(&residency);
}

typedef struct witness {
    pd_residency *residency;
    pthread_mutex_t lock;
    double last;
    int n_steps, n_calls;
    bool went_back;
} witness;

static void watch(void *user)
{
    witness *w = user;
    pthread_mutex_lock(&w->lock);
    w->n_calls++;
    if (w->residency) {
        const looked text = look(w->residency, tiny, PD_PART_TEXT);
        if (text.found && text.resident.state == PD_RESIDENCE_LOADING) {
            w->went_back |= text.resident.fraction < w->last;
            w->n_steps += text.resident.fraction > w->last;
            w->last = text.resident.fraction;
        }
    }
    pthread_mutex_unlock(&w->lock);
}

static void a_loading_tells_how_far_it_is(void)
{
    witness w = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const pd_residency_options options = { .cpu_mask = pd_cpu_detect(), .changed = watch, .changed_user = &w };
    pd_residency *residency = NULL;
    REQUIRE(pd_residency_create(&residency, &options, NULL) == PD_OK);
    w.residency = residency;
    pd_residency_prefetch(residency, tiny, PD_PART_TEXT); /* returns at once */
    const pd_residence soon = state_of(residency, PD_PART_TEXT);
    CHECK(soon == PD_RESIDENCE_LOADING || soon == PD_RESIDENCE_READY);
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_READY));
    pthread_mutex_lock(&w.lock);
    CHECK(w.n_steps >= 5 && !w.went_back && w.n_calls > w.n_steps);
    CHECK(w.last > 0.5 && w.last <= 1);
    pthread_mutex_unlock(&w.lock);
    CHECK(look(residency, tiny, PD_PART_TEXT).resident.fraction == 0);
    pd_residency_free(&residency);
}

/* Links to the parts of the shipped model, without its config. */
static void make_half_a_model(char ret_dir[4096 + 32])
{
    static const char *const parts[] = {
        "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
        "model.safetensors"
    };
    (void)snprintf(ret_dir, 4096 + 32, "%s/half", scratch);
    (void)mkdir(ret_dir, 0700);
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        char from[8192], to[8192];
        (void)snprintf(from, sizeof from, "%s/%s", tiny, parts[i]);
        (void)snprintf(to, sizeof to, "%s/%s", ret_dir, parts[i]);
        CHECK(symlink(from, to) == 0);
    }
}

static void a_failure_is_explained_to_all_and_tried_again_by_the_next(void)
{
    char dir[4096 + 32], from[8192], to[8192];
    make_half_a_model(dir);
    pd_residency *residency = create(NULL, 0, NULL);
    REQUIRE(residency);
    borrower borrowers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        borrowers[i] = (borrower){ .residency = residency, .dir = dir };
        REQUIRE(pthread_create(&threads[i], NULL, borrow_in_thread, &borrowers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(borrowers[i].status == PD_ERR_NOT_FOUND && strstr(borrowers[i].error.message, "config.json"));
        CHECK(!borrowers[i].lease.entry);
    }
    looked text = look(residency, dir, PD_PART_TEXT);
    CHECK(text.resident.state == PD_RESIDENCE_FAILED && strstr(text.error, "config.json"));
    CHECK(strcmp(pd_residence_name(text.resident.state), "failed") == 0);
    (void)snprintf(from, sizeof from, "%s/config.json", tiny);
    (void)snprintf(to, sizeof to, "%s/config.json", dir);
    CHECK(symlink(from, to) == 0);
    borrower next = { .residency = residency, .dir = dir };
    borrow_in_thread(&next);
    text = look(residency, dir, PD_PART_TEXT);
    CHECK(next.status == PD_OK && text.resident.state == PD_RESIDENCE_READY && !text.error[0]);
    pd_residency_return(residency, &next.lease);
    pd_residency_free(&residency);
}

static void a_waiting_borrower_can_be_cancelled(void)
{
    pd_residency *residency = create(NULL, 0, NULL);
    REQUIRE(residency);
    atomic_bool cancelled = true;
    pd_lease lease = { 0 };
    pd_error error = { 0 };
    CHECK(pd_residency_borrow(residency, tiny, PD_PART_TEXT, &cancelled, &lease, &error) == PD_ERR_CANCELLED);
    CHECK(!lease.entry && error.message[0]);
    /* nobody else waited: the loading ends too */
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_COLD));

    atomic_store(&cancelled, false);
    borrower one = { .residency = residency, .dir = tiny, .cancelled = &cancelled }, other = one;
    other.cancelled = NULL;
    pthread_t threads[2];
    REQUIRE(pthread_create(&threads[0], NULL, borrow_in_thread, &one) == 0);
    REQUIRE(pthread_create(&threads[1], NULL, borrow_in_thread, &other) == 0);
    nap(20);
    atomic_store(&cancelled, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    CHECK(one.status == PD_ERR_CANCELLED || one.status == PD_OK); /* a quick machine was faster */
    CHECK(other.status == PD_OK);
    pd_residency_return(residency, &one.lease);
    pd_residency_return(residency, &other.lease);
    pd_residency_free(&residency);
}

static void what_rests_is_put_away_and_comes_back(void)
{
    pd_residency *residency = create(cache, 0.2, NULL);
    REQUIRE(residency);
    pd_lease text = { 0 }, vision = { 0 };
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK && borrow(residency, PD_PART_VISION, &vision) == PD_OK);
    CHECK(is_mapped("-text-") && is_mapped("-vision-"));
    pd_residency_return(residency, &text);
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_IDLE));
    CHECK(is_gone("-text-") && is_mapped("-vision-")); /* the other is borrowed */
    CHECK(look(residency, NULL, PD_PART_TEXT).resident.bytes == 0);
    CHECK(state_of(residency, PD_PART_VISION) == PD_RESIDENCE_READY);
    pd_residency_return(residency, &vision);
    CHECK(comes_to(residency, PD_PART_VISION, PD_RESIDENCE_IDLE));
    CHECK(is_gone(".prepared") && is_gone(".safetensors"));
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK);
    float embedding[DIM_MAX];
    CHECK(pd_session_embed_text(text.session, words, strlen(words), embedding, NULL) == PD_OK);
    pd_residency_return(residency, &text);
    pd_residency_set_idle(residency, tiny, -1); /* never */
    nap(500);
    CHECK(state_of(residency, PD_PART_TEXT) == PD_RESIDENCE_READY);
    pd_residency_set_idle(residency, tiny, 0.05);
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_IDLE));
    pd_residency_free(&residency);
}

static void unloading_waits_for_borrowers_and_says_so(void)
{
    pd_residency *residency = create(cache, -1, NULL);
    REQUIRE(residency);
    pd_lease text = { 0 }, vision = { 0 };
    pd_error error = { 0 };
    CHECK(pd_residency_unload(residency, tiny, NULL) == PD_OK); /* nothing is there */
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK && borrow(residency, PD_PART_VISION, &vision) == PD_OK);
    pd_residency_return(residency, &vision);
    CHECK(pd_residency_unload(residency, tiny, &error) == PD_ERR_BUSY && strstr(error.message, "in use"));
    CHECK(!is_mapped("-vision-") && is_mapped("-text-"));
    pd_residency_return(residency, &text);
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_IDLE) && is_gone("-text-"));
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK);
    pd_residency_return(residency, &text);
    CHECK(pd_residency_unload(residency, "/elsewhere", NULL) == PD_OK && is_mapped("-text-"));
    CHECK(pd_residency_unload(residency, NULL, NULL) == PD_OK && !is_mapped("-text-"));
    char slash[4096 + 8];
    (void)snprintf(slash, sizeof slash, "%s//", tiny);
    CHECK(pd_residency_borrow(residency, slash, PD_PART_TEXT, NULL, &text, NULL) == PD_OK);
    CHECK(look(residency, tiny, PD_PART_TEXT).resident.n_borrowed == 1); /* the same place */
    pd_residency_return(residency, &text);
    pd_residency_free(&residency);
}

/* A folder of links to the shipped model. */
static bool make_model(const char *dir, const char *config_end)
{
    static const char *const files[] = {
        "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
        "model.safetensors"
    };
    char from[8192], to[8192], text[65536];
    bool is_made = mkdir(dir, 0700) == 0;
    for (size_t i = 0; i < PD_COUNT_OF(files); i++) {
        (void)snprintf(from, sizeof from, "%s/%s", tiny, files[i]);
        (void)snprintf(to, sizeof to, "%s/%s", dir, files[i]);
        is_made &= symlink(from, to) == 0;
    }
    (void)snprintf(from, sizeof from, "%s/config.json", tiny);
    (void)snprintf(to, sizeof to, "%s/config.json", dir);
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    const size_t len = in ? fread(text, 1, sizeof text, in) : 0;
    is_made &= out && fwrite(text, 1, len, out) == len && fputs(config_end, out) >= 0;
    if (in)
        (void)fclose(in);
    return out && fclose(out) == 0 && is_made;
}

static void another_model_in_a_directory_is_found_while_the_old_one_is_in_use(void)
{
    char dir[4096 + 32], away[4096 + 32];
    (void)snprintf(dir, sizeof dir, "%s/renewed", scratch);
    (void)snprintf(away, sizeof away, "%s/renewed.old", scratch);
    REQUIRE(make_model(dir, ""));
    pd_residency *residency = create(cache, 0, NULL);
    REQUIRE(residency);
    pd_lease old = { 0 }, more = { 0 }, next = { 0 };
    REQUIRE(pd_residency_borrow(residency, dir, PD_PART_TEXT, NULL, &old, NULL) == PD_OK);
    pd_residency_renew(residency, "/nobody"); /* what is not known is no trouble */
    REQUIRE(rename(dir, away) == 0 && make_model(dir, "\n"));
    REQUIRE(pd_residency_borrow(residency, dir, PD_PART_TEXT, NULL, &more, NULL) == PD_OK);
    CHECK(strcmp(pd_model_id(more.model), pd_model_id(old.model)) == 0);
    pd_residency_return(residency, &more);
    pd_residency_renew(residency, dir);
    REQUIRE(pd_residency_borrow(residency, dir, PD_PART_TEXT, NULL, &next, NULL) == PD_OK);
    CHECK(strcmp(pd_model_id(next.model), pd_model_id(old.model)) != 0);
    float embedding[DIM_MAX];
    CHECK(pd_session_embed_text(old.session, words, sizeof words - 1, embedding, NULL) == PD_OK);
    CHECK(look(residency, dir, PD_PART_TEXT).resident.n_borrowed == 1);
    pd_residency_return(residency, &old);
    pd_residency_return(residency, &next);
    CHECK(look(residency, dir, PD_PART_TEXT).resident.state == PD_RESIDENCE_READY);
    pd_residency_renew(residency, dir); /* nobody has it: it just goes */
    CHECK(look(residency, dir, PD_PART_TEXT).resident.state == PD_RESIDENCE_IDLE);
    pd_residency_free(&residency);
}

static bool write_text(const char *dir, const char *name, const char *text)
{
    char path[8192];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    const bool is_written = file && fputs(text, file) >= 0;
    return (!file || fclose(file) == 0) && is_written;
}

static void a_system_short_of_memory_gets_it_back(void)
{
    static const char plenty[] = "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:   4000000 kB\n",
                      little[] = "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:    400000 kB\n",
                      calm[] = "some avg10=90.00 avg60=0 avg300=0 total=1\nfull avg10=0.50 avg60=99 avg300=0 total=1\n",
                      stalled[] = "some avg10=90.00 avg60=0 avg300=0 total=1\nfull avg10=35.50 avg60=0 total=1\n";
    char root[4096 + 16], proc[4096 + 24], pressure[4096 + 40];
    (void)snprintf(root, sizeof root, "%s/system", scratch);
    (void)snprintf(proc, sizeof proc, "%s/proc", root);
    (void)snprintf(pressure, sizeof pressure, "%s/pressure", proc);
    REQUIRE(mkdir(root, 0700) == 0 && mkdir(proc, 0700) == 0 && mkdir(pressure, 0700) == 0);
    REQUIRE(write_text(proc, "meminfo", plenty) && write_text(pressure, "memory", calm));
    pd_residency *residency = create(cache, -1, root);
    REQUIRE(residency);
    pd_lease text = { 0 }, vision = { 0 };
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK && borrow(residency, PD_PART_VISION, &vision) == PD_OK);
    pd_residency_return(residency, &text);
    nap(300);
    CHECK(state_of(residency, PD_PART_TEXT) == PD_RESIDENCE_READY);
    CHECK(write_text(proc, "meminfo", little));
    CHECK(comes_to(residency, PD_PART_TEXT, PD_RESIDENCE_IDLE));
    CHECK(state_of(residency, PD_PART_VISION) == PD_RESIDENCE_READY); /* borrowed */
    CHECK(write_text(proc, "meminfo", plenty));
    nap(150);
    pd_residency_return(residency, &vision);
    nap(300);
    CHECK(state_of(residency, PD_PART_VISION) == PD_RESIDENCE_READY);
    CHECK(write_text(pressure, "memory", stalled));
    CHECK(comes_to(residency, PD_PART_VISION, PD_RESIDENCE_IDLE));
    pd_residency_free(&residency);
}

typedef struct reliever {
    _Atomic(pd_residency *) residency;
    const char *proc;
    atomic_bool failed; /* checks belong to the main thread */
} reliever;

/* The captioner's memory is all that was missing. */
static void relieve(void *user)
{
    static const char plenty[] = "MemTotal:       8000000 kB\nMemAvailable:   4000000 kB\n";
    reliever *r = user;
    pd_residency *residency = atomic_load(&r->residency);
    if (residency && state_of(residency, PD_PART_CAPTIONER) == PD_RESIDENCE_IDLE &&
        !write_text(r->proc, "meminfo", plenty))
        atomic_store(&r->failed, true);
}

static void captioners_go_first(void)
{
    static const char little[] = "MemTotal:       8000000 kB\nMemAvailable:    400000 kB\n";
    char root[4096 + 16], proc[4096 + 24], dir[4096 + 32];
    (void)snprintf(root, sizeof root, "%s/system-2", scratch);
    (void)snprintf(proc, sizeof proc, "%s/proc", root);
    (void)snprintf(dir, sizeof dir, "%s-caption", tiny);
    REQUIRE(mkdir(root, 0700) == 0 && mkdir(proc, 0700) == 0);
    reliever r = { .proc = proc };
    const pd_residency_options options = { .cpu_mask = pd_cpu_detect(),
                                           .cache_dir = cache,
                                           .idle_s = -1,
                                           .system_root = root,
                                           .look_s = 0.05,
                                           .changed = relieve,
                                           .changed_user = &r };
    pd_residency *residency = NULL;
    REQUIRE(pd_residency_create(&residency, &options, NULL) == PD_OK);
    pd_lease text = { 0 }, captioner = { 0 };
    REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK);
    REQUIRE(pd_residency_borrow(residency, dir, PD_PART_CAPTIONER, NULL, &captioner, NULL) == PD_OK);
    CHECK(captioner.captioner && !captioner.model && !captioner.session);
    CHECK(look(residency, dir, PD_PART_CAPTIONER).resident.bytes > 1 << 20);
    atomic_store(&r.residency, residency);
    pd_residency_return(residency, &text);
    pd_residency_return(residency, &captioner);
    CHECK(write_text(proc, "meminfo", little));
    CHECK(comes_to(residency, PD_PART_CAPTIONER, PD_RESIDENCE_IDLE));
    nap(500);
    CHECK(state_of(residency, PD_PART_TEXT) == PD_RESIDENCE_READY);
    CHECK(!atomic_load(&r.failed));
    pd_residency_free(&residency);
}

static void fifty_rounds_leave_nothing_behind(void)
{
    enum { N_ROUNDS = TEST_SANITIZED ? 10 : 50, N_FIRST = 5 };
    pd_residency *residency = create(cache, -1, NULL);
    REQUIRE(residency);
    long first = 0, last = 0;
    for (int i = 0; i < N_FIRST + N_ROUNDS; i++) {
        pd_lease text = { 0 }, vision = { 0 };
        float embedding[DIM_MAX];
        REQUIRE(borrow(residency, PD_PART_TEXT, &text) == PD_OK && borrow(residency, PD_PART_VISION, &vision) == PD_OK);
        CHECK(pd_session_embed_text(text.session, words, strlen(words), embedding, NULL) == PD_OK);
        pd_residency_return(residency, &vision);
        pd_residency_return(residency, &text);
        CHECK(pd_residency_unload(residency, tiny, NULL) == PD_OK);
        last = anonymous_kib();
        first = i == N_FIRST - 1 ? last : first;
    }
    printf("# RssAnon after %d rounds: %ld KiB, after %d: %ld KiB\n", N_FIRST, first, N_FIRST + N_ROUNDS, last);
    CHECK(TEST_SANITIZED || last - first < 512); /* measured: 0 to 60 */
    CHECK(!is_mapped(".prepared"));
    pd_residency_free(&residency);
}

typedef struct crowd {
    pd_residency *residency;
    atomic_bool ends;
    atomic_int n_done, n_wrong;
    float expected[DIM_MAX];
} crowd;

static void *work(void *user)
{
    crowd *c = user;
    while (!atomic_load(&c->ends)) {
        pd_lease lease = { 0 };
        float embedding[DIM_MAX];
        bool good = pd_residency_borrow(c->residency, tiny, PD_PART_TEXT, &c->ends, &lease, NULL) == PD_OK;
        if (!good && atomic_load(&c->ends))
            break;
        good = good && pd_session_embed_text(lease.session, words, strlen(words), embedding, NULL) == PD_OK &&
               memcmp(embedding, c->expected, pd_model_dim(lease.model) * sizeof *embedding) == 0;
        pd_residency_return(c->residency, &lease);
        atomic_fetch_add(good ? &c->n_done : &c->n_wrong, 1);
    }
    return NULL;
}

static void *disturb(void *user)
{
    crowd *c = user;
    for (unsigned i = 0; !atomic_load(&c->ends); i++) {
        const pd_status status = pd_residency_unload(c->residency, i % 3 ? tiny : NULL, NULL);
        atomic_fetch_add(&c->n_wrong, status != PD_OK && status != PD_ERR_BUSY);
        pd_residency_prefetch(c->residency, tiny, i % 2 ? PD_PART_TEXT : PD_PART_VISION);
        pd_residency_set_idle(c->residency, i % 2 ? tiny : NULL, i % 5 ? 0.001 : -1);
        (void)look(c->residency, NULL, PD_PART_TEXT);
        nap(1);
    }
    return NULL;
}

static void a_crowd_loads_and_unloads_at_once(void)
{
    enum { N_WORKERS = 6, N_DISTURBERS = 2 };
    crowd c = { .residency = create(cache, 0.001, NULL) };
    pd_lease lease = { 0 };
    REQUIRE(c.residency && borrow(c.residency, PD_PART_TEXT, &lease) == PD_OK);
    CHECK(pd_session_embed_text(lease.session, words, strlen(words), c.expected, NULL) == PD_OK);
    pd_residency_return(c.residency, &lease);
    pthread_t threads[N_WORKERS + N_DISTURBERS];
    for (int i = 0; i < N_WORKERS + N_DISTURBERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, i < N_WORKERS ? work : disturb, &c) == 0);
    nap(2000);
    atomic_store(&c.ends, true);
    for (int i = 0; i < N_WORKERS + N_DISTURBERS; i++)
        pthread_join(threads[i], NULL);
    printf("# %d borrowed\n", atomic_load(&c.n_done));
    CHECK(atomic_load(&c.n_done) > 10 && atomic_load(&c.n_wrong) == 0);
    pd_residency_free(&c.residency);
}

static void running_out_of_memory_leaks_nothing(void)
{
    size_t failed = 0;
    const size_t live = pd_mem_live();
    /* most allocations are those of opening, which test_session goes through: some of these do here */
    for (size_t nth = 1;; nth += nth < 40 ? 1 : 331) {
        pd_residency *residency = NULL;
        pd_lease lease = { 0 };
        const pd_residency_options options = { .cpu_mask = pd_cpu_detect(), .cache_dir = cache };
        (void)pd_mem_fail_at(nth);
        pd_status status = pd_residency_create(&residency, &options, NULL);
        if (status == PD_OK)
            status = pd_residency_borrow(residency, tiny, PD_PART_TEXT, NULL, &lease, NULL);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK ? lease.session != NULL : status == PD_ERR_NOMEM && !lease.entry);
        if (residency && status != PD_OK) { /* and the next borrower has it */
            CHECK(borrow(residency, PD_PART_TEXT, &lease) == PD_OK);
        }
        if (residency)
            pd_residency_return(residency, &lease);
        pd_residency_free(&residency);
        CHECK(pd_mem_live() == live);
        if (status == PD_OK)
            break;
        failed++;
    }
    CHECK(failed > 40);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    if (!source)
        SKIP_ALL("PD_SOURCE is not set: run it through meson test");
    (void)snprintf(tiny, sizeof tiny, "%s/models/tiny", source);
    (void)snprintf(scratch, sizeof scratch, "/tmp/pd-test-residency-XXXXXX");
    if (!mkdtemp(scratch))
        return 1;
    (void)snprintf(cache, sizeof cache, "%s/cache", scratch);
    RUN(all_who_need_a_part_share_one_loading);
    RUN(a_loading_tells_how_far_it_is);
    RUN(a_failure_is_explained_to_all_and_tried_again_by_the_next);
    RUN(a_waiting_borrower_can_be_cancelled);
    RUN(what_rests_is_put_away_and_comes_back);
    RUN(unloading_waits_for_borrowers_and_says_so);
    RUN(another_model_in_a_directory_is_found_while_the_old_one_is_in_use);
    RUN(a_system_short_of_memory_gets_it_back);
    RUN(captioners_go_first);
    RUN(fifty_rounds_leave_nothing_behind);
    RUN(a_crowd_loads_and_unloads_at_once);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
