#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "media/media.h"
#include "media/process.h"
#include "media/protocol.h"
#include "media/reply.h"

enum {
    PROCESSES_MAX = 64,
    SLOTS_MAX = 4096,
    SLOTS_A_PROCESS = 3, /* one being filled, one waiting, one being embedded */
};

typedef struct picture_slot {
    pd_media_pool *pool;
    const uint8_t *map; /* PD_DECODE_SLOT_BYTES, read-only here */
    int fd;             /* memfd, sealed against resizing */
    bool is_taken;
} picture_slot;

typedef struct pool_worker {
    pd_process process; /* pid 0: not started, or ended */
    uint8_t *answer;    /* [PD_DECODE_ANSWER_BYTES_MAX] */
    bool is_taken;
} pool_worker;

struct pd_media_pool {
    pthread_mutex_t lock; /* guards all below; never held while a decoder works */
    pthread_cond_t freed; /* a slot or a worker was given back, or the pool cancelled */
    char *decoder_path;
    pool_worker *workers; /* [n_workers] */
    picture_slot *slots;  /* [n_slots] */
    unsigned n_workers, n_slots;
    uint64_t last_id;
    uint32_t walls; /* of the process that was started last */
    bool is_cancelled;
};

void pd_media_options_init(pd_media_options *ret_options)
{
    unsigned n = pd_thread_cpu_count();
    n = n > PROCESSES_MAX ? PROCESSES_MAX : n;
    *ret_options = (pd_media_options){ .n_processes = n, .n_slots = n * SLOTS_A_PROCESS };
}

/* The first place that exists; when none does, the first one, for the error to name it. */
static pd_status find_decoder(char **ret_path, const pd_media_options *options, pd_error *err)
{
    static const char *const places[] = { "pixel-detective-decoder",
                                          "../libexec/pixel-detective/pixel-detective-decoder" };
    char *path = NULL;
    if (options->decoder_path) {
        path = pd_mem_dup_string(options->decoder_path);
    } else {
        char *dir = pd_executable_dir();
        for (size_t i = 0; dir && i < PD_COUNT_OF(places); i++) {
            char *candidate = pd_path_join(dir, places[i]);
            if (!candidate || pd_file_exists(candidate)) {
                pd_mem_free(path);
                path = candidate;
                break;
            }
            if (path)
                pd_mem_free(candidate);
            else
                path = candidate;
        }
        pd_mem_free(dir);
    }
    if (!path)
        return pd_error_set_nomem(err);
    *ret_path = path;
    return PD_OK;
}

static pd_status open_slot(picture_slot *ret_slot, pd_media_pool *pool, pd_error *err)
{
    const int fd = memfd_create("pd-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot make shared memory for pictures");
    void *map = MAP_FAILED;
    if (ftruncate(fd, PD_DECODE_SLOT_BYTES) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        map = mmap(NULL, PD_DECODE_SLOT_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        const int error = errno;
        (void)close(fd);
        return pd_error_set_errno(err, error, "cannot map shared memory for pictures");
    }
    *ret_slot = (picture_slot){ .pool = pool, .map = map, .fd = fd };
    return PD_OK;
}

static void close_slot(picture_slot *slot)
{
    if (!slot->map)
        return;
    (void)munmap((void *)(uintptr_t)slot->map, PD_DECODE_SLOT_BYTES);
    (void)close(slot->fd);
}

pd_status pd_media_pool_create(pd_media_pool **ret_pool, const pd_media_options *options, pd_error *err)
{
    if (options->n_processes < 1 || options->n_processes > PROCESSES_MAX)
        return pd_error_set(err, PD_ERR_USAGE, "%u decoder processes were asked for: 1 to %d are possible",
                            options->n_processes, PROCESSES_MAX);
    if (options->n_slots < options->n_processes || options->n_slots > SLOTS_MAX)
        return pd_error_set(err, PD_ERR_USAGE, "%u picture slots for %u processes: %u to %d are possible",
                            options->n_slots, options->n_processes, options->n_processes, SLOTS_MAX);
    pd_media_pool *pool = pd_mem_alloc(1, sizeof *pool);
    if (!pool)
        return pd_error_set_nomem(err);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->freed, NULL);
    pd_status status = find_decoder(&pool->decoder_path, options, err);
    if (status != PD_OK)
        goto done;
    pool->workers = pd_mem_alloc(options->n_processes, sizeof *pool->workers);
    pool->slots = pd_mem_alloc(options->n_slots, sizeof *pool->slots);
    if (!pool->workers || !pool->slots) {
        status = pd_error_set_nomem(err);
        goto done;
    }
    pool->n_workers = options->n_processes;
    for (unsigned i = 0; status == PD_OK && i < pool->n_workers; i++) {
        pool->workers[i].answer = pd_mem_alloc(PD_DECODE_ANSWER_BYTES_MAX, 1);
        if (!pool->workers[i].answer)
            status = pd_error_set_nomem(err);
    }
    for (; status == PD_OK && pool->n_slots < options->n_slots; pool->n_slots += status == PD_OK)
        status = open_slot(&pool->slots[pool->n_slots], pool, err);
done:
    if (status == PD_OK)
        *ret_pool = pool;
    else
        pd_media_pool_free(&pool);
    return status;
}

