/* A job from outside: pause, speed, log, what is new, retry; with the real decoder and the model that ships. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "media/media.h"
#include "pipeline/stages.h"
#include "scene.h"
#include "test.h"

static char model_dir[4096];
static const char *decoder;
static pd_progress now;
static pd_log_line lines[PD_JOB_LOG_LINES];
static pd_residency *residency; /* of all jobs here; the model is prepared once, in memory */

static void nap(int ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * PD_NS_PER_MS }, NULL); }

/* Learns the scene's "photos" as `wanted` says. */
static pd_job *start(const pd_job_options *wanted)
{
    static char catalogue[4096], vectors[4096], thumbs[4096], photos[4096];
    (void)snprintf(catalogue, sizeof catalogue, "%s", scene_path("catalogue.sqlite"));
    (void)snprintf(vectors, sizeof vectors, "%s", scene_path("vectors"));
    (void)snprintf(thumbs, sizeof thumbs, "%s", scene_path("thumbs"));
    (void)snprintf(photos, sizeof photos, "%s", scene_path("photos"));
    const char *const folders[] = { photos };
    pd_job_options options = *wanted;
    options.folders = folders;
    options.n_folders = 1;
    options.catalogue_path = catalogue;
    options.vectors_dir = vectors;
    options.thumbs_dir = thumbs;
    options.decoder_path = decoder;
    options.model_dir = model_dir;
    options.residency = residency;
    options.cpu_mask = pd_cpu_detect();
    pd_job *job = NULL;
    pd_error error = { 0 };
    if (pd_job_start(&job, &options, &error) != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    return job;
}

static void wait_for_end(pd_job *job)
{
    pd_job_snapshot(job, &now);
    while (now.running)
        pd_job_wait_change(job, now.seq, 1000, &now);
}

/* Waits until `n` files are done. */
static void wait_for_done(pd_job *job, int64_t n)
{
    pd_job_snapshot(job, &now);
    while (now.running && now.done < n)
        pd_job_wait_change(job, now.seq, 1000, &now);
}

static bool make_pictures(unsigned from, unsigned to)
{
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%u/picture-%u.bmp", i % 3, i);
        is_made &= scene_picture(name, i);
    }
    return is_made;
}

/* The lines come one by one or all at once: their numbers have no gaps, and a late reader misses none that is kept. */
static void the_log_has_numbers_without_gaps(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 30) && scene_write("photos/broken.jpg", "no picture", 10));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    uint64_t last = 0;
    do {
        pd_job_wait_change(job, now.seq, 20, &now);
        const size_t n = pd_job_log(job, last, lines, 3);
        for (size_t i = 0; i < n; i++) {
            CHECK(i == 0 || lines[i].number == lines[i - 1].number + 1);
            CHECK(lines[i].number > last || i > 0);
            CHECK(lines[i].text[0] && lines[i].unix_ns > 0);
        }
        last = n ? lines[n - 1].number : last;
    } while (now.running);
    const size_t n = pd_job_log(job, 0, lines, PD_JOB_LOG_LINES);
    CHECK(n >= 4 && lines[0].number == 1 && lines[n - 1].number == n);
    static const char *const said[] = { "model ready in", "found 31 pictures in",
                                        "broken.jpg: ", "finished: 30 learned" };
    for (size_t s = 0; s < PD_COUNT_OF(said); s++) {
        bool found = false;
        for (size_t i = 0; i < n; i++)
            found |= strstr(lines[i].text, said[s]) != NULL;
        if (!found)
            fprintf(stderr, "nobody said: %s\n", said[s]);
        CHECK(found);
    }
    CHECK(strstr(lines[n - 1].text, "1 could not be read"));
    CHECK(pd_job_log(job, 0, lines, 2) == 2 && lines[1].number == n);
    pd_job_finish(&job);
}

static bool is_thumb_there(const uint8_t sha256[PD_SHA256_BYTES])
{
    char *path = pd_thumbs_path(scene_path("thumbs"), sha256);
    const bool there = path && access(path, R_OK) == 0;
    pd_mem_free(path);
    return there;
}

