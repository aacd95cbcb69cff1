/* options.h: the command line as one table of options, and the parser that obeys it. Help, manual and completions are
 * made from the same table. */
#ifndef PD_CLI_OPTIONS_H
#define PD_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_CLI_THREADS_MAX 64        /* --threads */
#define PD_CLI_IDLE_S_MAX 31536000   /* --idle-unload: a year */
#define PD_CLI_OFFSET_MAX 1000000000 /* --offset */

typedef enum pd_option_id {
    PD_OPTION_LIBRARY,
    PD_OPTION_MODEL,
    PD_OPTION_THREADS,
    PD_OPTION_CPU,
    PD_OPTION_PRECISION,
    PD_OPTION_RECHECK,
    PD_OPTION_CAPTIONS,
    PD_OPTION_NO_TAGS,
    PD_OPTION_PROGRESS,
    PD_OPTION_NUMBER,
    PD_OPTION_OFFSET,
    PD_OPTION_SORT,
    PD_OPTION_WITH,
    PD_OPTION_EXPLAIN,
    PD_OPTION_SAVED,
    PD_OPTION_SAVE,
    PD_OPTION_QUERY,
    PD_OPTION_REMOVE,
    PD_OPTION_EMBEDDINGS,
    PD_OPTION_DRY_RUN,
    PD_OPTION_OUTPUT,
    PD_OPTION_TO,
    PD_OPTION_SIDECARS,
    PD_OPTION_MACHINE,
    PD_OPTION_LISTEN,
    PD_OPTION_NO_OPEN,
    PD_OPTION_BROWSE_ROOT,
    PD_OPTION_IDLE_UNLOAD,
    PD_OPTION_JSON,
    PD_OPTION_JSONL,
    PD_OPTION_CSV,
    PD_OPTION_NUL,
    PD_OPTION_HELP,
    PD_OPTION_VERSION,
    PD_OPTION_COUNT
} pd_option_id;

#define PD_OPTION_BIT(id) (UINT64_C(1) << (id))

typedef struct pd_option {
    char letter;             /* 0: none */
    const char *name;        /* without the dashes; NULL: only the letter */
    const char *value;       /* what the value is called in help; NULL: a flag */
    const char *choices;     /* "a|b|c" when the value is one of these */
    uint64_t min, max;       /* of a number; max 0: the value is text */
    const char *preset;      /* what holds without the option, as text; NULL: nothing to say */
    const char *environment; /* the variable that changes the preset, or NULL */
    const char *help;        /* one sentence without a full stop */
} pd_option;

const pd_option *pd_option_of(pd_option_id id);
/* "-n" or "--json": the name a person would use. */
const char *pd_option_spelling(pd_option_id id, char ret_text[32]);
/* The ids of `choices` one after the other: *cursor starts at the choices; false at the end. */
bool pd_option_next_choice(const char **cursor, const char **ret_choice, size_t *ret_len);

/* What was typed. Borrows from argv. */
typedef struct pd_options {
    const char *values[PD_OPTION_COUNT]; /* "" for a flag that was given; NULL: not given */
    uint64_t numbers[PD_OPTION_COUNT];   /* of options with a number; the last one given counts */
    char **words;                        /* [n_words] what is no option, in order; owned */
    size_t n_words;
} pd_options;

/* Options stand anywhere; `--` ends them; `--name=value`, `--name value`, `-n5`, `-n 5`. Wrong: PD_ERR_USAGE with a
 * sentence that says what would have been right. On success pd_options_done frees. */
PD_MUST_USE pd_status pd_options_parse(pd_options *ret_options, int argc, char **argv, pd_error *err);
void pd_options_done(pd_options *options);

bool pd_options_given(const pd_options *options, pd_option_id id);
/* The value given, or the preset. */
const char *pd_options_text(const pd_options *options, pd_option_id id);
uint64_t pd_options_number(const pd_options *options, pd_option_id id);

#endif
