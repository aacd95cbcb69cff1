#include "pipeline/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/board.h"
#include "pipeline/pipeline.h"
#include "pipeline/walk.h"

#define TELL_MS 100   /* between two calls of `tell` */
#define LOOK_FILES 64 /* looks at the clock are not for every file */

typedef struct counting {
    pd_folder_count count;
    bool (*tell)(void *user, const pd_folder_count *count);
    void *user;
    int64_t told_ns;
    unsigned n_since; /* files since the last look at the clock */
} counting;

pd_status pd_folder_resolve(const char *folder, char **ret_path, pd_error *err)
{
    char shown[PD_PROGRESS_TEXT_BYTES];
    pd_board_format_path(folder, shown);
    char resolved[PATH_MAX];
    const bool found = realpath(folder, resolved) != NULL;
    if (!found && (errno == ENOENT || errno == ENOTDIR))
        return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no folder '%s'", shown);
    if (!found)
        return pd_error_set_errno(err, errno, "cannot look at '%s'", shown);
    pd_status status = PD_OK;
    struct stat st;
    if (stat(resolved, &st) != 0)
        status = pd_error_set_errno(err, errno, "cannot look at '%s'", shown);
    else if (!S_ISDIR(st.st_mode))
        status = pd_error_set(err, PD_ERR_FORMAT, "'%s' is not a folder", shown);
    else if (faccessat(AT_FDCWD, resolved, R_OK | X_OK, AT_EACCESS) != 0)
        status = pd_error_set_errno(err, errno, "cannot read the folder '%s'", shown);
    else if (!(*ret_path = pd_mem_dup_string(resolved)))
        status = pd_error_set_nomem(err);
    return status;
}

static bool tell_in_time(counting *c)
{
    c->n_since = 0;
    const int64_t now_ns = pd_clock_ns();
    if (now_ns - c->told_ns < TELL_MS * PD_NS_PER_MS)
        return true;
    c->told_ns = now_ns;
    return c->tell(c->user, &c->count);
}

static bool count_file(counting *c)
{
    c->count.files++;
    return ++c->n_since < LOOK_FILES || tell_in_time(c);
}

static bool on_folder(void *user, const char *path, size_t *root)
{
    (void)path, (void)root;
    counting *c = user;
    c->count.folders++;
    return tell_in_time(c);
}

static bool on_file(void *user, const char *path, size_t root, int64_t bytes, int64_t mtime_ns)
{
    (void)path, (void)root, (void)bytes, (void)mtime_ns;
    counting *c = user;
    c->count.pictures++;
    return count_file(c);
}

static bool on_other(void *user) { return count_file(user); }

static bool on_unreadable(void *user, const char *path, size_t root, int sys_errno)
{
    (void)user, (void)path, (void)root, (void)sys_errno;
    return true;
}

pd_status pd_folder_count_pictures(const char *folder, bool (*tell)(void *user, const pd_folder_count *count),
                                   void *user, pd_error *err)
{
    static const pd_walk_visitor visitor = { on_folder, on_file, on_other, on_unreadable, on_other };
    char *path = NULL;
    PD_TRY(pd_folder_resolve(folder, &path, err));
    counting c = { .count = { .folders = -1 }, .tell = tell, .user = user, .told_ns = pd_clock_ns() };
    pd_status status = pd_walk(path, 0, &visitor, &c, err);
    pd_mem_free(path);
    if (status == PD_OK) {
        c.count.complete = true;
        status = tell(user, &c.count) ? PD_OK : PD_ERR_CANCELLED;
    }
    return status;
}