/* Whatever is told as new has its row, its thumbnail, and its vector in the file, at that very moment. */
static void what_is_new_is_really_there(void)
{
    enum { N = 60 };
    REQUIRE(scene_begin() && make_pictures(0, N));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    size_t n_seen = 0;
    int64_t first_learned_ns = 0;
    const int64_t start_ns = pd_clock_ns();
    do {
        pd_job_wait_change(job, now.seq, 1000, &now);
        if (now.learned > 0 && !first_learned_ns)
            first_learned_ns = pd_clock_ns() - start_ns;
        CHECK((now.learned < PD_PROGRESS_NEWEST ? (size_t)now.learned : PD_PROGRESS_NEWEST) == now.n_newest);
        pd_store *store = NULL;
        if (now.n_newest == 0 || pd_store_open(&store, scene_path("catalogue.sqlite"), PD_STORE_READ, NULL) != PD_OK)
            continue;
        for (size_t i = 0; i < now.n_newest; i++, n_seen++) {
            pd_photo photo;
            CHECK(pd_store_photo_by_id(store, now.newest[i].photo, &photo, NULL) == PD_OK && photo.learned_model);
            CHECK(photo.facts.width == now.newest[i].width && photo.facts.height == now.newest[i].height);
            CHECK(is_thumb_there(photo.facts.sha256));
        }
        pd_store_close(&store);
    } while (now.running);
    CHECK(n_seen > 0 && now.learned == N && now.n_newest == PD_PROGRESS_NEWEST);
    CHECK(first_learned_ns > 0);
    printf("# first picture learned after %.0f ms\n", (double)first_learned_ns / 1e6); /* 120 on two idle cores */
    pd_job_finish(&job);
}

/* Waits until nothing changes for a second. The time until the last change, in seconds. */
static double wait_for_rest(pd_job *job)
{
    const int64_t start_ns = pd_clock_ns();
    int64_t changed_ns = start_ns;
    pd_job_snapshot(job, &now);
    for (;;) {
        const uint64_t seq = now.seq;
        pd_job_wait_change(job, seq, 1000, &now);
        if (now.seq == seq)
            break;
        changed_ns = pd_clock_ns();
    }
    return (double)(changed_ns - start_ns) / (double)PD_NS_PER_S;
}

/* What was begun comes to its end, and no more than that: what waits to be written, in a batch and before it, and a few
 * of each thread. */
static void after_a_pause_only_what_was_begun_is_done(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 600));
    for (int speed = 0; speed < PD_SPEED_COUNT; speed++) {
        pd_job *job = start(&(pd_job_options){ .speed = (pd_speed)speed, .n_threads = 2 });
        REQUIRE(job);
        pd_job_snapshot(job, &now);
        wait_for_done(job, now.done + 10);
        pd_job_pause(job, true);
        pd_job_snapshot(job, &now);
        const int64_t at_pause = now.done;
        const double rest_s = wait_for_rest(job);
        printf("# %s: still after %.0f ms and %lld files\n", pd_speed_name((pd_speed)speed), rest_s * 1000,
               (long long)(now.done - at_pause)); /* 100 to 200 ms on two idle cores */
        REQUIRE(now.paused && now.running && now.rate == 0 && now.eta_s == -1);
        CHECK(now.done - at_pause <= 2 * PD_STAGE_BATCH_FILES + 2 * 6 && now.done < now.todo);
        const int64_t done = now.done;
        pd_job_pause(job, false);
        wait_for_done(job, done + 5);
        CHECK(now.done >= done + 5);
        pd_job_cancel(job);
        wait_for_end(job);
        CHECK(now.outcome == PD_ERR_CANCELLED || now.done == now.todo);
        pd_job_finish(&job);
    }
}

/* Pause is felt before the files are even known. */
static void a_pause_holds_the_finding_too(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 200));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    pd_job_pause(job, true);
    (void)wait_for_rest(job);
    CHECK(now.paused && now.running);
    pd_job_cancel(job); /* a paused job can be cancelled */
    wait_for_end(job);
    CHECK(now.outcome == PD_ERR_CANCELLED);
    pd_job_finish(&job);
}

