/* model: what there is, fetching it, using it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/human.h"
#include "cli/interrupt.h"
#include "cli/pull_bar.h"

enum { WAIT_MS = 100, NAME_BYTES = 256 };

/* What somebody would type to mean it: the repository where it has one, else its folder's name. */
static const char *typed_name(const pd_library_model *model)
{
    const char *repository = model->entry && model->entry->repository ? model->entry->repository : model->repository;
    return repository && repository[0] ? repository : model->key;
}

static const char *kind_name(const pd_library_model *model)
{
    return model->kind == PD_HUB_CAPTIONS ? "captions" : "search";
}

/* "here, 605.2 MB", "begun, 212.4 MB", "609.2 MB to fetch" */
static void append_presence(pd_buf *buf, const pd_library_model *model)
{
    if (model->error && model->dir) {
        (void)pd_buf_append_string(buf, "cannot be used");
    } else if (model->complete) {
        (void)pd_buf_append_string(buf, "here, ");
        pd_human_bytes(buf, model->disk_bytes);
    } else if (model->dir) {
        (void)pd_buf_append_string(buf, "begun, ");
        pd_human_bytes(buf, model->disk_bytes);
    } else if (model->entry) {
        pd_human_bytes(buf, model->entry->bytes);
        (void)pd_buf_append_string(buf, " to fetch");
    }
}

typedef struct listing {
    pd_cli *cli;
    pd_json *json;   /* NULL: as text */
    bool failed;     /* out of memory */
    const char *key; /* of the one that is asked for; NULL: all */
    bool found;
} listing;

static void write_row(pd_out *out, const pd_library_model *model)
{
    pd_buf presence, name;
    pd_buf_init(&presence, NAME_BYTES);
    pd_buf_init(&name, NAME_BYTES);
    append_presence(&presence, model);
    (void)pd_text_append_printable(&name, typed_name(model), strlen(typed_name(model)));
    pd_outf(out, "%c %-46s  %-8s  %-18s  %s\n", model->chosen || model->answering ? '*' : ' ',
            name.data ? name.data : "", kind_name(model), presence.data ? presence.data : "",
            model->entry ? model->entry->name : "");
    pd_buf_done(&presence);
    pd_buf_done(&name);
}

static void write_line(pd_out *out, const char *what, const char *value)
{
    if (!value || !value[0])
        return;
    pd_outf(out, "%-12s", what);
    pd_out_printable(out, value);
    pd_out_text(out, "\n");
}

static const char *role_text(const pd_library_model *model)
{
    if (model->kind == PD_HUB_CAPTIONS)
        return model->chosen ? "it writes captions" : NULL;
    if (model->chosen && model->answering)
        return "this library searches and learns with it";
    if (model->chosen)
        return "this library learns with it; until that is done another answers";
    return model->answering ? "it answers until the chosen one has learned" : NULL;
}

static void write_info(pd_out *out, const pd_library_model *model)
{
    pd_buf text;
    pd_buf_init(&text, NAME_BYTES);
    const pd_hub_entry *entry = model->entry;
    write_line(out, "name", entry ? entry->name : model->key);
    write_line(out, "key", model->key);
    write_line(out, "repository", typed_name(model) == model->key ? NULL : typed_name(model));
    write_line(out, "revision", model->revision[0] ? model->revision : entry ? entry->revision : NULL);
    write_line(out, "kind", kind_name(model));
    if (entry) {
        write_line(out, "about", entry->text);
        write_line(out, "licence", entry->licence);
        write_line(out, "languages", entry->languages);
    }
    append_presence(&text, model);
    write_line(out, "presence", text.data);
    write_line(out, "folder", model->dir);
    write_line(out, "use", role_text(model));
    write_line(out, "trouble", model->error);
    if (model->learned >= 0)
        pd_outf(out, "%-12s%lld photos of this library\n", "knows", (long long)model->learned);
    pd_buf_done(&text);
}

static bool list_model(void *user, const pd_library_model *model)
{
    listing *l = user;
    if (l->key && strcmp(l->key, model->key) != 0)
        return true;
    l->found = true;
    if (l->json)
        l->failed |= pd_json_append_take(l->json, pd_answer_model(model)) != PD_OK;
    else if (l->key)
        write_info(&l->cli->out, model);
    else
        write_row(&l->cli->out, model);
    return !l->failed && !l->key;
}

