/* library_settings.c: how many threads a library's background work may use. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "library/library_parts.h"

#define SETTING_THREADS "threads"

static pd_status ask_setting(pd_store *store, void *user, pd_error *err)
{
    return pd_store_setting_get(store, SETTING_THREADS, user, err);
}

/* 0: the library does not say, or there is none yet. */
static pd_status read_threads(pd_library *library, unsigned *ret_threads, pd_error *err)
{
    char *text = NULL;
    uint64_t value = 0;
    const pd_status status = pd_library_ask_store(library, ask_setting, &text, err);
    if (status == PD_OK && text && !pd_parse_u64(text, PD_LIBRARY_THREADS_MAX, &value))
        value = 0; /* somebody else's */
    pd_mem_free(text);
    *ret_threads = (unsigned)value;
    return status == PD_ERR_NO_MATCH || status == PD_ERR_NOT_FOUND ? PD_OK : status;
}

pd_status pd_library_threads_get(pd_library *library, unsigned *ret_threads, pd_error *err)
{
    unsigned n = atomic_load(&library->n_workers), none = 0;
    if (n == 0) {
        PD_TRY(read_threads(library, &n, err));
        if (n > 0)
            (void)atomic_compare_exchange_strong(&library->n_workers, &none, n); /* one that was set meanwhile stays */
    }
    *ret_threads = n ? n : pd_thread_cpu_count();
    return PD_OK;
}

unsigned pd_library_workers(pd_library *library)
{
    unsigned n;
    return pd_library_threads_get(library, &n, NULL) == PD_OK ? n : pd_thread_cpu_count();
}

pd_status pd_library_threads_set(pd_library *library, unsigned threads, pd_error *err)
{
    char text[16];
    pd_store *store;
    if (threads == 0 || threads > PD_LIBRARY_THREADS_MAX)
        return pd_error_set(err, PD_ERR_USAGE, "a library uses 1 to %d threads, not %u", PD_LIBRARY_THREADS_MAX,
                            threads);
    (void)snprintf(text, sizeof text, "%u", threads);
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_setting_put(store, SETTING_THREADS, text, err);
    pd_library_end_writing(library);
    if (status == PD_OK)
        atomic_store(&library->n_workers, threads);
    return status;
}
