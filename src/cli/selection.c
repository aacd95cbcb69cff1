#include "cli/selection.h"

#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/hits.h"
#include "cli/human.h"

enum { ADVICE_FILTERS_MAX = 8, SENTENCE_BYTES_MAX = 1024 };

/* What a person on a terminal wants to know besides; on stderr, so that results stay results. */
static void say_more(const pd_cli *cli, const pd_hits_answer *answer)
{
    if (!cli->out.terminal)
        return;
    pd_buf text;
    pd_buf_init(&text, SENTENCE_BYTES_MAX);
    pd_human_count(&text, (int64_t)answer->hits->n);
    (void)pd_buf_append_string(&text, " of ");
    pd_human_count(&text, answer->hits->total);
    (void)pd_buf_appendf(&text, " photos in %.0f ms", answer->took_ms);
    if (answer->hits->model)
        (void)pd_buf_appendf(&text, ", model '%s'", answer->hits->model);
    if (text.status == PD_OK)
        pd_say(text.data);
    pd_buf_done(&text);
}

/* What looks like a filter and is none, and words that the model does not know: for whoever types. */
static void say_notes(const pd_query *query, const pd_hits *hits)
{
    size_t n;
    const pd_query_part *parts = pd_query_parts(query, &n);
    if (isatty(STDERR_FILENO) != 1)
        return;
    for (size_t i = 0; i < n; i++)
        if (parts[i].note)
            pd_say(parts[i].note);
    if (hits->english_only)
        pd_sayf("the model '%s' knows English only; other words find little", hits->model);
}

/* "without 'camera: nikon' there would be 12": the first filter that alone keeps everything out. */
static void append_blame(pd_buf *buf, pd_library *library, const pd_query *query, const char *text)
{
    size_t n, asked = 0;
    const pd_query_part *parts = pd_query_parts(query, &n);
    for (size_t i = 0; i < n && asked < ADVICE_FILTERS_MAX; i++) {
        pd_buf rest;
        pd_hits hits = { 0 };
        if (!pd_part_filters(&parts[i]))
            continue;
        asked++;
        pd_buf_init(&rest, PD_QUERY_BYTES_MAX);
        pd_filters_of(query, text, i, &rest);
        const pd_question question = { .text = rest.len ? rest.data : "", .n = 1 };
        if (rest.status == PD_OK && pd_library_find(library, &question, &hits, NULL) == PD_OK && hits.total > 0) {
            (void)pd_buf_append_string(buf, buf->len ? "; without '" : "without '");
            pd_query_explain(&parts[i], buf);
            (void)pd_buf_append_string(buf, "' it would be ");
            pd_human_count(buf, hits.total);
        }
        pd_hits_done(&hits);
        pd_buf_done(&rest);
    }
}

static pd_status say_nothing_found(pd_library *library, const pd_query *query, const char *text, pd_error *err)
{
    pd_buf advice;
    pd_buf_init(&advice, SENTENCE_BYTES_MAX);
    append_blame(&advice, library, query, text);
    const bool known = advice.status == PD_OK && advice.len > 0;
    (void)pd_error_set(err, PD_ERR_NO_MATCH, "nothing found%s%s", known ? "; " : "", known ? advice.data : "");
    pd_buf_done(&advice);
    return PD_ERR_NO_MATCH;
}

/* Nothing was ever learned here: how to begin, with this very library. */
static pd_status say_how_to_begin(const pd_cli *cli, pd_library *library, const pd_error *found, pd_error *err)
{
    pd_library_totals totals = { 0 };
    if (found->status != PD_ERR_NO_MATCH || pd_library_totals_get(library, &totals, NULL) != PD_OK || totals.learned)
        return pd_error_hand_on(err, found);
    pd_buf command;
    pd_buf_init(&command, PD_ERROR_MESSAGE_BYTES);
    pd_cli_append_command(cli, &command);
    (void)pd_error_set(err, PD_ERR_NO_MATCH, "nothing is learned yet; run: %sindex FOLDER",
                       command.status == PD_OK ? command.data : "pixel-detective ");
    pd_buf_done(&command);
    return PD_ERR_NO_MATCH;
}

