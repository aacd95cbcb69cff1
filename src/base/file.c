#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static pd_status open_regular(const char *path, int *ret_fd, size_t *ret_len, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    struct stat st;
    pd_status status = PD_OK;
    if (fstat(fd, &st) != 0)
        status = pd_error_set_errno(err, errno, "cannot look at '%s'", path);
    else if (!S_ISREG(st.st_mode))
        status = pd_error_set(err, PD_ERR_FORMAT, "'%s' is not a regular file", path);
    if (status != PD_OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    *ret_len = (size_t)st.st_size;
    return PD_OK;
}

pd_status pd_file_map_open(pd_file_map *ret_map, const char *path, pd_error *err)
{
    int fd;
    size_t len;
    PD_TRY(open_regular(path, &fd, &len, err));
    pd_status status = PD_OK;
    void *data = NULL;
    if (len > 0) {
        data = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            status = pd_error_set_errno(err, errno, "cannot map '%s'", path);
    }
    close(fd);
    if (status == PD_OK)
        *ret_map = (pd_file_map){ .data = data, .len = len };
    return status;
}

void pd_file_map_close(pd_file_map *map)
{
    if (map->data)
        (void)munmap((void *)(uintptr_t)map->data, map->len);
    *map = (pd_file_map){ 0 };
}

/* Reads to the end of file: the size told by the system may be old by now, or 0 for a file made on the fly. */
static pd_status read_to_end(int fd, pd_buf *buf)
{
    for (;;) {
        enum { STEP = 1 << 16 };
        const size_t room = buf->len_max - buf->len;
        const size_t want = room < STEP ? room : STEP;
        if (want == 0) {
            char extra;
            return read(fd, &extra, 1) > 0 ? PD_ERR_LIMIT : PD_OK;
        }
        PD_TRY(pd_buf_reserve(buf, want));
        const ssize_t n = read(fd, buf->data + buf->len, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return PD_ERR_IO;
        if (n == 0)
            break;
        buf->len += (size_t)n;
    }
    return PD_OK;
}

void pd_file_map_forget(const void *data, size_t len)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)data + page - 1) / page * page, end = ((uintptr_t)data + len) / page * page;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

pd_status pd_file_read(const char *path, size_t bytes_max, pd_buf *buf, pd_error *err)
{
    int fd;
    size_t len;
    PD_TRY(open_regular(path, &fd, &len, err));
    pd_buf_clear(buf);
    buf->len_max = bytes_max;
    pd_status status = len > bytes_max ? PD_ERR_LIMIT : pd_buf_reserve(buf, len);
    if (status == PD_OK)
        status = read_to_end(fd, buf);
    const int sys_errno = errno;
    close(fd);
    if (status == PD_OK)
        return pd_buf_append(buf, "", 0);
    if (status == PD_ERR_LIMIT)
        return pd_error_set(err, status, "'%s' is larger than %zu bytes", path, bytes_max);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    return pd_error_set_errno(err, sys_errno, "cannot read '%s'", path);
}

pd_status pd_fd_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        const ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pd_status_of_errno(errno);
        p += n;
        len -= (size_t)n;
    }
    return PD_OK;
}

/* A rename is on the disk once its folder is. File systems that cannot do this are left to themselves. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const size_t len = (size_t)(pd_path_name(path) - path);
    if (len == 0)
        memcpy(folder, ".", 2);
    else
        memcpy(folder, path, len);
    folder[len > 0 ? len : 1] = '\0';
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* 0, or the errno. */
static int write_parts(int fd, const pd_file_part *parts, size_t n, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (lseek(fd, (off_t)parts[i].at, SEEK_SET) < 0 || pd_fd_write_all(fd, parts[i].data, parts[i].len) != PD_OK)
            return errno;
    return ftruncate(fd, (off_t)len) == 0 ? 0 : errno;
}

