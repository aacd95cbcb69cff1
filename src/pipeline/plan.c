#include "pipeline/plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/beneath.h"
#include "base/mem.h"
#include "media/media.h"
#include "pipeline/walk.h"

#define FLUSH_FILES 256 /* counts go to the board in lots: its lock is not for every file */

/* A photo that the catalogue knows below the folders that are walked. */
typedef struct known {
    int64_t id, bytes, mtime_ns, content, sidecar_ns;
    const char *path;
    size_t root;
    bool learned, failed;
    bool outdated; /* its metadata was found by older readers */
    bool seen;     /* met as a file, or in a folder that cannot be read */
    bool folder;   /* met as a folder */
} known;

/* Known photos by path: open addressing, at most half full. */
typedef struct scan {
    pd_plan *plan;
    const pd_plan_options *options;
    pd_board *board;
    pd_text_pool texts;
    known *knowns;
    size_t n_known, known_capacity;
    size_t *slots; /* index + 1; 0: free */
    size_t n_slots;
    size_t root; /* whose states are being visited */
    pd_board_counts counts;
    size_t n_counted;
    pd_status status;
} scan;

/* FNV-1a, 64 bits. */
static size_t hash_path(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ (hash >> 32));
}

static known *find_known(const scan *s, const char *path)
{
    if (s->n_slots == 0)
        return NULL;
    for (size_t i = hash_path(path) & (s->n_slots - 1); s->slots[i]; i = (i + 1) & (s->n_slots - 1)) {
        known *k = &s->knowns[s->slots[i] - 1];
        if (strcmp(k->path, path) == 0)
            return k;
    }
    return NULL;
}

static bool build_slots(scan *s)
{
    s->n_slots = 16;
    while (s->n_slots < 2 * s->n_known)
        s->n_slots *= 2;
    s->slots = pd_mem_alloc(s->n_slots, sizeof *s->slots);
    if (!s->slots)
        return false;
    for (size_t k = 0; k < s->n_known; k++) {
        size_t i = hash_path(s->knowns[k].path) & (s->n_slots - 1);
        while (s->slots[i])
            i = (i + 1) & (s->n_slots - 1);
        s->slots[i] = k + 1;
    }
    return true;
}

static bool is_walked(const pd_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->n_targets; i++) {
        if (pd_path_is_within(path, plan->targets[i].path))
            return true;
    }
    return false;
}

static bool visit_state(void *user, const pd_photo_state *state)
{
    scan *s = user;
    if (!s->plan->roots[s->root].whole && !is_walked(s->plan, state->path))
        return true;
    known *knowns = pd_list_grow(s->knowns, &s->known_capacity, s->n_known, sizeof *knowns);
    if (knowns)
        s->knowns = knowns;
    const char *path = knowns ? pd_text_pool_keep(&s->texts, state->path) : NULL;
    if (!path) {
        s->status = PD_ERR_NOMEM;
        return false;
    }
    knowns[s->n_known++] = (known){ .id = state->id,
                                    .bytes = state->bytes,
                                    .mtime_ns = state->mtime_ns,
                                    .content = state->content,
                                    .sidecar_ns = state->sidecar_ns,
                                    .outdated = state->content && state->reader < PD_MEDIA_READER_VERSION,
                                    .path = path,
                                    .root = s->root,
                                    .learned = state->learned,
                                    .failed = state->failed };
    return true;
}

static pd_status load_known(scan *s, pd_store *store, pd_error *err)
{
    for (s->root = 0; s->root < s->plan->n_roots; s->root++) {
        const pd_plan_root *root = &s->plan->roots[s->root];
        if (root->scanned)
            PD_TRY(pd_store_photo_states(store, root->id, s->options->model, visit_state, s, err));
        if (s->status != PD_OK)
            return pd_error_set_nomem(err);
    }
    return build_slots(s) ? PD_OK : pd_error_set_nomem(err);
}

static void flush_counts(scan *s)
{
    if (s->n_counted > 0)
        pd_board_add(s->board, &s->counts);
    s->counts = (pd_board_counts){ 0 };
    s->n_counted = 0;
}