static pd_status write_answer(pd_cli *cli, pd_library *library, const pd_hits_answer *answer,
                              const pd_question *question, pd_error *err)
{
    pd_query *query = NULL;
    const char *text = question->text ? question->text : "";
    PD_TRY(pd_query_parse(&query, text, strlen(text), err));
    say_notes(query, answer->hits);
    pd_hits_write(&cli->out, answer, pd_hits_form_chosen(&cli->options), question->offset);
    pd_status status = PD_OK;
    if (answer->hits->total > 0)
        say_more(cli, answer);
    else
        status = say_nothing_found(library, query, text, err);
    pd_query_free(&query);
    return status;
}

pd_status pd_photos_answer(pd_cli *cli, pd_library *library, const char *query, pd_question *question, pd_error *err)
{
    const pd_options *options = &cli->options;
    pd_hits hits = { 0 };
    pd_error failure = { 0 };
    question->offset = (size_t)pd_options_number(options, PD_OPTION_OFFSET);
    question->n = (size_t)pd_options_number(options, PD_OPTION_NUMBER);
    if (pd_options_given(options, PD_OPTION_SORT))
        (void)pd_order_find(pd_options_text(options, PD_OPTION_SORT), &question->order); /* one of the choices */
    const int64_t start_ns = pd_clock_ns();
    const pd_status found = pd_library_find(library, question, &hits, &failure);
    if (found != PD_OK)
        return say_how_to_begin(cli, library, &failure, err);
    const pd_hits_answer answer = { .query = query,
                                    .took_ms = (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS,
                                    .hits = &hits };
    const pd_status status = write_answer(cli, library, &answer, question, err);
    pd_hits_done(&hits);
    return status;
}

static pd_status choose_named(pd_library *library, const char *const *names, size_t n, pd_photos *photos, pd_error *err)
{
    photos->ids = pd_mem_alloc(n, sizeof *photos->ids);
    if (!photos->ids)
        return pd_error_set_nomem(err);
    for (; photos->n < n; photos->n++) {
        pd_photo photo;
        PD_TRY(pd_library_show(library, names[photos->n], &photo, NULL, err));
        photos->ids[photos->n] = photo.id;
    }
    return PD_OK;
}

static pd_status choose_found(const pd_cli *cli, pd_library *library, pd_photos *photos, pd_error *err)
{
    const pd_question question = { .text = pd_options_text(&cli->options, PD_OPTION_QUERY), .n = 1 };
    pd_hits hits = { 0 };
    pd_error failure = { 0 };
    if (pd_library_find(library, &question, &hits, &failure) != PD_OK)
        return say_how_to_begin(cli, library, &failure, err);
    pd_status status = PD_OK;
    if (hits.total == 0)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "nothing found");
    else
        status = pd_library_result_photos(library, hits.result, &(pd_result_range){ 0, (size_t)hits.total },
                                          &photos->ids, &photos->n, err);
    pd_hits_done(&hits);
    return status;
}

pd_status pd_photos_choose(const pd_cli *cli, pd_library *library, const char *const *names, size_t n,
                           pd_photos *ret_photos, pd_error *err)
{
    const bool by_query = pd_options_given(&cli->options, PD_OPTION_QUERY);
    if (by_query && n > 0)
        return pd_error_set(err, PD_ERR_USAGE, "name photos, or choose them with --query, not both");
    if (!by_query && n == 0)
        return pd_error_set(err, PD_ERR_USAGE, "which photos? name them (paths or ids), or choose them with --query");
    pd_photos photos = { 0 };
    const pd_status status =
        by_query ? choose_found(cli, library, &photos, err) : choose_named(library, names, n, &photos, err);
    if (status == PD_OK)
        *ret_photos = photos;
    else
        pd_photos_done(&photos);
    return status;
}

void pd_photos_done(pd_photos *photos)
{
    pd_mem_free(photos->ids);
    *photos = (pd_photos){ 0 };
}
