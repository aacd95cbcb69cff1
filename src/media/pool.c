#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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
    if (!is_cancelled)
        worker->process = process;
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

static pd_status explain_death(pd_status status, int wait_status, uint32_t timeout_ms, pd_error *err)
{
    if (status == PD_ERR_TIMEOUT)
        return pd_error_set(err, PD_ERR_TIMEOUT, "decoding took longer than %u.%u s and was stopped", timeout_ms / 1000,
                            timeout_ms % 1000 / 100);
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == PD_DECODE_EXIT_FILE_IO)
        return pd_error_set(err, PD_ERR_IO, "the file could not be read to its end (a failing disk, or it changed)");
    const char *name = WIFSIGNALED(wait_status) ? sigdescr_np(WTERMSIG(wait_status)) : NULL;
    if (WIFSIGNALED(wait_status))
        return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder crashed on it (signal %d, %s)",
                            WTERMSIG(wait_status), name ? name : "unknown");
    return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder gave up on it (exit status %d)",
                        WEXITSTATUS(wait_status));
}

/* One question to the worker's process; a process that was found dead before it saw the file is replaced once. */
static pd_status ask_worker(pd_media_pool *pool, pool_worker *worker, const pd_decode_request *request, int fd,
                            const picture_slot *slot, pd_picture *ret_picture, pd_error *err)
{
    uint8_t reply[sizeof(pd_decode_reply)];
    size_t bytes = 0;
    const int fds[2] = { fd, slot->fd };
    bool is_cancelled = false;
    pd_status status = PD_ERR_BUSY;
    for (int attempt = 0; attempt < 2 && status == PD_ERR_BUSY; attempt++) {
        PD_TRY(start_worker(pool, worker, err));
        status = pd_process_ask(&worker->process, request, fds, reply, sizeof reply, &bytes);
        if (status != PD_OK) {
            const int wait_status = end_worker(pool, worker, &is_cancelled);
            if (status != PD_ERR_BUSY && !is_cancelled)
                return explain_death(status, wait_status, request->timeout_ms, err);
        }
        if (is_cancelled)
            return pd_error_set(err, PD_ERR_CANCELLED, "decoding was cancelled");
    }
    if (status != PD_OK)
        return pd_error_set(err, PD_ERR_CRASHED, "the picture decoder takes no work");
    bool has_lied = false;
    status = pd_reply_read(reply, bytes, request, slot->map, ret_picture, &has_lied, err);
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

pd_status pd_media_decode(pd_media_pool *pool, int fd, const pd_media_request *request, pd_picture *ret_picture,
                          pd_error *err)
{
    if (request->rendition_side > PD_MEDIA_RENDITION_SIDE_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a picture of %u px was asked for: up to %d are made",
                            request->rendition_side, PD_MEDIA_RENDITION_SIDE_MAX);
    PD_TRY(check_file(fd, err));
    pool_worker *worker = NULL;
    picture_slot *slot = NULL;
    pd_decode_request wire = { .magic = PD_DECODE_MAGIC,
                               .version = PD_DECODE_VERSION,
                               .short_side_min = request->short_side_min,
                               .thumb = request->thumb && !request->rendition_side,
                               .timeout_ms = request->timeout_ms ? request->timeout_ms : PD_MEDIA_FILE_MS_MAX,
                               .rendition_side = request->rendition_side };
    PD_TRY(take(pool, &worker, &slot, &wire.id, err));
    pd_picture picture;
    const pd_status status = ask_worker(pool, worker, &wire, fd, slot, &picture, err);
    give_back_worker(pool, worker);
    if (status != PD_OK) {
        give_back_slot(slot);
        return status;
    }
    picture.slot = slot;
    *ret_picture = picture;
    return PD_OK;
}

void pd_picture_release(pd_picture *picture)
{
    if (picture->slot)
        give_back_slot(picture->slot);
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
