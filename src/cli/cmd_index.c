#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/str.h"
#include "cli/bar.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/human.h"
#include "cli/interrupt.h"

enum {
    ERRORS_LISTED_MAX = 20, /* on stderr; JSON has them all */
    WAIT_MS = 100,          /* longest time that a Ctrl-C goes unseen */
    LINE_BYTES_MAX = 1 << 15,
};

/* Shows the job until it ends. The first interrupt asks it to stop, the second does not ask. */
static void watch_job(const pd_cli *cli, pd_library *library, const pd_interrupt *interrupt)
{
    pd_progress progress;
    pd_bar bar;
    const char *how = pd_options_text(&cli->options, PD_OPTION_PROGRESS);
    pd_bar_init(&bar, pd_bar_choose(how, cli->environment.terminal, STDERR_FILENO), STDERR_FILENO,
                cli->environment.utf8, cli->environment.color);
    bool stopping = false;
    bool there = pd_library_job_snapshot(library, &progress);
    while (there && progress.phase != PD_PHASE_READY) {
        pd_bar_show(&bar, &progress, false);
        if (pd_interrupt_came(interrupt)) {
            pd_bar_clear(&bar);
            if (stopping)
                _exit(pd_exit_code(PD_ERR_CANCELLED));
            pd_say("stopping; what is learned is kept (again: stop at once)");
            pd_library_job_cancel(library);
            stopping = true;
        }
        there = pd_library_job_wait(library, progress.seq, WAIT_MS, &progress);
    }
    if (there)
        pd_bar_show(&bar, &progress, true);
}

static void watch_annotation(const pd_cli *cli, pd_library *library, const pd_interrupt *interrupt)
{
    pd_annotation_state state;
    pd_bar bar;
    const char *how = pd_options_text(&cli->options, PD_OPTION_PROGRESS);
    pd_bar_init(&bar, pd_bar_choose(how, cli->environment.terminal, STDERR_FILENO), STDERR_FILENO,
                cli->environment.utf8, cli->environment.color);
    bool stopping = false;
    bool there = pd_library_annotate_look(library, &state);
    while (there && state.running) {
        pd_bar_show_annotation(&bar, &state);
        if (pd_interrupt_came(interrupt)) {
            pd_bar_clear(&bar);
            if (stopping)
                _exit(pd_exit_code(PD_ERR_CANCELLED));
            pd_say("stopping; what is written is kept (again: stop at once)");
            pd_library_annotate_cancel(library);
            stopping = true;
        }
        there = pd_library_annotate_wait(library, state.seq, WAIT_MS, &state);
    }
    if (there)
        pd_bar_show_annotation(&bar, &state);
}

/* Tags, and captions when they are asked for or switched on. Somebody else who writes already does this work too. */
static pd_status annotate(const pd_cli *cli, pd_library *library, const pd_interrupt *interrupt,
                          pd_annotation_state *ret_state, pd_error *err)
{
    const bool asked = pd_options_given(&cli->options, PD_OPTION_CAPTIONS);
    bool captions = asked;
    if (!captions)
        PD_TRY(pd_library_captions_get(library, &captions, err));
    const pd_annotate_options options = { .tags = !pd_options_given(&cli->options, PD_OPTION_NO_TAGS),
                                          .captions = captions };
    if (!options.tags && !options.captions)
        return PD_OK;
    pd_error busy = { 0 };
    const pd_status status = pd_library_annotate(library, &options, &busy);
    if (status == PD_ERR_BUSY && !asked)
        return PD_OK;
    if (status != PD_OK)
        return pd_error_hand_on(err, &busy);
    watch_annotation(cli, library, interrupt);
    pd_library_annotate_finish(library, ret_state);
    if (ret_state->outcome != PD_OK && ret_state->outcome != PD_ERR_CANCELLED)
        return pd_error_set(err, ret_state->outcome, "%s", ret_state->message);
    return PD_OK;
}

typedef struct error_list {
    bool listed; /* say the first ones on stderr */
    pd_json *json;
    size_t n;
    bool failed; /* out of memory */
} error_list;

static void say_file_error(const char *path, const char *sentence)
{
    pd_buf line;
    pd_buf_init(&line, LINE_BYTES_MAX);
    (void)pd_text_append_printable(&line, path, strlen(path));
    (void)pd_buf_appendf(&line, ": %s", sentence);
    if (line.status == PD_OK)
        pd_say(line.data);
    pd_buf_done(&line);
}