/* False: the job does not go on. A pause holds here. */
static bool count_one(scan *s)
{
    if (++s->n_counted < FLUSH_FILES)
        return true;
    flush_counts(s);
    return pd_board_may_begin(s->board);
}

static bool append_todo(scan *s, const pd_walk_file *file, const known *k)
{
    pd_plan *plan = s->plan;
    pd_todo *todo = pd_list_grow(plan->todo, &plan->todo_capacity, plan->n_todo, sizeof *todo);
    if (todo)
        plan->todo = todo;
    const char *path = todo ? pd_text_pool_keep(&plan->texts, file->path) : NULL;
    const char *sidecar = path && file->sidecar ? pd_text_pool_keep(&plan->texts, file->sidecar) : NULL;
    if (!path || (file->sidecar && !sidecar)) {
        s->status = PD_ERR_NOMEM;
        return false;
    }
    todo[plan->n_todo++] = (pd_todo){ .path = path,
                                      .bytes = file->bytes,
                                      .mtime_ns = file->mtime_ns,
                                      .root = file->root,
                                      .known = k != NULL,
                                      .content = k ? k->content : 0,
                                      .sidecar = sidecar,
                                      .sidecar_ns = file->sidecar_ns,
                                      .refresh = s->options->recheck || file->sidecar_ns != (k ? k->sidecar_ns : 0) ||
                                                 (k && k->outdated) };
    return true;
}

static bool on_folder(void *user, const char *path, size_t *root)
{
    scan *s = user;
    flush_counts(s);
    for (size_t i = 0; i < s->plan->n_roots; i++) {
        if (s->plan->roots[i].whole && strcmp(s->plan->roots[i].path, path) == 0)
            *root = i;
    }
    known *k = find_known(s, path);
    if (k)
        k->folder = true;
    return pd_board_may_begin(s->board);
}

static bool is_unchanged(const scan *s, const known *k, const pd_walk_file *file)
{
    const bool is_settled = k->failed ? !s->options->retry : k->learned;
    return !s->options->recheck && k->bytes == file->bytes && k->mtime_ns == file->mtime_ns &&
           k->sidecar_ns == file->sidecar_ns && !k->outdated && is_settled;
}

static bool on_file(void *user, const pd_walk_file *file)
{
    scan *s = user;
    known *k = find_known(s, file->path);
    if (k && k->seen)
        return true;
    s->plan->roots[file->root].seen++;
    s->counts.found++;
    bool unchanged = false;
    if (k) {
        k->seen = true;
        unchanged = is_unchanged(s, k, file);
    }
    if (unchanged && k->failed)
        s->counts.failed++;
    else if (unchanged)
        s->counts.unchanged++;
    else if (!append_todo(s, file, k))
        return false;
    return count_one(s);
}

static bool on_skipped(void *user)
{
    scan *s = user;
    s->counts.skipped++;
    return count_one(s);
}

static bool on_unreadable(void *user, const char *path, size_t root, int sys_errno)
{
    scan *s = user;
    pd_plan *plan = s->plan;
    if ((sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == ELOOP)) {
        plan->roots[root].gone = strcmp(path, plan->roots[root].path) == 0;
        return true;
    }
    pd_unreadable *list = pd_list_grow(plan->unreadable, &plan->unreadable_capacity, plan->n_unreadable, sizeof *list);
    if (list)
        plan->unreadable = list;
    const char *copy = list ? pd_text_pool_keep(&plan->texts, path) : NULL;
    if (!copy) {
        s->status = PD_ERR_NOMEM;
        return false;
    }
    list[plan->n_unreadable++] = (pd_unreadable){ copy, root, sys_errno };
    plan->roots[root].seen++;
    return true;
}

static void keep_unreadable(scan *s)
{
    for (size_t i = 0; i < s->plan->n_unreadable; i++) {
        for (size_t k = 0; k < s->n_known; k++)
            s->knowns[k].seen |= pd_path_is_within(s->knowns[k].path, s->plan->unreadable[i].path);
    }
}

