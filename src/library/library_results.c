/* library_results.c: results that are kept, and windows of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "library/library_find.h"

static void done_keeping(pd_kept *kept)
{
    pd_result_free(&kept->result);
    pd_query_free(&kept->query);
    pd_mem_free(kept->examples);
    *kept = (pd_kept){ 0 };
}

/* Before the columns change, results whose order is not complete take from them what they need. One that cannot is not
 * kept any more. */
static void settle(pd_library_finder *finder)
{
    for (size_t i = 0; i < PD_LIBRARY_RESULTS_MAX; i++)
        if (finder->kept[i].number && pd_result_settle(finder->kept[i].result, finder->columns, NULL) != PD_OK)
            done_keeping(&finder->kept[i]);
}

void pd_library_finder_clear(pd_library_finder *finder)
{
    for (size_t i = 0; i < PD_LIBRARY_RESULTS_MAX; i++)
        done_keeping(&finder->kept[i]);
    pd_rows_free(&finder->rows);
    finder->rows_model = 0;
    pd_columns_close(&finder->columns);
    pd_store_close(&finder->store);
}

pd_status pd_library_need_columns(pd_library *library, pd_error *err)
{
    pd_library_finder *finder = &library->finder;
    if (!finder->store) {
        const pd_status status = pd_library_open_store(library, &finder->store, err);
        if (status != PD_OK)
            return status == PD_ERR_NOT_FOUND ? pd_library_explain_nothing(err) : status;
    }
    if (!finder->columns)
        return pd_columns_open(&finder->columns, finder->store, library->paths.columns, err);
    int64_t version;
    bool changed;
    PD_TRY(pd_store_version(finder->store, &version, err));
    if (version == pd_columns_version(finder->columns))
        return PD_OK;
    settle(finder);
    return pd_columns_refresh(finder->columns, finder->store, &changed, err);
}

pd_kept *pd_kept_by_number(pd_library *library, uint64_t number)
{
    pd_library_finder *finder = &library->finder;
    for (size_t i = 0; number && i < PD_LIBRARY_RESULTS_MAX; i++)
        if (finder->kept[i].number == number) {
            finder->kept[i].used = ++finder->n_asked;
            return &finder->kept[i];
        }
    return NULL;
}

/* *ret_names: NULL when one has no name, else on the heap. */
static pd_status name_examples(const pd_question *question, char **ret_names, pd_error *err)
{
    pd_buf buf;
    pd_buf_init(&buf, (size_t)PD_LIBRARY_EXAMPLES_MAX * 2 * PD_STORE_PATH_BYTES_MAX);
    for (size_t i = 0; i < question->n_examples; i++) {
        if (!question->examples[i].text) {
            pd_buf_done(&buf);
            *ret_names = NULL;
            return PD_OK;
        }
        (void)pd_buf_append(&buf, question->examples[i].text, strlen(question->examples[i].text) + 1);
    }
    (void)pd_buf_append(&buf, "", 1);
    *ret_names = pd_buf_take(&buf);
    pd_buf_done(&buf);
    return *ret_names ? PD_OK : pd_error_set_nomem(err);
}

static bool has_names(const pd_question *question, const char *names)
{
    for (size_t i = 0; names && i < question->n_examples; i++) {
        const char *text = question->examples[i].text;
        if (!text || strcmp(text, names) != 0)
            return false;
        names += strlen(names) + 1;
    }
    return names && !*names;
}

/* The model that a comparison now would be made with, and its vectors, as far as is known. */
static pd_status find_extent(pd_library_finder *finder, const pd_library_choice *choice, int64_t *ret_model,
                             int64_t *ret_n, int64_t *ret_last_seq, pd_error *err)
{
    *ret_model = *ret_n = *ret_last_seq = 0;
    if (!choice->is_known)
        return PD_OK;
    const pd_status status = pd_store_model_find(finder->store, choice->id, ret_model, err);
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    return pd_store_embedding_extent(finder->store, *ret_model, ret_n, ret_last_seq, err);
}

