/* saved and history: searches that are kept. */
#include <string.h>

#include "answer/answer.h"
#include "cli/commands.h"

typedef struct listing {
    pd_cli *cli;
    pd_json *json; /* NULL: as text */
    size_t n;
    bool failed; /* out of memory */
} listing;

static bool list_search(void *user, const pd_saved *saved)
{
    listing *l = user;
    l->n++;
    if (l->json) {
        l->failed |= pd_json_append_take(l->json, pd_answer_saved(saved)) != PD_OK;
        return !l->failed;
    }
    if (saved->name[0]) {
        pd_out_printable(&l->cli->out, saved->name);
        pd_out_text(&l->cli->out, "\t");
    }
    pd_out_printable(&l->cli->out, saved->query);
    pd_out_text(&l->cli->out, "\n");
    return true;
}

/* One list under a key, or lines. */
static pd_status write_list(pd_cli *cli, pd_library *library, bool history, pd_error *err)
{
    const bool as_json = pd_options_given(&cli->options, PD_OPTION_JSON);
    listing l = { .cli = cli, .json = as_json ? pd_json_array() : NULL };
    if (as_json && !l.json)
        return pd_error_set_nomem(err);
    const pd_status status = history ? pd_library_history(library, PD_WORK_HISTORY_MAX, list_search, &l, err)
                                     : pd_library_saved(library, list_search, &l, err);
    pd_json *json = as_json && status == PD_OK && !l.failed ? pd_json_object() : NULL;
    if (!as_json)
        return status != PD_OK || l.n
                   ? status
                   : pd_error_set(err, PD_ERR_NO_MATCH, "%s",
                                  history ? "nothing was searched for in the page yet"
                                          : "no search is saved; 'search --save NAME QUERY' saves one");
    if (pd_json_set_take(json, history ? "history" : "saved", l.json) != PD_OK)
        pd_json_free(&json);
    if (status == PD_OK)
        pd_out_json_take(&cli->out, json, true);
    else
        pd_json_free(&json);
    return status;
}

static pd_status remove_saved(pd_library *library, const char *name, pd_error *err)
{
    return pd_library_saved_remove(library, name, err);
}

static pd_status clear_history(pd_library *library, const char *name, pd_error *err)
{
    (void)name;
    return pd_library_history_clear(library, err);
}

/* A list, and the one thing that can be done to it. */
typedef struct kept {
    bool history;
    const char *action, *usage;
    size_t n_words; /* of a call of the action */
    pd_status (*change)(pd_library *library, const char *name, pd_error *err);
} kept;

static pd_status run_kept(pd_cli *cli, const kept *k, pd_error *err)
{
    size_t n;
    const char *const *words = pd_cli_arguments(cli, &n);
    const bool lists = n == 0 || (n == 1 && strcmp(words[0], "list") == 0);
    if (!lists && !(n == k->n_words && strcmp(words[0], k->action) == 0))
        return pd_error_set(err, PD_ERR_USAGE, "it is: %s", k->usage);
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = lists ? write_list(cli, library, k->history, err) : k->change(library, words[n - 1], err);
    pd_library_close(&library);
    return status;
}

pd_status pd_cmd_saved(pd_cli *cli, pd_error *err)
{
    static const kept saved = { false, "remove", "saved [list], or saved remove NAME", 2, remove_saved };
    return run_kept(cli, &saved, err);
}

pd_status pd_cmd_history(pd_cli *cli, pd_error *err)
{
    static const kept history = { true, "clear", "history [list], or history clear", 1, clear_history };
    return run_kept(cli, &history, err);
}
