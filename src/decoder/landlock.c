#include "decoder/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "media/media.h"

/* Debian 12's headers end at Linux 6.1; the running kernel may know more (include/uapi/linux/landlock.h of 6.12). */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

typedef struct ruleset {
    uint64_t fs, net, scope;
} ruleset;

/* The versions of the interface and what each brought: a right that the kernel does not know would be refused. Returns
 * the walls of `wanted` that there can be, and in *ret_bytes how much of the struct the kernel knows. */
static uint32_t describe(long version, uint32_t wanted, ruleset *ret_rules, size_t *ret_bytes)
{
    ruleset rules = { 0 };
    uint32_t known = PD_WALL_FILES;
    size_t bytes = offsetof(ruleset, net);
    if (version >= 4) {
        known |= PD_WALL_NETWORK;
        bytes = offsetof(ruleset, scope);
    }
    if (version >= 6) {
        known |= PD_WALL_SIGNALS;
        bytes = sizeof rules;
    }
    const uint32_t walls = wanted & known;
    if (walls & PD_WALL_FILES)
        rules.fs = (LANDLOCK_ACCESS_FS_REFER - 1) | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) |
                   (version >= 3 ? FS_TRUNCATE : 0) | (version >= 5 ? FS_IOCTL_DEV : 0);
    if (walls & PD_WALL_NETWORK)
        rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (walls & PD_WALL_SIGNALS)
        rules.scope = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
    *ret_rules = rules;
    *ret_bytes = bytes;
    return walls;
}

pd_status pd_landlock_enter(uint32_t wanted, uint32_t *ret_walls, pd_error *err)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    ruleset rules;
    size_t bytes;
    const uint32_t walls = version < 1 ? 0 : describe(version, wanted, &rules, &bytes);
    if (!walls)
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "the kernel has no Landlock, or not for this");
    /* no exception is added: nothing is allowed */
    const long fd = syscall(SYS_landlock_create_ruleset, &rules, bytes, 0);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "Landlock takes no rules");
    const long result = syscall(SYS_landlock_restrict_self, fd, 0);
    const int sys_errno = errno;
    (void)close((int)fd);
    if (result != 0)
        return pd_error_set_errno(err, sys_errno, "Landlock does not close");
    *ret_walls = walls;
    return PD_OK;
}