/* As if somebody without privileges ran it: he may lower a priority and never raise it. */
static bool drop_privileges(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 } };
    const struct rlimit none = { 0 };
    if (syscall(SYS_capget, &header, data) != 0 || setrlimit(RLIMIT_NICE, &none) != 0)
        return false;
    data[CAP_SYS_NICE / 32].effective &= ~(1U << (CAP_SYS_NICE % 32));
    return syscall(SYS_capset, &header, data) == 0;
}

/* Greatest nice value of the threads of this process with that name; -100: there are none. */
static int nice_of_threads(const char *name)
{
    DIR *dir = opendir("/proc/self/task");
    int nice = -100;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        char path[300], text[64] = "";
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fgets(text, sizeof text, file) && strncmp(text, name, strlen(name)) == 0) {
            const int value = getpriority(PRIO_PROCESS, (id_t)strtoul(entry->d_name, NULL, 10));
            nice = value > nice ? value : nice;
        }
        fclose(file);
    }
    if (dir)
        closedir(dir);
    return nice;
}

/* Waits until that is their nice value: a round ends with the files in work. False: the job ended first. */
static bool become_nice(pd_job *job, int nice)
{
    while (nice_of_threads("embed") != nice || nice_of_threads("decode") != nice) {
        pd_job_snapshot(job, &now);
        if (!now.running)
            return false;
        nap(50);
    }
    return true;
}

static int64_t count_done(pd_job *job, int ms)
{
    pd_job_snapshot(job, &now);
    const int64_t before = now.done;
    nap(ms);
    pd_job_snapshot(job, &now);
    return now.done - before;
}

static void speed_changes_in_the_middle_without_privileges(void)
{
    enum { N = TEST_SANITIZED ? 150 : 1000, MS = TEST_SANITIZED ? 50 : 250 };
    REQUIRE(scene_begin() && make_pictures(0, N));
    const int own = getpriority(PRIO_PROCESS, 0);
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_GENTLE, .n_threads = 1 });
    REQUIRE(job);
    int64_t n[PD_SPEED_COUNT] = { 0 };
    static const struct {
        pd_speed speed;
        int nice;
    } turns[] = { { PD_SPEED_GENTLE, 19 }, { PD_SPEED_FULL, 0 },   { PD_SPEED_NORMAL, 5 },
                  { PD_SPEED_GENTLE, 19 }, { PD_SPEED_NORMAL, 5 }, { PD_SPEED_FULL, 0 } };
    wait_for_done(job, 8);
    for (size_t i = 0; i < PD_COUNT_OF(turns); i++) {
        pd_job_speed(job, turns[i].speed);
        const int nice = turns[i].nice > own ? turns[i].nice : own;
        CHECK(become_nice(job, nice));
        pd_job_snapshot(job, &now);
        REQUIRE(now.running && now.speed == turns[i].speed);
        wait_for_done(job, now.done + 4);
        n[turns[i].speed] += count_done(job, MS);
    }
    CHECK(getpriority(PRIO_PROCESS, 0) == own);
    printf("# files in %d ms: gentle %lld, normal %lld, full %lld\n", 2 * MS, (long long)n[PD_SPEED_GENTLE],
           (long long)n[PD_SPEED_NORMAL], (long long)n[PD_SPEED_FULL]);
    /* gentle is 0.2 to 0.3 of full on a machine that does nothing else: told, not judged (see test_board.c) */
    pd_job_cancel(job);
    wait_for_end(job);
    pd_job_finish(&job);
    /* nothing was lost or done twice by the changes */
    job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    const int64_t learned = now.learned;
    wait_for_end(job);
    CHECK(now.outcome == PD_OK && now.learned + learned == N && now.unchanged == learned);
    pd_job_finish(&job);
}

static void a_gentle_job_ends_when_it_is_cancelled(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 40));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_GENTLE });
    REQUIRE(job);
    wait_for_done(job, 1);
    pd_job_cancel(job);
    wait_for_end(job);
    CHECK(now.outcome == PD_ERR_CANCELLED || now.done == now.todo);
    pd_job_finish(&job);
}

