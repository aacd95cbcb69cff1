/* machine.c: what machines write about contents, and what they have not written about yet. */
#include "store/machine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"
#include "store/work_text.h"

static int kind_in_schema(pd_machine_kind kind)
{
    return kind == PD_MACHINE_TAG ? PD_SCHEMA_MACHINE_TAG : PD_SCHEMA_MACHINE_CAPTION;
}

static pd_status check_source(const char *source, pd_error *err)
{
    const size_t len = strlen(source);
    if (len && len <= PD_MACHINE_SOURCE_BYTES_MAX && pd_utf8_valid(source, len))
        return PD_OK;
    return pd_error_set(err, PD_ERR_USAGE,
                        "who writes about pictures has a name of 1 to %d bytes of UTF-8, not '%.64s'",
                        PD_MACHINE_SOURCE_BYTES_MAX, pd_utf8_valid(source, len) ? source : "");
}

/* *ret_id 0: it has written nothing yet. */
static pd_status find_source(pd_store *store, const char *source, int64_t *ret_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    *ret_id = 0;
    PD_TRY(pd_store_need_machine(store, err));
    PD_TRY(check_source(source, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_SOURCE_FIND, &stmt, err));
    pd_stmt_bind_text(stmt, 1, source);
    return pd_stmt_run(store, stmt, ret_id, err);
}

static pd_status need_source(pd_store *store, const char *source, int64_t *ret_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(find_source(store, source, ret_id, err));
    if (*ret_id)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_SOURCE_MAKE, &stmt, err));
    pd_stmt_bind_text(stmt, 1, source);
    return pd_stmt_run(store, stmt, ret_id, err);
}

/* Texts that come: of which content and kind, by whom. */
typedef struct writing {
    pd_store *store;
    const pd_machine_about *about;
    int64_t source;
    int n; /* written so far */
} writing;

static pd_status mark(const writing *w, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t content = 0;
    const pd_stmt id = w->about->kind == PD_MACHINE_TAG ? PD_STMT_MACHINE_TAGGED : PD_STMT_MACHINE_CAPTIONED;
    PD_TRY(pd_stmt_get(w->store, id, &stmt, err));
    sqlite3_bind_int64(stmt, 1, w->about->content);
    sqlite3_bind_int64(stmt, 2, w->source);
    PD_TRY(pd_stmt_run(w->store, stmt, &content, err));
    return content ? PD_OK : PD_ERR_NO_MATCH;
}

static pd_status put_row(writing *w, const pd_machine_text *text, const char *plain, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(w->store, PD_STMT_MACHINE_PUT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, w->about->content);
    sqlite3_bind_int(stmt, 2, kind_in_schema(w->about->kind));
    sqlite3_bind_int(stmt, 3, w->n++);
    sqlite3_bind_int64(stmt, 4, w->source);
    pd_stmt_bind_text(stmt, 5, plain);
    sqlite3_bind_double(stmt, 6, (double)text->score); /* NAN becomes NULL */
    sqlite3_bind_int(stmt, 7, text->doubtful);
    return pd_stmt_run(w->store, stmt, NULL, err);
}

static pd_status put_text(writing *w, const pd_machine_text *text, pd_error *err)
{
    const bool is_tag = w->about->kind == PD_MACHINE_TAG;
    pd_work_text plain;
    pd_status status = pd_work_text_make(&plain, text->text, is_tag ? "a tag" : "a caption",
                                         is_tag ? PD_WORK_TAG_BYTES_MAX : PD_WORK_CAPTION_BYTES_MAX, err);
    if (status == PD_OK && plain.text.len)
        status = put_row(w, text, pd_work_text_plain(&plain), err);
    pd_work_text_done(&plain);
    return status;
}

static pd_status forget(const writing *w, bool *ret_had, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(w->store, PD_STMT_MACHINE_FORGET, &stmt, err));
    sqlite3_bind_int64(stmt, 1, w->about->content);
    sqlite3_bind_int(stmt, 2, kind_in_schema(w->about->kind));
    PD_TRY(pd_stmt_run(w->store, stmt, NULL, err));
    *ret_had = sqlite3_changes64(w->store->db) > 0;
    return PD_OK;
}

static pd_status write_texts(writing *w, const pd_machine_text *texts, size_t n, pd_error *err)
{
    bool had;
    PD_TRY(need_source(w->store, w->about->source, &w->source, err));
    PD_TRY(mark(w, err));
    PD_TRY(forget(w, &had, err));
    for (size_t i = 0; i < n; i++)
        PD_TRY(put_text(w, texts + i, err));
    return had || w->n ? pd_doc_refresh_content(w->store, w->about->content, err) : PD_OK;
}