void pd_media_pool_free(pd_media_pool **pool)
{
    pd_media_pool *p = *pool;
    if (!p)
        return;
    for (unsigned i = 0; i < p->n_workers; i++) {
        PD_CHECK(!p->workers[i].is_taken);
        (void)pd_process_end(&p->workers[i].process);
        pd_mem_free(p->workers[i].answer);
    }
    for (unsigned i = 0; i < p->n_slots; i++) {
        PD_CHECK(!p->slots[i].is_taken);
        close_slot(&p->slots[i]);
    }
    pd_mem_free(p->workers);
    pd_mem_free(p->slots);
    pd_mem_free(p->decoder_path);
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->lock);
    pd_mem_free(p);
    *pool = NULL;
}

/* The free worker to use next: one whose process runs, before one that would have to be started. */
static pool_worker *find_worker(const pd_media_pool *pool)
{
    pool_worker *found = NULL;
    for (unsigned i = 0; i < pool->n_workers; i++) {
        pool_worker *candidate = &pool->workers[i];
        if (!candidate->is_taken && (!found || (!found->process.pid && candidate->process.pid)))
            found = candidate;
    }
    return found;
}

static picture_slot *find_slot(const pd_media_pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (!pool->slots[i].is_taken)
            return &pool->slots[i];
    return NULL;
}

/* Waits for a slot and a worker and takes both. */
static pd_status take(pd_media_pool *pool, pool_worker **ret_worker, picture_slot **ret_slot, uint64_t *ret_id,
                      pd_error *err)
{
    pthread_mutex_lock(&pool->lock);
    pool_worker *w = NULL;
    picture_slot *s = NULL;
    while (!pool->is_cancelled && (!(w = find_worker(pool)) || !(s = find_slot(pool))))
        pthread_cond_wait(&pool->freed, &pool->lock);
    const bool is_cancelled = pool->is_cancelled;
    if (!is_cancelled) {
        w->is_taken = s->is_taken = true;
        *ret_id = ++pool->last_id;
        *ret_worker = w;
        *ret_slot = s;
    }
    pthread_mutex_unlock(&pool->lock);
    return is_cancelled ? pd_error_set(err, PD_ERR_CANCELLED, "decoding was cancelled") : PD_OK;
}

/* What the last picture left goes back to the system at once: neither memory nor pixels outlive their use. */
static void empty_slot(const picture_slot *slot)
{
    (void)fallocate(slot->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PD_DECODE_SLOT_BYTES);
}