pd_status pd_kept_equal(pd_asked *asked, pd_kept **ret_kept, pd_error *err)
{
    pd_library_finder *finder = &asked->library->finder;
    int64_t model, n_vectors, last_seq;
    PD_TRY(find_extent(finder, &asked->choice, &model, &n_vectors, &last_seq, err));
    *ret_kept = NULL;
    for (size_t i = 0; i < PD_LIBRARY_RESULTS_MAX; i++) {
        pd_kept *kept = &finder->kept[i];
        const bool is_current = kept->number && kept->version == pd_columns_version(finder->columns) &&
                                (!kept->has_meaning ||
                                 (kept->model == model && kept->n_vectors == n_vectors && kept->last_seq == last_seq));
        if (is_current && kept->order == asked->order && has_names(asked->question, kept->examples) &&
            pd_query_equal(kept->query, asked->query)) {
            kept->used = ++finder->n_asked;
            *ret_kept = kept;
        }
    }
    return PD_OK;
}

static pd_kept *find_oldest(pd_library_finder *finder)
{
    pd_kept *oldest = &finder->kept[0];
    for (size_t i = 1; i < PD_LIBRARY_RESULTS_MAX; i++)
        if (finder->kept[i].used < oldest->used) /* 0: empty */
            oldest = &finder->kept[i];
    return oldest;
}

static pd_status make_result(pd_asked *asked, pd_result **ret_result, pd_error *err)
{
    pd_library *library = asked->library;
    pd_library_finder *finder = &library->finder;
    const pd_question *question = asked->question;
    const pd_search_place place = { .store = finder->store,
                                    .columns = finder->columns,
                                    .index = asked->has_meaning ? library->searcher.index : NULL,
                                    .rows = finder->rows,
                                    .kernels = &library->kernels,
                                    .model = asked->model,
                                    .dim = asked->dim };
    const pd_sought sought = { .scores = asked->scores,
                               .bounds = asked->bounds,
                               .vector = asked->has_meaning ? asked->vector : NULL,
                               .null = asked->null,
                               .expected = pd_relevance_expected(asked->n_words),
                               .words = asked->words.data,
                               .without = asked->without,
                               .n_without = asked->n_without,
                               .order = asked->order,
                               .head = question->offset + question->n <= PD_LIBRARY_WINDOW_MAX
                                           ? question->offset + question->n
                                           : PD_LIBRARY_WINDOW_MAX,
                               .cancelled = question->cancelled };
    pd_slots slots;
    PD_TRY(pd_columns_filter(finder->columns, finder->store, asked->query, PD_FIELD_COUNT, &slots, err));
    pd_status status = pd_asked_check_cancelled(asked, err);
    if (status == PD_OK)
        status = pd_result_make(ret_result, &place, &slots, &sought, err);
    pd_slots_done(&slots);
    return status;
}

pd_status pd_kept_make(pd_asked *asked, pd_kept **ret_kept, pd_error *err)
{
    pd_library_finder *finder = &asked->library->finder;
    pd_kept made = { .order = asked->order,
                     .has_meaning = asked->has_meaning,
                     .english_only = asked->english_only,
                     .version = pd_columns_version(finder->columns) };
    if (asked->has_meaning) {
        const pd_vindex *index = asked->library->searcher.index;
        if (finder->rows_model != asked->model)
            pd_rows_free(&finder->rows);
        PD_TRY(pd_rows_refresh(&finder->rows, index, finder->columns, err));
        finder->rows_model = made.model = asked->model;
        made.model_name = pd_library_short_name(asked->choice.name);
        made.n_vectors = (int64_t)pd_vindex_count(index);
        made.last_seq = pd_vindex_last_seq(index);
    }
    PD_TRY(name_examples(asked->question, &made.examples, err));
    const pd_status status = make_result(asked, &made.result, err);
    if (status != PD_OK) {
        done_keeping(&made);
        return status;
    }
    made.number = ++finder->n_numbers;
    made.used = ++finder->n_asked;
    made.query = asked->query;
    asked->query = NULL;
    pd_kept *kept = find_oldest(finder);
    done_keeping(kept);
    *kept = made;
    *ret_kept = kept;
    return PD_OK;
}