/* Only the files that failed are looked at again. That the others were not read is seen by what is in them now. */
static void retry_touches_only_what_failed(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 6));
    REQUIRE(scene_write("photos/a.jpg", "no picture", 10) && scene_write("photos/b.jpg", "nothing here", 12));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.outcome == PD_ERR_PARTIAL && now.learned == 6 && now.failed == 2);
    pd_job_finish(&job);

    /* other bytes under the same size and time: a run that reads them would notice */
    char *path = pd_mem_dup_string(scene_path("photos/0/picture-0.bmp"));
    REQUIRE(path);
    struct stat st;
    CHECK(stat(path, &st) == 0);
    CHECK(scene_picture("photos/0/picture-0.bmp", 77) && scene_picture("photos/b.jpg", 99));
    const struct timespec times[2] = { st.st_mtim, st.st_mtim };
    CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
    pd_mem_free(path);

    job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.todo == 1 && now.learned == 1 && now.failed == 1 && now.unchanged == 6); /* b.jpg looks different now */
    pd_job_finish(&job);

    job = start(&(pd_job_options){ .speed = PD_SPEED_FULL, .retry = true });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.todo == 1 && now.done == 1 && now.failed == 1 && now.learned == 0 && now.unchanged == 7);
    pd_job_finish(&job);

    job = start(&(pd_job_options){ .speed = PD_SPEED_FULL, .recheck = true });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.todo == 8 && now.failed == 1 && now.learned == 1); /* recheck does notice */
    pd_job_finish(&job);
}

static const char *find_word(const char *name, pd_text_kind kind)
{
    static char word[256];
    pd_store *store = NULL;
    pd_photo photo;
    word[0] = '\0';
    if (pd_store_open(&store, scene_path("catalogue.sqlite"), PD_STORE_READ, NULL) == PD_OK &&
        pd_store_photo_by_path(store, scene_path(name), &photo, NULL) == PD_OK) {
        const char *text = pd_texts_find(photo.facts.texts, kind);
        (void)snprintf(word, sizeof word, "%s", text ? text : "");
        CHECK(photo.facts.has_phash && photo.facts.reader == PD_MEDIA_READER_VERSION);
    }
    pd_store_close(&store);
    return word;
}

static bool write_sidecar(const char *name, const char *title)
{
    char xmp[600];
    const int n =
        snprintf(xmp, sizeof xmp,
                 "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF"
                 " xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
                 " xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><rdf:Alt><rdf:li>%s</rdf:li></rdf:Alt>"
                 "</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>",
                 title);
    return scene_write(name, xmp, (size_t)n);
}

static void run_once(int64_t learned, int64_t todo)
{
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.learned == learned && now.todo == todo && now.failed == 0);
    pd_job_finish(&job);
}

static void sidecars_are_read_when_they_come_change_and_go(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 2) && write_sidecar("photos/0/picture-0.xmp", "First"));
    run_once(2, 2);
    CHECK(strcmp(find_word("photos/0/picture-0.bmp", PD_TEXT_TITLE), "First") == 0);
    CHECK(strcmp(find_word("photos/1/picture-1.bmp", PD_TEXT_TITLE), "") == 0);
    REQUIRE(write_sidecar("photos/0/picture-0.xmp", "Second") && scene_touch("photos/0/picture-0.xmp", 5000));
    REQUIRE(write_sidecar("photos/1/picture-1.bmp.xmp", "Third"));
    run_once(0, 2); /* read again, not learned again */
    CHECK(strcmp(find_word("photos/0/picture-0.bmp", PD_TEXT_TITLE), "Second") == 0);
    CHECK(strcmp(find_word("photos/1/picture-1.bmp", PD_TEXT_TITLE), "Third") == 0);
    run_once(0, 0);
    REQUIRE(unlink(scene_path("photos/0/picture-0.xmp")) == 0);
    run_once(0, 1);
    CHECK(strcmp(find_word("photos/0/picture-0.bmp", PD_TEXT_TITLE), "") == 0);
}

/* The cache may be missing, or of somebody else: what it would keep is made when it is looked at. */
static void without_a_place_for_thumbnails_all_is_learned(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3) && scene_write("thumbs", "no folder", 9));
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.learned == 3 && now.failed == 0 && now.outcome == PD_OK);
    unsigned n_told = 0;
    for (size_t i = pd_job_log(job, 0, lines, PD_JOB_LOG_LINES); i > 0; i--)
        n_told += lines[i - 1].level == PD_LOG_WARNING && strstr(lines[i - 1].text, "no thumbnails") != NULL;
    CHECK(n_told == 1);
    pd_job_finish(&job);
}