static void give_back_slot(picture_slot *slot)
{
    empty_slot(slot);
    pthread_mutex_lock(&slot->pool->lock);
    slot->is_taken = false;
    pthread_cond_broadcast(&slot->pool->freed);
    pthread_mutex_unlock(&slot->pool->lock);
}

static void give_back_worker(pd_media_pool *pool, pool_worker *worker)
{
    pthread_mutex_lock(&pool->lock);
    worker->is_taken = false;
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}

/* Makes sure that the worker has a process. It becomes visible to pd_media_pool_cancel only when it runs. */
static pd_status start_worker(pd_media_pool *pool, pool_worker *worker, pd_error *err)
{
    if (worker->process.pid)
        return PD_OK;
    pd_process process;
    PD_TRY(pd_process_start(&process, pool->decoder_path, err));
    pthread_mutex_lock(&pool->lock);
    const bool is_cancelled = pool->is_cancelled;
    if (!is_cancelled) {
        worker->process = process;
        pool->walls = process.walls;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!is_cancelled)
        return PD_OK;
    (void)pd_process_end(&process);
    return pd_error_set(err, PD_ERR_CANCELLED, "decoding was cancelled");
}

/* Ends the worker's process, hidden from pd_media_pool_cancel first: a reaped process id may belong to somebody else.
 * *ret_cancelled: the pool was cancelled, so that the process may have been killed by us. */
static int end_worker(pd_media_pool *pool, pool_worker *worker, bool *ret_cancelled)
{
    pthread_mutex_lock(&pool->lock);
    pd_process process = worker->process;
    worker->process = (pd_process){ 0 };
    *ret_cancelled = pool->is_cancelled;
    pthread_mutex_unlock(&pool->lock);
    return pd_process_end(&process);
}

static pd_status explain_timeout(uint32_t timeout_ms, pd_error *err)
{
    return pd_error_set(err, PD_ERR_TIMEOUT, "decoding took longer than %u.%u s and was stopped", timeout_ms / 1000,
                        timeout_ms % 1000 / 100);
}

static pd_status explain_exit(int exit_status, pd_error *err)
{
    if (exit_status == PD_DECODE_EXIT_FILE_IO)
        return pd_error_set(err, PD_ERR_IO, "the file could not be read to its end (a failing disk, or it changed)");
    if (exit_status == PD_DECODE_EXIT_MEMORY)
        return pd_error_set(err, PD_ERR_LIMIT, "decoding it takes more than %llu MiB of memory",
                            (unsigned long long)PD_MEDIA_DECODER_BYTES_MAX >> 20);
    return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder gave up on it (exit status %d)", exit_status);
}

static pd_status explain_signal(int signal_number, uint32_t timeout_ms, pd_error *err)
{
    switch (signal_number) {
    case SIGXCPU: /* the clocks of the decoder itself (decoder/sandbox.c) */
    case SIGALRM: return explain_timeout(timeout_ms, err);
    case SIGSYS:
        return pd_error_set(err, PD_ERR_CRASHED,
                            "the picture decoder tried what it may not do, and was stopped: do not trust this file");
    case SIGKILL:
        return pd_error_set(err, PD_ERR_CRASHED,
                            "the picture decoder was ended by the system (the machine may be short of memory)");
    default: break;
    }
    const char *name = sigdescr_np(signal_number);
    return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder crashed on it (signal %d, %s)", signal_number,
                        name ? name : "unknown");
}

static pd_status explain_death(pd_status status, int wait_status, uint32_t timeout_ms, pd_error *err)
{
    if (status == PD_ERR_TIMEOUT)
        return explain_timeout(timeout_ms, err);
    if (WIFSIGNALED(wait_status))
        return explain_signal(WTERMSIG(wait_status), timeout_ms, err);
    return explain_exit(WEXITSTATUS(wait_status), err);
}

typedef struct question {
    pd_decode_request wire;
    int fds[3]; /* the picture, the slot, the sidecar (when wire.has_sidecar) */
    const picture_slot *slot;
} question;

