#include "model/shortage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096, PATH_BYTES = 4096 };

/* Files of /proc have no size: one read takes what there is. False: nothing to read. */
static bool read_text(const char *dir, const char *name, char ret_text[TEXT_BYTES])
{
    char path[PATH_BYTES];
    const int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    const int fd = len > 0 && (size_t)len < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const ssize_t n = fd < 0 ? -1 : read(fd, ret_text, TEXT_BYTES - 1);
    if (fd >= 0)
        close(fd);
    ret_text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The number behind `key`; -1: there is none. */
static double number_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;
    char *end;
    if (!at)
        return -1;
    const double value = strtod(at + strlen(key), &end);
    return end == at + strlen(key) || value < 0 ? -1 : value;
}

static bool is_little_left(const char *proc_dir)
{
    char text[TEXT_BYTES];
    if (!read_text(proc_dir, "meminfo", text))
        return false;
    const double total = number_after(text, "MemTotal:"), available = number_after(text, "MemAvailable:");
    const double part = total / PD_SHORTAGE_AVAILABLE_PART;
    return total > 0 && available >= 0 &&
           available < (part < PD_SHORTAGE_AVAILABLE_KIB ? part : PD_SHORTAGE_AVAILABLE_KIB);
}

static bool is_everything_stalled(const char *proc_dir)
{
    char text[TEXT_BYTES];
    return read_text(proc_dir, "pressure/memory", text) &&
           number_after(strstr(text, "full"), "avg10=") >= PD_SHORTAGE_STALLED_PERCENT;
}

bool pd_shortage_look(const char *proc_dir) { return is_little_left(proc_dir) || is_everything_stalled(proc_dir); }