pd_status pd_store_machine_put(pd_store *store, const pd_machine_about *about, const pd_machine_text *texts, size_t n,
                               pd_error *err)
{
    bool own;
    writing w = { .store = store, .about = about };
    if (n > PD_MACHINE_TEXTS_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu texts about one picture are too many: at most %d are allowed", n,
                            PD_MACHINE_TEXTS_MAX);
    PD_TRY(pd_store_enter(store, &own, err));
    return pd_store_leave(store, own, write_texts(&w, texts, n, err), err);
}

static pd_status write_failure(writing *w, pd_error *err)
{
    PD_TRY(need_source(w->store, w->about->source, &w->source, err));
    return mark(w, err);
}

pd_status pd_store_machine_fail(pd_store *store, const pd_machine_about *about, pd_error *err)
{
    bool own;
    writing w = { .store = store, .about = about };
    PD_TRY(pd_store_enter(store, &own, err));
    return pd_store_leave(store, own, write_failure(&w, err), err);
}

/* The index photo_machine holds the photos in groups: by the sources that wrote tags and caption of their content, and
 * by root. There are few groups, and what is to do is all of some: so neither what is done nor what is not there is
 * looked at. */
typedef struct group {
    int64_t tag_source, caption_source, root;
    bool offline;
} group;

/* *ret_any false: `at` was the last. */
static pd_status next_group(pd_store *store, group *at, bool *ret_any, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MACHINE_GROUP, &stmt, err));
    sqlite3_bind_int64(stmt, 1, at->tag_source);
    sqlite3_bind_int64(stmt, 2, at->caption_source);
    sqlite3_bind_int64(stmt, 3, at->root);
    PD_TRY(pd_stmt_step(store, stmt, ret_any, err));
    if (*ret_any)
        *at = (group){ sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2),
                       sqlite3_column_int(stmt, 3) != 0 };
    pd_stmt_reset(stmt);
    return PD_OK;
}

/* Called with each photo that is to do, newest of a group first; false: enough of this group. */
typedef struct todo_visitor {
    bool (*visit)(void *user, int64_t content, const char *time);
    void *user;
} todo_visitor;

static pd_status visit_group(pd_store *store, const group *g, int64_t model, const todo_visitor *v, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MACHINE_TODO, &stmt, err));
    sqlite3_bind_int64(stmt, 1, g->tag_source);
    sqlite3_bind_int64(stmt, 2, g->caption_source);
    sqlite3_bind_int64(stmt, 3, g->root);
    sqlite3_bind_int64(stmt, 4, model);
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row || !v->visit(v->user, sqlite3_column_int64(stmt, 0), pd_stmt_text(stmt, 1)))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

/* `group_done` (may be NULL) after each group. */
static pd_status visit_todo(pd_store *store, const pd_machine_query *query, const todo_visitor *v,
                            void (*group_done)(void *user), pd_error *err)
{
    int64_t source;
    const bool is_tag = query->kind == PD_MACHINE_TAG;
    PD_TRY(find_source(store, query->source, &source, err));
    for (group at = { .tag_source = -1 };;) {
        bool any;
        PD_TRY(next_group(store, &at, &any, err));
        if (!any)
            return PD_OK;
        const int64_t by = is_tag ? at.tag_source : at.caption_source;
        if (at.offline || (source && by == source))
            continue;
        PD_TRY(visit_group(store, &at, is_tag ? query->model : 0, v, err));
        if (group_done)
            group_done(v->user);
    }
}

#define TIME_BYTES 20 /* "YYYY-MM-DDTHH:MM:SS" */
typedef struct candidate {
    int64_t content;
    char time[TIME_BYTES];
} candidate;

/* The newest of the groups so far in [0, n_best), each content once; behind them those of the group at hand. */
typedef struct picking {
    candidate *list; /* [2 * n_max] */
    size_t n_best, n, n_max;
} picking;

static bool pick(void *user, int64_t content, const char *time)
{
    picking *p = user;
    for (size_t i = p->n_best; i < p->n; i++) /* copies */
        if (p->list[i].content == content)
            return true;
    candidate *c = &p->list[p->n++];
    const size_t len = strlen(time);
    *c = (candidate){ .content = content };
    memcpy(c->time, time, len < TIME_BYTES ? len : TIME_BYTES - 1);
    return p->n - p->n_best < p->n_max;
}

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    const int order = strcmp(y->time, x->time);
    if (order)
        return order;
    return x->content < y->content ? 1 : x->content > y->content ? -1 : 0;
}