static pd_status visit_models(pd_cli *cli, pd_library *library, listing *l, pd_error *err)
{
    const bool as_json = pd_options_given(&cli->options, PD_OPTION_JSON);
    l->cli = cli;
    l->json = as_json ? pd_json_array() : NULL;
    if (as_json && !l->json)
        return pd_error_set_nomem(err);
    const pd_status status = pd_library_models(library, list_model, l, err);
    return status == PD_OK && l->failed ? pd_error_set_nomem(err) : status;
}

static pd_status list_models(pd_cli *cli, pd_library *library, const char *name, pd_error *err)
{
    (void)name;
    listing l = { 0 };
    const pd_status status = visit_models(cli, library, &l, err);
    if (status != PD_OK || !l.json) {
        pd_json_free(&l.json);
        return status;
    }
    pd_json *json = pd_json_object();
    if (pd_json_set_take(json, "models", l.json) != PD_OK)
        pd_json_free(&json);
    pd_out_json_take(&cli->out, json, true);
    return PD_OK;
}

/* The key of what was typed; of a directory, its path as the list has it. */
static pd_status find_key(const char *name, char ret_key[PATH_MAX], pd_error *err)
{
    pd_hub_reference reference;
    if (strchr(name, '/') && pd_dir_exists(name) && realpath(name, ret_key))
        return PD_OK;
    const pd_status status = pd_hub_reference_parse(name, &reference, NULL);
    if (status != PD_OK && (strchr(name, '/') || strlen(name) >= PD_HUB_KEY_BYTES))
        return pd_hub_reference_parse(name, &reference, err);
    (void)snprintf(ret_key, PATH_MAX, "%s", status == PD_OK ? reference.key : name); /* else a folder's name */
    return PD_OK;
}

static pd_status explain_unknown(const char *name, pd_error *err)
{
    pd_hub_reference reference;
    if (pd_hub_reference_parse(name, &reference, NULL) != PD_OK)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "nothing is known of '%s'; 'model list' tells what there is", name);
    return pd_error_set(err, PD_ERR_NOT_FOUND, "nothing is known of '%s' here; 'model pull %s' asks the hub for it",
                        name, name);
}

static pd_status show_model(pd_cli *cli, pd_library *library, const char *name, pd_error *err)
{
    char key[PATH_MAX];
    PD_TRY(find_key(name, key, err));
    listing l = { .key = key };
    const pd_status status = visit_models(cli, library, &l, err);
    if (status == PD_OK && l.found && l.json) {
        pd_json *models = pd_json_object();
        if (pd_json_set_take(models, "models", l.json) != PD_OK)
            pd_json_free(&models);
        pd_out_json_take(&cli->out, models, true);
        return PD_OK;
    }
    pd_json_free(&l.json);
    if (status != PD_OK || l.found)
        return status;
    return explain_unknown(name, err);
}

/* Shows the pull until it ends. The first interrupt asks it to stop, the second does not ask. */
static void watch_pull(const pd_cli *cli, pd_library *library, const pd_interrupt *interrupt, pd_pull_state *state)
{
    pd_bar bar;
    const char *how = pd_options_text(&cli->options, PD_OPTION_PROGRESS);
    pd_bar_init(&bar, pd_bar_choose(how, cli->environment.terminal, STDERR_FILENO), STDERR_FILENO,
                cli->environment.utf8, cli->environment.color);
    bool stopping = false;
    while (pd_library_pull_wait(library, state->seq, WAIT_MS, state) && state->running) {
        pd_pull_bar_show(&bar, state, false);
        if (!pd_interrupt_came(interrupt))
            continue;
        pd_bar_clear(&bar);
        if (stopping)
            _exit(pd_exit_code(PD_ERR_CANCELLED));
        pd_say("stopping; what is here is kept (again: stop at once)");
        pd_library_pull_cancel(library);
        stopping = true;
    }
    pd_pull_bar_show(&bar, state, true);
}

static void write_stopped(pd_out *out, const pd_pull_state *state)
{
    pd_out_text(out, "Stopped. ");
    if (state->total_bytes) {
        pd_human_bytes(&out->buf, state->done_bytes);
        pd_out_text(out, " of ");
        pd_human_bytes(&out->buf, state->total_bytes);
        pd_out_text(out, " are here. ");
    }
    pd_out_text(out, "The same command goes on from there.\n");
}

