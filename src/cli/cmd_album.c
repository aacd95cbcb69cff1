/* album: what is in albums, and which there are. */
#include <string.h>
#include <strings.h>

#include "answer/answer.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/selection.h"
#include "cli/steps.h"

enum { QUERY_BYTES_MAX = 4 * PD_WORK_NAME_BYTES_MAX };

typedef struct call {
    pd_cli *cli;
    pd_library *library;
    const char *const *words; /* after the action */
    size_t n;
} call;

static bool add_album(void *user, const pd_album *album)
{
    return pd_json_append_take(user, pd_answer_album(album)) == PD_OK;
}

typedef struct lines {
    pd_out *out;
    size_t n;
} lines;

static bool write_album(void *user, const pd_album *album)
{
    lines *l = user;
    pd_buf count;
    pd_buf_init(&count, 64);
    pd_human_count(&count, album->n_photos);
    pd_outf(l->out, "%9s  ", count.len ? count.data : "");
    pd_buf_done(&count);
    pd_out_printable(l->out, album->name);
    pd_out_text(l->out, "\n");
    l->n++;
    return true;
}

static pd_status list(const call *c, pd_error *err)
{
    if (pd_options_given(&c->cli->options, PD_OPTION_JSON)) {
        pd_json *json = pd_json_object(), *albums = pd_json_array();
        pd_status status = pd_library_albums(c->library, add_album, albums, err);
        if (pd_json_set_take(json, "albums", albums) != PD_OK)
            pd_json_free(&json);
        if (status == PD_OK)
            pd_out_json_take(&c->cli->out, json, true);
        else
            pd_json_free(&json);
        return status;
    }
    lines l = { .out = &c->cli->out };
    PD_TRY(pd_library_albums(c->library, write_album, &l, err));
    return l.n ? PD_OK
               : pd_error_set(err, PD_ERR_NO_MATCH, "there is no album yet; 'album add NAME PHOTO...' makes one");
}

typedef struct name_search {
    const char *name;
    bool found;
} name_search;

static bool compare_name(void *user, const pd_album *album)
{
    name_search *s = user;
    s->found = strcasecmp(s->name, album->name) == 0;
    return !s->found;
}

static pd_status show(const call *c, pd_error *err)
{
    name_search s = { .name = c->words[0] };
    pd_buf query;
    if (!strpbrk(s.name, "*?"))
        PD_TRY(pd_library_albums(c->library, compare_name, &s, err));
    if (!s.found && !strpbrk(s.name, "*?"))
        return pd_error_set(err, PD_ERR_NO_MATCH, "there is no album '%s'", s.name);
    pd_buf_init(&query, QUERY_BYTES_MAX);
    (void)pd_buf_append_string(&query, "album:");
    pd_query_quote(c->words[0], &query);
    const pd_status status =
        query.status != PD_OK
            ? pd_error_set(err, PD_ERR_LIMIT, "the name of an album has at most %d bytes", PD_WORK_NAME_BYTES_MAX)
            : pd_photos_answer(c->cli, c->library, query.data, &(pd_question){ .text = query.data }, err);
    pd_buf_done(&query);
    return status;
}

static pd_status add(const call *c, pd_error *err)
{
    pd_edit edit = { .kind = PD_EDIT_ALBUM, .text = c->words[0] };
    return pd_steps_edit(c->cli, c->library, &edit, c->words + 1, c->n - 1, err);
}

static pd_status take(const call *c, pd_error *err)
{
    pd_edit edit = { .kind = PD_EDIT_UNALBUM, .text = c->words[0] };
    return pd_steps_edit(c->cli, c->library, &edit, c->words + 1, c->n - 1, err);
}

static void say_step(const call *c, pd_step *step)
{
    pd_steps_write(c->cli, step, pd_answer_step(step));
    pd_step_done(step);
}

static pd_status make(const call *c, pd_error *err)
{
    pd_step step = { 0 };
    PD_TRY(pd_library_album_make(c->library, c->words[0], &step, err));
    say_step(c, &step);
    return PD_OK;
}

static pd_status rename_one(const call *c, pd_error *err)
{
    pd_step step = { 0 };
    PD_TRY(pd_library_album_rename(c->library, c->words[0], c->words[1], &step, err));
    say_step(c, &step);
    return PD_OK;
}

static pd_status remove_one(const call *c, pd_error *err)
{
    pd_step step = { 0 };
    PD_TRY(pd_library_album_remove(c->library, c->words[0], &step, err));
    say_step(c, &step);
    return PD_OK;
}

typedef struct action {
    const char *name, *arguments;
    size_t n_min, n_max;
    pd_status (*run)(const call *c, pd_error *err);
} action;

static const action *find_action(const char *name)
{
    static const action actions[] = {
        { "list", "", 0, 0, list },
        { "show", " NAME", 1, 1, show },
        { "make", " NAME", 1, 1, make },
        { "add", " NAME PHOTO...", 1, SIZE_MAX, add },
        { "take", " NAME PHOTO...", 1, SIZE_MAX, take },
        { "rename", " NAME TO", 2, 2, rename_one },
        { "remove", " NAME", 1, 1, remove_one },
    };
    for (size_t i = 0; i < PD_COUNT_OF(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

pd_status pd_cmd_album(pd_cli *cli, pd_error *err)
{
    call c = { .cli = cli };
    c.words = pd_cli_arguments(cli, &c.n);
    const char *name = c.n ? c.words[0] : "list";
    const action *a = find_action(name);
    if (!a)
        return pd_error_set(err, PD_ERR_USAGE,
                            "'album %s' is nothing; it takes list, show, make, add, take, rename or remove", name);
    c.words += c.n > 0;
    c.n -= c.n > 0;
    if (c.n < a->n_min || c.n > a->n_max)
        return pd_error_set(err, PD_ERR_USAGE, "it is: album %s%s", a->name, a->arguments);
    PD_TRY(pd_cli_open_library(cli, &c.library, err));
    const pd_status status = a->run(&c, err);
    pd_library_close(&c.library);
    return status;
}