/* One question to the worker's process; a process that was found dead before it saw the file is replaced once. */
static pd_status ask_worker(pd_media_pool *pool, pool_worker *worker, const question *asked, pd_picture *ret_picture,
                            pd_error *err)
{
    size_t bytes = 0;
    bool is_cancelled = false;
    pd_status status = PD_ERR_BUSY;
    for (int attempt = 0; attempt < 2 && status == PD_ERR_BUSY; attempt++) {
        PD_TRY(start_worker(pool, worker, err));
        status = pd_process_ask(&worker->process, &asked->wire, asked->fds, worker->answer, PD_DECODE_ANSWER_BYTES_MAX,
                                &bytes);
        if (status != PD_OK) {
            const int wait_status = end_worker(pool, worker, &is_cancelled);
            if (status != PD_ERR_BUSY && !is_cancelled)
                return explain_death(status, wait_status, asked->wire.timeout_ms, err);
        }
        if (is_cancelled)
            return pd_error_set(err, PD_ERR_CANCELLED, "decoding was cancelled");
    }
    if (status != PD_OK)
        return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder takes no work");
    bool has_lied = false;
    status = pd_reply_read(worker->answer, bytes, &asked->wire, asked->slot->map, ret_picture, &has_lied, err);
    if (has_lied)
        (void)end_worker(pool, worker, &is_cancelled);
    return status;
}

static pd_status check_file(int fd, pd_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return pd_error_set_errno(err, errno, "cannot look at the file");
    if (!S_ISREG(info.st_mode))
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "not a regular file");
    if (info.st_size == 0)
        return pd_error_set(err, PD_ERR_FORMAT, "the file is empty");
    if ((uint64_t)info.st_size > PD_MEDIA_FILE_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the file has %lld MiB: pictures of up to %llu MiB are read",
                            (long long)info.st_size >> 20, (unsigned long long)PD_MEDIA_FILE_BYTES_MAX >> 20);
    return PD_OK;
}

/* The whole way of one question: process and slot are taken, asked and, but for the slot of an answer, given back. */
static pd_status ask(pd_media_pool *pool, question *asked, int fd, int other_fd, pd_picture *ret_picture, pd_error *err)
{
    pool_worker *worker = NULL;
    picture_slot *slot = NULL;
    asked->wire.magic = PD_DECODE_MAGIC;
    asked->wire.version = PD_DECODE_VERSION;
    PD_TRY(take(pool, &worker, &slot, &asked->wire.id, err));
    memcpy(asked->fds, (int[]){ fd, slot->fd, other_fd }, sizeof asked->fds);
    asked->slot = slot;
    pd_picture picture;
    const pd_status status = ask_worker(pool, worker, asked, &picture, err);
    give_back_worker(pool, worker);
    if (status != PD_OK) {
        give_back_slot(slot);
        return status;
    }
    picture.slot = slot;
    *ret_picture = picture;
    return PD_OK;
}

pd_status pd_media_decode(pd_media_pool *pool, int fd, const pd_media_request *request, pd_picture *ret_picture,
                          pd_error *err)
{
    if (request->rendition_side > PD_MEDIA_RENDITION_SIDE_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a picture of %u px was asked for: up to %d are made",
                            request->rendition_side, PD_MEDIA_RENDITION_SIDE_MAX);
    PD_TRY(check_file(fd, err));
    question asked = { .wire = { .short_side_min = request->short_side_min,
                                 .thumb = request->thumb && !request->rendition_side && !request->meta_only,
                                 .timeout_ms = request->timeout_ms ? request->timeout_ms : PD_MEDIA_FILE_MS_MAX,
                                 .rendition_side = request->rendition_side,
                                 .meta_only = request->meta_only && !request->rendition_side,
                                 .has_sidecar = request->has_sidecar } };
    return ask(pool, &asked, fd, request->sidecar_fd, ret_picture, err);
}