static void keep_newest(void *user)
{
    picking *p = user;
    qsort(p->list, p->n, sizeof *p->list, compare_candidates);
    size_t n = 0;
    for (size_t i = 0; i < p->n && n < p->n_max; i++) {
        bool is_new = true;
        for (size_t k = 0; k < n && is_new; k++)
            is_new = p->list[k].content != p->list[i].content;
        if (is_new)
            p->list[n++] = p->list[i];
    }
    p->n_best = p->n = n;
}

pd_status pd_store_machine_todo(pd_store *store, const pd_machine_query *query, size_t n_max, int64_t *ret_contents,
                                size_t *ret_n, pd_error *err)
{
    if (n_max > PD_MACHINE_TODO_MAX)
        n_max = PD_MACHINE_TODO_MAX;
    picking p = { .list = pd_mem_alloc(2 * n_max + 1, sizeof *p.list), .n_max = n_max };
    if (!p.list)
        return pd_error_set_nomem(err);
    const pd_status status = n_max ? visit_todo(store, query, &(todo_visitor){ pick, &p }, keep_newest, err) : PD_OK;
    if (status == PD_OK) {
        for (size_t i = 0; i < p.n_best; i++)
            ret_contents[i] = p.list[i].content;
        *ret_n = p.n_best;
    }
    pd_mem_free(p.list);
    return status;
}

/* A bit for each content: copies are one. */
typedef struct counting {
    uint64_t *seen;
    int64_t last, n;
    int64_t lowest, highest; /* of those that were seen */
} counting;

static bool count(void *user, int64_t content, const char *time)
{
    counting *c = user;
    (void)time;
    if (content < 0 || content > c->last) /* came meanwhile */
        return true;
    uint64_t *word = &c->seen[content / 64];
    const uint64_t bit = (uint64_t)1 << (content % 64);
    c->n += (*word & bit) == 0;
    *word |= bit;
    c->lowest = content < c->lowest ? content : c->lowest;
    c->highest = content > c->highest ? content : c->highest;
    return true;
}

/* Of those that were seen only the ones with an embedding of the model. In order of contents: asking for each in the
 * order of photos would read the index all over, again and again. */
static pd_status count_learned(pd_store *store, int64_t model, counting *c, pd_error *err)
{
    sqlite3_stmt *stmt;
    c->n = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_MACHINE_LEARNED, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    sqlite3_bind_int64(stmt, 2, c->lowest);
    sqlite3_bind_int64(stmt, 3, c->highest);
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        const int64_t content = sqlite3_column_int64(stmt, 0);
        c->n += (int64_t)(c->seen[content / 64] >> (content % 64) & 1);
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

pd_status pd_store_machine_count(pd_store *store, const pd_machine_query *query, int64_t *ret_todo, pd_error *err)
{
    sqlite3_stmt *stmt;
    counting c = { .lowest = INT64_MAX };
    pd_machine_query all = *query;
    PD_TRY(pd_store_need_machine(store, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_CONTENT_LAST, &stmt, err));
    PD_TRY(pd_stmt_run(store, stmt, &c.last, err));
    if (c.last < 0 || c.last > INT32_MAX)
        return pd_error_set(err, PD_ERR_CORRUPT, "the catalogue '%s' is damaged: a picture has the number %lld",
                            store->path, (long long)c.last);
    c.seen = pd_mem_alloc((size_t)c.last / 64 + 1, sizeof *c.seen);
    if (!c.seen)
        return pd_error_set_nomem(err);
    all.model = 0;
    pd_status status = visit_todo(store, &all, &(todo_visitor){ count, &c }, NULL, err);
    if (status == PD_OK && c.n && query->model && query->kind == PD_MACHINE_TAG)
        status = count_learned(store, query->model, &c, err);
    pd_mem_free(c.seen);
    if (status == PD_OK)
        *ret_todo = c.n;
    return status;
}

pd_status pd_store_machine_lacks(pd_store *store, int64_t content, const pd_machine_query *query, bool *ret_lacks,
                                 pd_error *err)
{
    sqlite3_stmt *stmt;
    const bool is_tag = query->kind == PD_MACHINE_TAG;
    int64_t source, lacks = 0;
    PD_TRY(find_source(store, query->source, &source, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_MACHINE_LACKS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, content);
    sqlite3_bind_int(stmt, 2, is_tag);
    sqlite3_bind_int64(stmt, 3, source);
    sqlite3_bind_int64(stmt, 4, is_tag ? query->model : 0);
    PD_TRY(pd_stmt_run(store, stmt, &lacks, err));
    *ret_lacks = lacks != 0;
    return PD_OK;
}
