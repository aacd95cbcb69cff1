/* columns.c: from opening to closing, and what is asked about one slot. */
#include "columns/columns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/mem.h"
#include "columns/columns_private.h"

/* The file is written anew when so many rows changed since: taking them in again at every start would take longer. */
#define CHANGES_MAX 20000
#define CHANGES_PART 20
/* Empty slots that a file may drag along, as a part of all. */
#define EMPTY_PART 4
/* Of a usual file name, its end included. */
#define NAME_BYTES 14

void pd_columns_clear(pd_columns *columns)
{
    for (size_t i = 0; i < PD_FIELDS_N; i++) {
        pd_columns_free_block(columns, columns->at[i]);
        columns->at[i] = NULL;
    }
    pd_columns_free_block(columns, columns->names);
    pd_columns_free_block(columns, columns->places);
    pd_mem_free(columns->live);
    for (size_t i = 0; i < PD_DICT_COUNT; i++)
        pd_dict_done(&columns->dicts[i]);
    if (columns->map)
        (void)munmap(columns->map, columns->map_len);
    columns->names = NULL;
    columns->places = NULL;
    columns->live = NULL;
    columns->map = NULL;
    columns->n = columns->capacity = columns->names_len = columns->names_capacity = columns->n_places = 0;
    columns->count = columns->version = columns->n_changed = 0;
}

void pd_columns_close(pd_columns **columns)
{
    pd_columns *c = *columns;
    if (!c)
        return;
    pd_columns_clear(c);
    pd_mem_free(c->path);
    pd_mem_free(c);
    *columns = NULL;
}

typedef struct taking {
    pd_columns *columns;
    pd_status status;
    pd_error *err;
} taking;

static bool take_row(void *user, const pd_photo_row *row)
{
    taking *t = user;
    t->status = pd_columns_put(t->columns, row, t->err);
    return t->status == PD_OK;
}

/* Rows may be taken in twice, so whatever fails half-way is asked for again. Version 0 is an older catalogue's, which
 * does not say what is gone: all that it has is asked for. */
static pd_status take_rows(pd_columns *columns, pd_store *store, pd_error *err)
{
    taking t = { columns, PD_OK, err };
    int64_t version = columns->version;
    if (version == 0)
        pd_columns_empty(columns);
    PD_TRY(pd_store_rows(store, columns->version, take_row, &t, &version, err));
    PD_TRY(t.status);
    columns->version = version;
    return PD_OK;
}

/* With room for what will come: growing takes time, and leaves holes in memory. */
static pd_status start_anew(pd_columns *columns, pd_store *store, pd_error *err)
{
    pd_columns_clear(columns);
    pd_store_totals totals;
    for (size_t i = 0; i < PD_DICT_COUNT; i++)
        if (pd_dict_init(&columns->dicts[i]) != PD_OK)
            return pd_error_set_nomem(err);
    PD_TRY(pd_store_totals_get(store, 0, &totals, err));
    const size_t n = totals.files > 0 && totals.files < PD_COLUMNS_PHOTOS_MAX ? (size_t)totals.files : 0;
    return pd_columns_reserve(columns, n, NAME_BYTES * n) == PD_ERR_NOMEM ? pd_error_set_nomem(err) : PD_OK;
}

/* Whether what came from the file can be built on. */
static bool is_usable(const pd_columns *columns, const uint8_t *identity, int64_t version)
{
    return memcmp(columns->identity, identity, sizeof columns->identity) == 0 && columns->version <= version &&
           columns->n - (size_t)columns->count <= columns->n / EMPTY_PART;
}

static pd_status open_columns(pd_columns *columns, pd_store *store, pd_error *err)
{
    uint8_t identity[PD_STORE_IDENTITY_BYTES];
    int64_t version = 0;
    PD_TRY(pd_store_identity(store, identity, err));
    PD_TRY(pd_store_version(store, &version, err));
    pd_status status = PD_ERR_NOT_FOUND;
    if (columns->path)
        status = pd_columns_load(columns, columns->path, NULL);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    if (status != PD_OK || !is_usable(columns, identity, version))
        PD_TRY(start_anew(columns, store, err));
    memcpy(columns->identity, identity, sizeof identity);
    bool changed;
    return pd_columns_refresh(columns, store, &changed, err);
}

pd_status pd_columns_open(pd_columns **ret_columns, pd_store *store, const char *path, pd_error *err)
{
    pd_columns *columns = pd_mem_alloc(1, sizeof *columns);
    if (!columns)
        return pd_error_set_nomem(err);
    pd_shade_table_init(&columns->shade_table);
    if (path)
        columns->path = pd_mem_dup_string(path);
    pd_status status = path && !columns->path ? pd_error_set_nomem(err) : open_columns(columns, store, err);
    if (status == PD_OK)
        *ret_columns = columns;
    else
        pd_columns_close(&columns);
    return status;
}

/* With room for the rows that come until it is written again, so that whoever maps it need not copy it to grow. */
static void save_when_due(pd_columns *columns)
{
    const size_t more = columns->n / CHANGES_PART + CHANGES_MAX;
    if (columns->n_changed <= CHANGES_MAX && columns->n_changed <= (int64_t)columns->n / CHANGES_PART)
        return;
    if (pd_columns_reserve(columns, columns->n + more, columns->names_len + NAME_BYTES * more) == PD_OK &&
        pd_columns_save(columns, columns->path, NULL) == PD_OK)
        columns->n_changed = 0;
}

pd_status pd_columns_refresh(pd_columns *columns, pd_store *store, bool *ret_changed, pd_error *err)
{
    const int64_t before = columns->version;
    int64_t now = 0;
    PD_TRY(pd_store_version(store, &now, err));
    if (now != before || columns->n == 0)
        PD_TRY(take_rows(columns, store, err));
    *ret_changed = columns->version != before;
    if (*ret_changed && columns->path)
        save_when_due(columns);
    return PD_OK;
}

int64_t pd_columns_version(const pd_columns *columns) { return columns->version; }

size_t pd_columns_n(const pd_columns *columns) { return columns->n; }

int64_t pd_columns_count(const pd_columns *columns) { return columns->count; }

int64_t pd_columns_photo(const pd_columns *columns, uint32_t slot)
{
    return slot < columns->n && columns->f.facts[slot] & PD_FACT_LIVE ? columns->f.photo[slot] : 0;
}

int64_t pd_columns_content(const pd_columns *columns, uint32_t slot)
{
    return slot < columns->n ? columns->f.content[slot] : 0;
}

uint32_t pd_columns_slot(const pd_columns *columns, int64_t photo) { return pd_columns_find(columns, photo); }

const int64_t *pd_columns_contents(const pd_columns *columns) { return columns->f.content; }

void pd_slots_done(pd_slots *slots)
{
    pd_mem_free(slots->words);
    *slots = (pd_slots){ 0 };
}

pd_status pd_slots_copy(const pd_slots *slots, pd_slots *ret_copy, pd_error *err)
{
    const size_t n_words = (slots->n + 63) / 64;
    uint64_t *words = pd_mem_alloc(n_words, sizeof *words);
    if (!words)
        return pd_error_set_nomem(err);
    if (n_words)
        memcpy(words, slots->words, n_words * sizeof *words);
    *ret_copy = (pd_slots){ words, slots->n, slots->count };
    return PD_OK;
}
