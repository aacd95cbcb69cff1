/* weights_fixture.h: files in a scratch folder of their own, removed at the end. One per test program. */
#ifndef PD_TESTS_WEIGHTS_FIXTURE_H
#define PD_TESTS_WEIGHTS_FIXTURE_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fixture_dir[] = "/tmp/pd-weights-XXXXXX";

static void fixture_start(void)
{
    if (!mkdtemp(fixture_dir))
        abort();
}

static void fixture_end(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture_dir);
    if (system(command) != 0)
        abort();
}

/* "<scratch folder>/name"; good until the fourth call from now. */
static const char *fixture_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", fixture_dir, name);
    return path;
}

__attribute__((unused)) static void fixture_write(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(fixture_path(name), "wb");
    if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0)
        abort();
}

#endif
