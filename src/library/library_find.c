/* library_find.c: one question from its text to a window of photos. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "library/library_find.h"

#define CONFIG_BYTES_MAX (1 << 20)

/* Letters of other scripts than Latin. Marks, digits, punctuation and pictographs are not: they say nothing about the
 * language. Blocks as Unicode 15 has them. */
static bool is_foreign_letter(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } blocks[] = {
        { 0x0370, 0x1DFF }, { 0x1F00, 0x1FFF },   { 0x2C00, 0x2C5F },   { 0x2C80, 0x2DFF }, { 0x3041, 0x9FFF },
        { 0xA000, 0xA71F }, { 0xA800, 0xD7FF },   { 0xF900, 0xFAFF },   { 0xFB13, 0xFDFF }, { 0xFE70, 0xFEFE },
        { 0xFF66, 0xFFDC }, { 0x10280, 0x1CFFF }, { 0x20000, 0x3FFFF },
    };
    for (size_t i = 0; i < PD_COUNT_OF(blocks); i++)
        if (code >= blocks[i].first && code <= blocks[i].last)
            return true;
    return false;
}

static bool has_foreign_letter(const char *text)
{
    const size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        const size_t step = pd_utf8_next(text + at, len - at, &code);
        if (step == 0)
            break;
        if (is_foreign_letter(code))
            return true;
        at += step;
    }
    return false;
}

/* The models that are read here have CLIP's text tower and an English vocabulary; one that was trained on more says so
 * in its config.json: "languages": ["en", "de"]. */
static bool knows_english_alone(const char *dir)
{
    pd_json *json = NULL;
    pd_buf buf;
    pd_buf_init(&buf, CONFIG_BYTES_MAX);
    bool alone = true;
    char *path = dir ? pd_path_join(dir, "config.json") : NULL;
    if (path && pd_file_read(path, CONFIG_BYTES_MAX, &buf, NULL) == PD_OK &&
        pd_json_parse(&json, buf.data, buf.len, NULL) == PD_OK) {
        const pd_json *languages = pd_json_get(json, "languages");
        pd_str language;
        for (size_t i = 0; i < pd_json_count(languages); i++)
            alone &=
                pd_json_read_string(pd_json_at(languages, i), &language) && pd_str_equal(language, pd_str_of("en"));
    }
    pd_json_free(&json);
    pd_buf_done(&buf);
    pd_mem_free(path);
    return alone;
}

static size_t count_words(const char *text)
{
    size_t n = 0;
    for (bool inside = false; *text; text++) {
        const bool is_blank = *text == ' ' || (*text >= '\t' && *text <= '\r');
        n += !is_blank && !inside;
        inside = !is_blank;
    }
    return n;
}

static void read_part(pd_asked *asked, const pd_query_part *part, size_t *n_pictures)
{
    if (part->kind == PD_PART_LIKE) {
        asked->has_meaning = true;
        ++*n_pictures;
    } else if (part->kind == PD_PART_MEANING) {
        asked->has_meaning = asked->has_words = true;
        asked->english_only |= has_foreign_letter(part->words);
        if (part->negated)
            return;
        asked->n_words += count_words(part->words);
        if (asked->words.len)
            (void)pd_buf_append_string(&asked->words, " ");
        (void)pd_buf_append_string(&asked->words, part->words);
    }
}

pd_status pd_asked_check_cancelled(const pd_asked *asked, pd_error *err)
{
    if (asked->question->cancelled && atomic_load(asked->question->cancelled))
        return pd_error_set(err, PD_ERR_CANCELLED, "the search was cancelled");
    return PD_OK;
}

/* Everything but what the model says. done_asking in every case. */
static pd_status read_question(pd_asked *asked, pd_library *library, const pd_question *question, pd_error *err)
{
    *asked = (pd_asked){ .library = library, .question = question };
    pd_buf_init(&asked->words, 2 * PD_QUERY_BYTES_MAX);
    PD_TRY(pd_library_choose(library, PD_LIBRARY_ANSWERING, &asked->choice, err));
    const char *text = question->text ? question->text : "";
    PD_TRY(pd_query_parse(&asked->query, text, strlen(text), err));
    size_t n_parts, n_pictures = question->n_examples;
    const pd_query_part *parts = pd_query_parts(asked->query, &n_parts);
    asked->has_meaning = n_pictures > 0;
    for (size_t i = 0; i < n_parts; i++)
        read_part(asked, &parts[i], &n_pictures);
    asked->english_only = asked->english_only && knows_english_alone(asked->choice.dir);
    if (asked->words.status != PD_OK)
        return pd_error_set_nomem(err);
    if (n_pictures > PD_LIBRARY_EXAMPLES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu examples were given; at most %d are possible", n_pictures,
                            PD_LIBRARY_EXAMPLES_MAX);
    asked->order = question->order != PD_ORDER_NONE ? question->order : pd_query_order(asked->query);
    if (asked->order == PD_ORDER_NONE)
        asked->order = PD_ORDER_SCORE;
    if (asked->order == PD_ORDER_SCORE && !asked->has_meaning)
        asked->order = PD_ORDER_NEWEST;
    return PD_OK;
}

static void done_asking(pd_asked *asked)
{
    pd_residency_return(asked->library->shelf.residency, &asked->text);
    pd_residency_return(asked->library->shelf.residency, &asked->vision);
    pd_library_choice_done(&asked->choice);
    pd_query_free(&asked->query);
    pd_buf_done(&asked->words);
    pd_mem_free(asked->vector);
    pd_mem_free(asked->one);
    pd_mem_free(asked->half);
    pd_mem_free(asked->scores);
    pd_mem_free(asked->bounds);
}