static bool take_error(void *user, const char *path, pd_status why, const char *sentence)
{
    error_list *list = user;
    if (list->listed && list->n < ERRORS_LISTED_MAX)
        say_file_error(path, sentence && *sentence ? sentence : pd_status_name(why));
    list->n++;
    list->failed |= pd_json_append_take(list->json, pd_answer_file_error(path, why, sentence));
    return !list->failed;
}

/* Takes the errors. */
static pd_json *summary_json(const pd_progress *progress, const pd_annotation_state *written, pd_json *errors)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "files", progress->found);
    failed |= pd_json_set_int(json, "learned", progress->learned);
    failed |= pd_json_set_int(json, "unchanged", progress->unchanged);
    failed |= pd_json_set_int(json, "moved", progress->moved);
    failed |= pd_json_set_int(json, "removed", progress->removed);
    failed |= pd_json_set_int(json, "skipped", progress->skipped);
    failed |= pd_json_set_take(json, "errors", errors);
    failed |= pd_json_set_number(json, "seconds", round(progress->elapsed_s * 1e3) / 1e3);
    failed |= pd_json_set_int(json, "tagged", written->tagged);
    failed |= pd_json_set_int(json, "captioned", written->captioned);
    failed |= pd_json_set_int(json, "doubtful", written->doubtful);
    if (failed)
        pd_json_free(&json);
    return json;
}

static void append_counted(pd_buf *buf, int64_t count, const char *one, const char *many)
{
    pd_human_count(buf, count);
    (void)pd_buf_appendf(buf, " %s", count == 1 ? one : many);
}

/* "Learned 46 pictures in 3.2 s (14 a second)." */
static void append_headline(pd_buf *buf, const pd_progress *progress)
{
    if (progress->outcome == PD_ERR_CANCELLED)
        (void)pd_buf_append_string(buf, "Stopped. ");
    if (progress->found == 0 && progress->outcome != PD_ERR_CANCELLED) {
        (void)pd_buf_append_string(buf, "There are no pictures in there.\n");
        return;
    }
    if (progress->learned == 0) {
        (void)pd_buf_append_string(buf, "Nothing new was learned (");
        pd_human_duration(buf, progress->elapsed_s);
        (void)pd_buf_append_string(buf, ").\n");
        return;
    }
    (void)pd_buf_append_string(buf, "Learned ");
    append_counted(buf, progress->learned, "picture", "pictures");
    (void)pd_buf_append_string(buf, " in ");
    pd_human_duration(buf, progress->elapsed_s);
    const double rate = progress->elapsed_s > 0 ? (double)progress->learned / progress->elapsed_s : 0;
    if (progress->learned > 1 && rate >= 1)
        (void)pd_buf_appendf(buf, rate < 10 ? " (%.1f a second)" : " (%.0f a second)", rate);
    (void)pd_buf_append_string(buf, ".\n");
}

static void append_rest(pd_buf *buf, const pd_progress *progress, size_t n_errors)
{
    const struct {
        int64_t count;
        const char *one, *many;
    } lines[] = {
        { progress->unchanged, "picture was known already.", "pictures were known already." },
        { progress->moved, "picture had moved and kept its learning.", "pictures had moved and kept their learning." },
        { progress->removed, "picture is gone and was taken out.", "pictures are gone and were taken out." },
        { progress->skipped, "file was skipped: its kind (video, RAW, SVG, PDF) is not learned.",
          "files were skipped: their kinds (video, RAW, SVG, PDF) are not learned." },
        { (int64_t)n_errors, "file could not be learned; the reason is above.",
          "files could not be learned; the reasons are above." },
    };
    for (size_t i = 0; i < PD_COUNT_OF(lines); i++)
        if (lines[i].count > 0) {
            append_counted(buf, lines[i].count, lines[i].one, lines[i].many);
            (void)pd_buf_append(buf, "\n", 1);
        }
}

static void append_written(pd_buf *buf, const pd_annotation_state *written)
{
    if (written->captioned > 0) {
        (void)pd_buf_append_string(buf, "Wrote ");
        append_counted(buf, written->captioned, "caption", "captions");
        (void)pd_buf_append_string(buf, ", ");
        pd_human_count(buf, written->doubtful);
        (void)pd_buf_append_string(buf, " of them marked as doubtful.\n");
    }
    if (written->failed > 0) {
        append_counted(buf, written->failed, "picture", "pictures");
        (void)pd_buf_append_string(buf, " could not be captioned.\n");
    }
}