void pd_hit_done(pd_hit *hit)
{
    pd_mem_free(hit->path);
    pd_mem_free(hit->caption);
    *hit = (pd_hit){ 0 };
}

static pd_status add_caption(pd_store *store, pd_hit *hit, pd_error *err)
{
    pd_said_caption caption;
    PD_TRY(pd_store_caption(store, hit->id, &caption, err));
    hit->caption_by = caption.by;
    hit->caption_doubtful = caption.doubtful;
    hit->caption = *caption.text ? pd_mem_dup_string(caption.text) : NULL;
    return *caption.text && !hit->caption ? pd_error_set_nomem(err) : PD_OK;
}

/* A photo that another process removed in the meantime is left out. */
static pd_status describe(pd_library_finder *finder, const pd_result_item *item, pd_hits *hits, pd_error *err)
{
    pd_photo known;
    const int64_t photo = pd_columns_photo(finder->columns, item->slot);
    pd_status status = photo ? pd_store_photo_by_id(finder->store, photo, &known, err) : PD_ERR_NO_MATCH;
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    pd_hit *hit = &hits->items[hits->n];
    *hit = (pd_hit){ .id = known.id,
                     .path = pd_mem_dup_string(known.path),
                     .score = item->score,
                     .match = item->match,
                     .width = known.facts.width,
                     .height = known.facts.height,
                     .rating = pd_columns_rating(finder->columns, item->slot),
                     .favorite = pd_columns_favorite(finder->columns, item->slot) };
    hits->n++;
    if (!hit->path)
        return pd_error_set_nomem(err);
    (void)snprintf(hit->taken, sizeof hit->taken, "%s", known.facts.taken);
    return add_caption(finder->store, hit, err);
}

void pd_hits_done(pd_hits *hits)
{
    for (size_t i = 0; i < hits->n; i++)
        pd_hit_done(&hits->items[i]);
    pd_mem_free(hits->items);
    *hits = (pd_hits){ 0 };
}

/* One moment of the catalogue, and its lock taken once. */
static pd_status describe_all(pd_library_finder *finder, const pd_result_item *items, size_t n, pd_hits *hits,
                              pd_error *err)
{
    PD_TRY(pd_store_begin(finder->store, err));
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < n; i++)
        status = describe(finder, &items[i], hits, err);
    if (status == PD_OK)
        status = pd_store_commit(finder->store, err);
    pd_store_rollback(finder->store);
    return status;
}

pd_status pd_kept_window(pd_library *library, pd_kept *kept, const pd_question *question, pd_hits *ret_hits,
                         pd_error *err)
{
    pd_library_finder *finder = &library->finder;
    pd_hits hits = { .result = kept->number,
                     .total = (int64_t)pd_result_total(kept->result),
                     .strong = pd_result_strong(kept->result),
                     .order = kept->order,
                     .model = kept->model_name,
                     .english_only = kept->english_only };
    const pd_result_range range = { question->offset, question->n };
    size_t n = 0;
    pd_result_item *items = pd_mem_alloc(question->n, sizeof *items);
    hits.items = pd_mem_alloc(question->n, sizeof *hits.items);
    pd_status status = items && hits.items ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_result_window(kept->result, finder->columns, &range, items, &n, err);
    if (status == PD_OK)
        status = describe_all(finder, items, n, &hits, err);
    pd_mem_free(items);
    if (status == PD_OK)
        *ret_hits = hits;
    else
        pd_hits_done(&hits);
    return status;
}
