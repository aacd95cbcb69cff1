/* file.h: opening, mapping, reading and replacing files; paths that cannot be cut silently.
 *
 * Paths are bytes (they need not be UTF-8); errors quote them. */
#ifndef PD_BASE_FILE_H
#define PD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* A whole file mapped read-only. Immutable after open. An empty file has data NULL and len 0. */
typedef struct pd_file_map {
    const uint8_t *data;
    size_t len;
} pd_file_map;

PD_MUST_USE pd_status pd_file_map_open(pd_file_map *ret_map, const char *path, pd_error *err);
void pd_file_map_close(pd_file_map *map);

/* Lets go of the memory behind a part of a mapped file, which comes back from the file when it is touched: whoever
 * walks through a large file once need not keep all of it resident. A hint. */
void pd_file_map_forget(const void *data, size_t len);

/* Reads a whole regular file into `buf` (emptied first); PD_ERR_LIMIT when it is larger than bytes_max. */
PD_MUST_USE pd_status pd_file_read(const char *path, size_t bytes_max, pd_buf *buf, pd_error *err);

/* Writes all of `data` or fails; restarts after interrupts and short writes. */
PD_MUST_USE pd_status pd_fd_write_all(int fd, const void *data, size_t len);

/* Replaces `path` so that readers see the old file or the whole new one. Durable (fsync) when `durable`. */
PD_MUST_USE pd_status pd_file_replace(const char *path, const void *data, size_t len, bool durable, pd_error *err);

/* The same from several parts, each at its own place, in a file of `len` bytes; what no part covers is a hole. Not
 * durable: for what can be made again and is checked when it is read. */
typedef struct pd_file_part {
    const void *data;
    size_t len, at;
} pd_file_part;
PD_MUST_USE pd_status pd_file_replace_parts(const char *path, const pd_file_part *parts, size_t n, size_t len,
                                            pd_error *err);

/* mkdir -p with mode 0700 for what is missing. */
PD_MUST_USE pd_status pd_dir_make(const char *path, pd_error *err);

/* rm -r, links not followed. What is not there is no error; folders deeper than PD_DIR_DEPTH_MAX are PD_ERR_LIMIT. */
#define PD_DIR_DEPTH_MAX 16
PD_MUST_USE pd_status pd_dir_remove(const char *path, pd_error *err);

bool pd_file_exists(const char *path); /* any kind, symbolic links followed */
bool pd_dir_exists(const char *path);

/* "a/b" on the heap (pd_mem_free); NULL when out of memory. `b` absolute gives a copy of `b`. */
PD_MUST_USE char *pd_path_join(const char *a, const char *b);

/* The part after the last '/', a view into `path`. */
const char *pd_path_name(const char *path);

/* The directory of the running executable, on the heap; NULL when the system does not tell. */
PD_MUST_USE char *pd_executable_dir(void);

#endif