static void write_summary(pd_cli *cli, const pd_progress *progress, const pd_annotation_state *written, size_t n_errors)
{
    pd_buf *buf = &cli->out.buf;
    append_headline(buf, progress);
    append_rest(buf, progress, n_errors);
    append_written(buf, written);
    if (progress->outcome == PD_ERR_CANCELLED || written->outcome == PD_ERR_CANCELLED) {
        (void)pd_buf_append_string(buf, "The same command goes on from here.\n");
    } else if (progress->learned + progress->unchanged + progress->moved > 0) {
        (void)pd_buf_append_string(buf, "Now try: ");
        pd_cli_append_command(cli, buf);
        (void)pd_buf_append_string(buf, "search \"a dog on the beach\"\n");
    }
}

/* What a run did. */
typedef struct deeds {
    pd_progress learning;
    pd_annotation_state writing; /* zeroed: it did not come to that */
} deeds;

static pd_status report(pd_cli *cli, pd_library *library, const pd_index_options *options, const deeds *d,
                        pd_error *err)
{
    const pd_progress *progress = &d->learning;
    const bool as_json = pd_options_given(&cli->options, PD_OPTION_JSON);
    error_list list = { .listed = !as_json, .json = pd_json_array() };
    pd_status status = pd_library_errors(library, options->folders, options->n_folders, take_error, &list, err);
    if (status == PD_OK && list.failed)
        status = pd_error_set_nomem(err);
    if (status != PD_OK) {
        pd_json_free(&list.json);
        return status;
    }
    if (as_json) {
        pd_out_json_take(&cli->out, summary_json(progress, &d->writing, list.json), true);
    } else {
        if (list.n > ERRORS_LISTED_MAX)
            pd_sayf("and %zu more files; 'index --json' lists all of them", list.n - ERRORS_LISTED_MAX);
        write_summary(cli, progress, &d->writing, list.n);
        pd_json_free(&list.json);
    }
    if (progress->outcome == PD_ERR_CANCELLED || d->writing.outcome == PD_ERR_CANCELLED)
        return PD_ERR_CANCELLED;
    if (progress->message[0]) /* a folder that is not there */
        pd_say(progress->message);
    return list.n || progress->outcome == PD_ERR_PARTIAL ? PD_ERR_PARTIAL : PD_OK;
}

/* The job itself failed: what it says, and what is left of its work. */
static pd_status tell_failure(const pd_progress *progress, pd_error *err)
{
    const char *message = progress->message[0] ? progress->message : pd_status_name(progress->outcome);
    if (progress->learned > 0)
        return pd_error_set(err, progress->outcome, "%s (%" PRId64 " pictures were learned before that and are kept)",
                            message, progress->learned);
    return pd_error_set(err, progress->outcome, "%s", message);
}

pd_status pd_cmd_index(pd_cli *cli, pd_error *err)
{
    pd_index_options options = { .recheck = pd_options_given(&cli->options, PD_OPTION_RECHECK),
                                 .speed = PD_SPEED_FULL }; /* who wants it gentler has `nice` */
    options.folders = pd_cli_arguments(cli, &options.n_folders);
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    pd_interrupt interrupt;
    pd_interrupt_begin(&interrupt);
    deeds d = { .writing = { .outcome = PD_OK } };
    pd_status status = pd_library_index(library, &options, err);
    if (status == PD_OK) {
        watch_job(cli, library, &interrupt);
        pd_library_job_finish(library, &d.learning);
    }
    const pd_status outcome = d.learning.outcome;
    pd_status written = PD_OK;
    pd_error error = { 0 };
    if (status == PD_OK && (outcome == PD_OK || outcome == PD_ERR_PARTIAL))
        written = annotate(cli, library, &interrupt, &d.writing, &error);
    pd_interrupt_end(&interrupt);
    const bool ended_well = outcome == PD_OK || outcome == PD_ERR_PARTIAL || outcome == PD_ERR_CANCELLED;
    if (status == PD_OK)
        status = ended_well ? report(cli, library, &options, &d, err) : tell_failure(&d.learning, err);
    if (written != PD_OK && (status == PD_OK || status == PD_ERR_PARTIAL))
        status = pd_error_hand_on(err, &error);
    pd_library_close(&library);
    return status;
}
