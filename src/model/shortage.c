#include "model/shortage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { TEXT_BYTES = 8192, PATH_BYTES = 4096 };

/* Such files have no size: one read takes what there is. False: nothing to read. */
static bool read_text(const char *root, const char *name, char ret_text[TEXT_BYTES])
{
    char path[PATH_BYTES];
    const int len = snprintf(path, sizeof path, "%s/%s", root, name);
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

/* All in one unit, KiB or bytes as `kib` says how many KiB one is; negative: not known. */
static bool is_little(double available, double whole, double kib)
{
    const double part = whole / PD_SHORTAGE_AVAILABLE_PART, most = PD_SHORTAGE_AVAILABLE_KIB / kib;
    return whole > 0 && available >= 0 && available < (part < most ? part : most);
}

static bool is_little_left(const char *root)
{
    char text[TEXT_BYTES];
    return read_text(root, "proc/meminfo", text) &&
           is_little(number_after(text, "MemAvailable:"), number_after(text, "MemTotal:"), 1);
}

static bool is_everything_stalled(const char *root, const char *name)
{
    char text[TEXT_BYTES];
    return read_text(root, name, text) && number_after(strstr(text, "full"), "avg10=") >= PD_SHORTAGE_STALLED_PERCENT;
}

/* A group of processes with a limit of its own, or not. */
typedef struct group {
    const char *root;
    char dir[PATH_BYTES]; /* below root: "sys/fs/cgroup/user.slice" */
    size_t mount_len;     /* of it, where groups begin */
} group;

static bool read_of(const group *g, const char *name, char ret_text[TEXT_BYTES])
{
    char path[PATH_BYTES];
    const int len = snprintf(path, sizeof path, "%s/%s", g->dir, name);
    return len > 0 && (size_t)len < sizeof path && read_text(g->root, path, ret_text);
}

/* The number that a file of the group holds; -1: none, or "max". */
static double number_of(const group *g, const char *name)
{
    char text[TEXT_BYTES];
    return read_of(g, name, text) ? number_after(text, "") : -1;
}

/* What the group holds only as long as nobody needs the room. */
static double reclaimable(const group *g)
{
    static const char *const keys[] = { "\nactive_file ", "\ninactive_file ", "\nslab_reclaimable " };
    char text[TEXT_BYTES];
    double bytes = 0;
    if (!read_of(g, "memory.stat", text))
        return 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const double value = number_after(text, keys[i]);
        bytes += value > 0 ? value : 0;
    }
    return bytes;
}

static bool is_group_short(const group *g)
{
    const double max = number_of(g, "memory.max"), high = number_of(g, "memory.high");
    const double limit = max < 0 || (high >= 0 && high < max) ? high : max, used = number_of(g, "memory.current");
    if (limit < 0 || used < 0)
        return false;
    const double available = limit - used + reclaimable(g);
    return is_little(available > 0 ? available : 0, limit, 1.0 / 1024);
}

static bool is_group_stalled(const group *g)
{
    char path[PATH_BYTES];
    const int len = snprintf(path, sizeof path, "%s/memory.pressure", g->dir);
    return len > 0 && (size_t)len < sizeof path && is_everything_stalled(g->root, path);
}

/* "/user.slice/x" of the line "0::/user.slice/x", which is that of cgroup v2; "" for the group that holds all. */
static pd_str find_own(const char *groups)
{
    const char *line = strncmp(groups, "0::/", 4) == 0 ? groups : strstr(groups, "\n0::/");
    const char *path = line ? strchr(line, '/') : "";
    const size_t len = strcspn(path, "\n");
    return (pd_str){ path, len > 1 ? len : 0 };
}

/* Where this process is. What a namespace hides is looked for at its root, where containers see theirs. */
static void find_group(group *ret_group, const char *root)
{
    static const char mount[] = "sys/fs/cgroup";
    char text[TEXT_BYTES];
    const pd_str own = find_own(read_text(root, "proc/self/cgroup", text) ? text : "");
    ret_group->root = root;
    ret_group->mount_len = sizeof mount - 1;
    const int len = snprintf(ret_group->dir, sizeof ret_group->dir, "%s%.*s", mount, (int)own.len, own.ptr);
    if (len < 0 || (size_t)len >= sizeof ret_group->dir || strstr(ret_group->dir, "/.."))
        ret_group->dir[ret_group->mount_len] = '\0';
}

/* False: there is none above it. */
static bool go_up(group *g)
{
    if (strlen(g->dir) <= g->mount_len)
        return false;
    *strrchr(g->dir, '/') = '\0';
    return true;
}

/* A limit of any group around this process is its own; stalls are those of its own group. */
static bool is_any_group_short(const char *root)
{
    group g;
    find_group(&g, root);
    bool is_short = is_group_stalled(&g);
    do
        is_short = is_short || is_group_short(&g);
    while (!is_short && go_up(&g));
    return is_short;
}

bool pd_shortage_look(const char *root)
{
    return is_little_left(root) || is_everything_stalled(root, "proc/pressure/memory") || is_any_group_short(root);
}