/* The answer when it is kept, or needs no model. */
static pd_status find_at_hand(pd_asked *asked, bool *ret_found, pd_hits *ret_hits, pd_error *err)
{
    pd_library *library = asked->library;
    pd_kept *kept = NULL;
    pthread_mutex_lock(&library->finder.lock);
    pd_status status = pd_library_need_columns(library, err);
    if (status == PD_OK)
        status = pd_kept_equal(asked, &kept, err);
    if (status == PD_OK && !kept && !asked->has_meaning)
        status = pd_kept_make(asked, &kept, err);
    if (status == PD_OK && kept)
        status = pd_kept_window(library, kept, asked->question, ret_hits, err);
    pthread_mutex_unlock(&library->finder.lock);
    *ret_found = kept != NULL;
    return status;
}

static pd_status find_by_meaning(pd_asked *asked, pd_hits *ret_hits, pd_error *err)
{
    pd_library *library = asked->library;
    pd_kept *kept = NULL;
    pthread_mutex_lock(&library->searcher.lock);
    pd_status status = pd_asked_check_cancelled(asked, err);
    if (status == PD_OK)
        status = pd_asked_embed(asked, err);
    if (status == PD_OK)
        status = pd_asked_scan(asked, err);
    if (status == PD_OK)
        status = pd_asked_check_cancelled(asked, err);
    if (status == PD_OK) {
        pthread_mutex_lock(&library->finder.lock);
        status = pd_library_need_columns(library, err);
        if (status == PD_OK)
            status = pd_kept_make(asked, &kept, err);
        if (status == PD_OK)
            status = pd_kept_window(library, kept, asked->question, ret_hits, err);
        pthread_mutex_unlock(&library->finder.lock);
    }
    pthread_mutex_unlock(&library->searcher.lock);
    return status;
}

static pd_status find_again(pd_library *library, const pd_question *question, pd_hits *ret_hits, pd_error *err)
{
    pd_library_touch(library);
    pthread_mutex_lock(&library->finder.lock);
    /* Which photos stays; what the user says of them may be newer. */
    pd_status status = pd_library_need_columns(library, err);
    pd_kept *kept = status == PD_OK ? pd_kept_by_number(library, question->result) : NULL;
    if (kept)
        status = pd_kept_window(library, kept, question, ret_hits, err);
    else if (status == PD_OK)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "this result is not kept any more: ask the question again");
    pthread_mutex_unlock(&library->finder.lock);
    return status;
}

pd_status pd_library_find(pd_library *library, const pd_question *question, pd_hits *ret_hits, pd_error *err)
{
    if (question->n > PD_LIBRARY_WINDOW_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu photos were asked for at once; at most %d are described",
                            question->n, PD_LIBRARY_WINDOW_MAX);
    if (question->result)
        return find_again(library, question, ret_hits, err);
    pd_asked asked;
    bool found = false;
    pd_library_touch(library);
    pd_status status = read_question(&asked, library, question, err);
    if (status == PD_OK)
        status = find_at_hand(&asked, &found, ret_hits, err);
    if (status == PD_OK && !found)
        status = find_by_meaning(&asked, ret_hits, err);
    done_asking(&asked);
    return status;
}

pd_status pd_library_result_photos(pd_library *library, uint64_t result, const pd_result_range *range,
                                   int64_t **ret_ids, size_t *ret_n, pd_error *err)
{
    pd_library_finder *finder = &library->finder;
    pd_library_touch(library);
    pthread_mutex_lock(&finder->lock);
    pd_kept *kept = pd_kept_by_number(library, result);
    const size_t total = kept ? pd_result_total(kept->result) : 0;
    const size_t left = range->first < total ? total - range->first : 0;
    const pd_result_range there = { range->first, range->n < left ? range->n : left };
    size_t n_items = there.n, n_ids = 0;
    pd_result_item *items = pd_mem_alloc(n_items, sizeof *items);
    int64_t *ids = pd_mem_alloc(n_items, sizeof *ids);
    pd_status status = items && ids ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK && !kept)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "this result is not kept any more: ask the question again");
    if (status == PD_OK)
        status = pd_result_window(kept->result, finder->columns, &there, items, &n_items, err);
    for (size_t i = 0; status == PD_OK && i < n_items; i++) {
        ids[n_ids] = pd_columns_photo(finder->columns, items[i].slot);
        n_ids += ids[n_ids] != 0;
    }
    pthread_mutex_unlock(&finder->lock);
    pd_mem_free(items);
    if (status == PD_OK) {
        *ret_ids = ids;
        *ret_n = n_ids;
    } else {
        pd_mem_free(ids);
    }
    return status;
}

pd_status pd_library_prepare_catalogue(pd_library *library, pd_error *err)
{
    pd_error opening;
    pd_library_touch(library);
    pthread_mutex_lock(&library->reader.lock);
    pd_status status = pd_library_need_reader(library, &opening);
    pthread_mutex_unlock(&library->reader.lock);
    if (status == PD_OK) {
        pthread_mutex_lock(&library->finder.lock);
        status = pd_library_need_columns(library, &opening);
        pthread_mutex_unlock(&library->finder.lock);
    }
    if (status == PD_ERR_NOT_FOUND || status == PD_ERR_NO_MATCH)
        return PD_OK;
    return status == PD_OK ? PD_OK : pd_error_hand_on(err, &opening);
}

pd_status pd_library_prepare_model(pd_library *library, pd_error *err)
{
    pd_library_choice choice;
    pd_lease lease = { 0 };
    pd_status status = pd_library_choose(library, PD_LIBRARY_ANSWERING, &choice, err);
    if (status == PD_OK)
        status = pd_library_borrow(library, &choice, PD_PART_TEXT, NULL, &lease, err);
    pd_residency_return(library->shelf.residency, &lease);
    pd_library_choice_done(&choice);
    return status;
}
