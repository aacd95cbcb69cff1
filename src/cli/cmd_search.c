/* search and similar: two questions, one kind of answer. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/hits.h"
#include "cli/human.h"

enum { WORDS_BYTES_MAX = 1 << 22 }; /* more than a command line can hold; the library knows the limit of a query */

static pd_hits_form chosen_form(const pd_options *options)
{
    static const struct {
        pd_option_id id;
        pd_hits_form form;
    } forms[] = {
        { PD_OPTION_JSON, PD_HITS_JSON },
        { PD_OPTION_JSONL, PD_HITS_JSONL },
        { PD_OPTION_CSV, PD_HITS_CSV },
        { PD_OPTION_NUL, PD_HITS_NUL },
    };
    for (size_t i = 0; i < PD_COUNT_OF(forms); i++)
        if (pd_options_given(options, forms[i].id))
            return forms[i].form;
    return PD_HITS_TEXT;
}

static pd_status join_arguments(const pd_cli *cli, pd_buf *buf, pd_error *err)
{
    size_t n;
    const char *const *words = pd_cli_arguments(cli, &n);
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, "%s%s", i ? " " : "", words[i]);
    if (buf->status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "the query is longer than %d bytes", WORDS_BYTES_MAX);
    return buf->status == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

/* What a person on a terminal wants to know besides; on stderr, so that results stay results. */
static void say_more(const pd_cli *cli, const pd_hits_answer *answer)
{
    if (!cli->out.terminal)
        return;
    pd_buf text;
    pd_buf_init(&text, 256);
    pd_human_count(&text, (int64_t)answer->hits->n);
    (void)pd_buf_append_string(&text, " of ");
    pd_human_count(&text, answer->hits->total);
    (void)pd_buf_appendf(&text, " photos in %.0f ms", answer->took_ms);
    if (answer->model)
        (void)pd_buf_appendf(&text, ", model '%s'", answer->model);
    if (text.status == PD_OK)
        pd_say(text.data);
    pd_buf_done(&text);
}

static pd_status say_nothing_found(const pd_cli *cli, pd_library *library, pd_error *err)
{
    pd_buf command;
    pd_buf_init(&command, PD_ERROR_MESSAGE_BYTES);
    pd_cli_append_command(cli, &command);
    const char *how = command.status == PD_OK ? command.data : "pixel-detective ";
    pd_library_status state;
    if (pd_library_status_get(library, &state, NULL) == PD_OK && state.learned > 0)
        (void)pd_error_set(err, PD_ERR_NO_MATCH, "nothing found");
    else
        (void)pd_error_set(err, PD_ERR_NO_MATCH, "nothing is learned yet; run: %sindex FOLDER", how);
    pd_buf_done(&command);
    return PD_ERR_NO_MATCH;
}

static pd_order chosen_order(const pd_options *options)
{
    static const struct {
        const char *name;
        pd_order order;
    } orders[] = { { "date", PD_ORDER_OLDEST }, { "-date", PD_ORDER_NEWEST }, { "name", PD_ORDER_NAME } };
    for (size_t i = 0; i < PD_COUNT_OF(orders); i++)
        if (strcmp(orders[i].name, pd_options_text(options, PD_OPTION_SORT)) == 0)
            return orders[i].order;
    return PD_ORDER_NONE;
}

static pd_status find_similar(const pd_cli *cli, pd_library *library, pd_question *question, pd_hits *ret_hits,
                              pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    pd_example *examples = pd_mem_alloc(n, sizeof *examples);
    if (!examples)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        examples[i] = (pd_example){ .text = arguments[i], .fd = -1 };
    question->examples = examples;
    question->n_examples = n;
    const pd_status status = pd_library_find(library, question, ret_hits, err);
    pd_mem_free(examples);
    return status;
}

static pd_status answer_query(pd_cli *cli, pd_library *library, const char *query, bool by_example, pd_error *err)
{
    pd_question question = { .text = by_example ? NULL : query,
                             .n = (size_t)pd_options_number(&cli->options, PD_OPTION_NUMBER),
                             .order = chosen_order(&cli->options) };
    pd_hits hits = { 0 };
    const int64_t start_ns = pd_clock_ns();
    const pd_status status = by_example ? find_similar(cli, library, &question, &hits, err)
                                        : pd_library_find(library, &question, &hits, err);
    if (status != PD_OK)
        return status;
    const pd_hits_answer answer = {
        .query = query,
        .model = pd_library_model_name(library),
        .took_ms = (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS,
        .hits = &hits,
    };
    const bool found = hits.total > 0;
    pd_hits_write(&cli->out, &answer, chosen_form(&cli->options));
    if (found)
        say_more(cli, &answer);
    pd_hits_done(&hits);
    return found ? PD_OK : say_nothing_found(cli, library, err);
}

static pd_status run_query(pd_cli *cli, bool by_example, pd_error *err)
{
    pd_library *library = NULL;
    pd_buf query;
    pd_buf_init(&query, WORDS_BYTES_MAX);
    pd_status status = join_arguments(cli, &query, err);
    if (status == PD_OK && strspn(query.data, " \t\r\n") == query.len)
        status = pd_error_set(err, PD_ERR_USAGE, "%s",
                              by_example ? "similar needs a picture: a file, or the id of a photo"
                                         : "search needs words to look for");
    if (status == PD_OK)
        status = pd_cli_open_library(cli, &library, err);
    if (status == PD_OK)
        status = answer_query(cli, library, query.data, by_example, err);
    pd_library_close(&library);
    pd_buf_done(&query);
    return status;
}

pd_status pd_cmd_search(pd_cli *cli, pd_error *err) { return run_query(cli, false, err); }
pd_status pd_cmd_similar(pd_cli *cli, pd_error *err) { return run_query(cli, true, err); }
