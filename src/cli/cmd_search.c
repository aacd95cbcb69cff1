/* search and similar: two questions, one kind of answer. */
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/selection.h"

enum { WORDS_BYTES_MAX = 1 << 22 }; /* more than a command line can hold; the query room knows the limit of a query */

static bool is_blank(const char *text) { return text[strspn(text, " \t\r\n")] == '\0'; }

/* The query that was saved under a name. */
typedef struct saved_search {
    const char *name;
    pd_buf *buf;
    bool found;
} saved_search;

static bool take_saved(void *user, const pd_saved *saved)
{
    saved_search *s = user;
    s->found = strcmp(saved->name, s->name) == 0;
    if (s->found)
        (void)pd_buf_append_string(s->buf, saved->query);
    return !s->found;
}

static pd_status append_saved(const pd_cli *cli, pd_library *library, pd_buf *buf, pd_error *err)
{
    saved_search s = { .name = cli->options.values[PD_OPTION_SAVED], .buf = buf };
    if (!s.name)
        return PD_OK;
    PD_TRY(pd_library_saved(library, take_saved, &s, err));
    return s.found ? PD_OK : pd_error_set(err, PD_ERR_NO_MATCH, "no search is saved as '%s'", s.name);
}

static pd_status append_words(const pd_cli *cli, pd_buf *buf, pd_error *err)
{
    size_t n;
    const char *const *words = pd_cli_arguments(cli, &n);
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, "%s%s", buf->len ? " " : "", words[i]);
    if (buf->status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "the query is longer than %d bytes", WORDS_BYTES_MAX);
    if (buf->status != PD_OK)
        return pd_error_set_nomem(err);
    if (!buf->data || is_blank(buf->data))
        return pd_error_set(err, PD_ERR_USAGE,
                            "search needs words to look for; 'pixel-detective help search' shows how");
    return PD_OK;
}

static void write_part(pd_out *out, const pd_query_part *part)
{
    pd_buf text;
    pd_buf_init(&text, WORDS_BYTES_MAX);
    pd_query_explain(part, &text);
    pd_out_printable(out, text.len ? text.data : "");
    pd_out_text(out, "\n");
    if (part->note) {
        pd_out_text(out, "  ");
        pd_out_printable(out, part->note);
        pd_out_text(out, "\n");
    }
    pd_buf_done(&text);
}

static pd_status explain(pd_cli *cli, const char *text, pd_error *err)
{
    pd_query *query = NULL;
    PD_TRY(pd_query_parse(&query, text, strlen(text), err));
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_reading(query, text), true);
    } else {
        size_t n;
        const pd_query_part *parts = pd_query_parts(query, &n);
        for (size_t i = 0; i < n; i++)
            write_part(&cli->out, &parts[i]);
    }
    pd_query_free(&query);
    return PD_OK;
}

static pd_status search(pd_cli *cli, pd_library *library, pd_buf *query, pd_error *err)
{
    const char *name = cli->options.values[PD_OPTION_SAVE];
    PD_TRY(append_saved(cli, library, query, err));
    PD_TRY(append_words(cli, query, err));
    if (pd_options_given(&cli->options, PD_OPTION_EXPLAIN))
        return explain(cli, query->data, err);
    if (name)
        PD_TRY(pd_library_saved_put(library, name, query->data, err));
    return pd_photos_answer(cli, library, query->data, &(pd_question){ .text = query->data }, err);
}

pd_status pd_cmd_search(pd_cli *cli, pd_error *err)
{
    pd_library *library = NULL;
    pd_buf query;
    pd_buf_init(&query, WORDS_BYTES_MAX);
    pd_status status = pd_cli_open_library(cli, &library, err);
    if (status == PD_OK)
        status = search(cli, library, &query, err);
    pd_library_close(&library);
    pd_buf_done(&query);
    return status;
}

static pd_status find_similar(pd_cli *cli, pd_library *library, pd_example *examples, size_t n, pd_error *err)
{
    const char *const *arguments = pd_cli_arguments(cli, &n);
    const char *words = cli->options.values[PD_OPTION_WITH];
    for (size_t i = 0; i < n; i++) {
        if (is_blank(arguments[i]))
            return pd_error_set(err, PD_ERR_USAGE, "similar needs a picture: a file, or the id of a photo");
        examples[i] = (pd_example){ .text = arguments[i], .fd = -1 };
    }
    pd_question question = { .text = words, .examples = examples, .n_examples = n };
    return pd_photos_answer(cli, library, words ? words : "", &question, err);
}

pd_status pd_cmd_similar(pd_cli *cli, pd_error *err)
{
    size_t n;
    (void)pd_cli_arguments(cli, &n);
    pd_library *library = NULL;
    pd_example *examples = pd_mem_alloc(n, sizeof *examples);
    pd_status status = examples ? pd_cli_open_library(cli, &library, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = find_similar(cli, library, examples, n, err);
    pd_library_close(&library);
    pd_mem_free(examples);
    return status;
}