static bool append_root(void *user, const pd_root *root)
{
    pd_buf *buf = user;
    (void)pd_buf_append_string(buf, " ");
    pd_human_shell_word(buf, root->path);
    return true;
}

static void write_index_command(pd_cli *cli, pd_library *library)
{
    pd_cli_append_command(cli, &cli->out.buf);
    pd_out_text(&cli->out, "index");
    (void)!pd_library_roots(library, append_root, &cli->out.buf, NULL); /* without them it can still be understood */
    pd_out_text(&cli->out, "\n");
}

typedef struct place {
    const char *key;
    bool chosen;
    int64_t learned;
} place;

static bool find_place(void *user, const pd_library_model *model)
{
    place *at = user;
    if (strcmp(model->key, at->key) != 0)
        return true;
    at->chosen = model->chosen;
    at->learned = model->learned;
    return false;
}

/* One in use that was fetched anew may be another than before. */
static void write_next_step(pd_cli *cli, pd_library *library, const char *key, const char *name)
{
    place at = { .key = key };
    pd_library_totals totals = { 0 };
    (void)!pd_library_models(library, find_place, &at, NULL);
    (void)!pd_library_totals_get(library, &totals, NULL);
    if (at.chosen && at.learned >= 0 && at.learned + totals.errors < totals.files) {
        pd_out_text(&cli->out, "This library uses it, and it does not know all photos yet. Now learn with it: ");
        write_index_command(cli, library);
    } else if (!at.chosen) {
        pd_out_text(&cli->out, "Now try: ");
        pd_cli_append_command(cli, &cli->out.buf);
        pd_out_text(&cli->out, "model use ");
        pd_human_shell_word(&cli->out.buf, name);
        pd_out_text(&cli->out, "\n");
    }
}

static pd_status report_pull(pd_cli *cli, pd_library *library, const pd_pull_state *state, const char *name,
                             pd_error *err)
{
    pd_out *out = &cli->out;
    if (pd_options_given(&cli->options, PD_OPTION_JSON) &&
        (state->outcome == PD_OK || state->outcome == PD_ERR_CANCELLED)) {
        pd_out_json_take(out, pd_answer_pull(state), true);
    } else if (state->outcome == PD_ERR_CANCELLED) {
        write_stopped(out, state);
    } else if (state->outcome == PD_OK) {
        pd_out_printable(out, state->reference.repository[0] ? state->reference.repository : name);
        pd_out_text(out, " is here, in ");
        pd_out_printable(out, state->dir);
        pd_out_text(out, ".\n");
        write_next_step(cli, library, state->reference.key, name);
    }
    if (state->outcome == PD_ERR_CANCELLED)
        return PD_ERR_CANCELLED; /* said already */
    return state->outcome == PD_OK ? PD_OK : pd_error_set(err, state->outcome, "%s", state->message);
}

static pd_status pull_model(pd_cli *cli, pd_library *library, const char *name, pd_error *err)
{
    pd_interrupt interrupt;
    pd_pull_state state = { 0 };
    pd_interrupt_begin(&interrupt);
    const pd_status status = pd_library_pull(library, name, false, err);
    if (status == PD_OK)
        watch_pull(cli, library, &interrupt, &state);
    pd_interrupt_end(&interrupt);
    return status == PD_OK ? report_pull(cli, library, &state, name, err) : status;
}

/* What cannot be learned at all is no reason to learn again. */
static void write_used(pd_cli *cli, pd_library *library, const char *name, int64_t learned,
                       const pd_library_totals *totals)
{
    pd_out *out = &cli->out;
    const int64_t files = totals->files;
    pd_out_printable(out, name);
    pd_out_text(out, " is used from now on. It knows ");
    pd_human_count(&out->buf, learned);
    pd_out_text(out, " of ");
    pd_human_count(&out->buf, files);
    pd_out_text(out, files == 1 ? " photo.\n" : " photos.\n");
    if (learned + totals->errors >= files)
        return;
    pd_out_text(out, totals->learned > learned ? "The model before it answers until this one has learned the rest: "
                                               : "Learn the rest: ");
    write_index_command(cli, library);
}