static pd_status list_missing(scan *s)
{
    pd_plan *plan = s->plan;
    for (size_t i = 0; i < s->n_known; i++) {
        const known *k = &s->knowns[i];
        if (k->seen)
            continue;
        pd_missing *missing = pd_list_grow(plan->missing, &plan->missing_capacity, plan->n_missing, sizeof *missing);
        if (!missing)
            return PD_ERR_NOMEM;
        plan->missing = missing;
        const char *path = pd_text_pool_keep(&plan->texts, k->path);
        if (!path)
            return PD_ERR_NOMEM;
        missing[plan->n_missing++] =
            (pd_missing){ .path = path, .id = k->id, .content = k->content, .root = k->root, .folder = k->folder };
    }
    return PD_OK;
}

static int compare_todo(const void *a, const void *b)
{
    const pd_todo *x = a, *y = b;
    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns < y->mtime_ns ? 1 : -1;
    return strcmp(x->path, y->path);
}

static int compare_missing(const void *a, const void *b)
{
    const pd_missing *x = a, *y = b;
    if (x->content != y->content)
        return x->content < y->content ? -1 : 1;
    return strcmp(x->path, y->path);
}

static pd_status walk_targets(scan *s, pd_error *err)
{
    static const pd_walk_visitor visitor = { on_folder, on_file, on_skipped, on_unreadable, NULL };
    for (size_t i = 0; i < s->plan->n_targets; i++) {
        const pd_status status = pd_walk(s->plan->targets[i].path, s->plan->targets[i].root, &visitor, s, err);
        flush_counts(s);
        if (s->status != PD_OK)
            return pd_error_set_nomem(err);
        PD_TRY(status);
    }
    return PD_OK;
}

static void tell_relinked(const pd_plan *plan, pd_board *board)
{
    for (size_t i = 0; i < plan->n_roots; i++) {
        char was[PD_PROGRESS_TEXT_BYTES], is[PD_PROGRESS_TEXT_BYTES];
        if (!plan->roots[i].was)
            continue;
        pd_board_format_path(plan->roots[i].was, was);
        pd_board_format_path(plan->roots[i].path, is);
        pd_board_log(board, PD_LOG_INFO, "'%s' is '%s' now, with all that is known of its photos", was, is);
    }
}

pd_status pd_plan_make(pd_plan *plan, pd_store *store, const pd_plan_options *options, pd_board *board, pd_error *err)
{
    scan s = { .plan = plan, .options = options, .board = board };
    pd_status status = pd_plan_add_roots(plan, store, options, board, err);
    if (status == PD_OK)
        tell_relinked(plan, board);
    if (status == PD_OK)
        status = load_known(&s, store, err);
    if (status == PD_OK)
        status = walk_targets(&s, err);
    if (status == PD_OK) {
        keep_unreadable(&s);
        if (list_missing(&s) != PD_OK)
            status = pd_error_set_nomem(err);
    }
    if (status == PD_OK && plan->n_todo > 0)
        qsort(plan->todo, plan->n_todo, sizeof *plan->todo, compare_todo);
    if (status == PD_OK && plan->n_missing > 0)
        qsort(plan->missing, plan->n_missing, sizeof *plan->missing, compare_missing);
    pd_mem_free(s.slots);
    pd_mem_free(s.knowns);
    pd_text_pool_done(&s.texts);
    return status;
}

void pd_plan_done(pd_plan *plan)
{
    pd_mem_free(plan->roots);
    pd_mem_free(plan->targets);
    pd_mem_free(plan->todo);
    pd_mem_free(plan->missing);
    pd_mem_free(plan->changed);
    pd_mem_free(plan->unreadable);
    pd_text_pool_done(&plan->texts);
    *plan = (pd_plan){ 0 };
}

/* A root without a single file left where there were some looks the same as a mount point without its drive. */
static bool is_absent(const pd_plan_root *root)
{
    return root->gone || (root->whole && root->seen == 0 && root->photos > 0);
}

pd_missing *pd_plan_find_missing(pd_plan *plan, int64_t content)
{
    size_t low = 0, high = plan->n_missing;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (plan->missing[middle].content < content)
            low = middle + 1;
        else
            high = middle;
    }
    for (; content != 0 && low < plan->n_missing && plan->missing[low].content == content; low++) {
        pd_missing *m = &plan->missing[low];
        struct stat st;
        if (!m->moved && !is_absent(&plan->roots[m->root]) && lstat(m->path, &st) != 0 &&
            (errno == ENOENT || errno == ENOTDIR))
            return m;
    }
    return NULL;
}