typedef struct watcher {
    pd_job *job;
    atomic_bool stop;
    unsigned n_samples, n_bad;
} watcher;

static bool is_sound(const pd_progress *before, const pd_progress *p)
{
    const int64_t was[] = { before->found, before->done,    before->learned, before->unchanged,
                            before->moved, before->skipped, before->failed };
    const int64_t is[] = { p->found, p->done, p->learned, p->unchanged, p->moved, p->skipped, p->failed };
    bool good = p->done <= p->todo && p->learned + p->unchanged + p->moved + p->failed <= p->found;
    for (size_t i = 0; i < PD_COUNT_OF(is); i++)
        good &= is[i] >= was[i] && is[i] >= 0;
    good &= p->seq >= before->seq && p->phase >= before->phase && p->fraction >= before->fraction && p->fraction <= 1;
    good &= (p->eta_s >= 0 || p->eta_s == -1) && p->rate >= 0 && p->elapsed_s >= before->elapsed_s;
    return good && p->n_newest <= PD_PROGRESS_NEWEST && p->n_errors <= PD_PROGRESS_ERRORS;
}

static void *watch(void *user)
{
    static pd_progress before, p;
    watcher *w = user;
    pd_job_snapshot(w->job, &before);
    while (!atomic_load(&w->stop)) {
        pd_job_wait_change(w->job, before.seq, 2, &p);
        w->n_bad += !is_sound(&before, &p);
        w->n_samples++;
        before = p;
    }
    return NULL;
}

static void every_snapshot_is_consistent(void)
{
    enum { N = 200 };
    REQUIRE(scene_begin() && make_pictures(0, N));
    for (unsigned i = 0; i < 20; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/copy-%u.bmp", i);
        REQUIRE(scene_picture(name, i)); /* the same bytes as others */
        (void)snprintf(name, sizeof name, "photos/bad-%u.jpg", i);
        REQUIRE(scene_write(name, name, 12));
    }
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    watcher w = { .job = job };
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, watch, &w) == 0);
    uint32_t state = 1;
    unsigned n_turns = 0;
    do {
        state = state * 1664525u + 1013904223u;
        nap((int)(state >> 27));
        const bool play = n_turns++ < 400; /* some 6 s; a busy machine would never end else */
        pd_job_pause(job, play && state & 1 << 20);
        if (n_turns == 400)
            pd_job_speed(job, PD_SPEED_FULL);
        else if (play && (state >> 21 & 7) == 0)
            pd_job_speed(job, (pd_speed)((state >> 24) % PD_SPEED_COUNT));
        pd_job_snapshot(job, &now);
    } while (now.running);
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    printf("# %u snapshots\n", w.n_samples);
    CHECK(w.n_bad == 0 && w.n_samples > 20);
    CHECK(now.found == N + 40 && now.learned == N && now.unchanged == 20 && now.failed == 20 && now.done == now.todo);
    pd_job_finish(&job);
}

/* Copies wait for the first of them to be learned, and not for one another: they come to the catalogue together. */
static void copies_do_not_wait_for_one_another(void)
{
    enum { N = 20 };
    REQUIRE(scene_begin());
    for (unsigned i = 0; i < N; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/copy-%u.bmp", i);
        REQUIRE(scene_picture(name, 1));
        (void)snprintf(name, sizeof name, "photos/bad-%u.jpg", i);
        REQUIRE(scene_write(name, "no picture", 10));
    }
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    unsigned n_batches = 0;
    pd_job_snapshot(job, &now);
    while (now.running) {
        const int64_t done = now.done;
        pd_job_wait_change(job, now.seq, 1000, &now);
        n_batches += now.done > done;
    }
    printf("# %u batches\n", n_batches);
    CHECK(now.learned == 1 && now.unchanged == N - 1 && now.failed == N);
    CHECK(n_batches < N / 2);
    pd_job_finish(&job);
}

typedef struct told {
    pd_folder_count last;
    unsigned n_calls, stop_after;
} told;

