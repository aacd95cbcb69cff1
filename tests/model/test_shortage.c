/* Memory of a system that is made up: files below a folder of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/shortage.h"
#include "test.h"

static char root[] = "/tmp/pd-test-shortage-XXXXXX";

/* NULL: there is no such file. */
static void set(const char *name, const char *text)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    if (!text) {
        (void)remove(path);
        return;
    }
    char *slash = strrchr(path, '/');
    *slash = '\0';
    REQUIRE(pd_dir_make(path, NULL) == PD_OK);
    *slash = '/';
    FILE *file = fopen(path, "w");
    REQUIRE(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void begin(void) { REQUIRE(pd_dir_remove(root, NULL) == PD_OK && pd_dir_make(root, NULL) == PD_OK); }

static void a_system_that_tells_nothing_is_not_short(void)
{
    begin();
    CHECK(!pd_shortage_look(root));
    set("proc/meminfo", "");
    set("proc/self/cgroup", "");
    set("sys/fs/cgroup/memory.max", "nonsense\n");
    set("sys/fs/cgroup/memory.current", "\n");
    CHECK(!pd_shortage_look(root));
    CHECK(!pd_shortage_look("/nowhere/at/all"));
}

static void the_whole_system_counts(void)
{
    begin();
    set("proc/meminfo", "MemTotal: 32000000 kB\nMemAvailable: 600000 kB\n");
    CHECK(!pd_shortage_look(root));
    set("proc/meminfo", "MemTotal: 32000000 kB\nMemAvailable: 500000 kB\n");
    CHECK(pd_shortage_look(root));
    set("proc/meminfo", "MemTotal: 1600000 kB\nMemAvailable: 110000 kB\n");
    CHECK(!pd_shortage_look(root)); /* of a small one a sixteenth */
    set("proc/meminfo", "MemTotal: 1600000 kB\nMemAvailable: 90000 kB\n");
    CHECK(pd_shortage_look(root));
    set("proc/meminfo", NULL);
    set("proc/pressure/memory", "some avg10=99.00\nfull avg10=9.99 avg60=50.00\n");
    CHECK(!pd_shortage_look(root));
    set("proc/pressure/memory", "some avg10=99.00\nfull avg10=10.00 avg60=0.00\n");
    CHECK(pd_shortage_look(root));
}

/* A container sees the limit of its own group at the root, and no more. */
static void a_container_is_short_within_its_limit(void)
{
    begin();
    set("proc/meminfo", "MemTotal: 32000000 kB\nMemAvailable: 30000000 kB\n");
    set("proc/self/cgroup", "0::/\n");
    set("sys/fs/cgroup/memory.max", "max\n");
    set("sys/fs/cgroup/memory.current", "1900000000\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/memory.max", "2000000000\n");
    CHECK(pd_shortage_look(root)); /* 100 MB are left; a sixteenth is 125 */
    set("sys/fs/cgroup/memory.current", "1800000000\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/memory.high", "1850000000\n"); /* from there on it is held back */
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/memory.high", "max\n");
    set("sys/fs/cgroup/memory.current", "2000000000\n"); /* mostly of files that were read */
    set("sys/fs/cgroup/memory.stat", "anon 900000000\nfile 1000000000\ninactive_file 300000000\nactive_file 200000000\n"
                                     "slab_reclaimable 1000\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/memory.stat", "anon 1900000000\ninactive_file 70000000\nactive_file 1000000\n");
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/memory.current", "2000001000\n"); /* above it, which happens */
    set("sys/fs/cgroup/memory.stat", "anon 2000000000\n");
    CHECK(pd_shortage_look(root));
}

static void limits_of_groups_above_count_too(void)
{
    begin();
    set("proc/self/cgroup", "10::/x\n9:name=systemd:/0::/y\n0::/user.slice/me.scope\n");
    set("sys/fs/cgroup/user.slice/me.scope/memory.max", "max\n");
    set("sys/fs/cgroup/user.slice/me.scope/memory.current", "700000000\n");
    set("sys/fs/cgroup/user.slice/memory.max", "1000000000\n");
    set("sys/fs/cgroup/user.slice/memory.current", "900000000\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/user.slice/memory.current", "950000000\n");
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/user.slice/memory.max", "max\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/user.slice/me.scope/memory.max", "740000000\n");
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/user.slice/me.scope/memory.max", "max\n");
    set("sys/fs/cgroup/user.slice/me.scope/memory.pressure", "some avg10=80.00\nfull avg10=30.00\n");
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/user.slice/me.scope/memory.pressure", "some avg10=80.00\nfull avg10=0.00\n");
    set("sys/fs/cgroup/other/memory.max", "1000\n");
    set("sys/fs/cgroup/other/memory.current", "1000\n");
    CHECK(!pd_shortage_look(root)); /* others' groups are others' */
}

/* The first version of groups has a line of its own for memory, and no limit is a very large one. */
static void limits_of_the_first_version_count_too(void)
{
    begin();
    set("proc/self/cgroup", "9:name=systemd:/memory\n5:cpuset,memory:/docker/01\n3:memory2:/x\n0::/\n");
    set("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    set("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000000000\n");
    set("sys/fs/cgroup/memory/docker/01/memory.limit_in_bytes", "1000000000\n");
    set("sys/fs/cgroup/memory/docker/01/memory.usage_in_bytes", "900000000\n");
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/memory/docker/01/memory.usage_in_bytes", "950000000\n");
    CHECK(pd_shortage_look(root));
    set("sys/fs/cgroup/memory/docker/01/memory.stat", "cache 1\ninactive_file 20000000\ntotal_cache 1\n"
                                                      "total_inactive_file 5000000\ntotal_active_file 10000000\n");
    CHECK(!pd_shortage_look(root)); /* with those below it, 65 MB; a sixteenth is 62.5 */
    set("sys/fs/cgroup/memory/docker/01/memory.limit_in_bytes", "9223372036854771712\n");
    set("sys/fs/cgroup/memory/docker/01/memory.stat", NULL);
    CHECK(!pd_shortage_look(root));
    set("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "960000000\n");
    set("sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "950000000\n");
    CHECK(pd_shortage_look(root)); /* of the group above */
    set("proc/self/cgroup", "5:memory:/elsewhere\n");
    CHECK(!pd_shortage_look(root));
}

static void what_a_namespace_hides_is_looked_for_at_its_root(void)
{
    static const char *const hidden[] = { "0::/docker/0123\n", "0::/../../elsewhere\n", "1:cpu:/\n", "0::\n" };
    begin();
    set("sys/fs/cgroup/memory.max", "100000000\n");
    set("sys/elsewhere/memory.max", "1000\n");
    set("sys/elsewhere/memory.current", "1000\n");
    for (size_t i = 0; i < PD_COUNT_OF(hidden); i++) {
        set("proc/self/cgroup", hidden[i]);
        set("sys/fs/cgroup/memory.current", "50000000\n");
        CHECK(!pd_shortage_look(root));
        set("sys/fs/cgroup/memory.current", "99000000\n");
        CHECK(pd_shortage_look(root));
    }
    char *longest = pd_mem_alloc(8000, 1);
    REQUIRE(longest);
    memset(longest, 'x', 7999);
    memcpy(longest, "0::/", 4);
    set("proc/self/cgroup", longest);
    CHECK(pd_shortage_look(root));
    pd_mem_free(longest);
}

int main(void)
{
    if (!mkdtemp(root))
        return 1;
    RUN(a_system_that_tells_nothing_is_not_short);
    RUN(the_whole_system_counts);
    RUN(a_container_is_short_within_its_limit);
    RUN(limits_of_groups_above_count_too);
    RUN(limits_of_the_first_version_count_too);
    RUN(what_a_namespace_hides_is_looked_for_at_its_root);
    (void)!pd_dir_remove(root, NULL);
    return TEST_RESULT();
}