/* A drive that was pulled out while its pictures were read leaves no folder, or an empty one where it was mounted. */
static bool has_vanished(const pd_plan_root *root)
{
    DIR *dir = opendir(root->path);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR;
    bool empty = true;
    for (const struct dirent *entry; empty && (entry = readdir(dir)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return empty && root->seen > 0;
}

static void tell_offline(const pd_plan_root *root, const char *why, bool vanished, pd_board *board)
{
    char path[PD_PROGRESS_TEXT_BYTES], sentence[PD_PROGRESS_TEXT_BYTES + 128];
    pd_board_format_path(root->path, path);
    if (vanished)
        (void)snprintf(sentence, sizeof sentence, "%s: %s, so what is known of it is kept as 'offline'", path, why);
    else
        (void)snprintf(sentence, sizeof sentence, "%s: %s, so its %lld known photos are kept as 'offline'", path, why,
                       (long long)root->photos);
    pd_board_log(board, PD_LOG_WARNING, "%s", sentence);
    pd_board_note(board, vanished, sentence);
}

static int64_t count_lost(const pd_plan *plan, size_t root)
{
    int64_t n = 0;
    for (size_t i = 0; i < plan->n_missing; i++)
        n += plan->missing[i].root == root && !plan->missing[i].moved && !plan->missing[i].folder;
    return n;
}

static pd_status remove_missing(pd_plan *plan, size_t root, pd_store *store, int64_t *removed, pd_error *err)
{
    for (size_t i = 0; i < plan->n_missing; i++) {
        pd_missing *m = &plan->missing[i];
        if (m->root != root || m->moved)
            continue;
        PD_TRY(pd_store_photo_remove(store, m->id, err));
        m->removed = true;
        *removed += !m->folder;
    }
    return PD_OK;
}

static pd_status settle_root(pd_plan *plan, size_t index, pd_store *store, pd_board *board, pd_error *err)
{
    pd_plan_root *root = &plan->roots[index];
    char path[PD_PROGRESS_TEXT_BYTES];
    pd_board_format_path(root->path, path);
    const int64_t lost = count_lost(plan, index);
    const bool absent = is_absent(root), vanished = !absent && has_vanished(root);
    if (absent || vanished || (lost > PD_PLAN_LOST_MAX && lost * 100 > root->photos * PD_PLAN_LOST_PERCENT_MAX)) {
        if (!root->offline)
            PD_TRY(pd_store_root_set_offline(store, root->id, true, err));
        root->offline = true;
        tell_offline(root,
                     vanished     ? "the folder went away while it was read"
                     : root->gone ? "the folder is not there"
                     : absent     ? "the folder is empty"
                                  : "too many photos are missing at once",
                     vanished, board);
        return PD_OK;
    }
    if (root->offline && root->whole) {
        PD_TRY(pd_store_root_set_offline(store, root->id, false, err));
        root->offline = false;
        pd_board_log(board, PD_LOG_INFO, "%s: is back", path);
    }
    int64_t removed = 0;
    PD_TRY(remove_missing(plan, index, store, &removed, err));
    if (removed > 0) {
        pd_board_add(board, &(pd_board_counts){ .removed = removed });
        pd_board_log(board, PD_LOG_INFO, "%s: %lld photos are gone and were taken out", path, (long long)removed);
    }
    return PD_OK;
}

pd_status pd_plan_settle(pd_plan *plan, pd_store *store, pd_board *board, pd_error *err)
{
    PD_TRY(pd_store_begin(store, err));
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < plan->n_roots; i++) {
        if (plan->roots[i].scanned)
            status = settle_root(plan, i, store, board, err);
    }
    if (status == PD_OK)
        status = pd_plan_follow(plan, store, err);
    if (status == PD_OK)
        status = pd_store_commit(store, err);
    if (status != PD_OK)
        pd_store_rollback(store);
    return status;
}