static pd_status use_model(pd_cli *cli, pd_library *library, const char *name, pd_error *err)
{
    int64_t learned = 0;
    pd_library_totals totals = { 0 };
    PD_TRY(pd_library_model_use(library, name, NULL, &learned, err));
    PD_TRY(pd_library_totals_get(library, &totals, err));
    const bool is_captioner = learned < 0;
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_json *json = pd_json_object();
        bool failed = pd_json_set_text(json, "model", name) != PD_OK;
        failed |= pd_json_set_int(json, "learned", is_captioner ? 0 : learned) != PD_OK;
        failed |= pd_json_set_int(json, "files", totals.files) != PD_OK;
        if (failed)
            pd_json_free(&json);
        pd_out_json_take(&cli->out, json, true);
    } else if (is_captioner) {
        pd_out_printable(&cli->out, name);
        pd_out_text(&cli->out, " writes captions from now on.\n");
    } else {
        write_used(cli, library, name, learned, &totals);
    }
    return PD_OK;
}

/* "27.1 MB", "27.1 MB; what it learned about 3 photos stays", "27.1 MB, 4.5 kB of that what it learned about 3 photos"
 */
static void append_removal(pd_buf *buf, const pd_removal *removal, bool embeddings)
{
    const int64_t learned_bytes = removal->photos && embeddings ? removal->embeddings_bytes : 0;
    pd_human_bytes(buf, removal->files_bytes + removal->prepared_bytes + learned_bytes);
    if (!removal->photos)
        return;
    if (embeddings) {
        (void)pd_buf_append_string(buf, ", ");
        pd_human_bytes(buf, learned_bytes);
        (void)pd_buf_append_string(buf, " of that what it learned about ");
    } else {
        (void)pd_buf_append_string(buf, "; what it learned about ");
    }
    pd_human_count(buf, removal->photos);
    (void)pd_buf_append_string(buf, removal->photos == 1 ? " photo" : " photos");
    (void)pd_buf_append_string(buf, embeddings ? "" : " stays");
}

static pd_status remove_model(pd_cli *cli, pd_library *library, const char *name, pd_error *err)
{
    const pd_remove_options options = { .embeddings = pd_options_given(&cli->options, PD_OPTION_EMBEDDINGS),
                                        .dry_run = pd_options_given(&cli->options, PD_OPTION_DRY_RUN) };
    pd_removal removal;
    PD_TRY(pd_library_model_remove(library, name, &options, &removal, err));
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_removal(name, &options, &removal), true);
        return PD_OK;
    }
    pd_out_text(&cli->out, options.dry_run ? "would remove " : "removed ");
    pd_out_printable(&cli->out, name);
    pd_out_text(&cli->out, ": ");
    append_removal(&cli->out.buf, &removal, options.embeddings);
    pd_out_text(&cli->out, "\n");
    return PD_OK;
}

static pd_status check_options(const pd_cli *cli, bool removes, pd_error *err)
{
    if (!removes &&
        (pd_options_given(&cli->options, PD_OPTION_EMBEDDINGS) || pd_options_given(&cli->options, PD_OPTION_DRY_RUN)))
        return pd_error_set(err, PD_ERR_USAGE, "--embeddings and --dry-run are for 'model remove NAME'");
    return PD_OK;
}

typedef struct action {
    const char *name;
    bool takes_model;
    pd_status (*run)(pd_cli *cli, pd_library *library, const char *name, pd_error *err);
} action;

static const action actions[] = {
    { "list", false, list_models }, { "pull", true, pull_model },     { "use", true, use_model },
    { "info", true, show_model },   { "remove", true, remove_model },
};

static pd_status find_action(const char *const *words, size_t n, const action **ret_action, pd_error *err)
{
    for (size_t i = 0; i < PD_COUNT_OF(actions); i++)
        if (n && strcmp(words[0], actions[i].name) == 0 && n == 1u + actions[i].takes_model) {
            *ret_action = &actions[i];
            return PD_OK;
        }
    *ret_action = &actions[0];
    return n ? pd_error_set(err, PD_ERR_USAGE,
                            "it is: model [list], or model pull NAME, use NAME, info NAME, remove NAME")
             : PD_OK;
}

pd_status pd_cmd_model(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *words = pd_cli_arguments(cli, &n);
    const action *chosen;
    pd_library *library = NULL;
    PD_TRY(find_action(words, n, &chosen, err));
    PD_TRY(check_options(cli, chosen->run == remove_model, err));
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = chosen->run(cli, library, n > 1 ? words[1] : NULL, err);
    pd_library_close(&library);
    return status;
}
