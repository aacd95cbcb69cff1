/* library_original.c: under which root a file lies. */
#include <string.h>

#include "base/beneath.h"
#include "base/mem.h"
#include "library/library_parts.h"

typedef struct root_search {
    const char *path;
    char *best;
    bool failed;
} root_search;

static bool visit_root(void *user, const pd_root *root)
{
    root_search *s = user;
    if (!pd_path_is_within(s->path, root->path) || (s->best && strlen(s->best) >= strlen(root->path)))
        return true;
    pd_mem_free(s->best);
    s->best = pd_mem_dup_string(root->path);
    s->failed = !s->best;
    return !s->failed;
}

pd_status pd_library_root_of(pd_store *store, const char *path, char **ret_root, pd_error *err)
{
    root_search s = { .path = path };
    pd_status status = pd_store_roots(store, visit_root, &s, err);
    if (status == PD_OK && s.failed)
        status = pd_error_set_nomem(err);
    else if (status == PD_OK && !s.best)
        status = pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' lies in no folder of the library", path);
    if (status == PD_OK)
        *ret_root = s.best;
    else
        pd_mem_free(s.best);
    return status;
}
