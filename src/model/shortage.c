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

/* Where a version of cgroups has its groups, and what its files and fields are called. */
typedef struct version {
    const char *mount;      /* below root */
    const char *controller; /* of the line in proc/self/cgroup; "" for v2, which has one line */
    const char *limits[2];
    const char *used;
    const char *reclaimable[3]; /* in memory.stat: what is held only as long as nobody needs the room */
} version;

static const version versions[] = {
    { .mount = "sys/fs/cgroup",
      .controller = "",
      .limits = { "memory.max", "memory.high" },
      .used = "memory.current",
      .reclaimable = { "\nactive_file ", "\ninactive_file ", "\nslab_reclaimable " } },
    { .mount = "sys/fs/cgroup/memory",
      .controller = "memory",
      .limits = { "memory.limit_in_bytes" },
      .used = "memory.usage_in_bytes",
      .reclaimable = { "\ntotal_active_file ", "\ntotal_inactive_file " } },
};

/* A group of processes with a limit of its own, or not. */
typedef struct group {
    const version *version;
    const char *root;
    char dir[PATH_BYTES]; /* below root: "sys/fs/cgroup/user.slice" */
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

static double reclaimable(const group *g)
{
    char text[TEXT_BYTES];
    double bytes = 0;
    if (!read_of(g, "memory.stat", text))
        return 0;
    for (size_t i = 0; i < PD_COUNT_OF(g->version->reclaimable) && g->version->reclaimable[i]; i++) {
        const double value = number_after(text, g->version->reclaimable[i]);
        bytes += value > 0 ? value : 0;
    }
    return bytes;
}

/* The lower one; -1: none. */
static double limit_of(const group *g)
{
    double limit = -1;
    for (size_t i = 0; i < PD_COUNT_OF(g->version->limits) && g->version->limits[i]; i++) {
        const double value = number_of(g, g->version->limits[i]);
        if (value >= 0 && (limit < 0 || value < limit))
            limit = value;
    }
    return limit;
}

static bool is_group_short(const group *g)
{
    const double limit = limit_of(g), used = number_of(g, g->version->used);
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

/* One of "cpu,memory"? */
static bool is_listed(const char *controller, pd_str list)
{
    const size_t len = strlen(controller);
    while (list.len > 0) {
        const char *comma = memchr(list.ptr, ',', list.len);
        const size_t name_len = comma ? (size_t)(comma - list.ptr) : list.len;
        if (name_len == len && memcmp(list.ptr, controller, len) == 0)
            return true;
        list.ptr += name_len + (comma != NULL);
        list.len -= name_len + (comma != NULL);
    }
    return false;
}

/* "/user.slice/x" of the line "0::/user.slice/x" (v2) or "4:cpu,memory:/user.slice/x"; "" for the group that holds all.
 */
static pd_str find_own(const char *lines, const char *controller)
{
    for (const char *line = lines; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *end = line + strcspn(line, "\n"), *list = memchr(line, ':', (size_t)(end - line));
        const char *path = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
        if (!path || path[1] != '/')
            continue;
        if (*controller ? is_listed(controller, (pd_str){ list + 1, (size_t)(path - list - 1) })
                        : strncmp(line, "0::", 3) == 0)
            return (pd_str){ path + 1, end - path > 2 ? (size_t)(end - path - 1) : 0 };
    }
    return (pd_str){ "", 0 };
}

/* Where this process is. What a namespace hides is looked for at its root, where containers see theirs. */
static void find_group(group *ret_group, const char *root, const version *v)
{
    char text[TEXT_BYTES];
    const pd_str own = find_own(read_text(root, "proc/self/cgroup", text) ? text : "", v->controller);
    ret_group->root = root;
    ret_group->version = v;
    const int len = snprintf(ret_group->dir, sizeof ret_group->dir, "%s%.*s", v->mount, (int)own.len, own.ptr);
    if (len < 0 || (size_t)len >= sizeof ret_group->dir || strstr(ret_group->dir, "/.."))
        ret_group->dir[strlen(v->mount)] = '\0';
}

/* False: there is none above it. */
static bool go_up(group *g)
{
    if (strlen(g->dir) <= strlen(g->version->mount))
        return false;
    *strrchr(g->dir, '/') = '\0';
    return true;
}

/* A limit of any group around this process is its own; stalls are those of its own group. */
static bool is_any_group_short(const char *root, const version *v)
{
    group g;
    find_group(&g, root, v);
    bool is_short = is_group_stalled(&g);
    do
        is_short = is_short || is_group_short(&g);
    while (!is_short && go_up(&g));
    return is_short;
}

bool pd_shortage_look(const char *root)
{
    bool is_short = is_little_left(root) || is_everything_stalled(root, "proc/pressure/memory");
    for (size_t i = 0; i < PD_COUNT_OF(versions) && !is_short; i++)
        is_short = is_any_group_short(root, &versions[i]);
    return is_short;
}