/* What a new sidecar begins as: XMP that says nothing. */
static const char empty_sidecar[] = "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                                    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
                                    " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
                                    " </rdf:RDF>\n"
                                    "</x:xmpmeta>\n"
                                    "<?xpacket end=\"w\"?>\n";

static pd_status make_memory_file(const char *bytes, size_t len, int *ret_fd, pd_error *err)
{
    const int fd = memfd_create("pd-words", MFD_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot make shared memory for a sidecar");
    if (len > 0 && pd_fd_write_all(fd, bytes, len) != PD_OK) {
        const pd_status status = pd_error_set_errno(err, errno, "cannot fill shared memory for a sidecar");
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return PD_OK;
}

static pd_status merge_sidecar(pd_media_pool *pool, const int fds[2], int32_t rating, char **ret_xmp, size_t *ret_bytes,
                               pd_error *err)
{
    question asked = { .wire = { .timeout_ms = PD_MEDIA_FILE_MS_MAX, .has_sidecar = 1, .merge = 1, .rating = rating } };
    pd_picture answer;
    PD_TRY(check_file(fds[0], err));
    PD_TRY(ask(pool, &asked, fds[0], fds[1], &answer, err));
    char *xmp = pd_mem_dup(answer.rendition, answer.rendition_bytes);
    const size_t bytes = answer.rendition_bytes;
    pd_picture_release(&answer);
    if (!xmp)
        return pd_error_set_nomem(err);
    *ret_xmp = xmp;
    *ret_bytes = bytes;
    return PD_OK;
}

pd_status pd_media_merge_sidecar(pd_media_pool *pool, int fd, const pd_sidecar_words *words, char **ret_xmp,
                                 size_t *ret_bytes, pd_error *err)
{
    int fds[2] = { fd, -1 };
    pd_status status = PD_OK;
    if (fd < 0)
        status = make_memory_file(empty_sidecar, sizeof empty_sidecar - 1, &fds[0], err);
    if (status == PD_OK)
        status = make_memory_file(words->texts.bytes, words->texts.len, &fds[1], err);
    if (status == PD_OK)
        status = merge_sidecar(pool, fds, words->rating, ret_xmp, ret_bytes, err);
    if (fds[1] >= 0)
        close(fds[1]);
    if (fd < 0 && fds[0] >= 0)
        close(fds[0]);
    return status;
}

void pd_picture_release(pd_picture *picture)
{
    if (picture->slot)
        give_back_slot(picture->slot);
    pd_mem_free((void *)(uintptr_t)picture->texts.bytes);
    *picture = (pd_picture){ 0 };
}

void pd_media_pool_cancel(pd_media_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_cancelled = true;
    for (unsigned i = 0; i < pool->n_workers; i++) {
        pool_worker *worker = &pool->workers[i];
        if (worker->is_taken) {
            if (worker->process.pid)
                (void)kill(worker->process.pid, SIGKILL); /* its thread sees the end of the socket, and reaps */
        } else {
            (void)pd_process_end(&worker->process);
        }
    }
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}

uint32_t pd_media_walls(pd_media_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    const uint32_t walls = pool->walls;
    pthread_mutex_unlock(&pool->lock);
    return walls;
}

void pd_media_walls_describe(uint32_t walls, char *ret_text, size_t size)
{
    static const char *const names[] = {
        "system calls", "files", "network", "signals", "privileges", "limits", "memory"
    };
    if ((walls & PD_WALLS_ALL) == PD_WALLS_ALL) {
        (void)snprintf(ret_text, size, "decoders work behind all %zu walls", PD_COUNT_OF(names));
        return;
    }
    int n = snprintf(ret_text, size, "decoders work without these walls, which this system does not offer");
    for (size_t i = 0; i < PD_COUNT_OF(names) && n > 0 && (size_t)n < size; i++)
        if (!(walls & (1U << i)))
            n += snprintf(ret_text + n, size - (size_t)n, "%s %s", strchr(ret_text, ':') ? "," : ":", names[i]);
}
