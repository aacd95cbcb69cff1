/* prepared_files.h: what a cache holds of prepared weights, half files included. For tests. */
#ifndef PD_TESTS_PREPARED_FILES_H
#define PD_TESTS_PREPARED_FILES_H

#include <glob.h>
#include <stdio.h>

static inline size_t count_prepared(const char *cache)
{
    char pattern[8192];
    glob_t found = { 0 };
    (void)snprintf(pattern, sizeof pattern, "%s/*.prepared*", cache);
    const size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

#endif