static pd_status replace_file(const char *path, const pd_file_part *parts, size_t n, size_t len, bool durable,
                              pd_error *err)
{
    char temporary[PATH_MAX];
    const int n_written = snprintf(temporary, sizeof temporary, "%s.tmp-%ld-%lx", path, (long)getpid(),
                                   (unsigned long)(uintptr_t)&temporary);
    if (n_written < 0 || (size_t)n_written >= sizeof temporary)
        return pd_error_set(err, PD_ERR_LIMIT, "path too long: '%s'", path);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot create '%s'", path);
    int sys_errno = write_parts(fd, parts, n, len);
    if (!sys_errno && durable && fsync(fd) != 0)
        sys_errno = errno;
    if (close(fd) != 0 && !sys_errno)
        sys_errno = errno;
    if (!sys_errno && rename(temporary, path) != 0)
        sys_errno = errno;
    if (!sys_errno) {
        if (durable)
            sync_folder(path);
        return PD_OK;
    }
    (void)unlink(temporary);
    return pd_error_set_errno(err, sys_errno, "cannot write '%s'", path);
}

pd_status pd_file_replace(const char *path, const void *data, size_t len, bool durable, pd_error *err)
{
    const pd_file_part whole = { data, len, 0 };
    return replace_file(path, &whole, 1, len, durable, err);
}

pd_status pd_file_replace_parts(const char *path, const pd_file_part *parts, size_t n, size_t len, pd_error *err)
{
    return replace_file(path, parts, n, len, false, err);
}

pd_status pd_dir_make(const char *path, pd_error *err)
{
    char *copy = pd_mem_dup_string(path);
    if (!copy)
        return pd_error_set_nomem(err);
    pd_status status = PD_OK;
    for (char *p = copy + 1; status == PD_OK; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        const char end = *p;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            status = pd_error_set_errno(err, errno, "cannot create the folder '%s'", copy);
        *p = end;
        if (end == '\0')
            break;
    }
    if (status == PD_OK && !pd_dir_exists(path))
        status = pd_error_set(err, PD_ERR_IO, "'%s' is not a folder", path);
    pd_mem_free(copy);
    return status;
}

/* Removes what is in the folder `dir_fd`, which it closes. 0, or the errno. */
static int empty_folder(int dir_fd, int depth)
{
    DIR *dir = fdopendir(dir_fd);
    if (!dir) {
        const int sys_errno = errno;
        close(dir_fd);
        return sys_errno;
    }
    int sys_errno = depth > PD_DIR_DEPTH_MAX ? ELOOP : 0;
    const struct dirent *entry;
    while (!sys_errno && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        const int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        sys_errno = fd < 0 ? errno : empty_folder(fd, depth + 1);
        if (!sys_errno && unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) != 0)
            sys_errno = errno;
    }
    closedir(dir);
    return sys_errno;
}

pd_status pd_dir_remove(const char *path, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return PD_OK;
    int sys_errno = fd < 0 ? errno : empty_folder(fd, 0);
    if (!sys_errno && rmdir(path) != 0)
        sys_errno = errno;
    if (sys_errno == ELOOP)
        return pd_error_set(err, PD_ERR_LIMIT, "'%s' is a link, or has folders more than %d deep", path,
                            PD_DIR_DEPTH_MAX);
    return sys_errno ? pd_error_set_errno(err, sys_errno, "cannot remove '%s'", path) : PD_OK;
}

bool pd_file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool pd_dir_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *pd_path_join(const char *a, const char *b)
{
    if (b[0] == '/' || a[0] == '\0')
        return pd_mem_dup_string(b);
    const size_t len_a = strlen(a), len_b = strlen(b);
    const bool slash = a[len_a - 1] != '/';
    char *joined = pd_mem_alloc(len_a + slash + len_b + 1, 1);
    if (!joined)
        return NULL;
    memcpy(joined, a, len_a);
    if (slash)
        joined[len_a] = '/';
    memcpy(joined + len_a + slash, b, len_b);
    return joined;
}

const char *pd_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *pd_executable_dir(void)
{
    char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    return pd_mem_dup_text(path, slash == path ? 1 : (size_t)(slash - path));
}