static bool tell(void *user, const pd_folder_count *count)
{
    told *t = user;
    CHECK(count->pictures >= t->last.pictures && count->folders >= t->last.folders && count->files >= t->last.files);
    CHECK(!t->last.complete);
    t->last = *count;
    return ++t->n_calls != t->stop_after;
}

static void a_count_is_what_a_job_finds(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 24));
    REQUIRE(scene_write("photos/.hidden.jpg", "x", 1) && scene_write("photos/.hidden/a.jpg", "x", 1) &&
            scene_write("photos/@eaDir/a.jpg", "x", 1) && scene_write("photos/left/out/a.jpg", "x", 1) &&
            scene_write("photos/left/.pixeldetectiveignore", "", 0) && scene_write("photos/a.txt", "x", 1) &&
            scene_write("photos/a.pdf", "x", 1) && scene_folder("photos/empty"));
    CHECK(symlink(scene_path("photos/0"), scene_path("photos/link")) == 0);
    told t = { .n_calls = 0 };
    CHECK(pd_folder_count_pictures(scene_path("photos"), tell, &t, NULL) == PD_OK);
    CHECK(t.last.complete && t.last.pictures == 24 && t.last.files == 26 + 1 && t.last.folders == 5);
    pd_job *job = start(&(pd_job_options){ .speed = PD_SPEED_FULL });
    REQUIRE(job);
    wait_for_end(job);
    CHECK(now.found == t.last.pictures);
    pd_job_finish(&job);

    t = (told){ .stop_after = 1 };
    CHECK(pd_folder_count_pictures(scene_path("photos"), tell, &t, NULL) == PD_ERR_CANCELLED && t.n_calls == 1);
    pd_error error = { 0 };
    CHECK(pd_folder_count_pictures(scene_path("nowhere"), tell, &t, &error) == PD_ERR_NOT_FOUND && error.message[0]);
    CHECK(pd_folder_count_pictures(scene_path("photos/a.txt"), tell, &t, &error) == PD_ERR_FORMAT);
}

static void counting_survives_any_lack_of_memory(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3));
    const size_t live = pd_mem_live();
    size_t tries = 1;
    for (bool done = false; !done && tries < 1000; tries++) {
        told t = { .n_calls = 0 };
        (void)pd_mem_fail_at(tries);
        const pd_status status = pd_folder_count_pictures(scene_path("photos"), tell, &t, NULL);
        done = pd_mem_fail_at(0) < tries;
        /* a folder that cannot be shown in a sentence is counted all the same */
        CHECK((status == PD_OK || (!done && status == PD_ERR_NOMEM)) && t.last.complete == (status == PD_OK));
        CHECK(pd_mem_live() == live);
    }
    CHECK(tries > 3 && tries < 1000);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    decoder = getenv("PD_DECODER");
    if (!source || !decoder)
        SKIP_ALL("PD_SOURCE and PD_DECODER are not set: run it through meson test");
    (void)snprintf(model_dir, sizeof model_dir, "%s/models/tiny", source);
    pd_error error;
    const pd_residency_options options = { .cpu_mask = pd_cpu_detect() };
    if (pd_residency_create(&residency, &options, &error) != PD_OK)
        return EXIT_FAILURE;
    if (!drop_privileges())
        fprintf(stderr, "cannot drop CAP_SYS_NICE: priorities are tested with it\n");
    RUN(the_log_has_numbers_without_gaps);
    RUN(what_is_new_is_really_there);
    RUN(after_a_pause_only_what_was_begun_is_done);
    RUN(a_pause_holds_the_finding_too);
    RUN(speed_changes_in_the_middle_without_privileges);
    RUN(a_gentle_job_ends_when_it_is_cancelled);
    RUN(retry_touches_only_what_failed);
    RUN(sidecars_are_read_when_they_come_change_and_go);
    RUN(without_a_place_for_thumbnails_all_is_learned);
    RUN(every_snapshot_is_consistent);
    RUN(copies_do_not_wait_for_one_another);
    RUN(a_count_is_what_a_job_finds);
    RUN(counting_survives_any_lack_of_memory);
    scene_end();
    pd_residency_free(&residency);
    return TEST_RESULT();
}
