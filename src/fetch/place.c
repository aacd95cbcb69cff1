#include "fetch/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { LOCK_TRIES = 30, LOCK_WAIT_MS = 100 };

static char *with_end(const char *path, const char *end)
{
    char *longer = pd_mem_alloc(strlen(path) + strlen(end) + 1, 1);
    if (longer)
        (void)snprintf(longer, strlen(path) + strlen(end) + 1, "%s%s", path, end);
    return longer;
}

/* The lock counts only while it lies where others will look for it: the folder may just have got its final name. */
static bool is_still_there(int fd, const char *path)
{
    struct stat own, there;
    return fstat(fd, &own) == 0 && stat(path, &there) == 0 && own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

/* A fetch whose program died lets go within a moment: it is waited for. */
static pd_status take_lock(int *ret_fd, const char *path, const char *key, pd_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return pd_error_set_errno(err, errno, "cannot create '%s'", path);
        const bool taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (taken && is_still_there(fd, path)) {
            *ret_fd = fd;
            return PD_OK;
        }
        const bool strange = !taken && errno != EWOULDBLOCK && errno != EINTR;
        const int sys_errno = errno;
        close(fd);
        if (strange)
            return pd_error_set_errno(err, sys_errno, "cannot lock '%s'", path);
        (void)usleep(LOCK_WAIT_MS * 1000);
    }
    return pd_error_set(err, PD_ERR_BUSY, "%s is being fetched by another process already", key);
}

pd_status pd_place_open(pd_place *ret_place, const char *models_dir, const char *key, pd_error *err)
{
    pd_place place = { .models = pd_mem_dup_string(models_dir), .final = pd_path_join(models_dir, key), .lock_fd = -1 };
    place.part = place.final ? with_end(place.final, PD_PULL_PART) : NULL;
    char *lock = place.part ? pd_path_join(place.part, PD_PULL_LOCK) : NULL;
    pd_status status = PD_OK;
    if (!place.models || !lock)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_dir_make(place.part, err);
    if (status == PD_OK)
        status = take_lock(&place.lock_fd, lock, key, err);
    pd_mem_free(lock);
    if (status == PD_OK)
        *ret_place = place;
    else
        pd_place_done(&place);
    return status;
}

void pd_place_done(pd_place *place)
{
    if (place->lock_fd >= 0)
        close(place->lock_fd);
    pd_mem_free(place->models);
    pd_mem_free(place->part);
    pd_mem_free(place->final);
    *place = (pd_place){ .lock_fd = -1 };
}

pd_status pd_place_check_room(const pd_place *place, int64_t bytes, pd_error *err)
{
    struct statvfs info;
    if (bytes <= 0 || statvfs(place->part, &info) != 0)
        return PD_OK; /* what cannot be known beforehand will be seen on the way */
    const uint64_t available = (uint64_t)info.f_bavail * info.f_frsize;
    if ((uint64_t)bytes + (uint64_t)PD_PLACE_SPARE_BYTES <= available)
        return PD_OK;
    return pd_error_set(err, PD_ERR_FULL,
                        "there is no room for it: %.1f MB are to be fetched, and %.1f MB are free in %s; make room and "
                        "pull again",
                        (double)bytes / 1e6, (double)available / 1e6, place->models);
}

static pd_status sync_path(const char *path, int flags, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    const int sys_errno = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    return sys_errno ? pd_error_set_errno(err, sys_errno, "cannot write '%s'", path) : PD_OK;
}

static pd_status sync_pieces(const pd_place *place, const pd_record *record, pd_error *err)
{
    for (size_t i = 0; i < record->n; i++) {
        char *path = pd_path_join(place->part, record->pieces[i].file.name);
        if (!path)
            return pd_error_set_nomem(err);
        const pd_status status = sync_path(path, 0, err);
        pd_mem_free(path);
        PD_TRY(status);
    }
    return PD_OK;
}

static bool belongs(const pd_record *record, const char *name)
{
    bool found = strcmp(name, PD_PULL_RECORD) == 0;
    for (size_t i = 0; i < record->n && !found; i++)
        found = strcmp(name, record->pieces[i].file.name) == 0;
    return found;
}

/* What is no part of the model: the lock, which is still held through its descriptor, and what other pulls left there
 * that were killed, or that were for another revision. */
static pd_status sweep(const pd_place *place, const pd_record *record, pd_error *err)
{
    DIR *dir = opendir(place->part);
    if (!dir)
        return pd_error_set_errno(err, errno, "cannot read '%s'", place->part);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (!belongs(record, entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    return PD_OK;
}

/* Who has the old one open keeps its files until he lets go of them. */
static pd_status move(const pd_place *place, pd_error *err)
{
    char *old = with_end(place->part, ".old"); /* a name that no model has */
    if (!old)
        return pd_error_set_nomem(err);
    pd_status status = pd_dir_remove(old, err);
    const bool replaces = status == PD_OK && rename(place->final, old) == 0;
    if (status == PD_OK && rename(place->part, place->final) != 0) {
        status = pd_error_set_errno(err, errno, "cannot rename '%s'", place->part);
        if (replaces)
            (void)rename(old, place->final);
    } else if (replaces) {
        status = pd_dir_remove(old, err);
    }
    pd_mem_free(old);
    return status;
}

pd_status pd_place_finish(pd_place *place, const pd_record *record, pd_error *err)
{
    PD_TRY(sync_pieces(place, record, err));
    PD_TRY(pd_record_write(record, place->part, true, err));
    PD_TRY(sync_path(place->part, O_DIRECTORY, err));
    PD_TRY(sweep(place, record, err));
    PD_TRY(move(place, err));
    return sync_path(place->models, O_DIRECTORY, err);
}
