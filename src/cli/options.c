#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "library/library.h"

static const pd_option table[PD_OPTION_COUNT] = {
    [PD_OPTION_LIBRARY] = { .name = "library",
                            .value = "DIR",
                            .preset = "~/.local/share/pixel-detective",
                            .environment = "XDG_DATA_HOME",
                            .help = "Use the library in DIR" },
    [PD_OPTION_MODEL] = { .name = "model",
                          .value = "NAME|DIR",
                          .preset = "what the library uses, at first tiny",
                          .help = "Learn and search with this model: the name of one that is installed, or the "
                                  "directory of one in Hugging Face layout" },
    [PD_OPTION_THREADS] = { .name = "threads",
                            .value = "N",
                            .min = 1,
                            .max = PD_CLI_THREADS_MAX,
                            .preset = "one for each CPU",
                            .help = "Work with N threads" },
    [PD_OPTION_CPU] = { .name = "cpu",
                        .value = "LEVEL",
                        .choices = "auto|scalar|sse2|avx2|avxvnni|avx512|amx|neon|dotprod",
                        .preset = "auto",
                        .help = "Use the CPU's instructions up to this level" },
    [PD_OPTION_PRECISION] = { .name = "precision",
                              .value = "KIND",
                              .choices = "int8|fp32",
                              .preset = "int8",
                              .help = "Arithmetic of the model; fp32 is slower and there to compare with" },
    [PD_OPTION_RECHECK] = { .name = "recheck",
                            .help = "Read every file again, also those whose size and time are as before, and try "
                                    "those again that failed" },
    [PD_OPTION_CAPTIONS] = { .name = "captions",
                             .help = "Write a caption for every picture that has none, after learning" },
    [PD_OPTION_NO_TAGS] = { .name = "no-tags", .help = "Give no tags after learning" },
    [PD_OPTION_PROGRESS] = { .name = "progress",
                             .value = "HOW",
                             .choices = "auto|bar|json|none",
                             .preset = "auto",
                             .help = "Show progress on stderr: a bar, JSON (one snapshot a line) or nothing; auto is "
                                     "a bar on a terminal and nothing elsewhere" },
    [PD_OPTION_NUMBER] = { .letter = 'n',
                           .value = "N",
                           .min = 1,
                           .max = PD_LIBRARY_WINDOW_MAX,
                           .preset = "20",
                           .help = "Show N of what is found" },
    [PD_OPTION_OFFSET] = { .name = "offset",
                           .value = "N",
                           .max = PD_CLI_OFFSET_MAX,
                           .preset = "0",
                           .help = "Leave out the first N" },
    [PD_OPTION_SORT] = { .name = "sort",
                         .value = "ORDER",
                         .choices = "score|date|-date|name|-name|size|-size",
                         .preset = "what the query says with sort:, else score, and -date where no words are asked for",
                         .help = "Order of all that is found: score (best first), date (oldest first), -date, name (of "
                                 "the file), size (smallest first), or these backwards" },
    [PD_OPTION_WITH] = { .name = "with",
                         .value = "WORDS",
                         .help = "Look for words besides the pictures: a query as search takes it, with filters" },
    [PD_OPTION_EXPLAIN] = { .name = "explain", .help = "Say how the query is read, and search for nothing" },
    [PD_OPTION_SAVED] = { .name = "saved",
                          .value = "NAME",
                          .help = "Search what was saved under this name; words that are given are added" },
    [PD_OPTION_SAVE] = { .name = "save", .value = "NAME", .help = "Save the query under this name, and search" },
    [PD_OPTION_QUERY] = { .name = "query",
                          .value = "QUERY",
                          .help = "All photos that this query finds, as search takes it, instead of named ones" },
    [PD_OPTION_REMOVE] = { .name = "remove", .help = "Take it away instead of giving it" },
    [PD_OPTION_EMBEDDINGS] = { .name = "embeddings",
                               .help = "With remove: also what this library learned with the model" },
    [PD_OPTION_DRY_RUN] = { .name = "dry-run", .help = "Only say what would be done" },
    [PD_OPTION_OUTPUT] = { .letter = 'o', .value = "FILE", .help = "Write into FILE instead of standard output" },
    [PD_OPTION_TO] = { .name = "to",
                       .value = "FOLDER",
                       .help = "Copy the photos into FOLDER, which is made when it is missing" },
    [PD_OPTION_SIDECARS] = { .name = "sidecars", .help = "Write into .xmp files beside the photos" },
    [PD_OPTION_MACHINE] = { .name = "machine", .help = "Also what the detective wrote itself and is sure of" },
    [PD_OPTION_LISTEN] = { .name = "listen",
                           .value = "ADDR:PORT",
                           .preset = "127.0.0.1:7733, or the next free port",
                           .help = "Serve the page on this address of this computer (127.0.0.1, [::1], localhost); "
                                   "port 0 is any that is free" },
    [PD_OPTION_NO_OPEN] = { .name = "no-open", .help = "Do not open the page in the browser" },
    [PD_OPTION_BROWSE_ROOT] = { .name = "browse-root",
                                .value = "DIR",
                                .help = "Let the page look only at folders in DIR" },
    [PD_OPTION_IDLE_UNLOAD] = { .name = "idle-unload",
                                .value = "SECONDS",
                                .max = PD_CLI_IDLE_S_MAX,
                                .preset = "300",
                                .help = "Put models and vectors away, and give their memory back, when nothing has "
                                        "needed them for so long; 0 is never" },
    [PD_OPTION_JSON] = { .name = "json", .help = "Write one JSON object" },
    [PD_OPTION_JSONL] = { .name = "jsonl", .help = "Write one JSON object a line, for each photo" },
    [PD_OPTION_CSV] = { .name = "csv", .help = "Write comma-separated values with a header line" },
    [PD_OPTION_NUL] = { .letter = '0',
                        .help = "Write only the paths, byte for byte, each ended by a NUL (for xargs -0)" },
    [PD_OPTION_HELP] = { .letter = 'h', .name = "help", .help = "Show help and exit" },
    [PD_OPTION_VERSION] = { .name = "version", .help = "Show the version and exit" },
};

const pd_option *pd_option_of(pd_option_id id) { return &table[id]; }

const char *pd_option_spelling(pd_option_id id, char ret_text[32])
{
    if (table[id].name)
        (void)snprintf(ret_text, 32, "--%s", table[id].name);
    else
        (void)snprintf(ret_text, 32, "-%c", table[id].letter);
    return ret_text;
}

bool pd_option_next_choice(const char **cursor, const char **ret_choice, size_t *ret_len)
{
    if (!**cursor)
        return false;
    *ret_choice = *cursor;
    *ret_len = strcspn(*cursor, "|");
    *cursor += *ret_len + ((*cursor)[*ret_len] == '|');
    return true;
}

static bool is_choice(const char *choices, const char *value)
{
    const char *choice;
    size_t len;
    while (pd_option_next_choice(&choices, &choice, &len))
        if (strlen(value) == len && memcmp(choice, value, len) == 0)
            return true;
    return false;
}

/* "auto, scalar and avx2": the levels this CPU has. */
static void list_cpu_levels(pd_buf *buf)
{
    const char *cursor = table[PD_OPTION_CPU].choices, *choice;
    size_t len;
    while (pd_option_next_choice(&cursor, &choice, &len)) {
        char name[16];
        unsigned mask;
        (void)snprintf(name, sizeof name, "%.*s", (int)len, choice);
        if (pd_cpu_level(name, &mask))
            (void)pd_buf_appendf(buf, "%s%s", buf->len ? ", " : "", name);
    }
}

static pd_status check_cpu(const char *value, bool known, pd_error *err)
{
    unsigned mask;
    if (known && pd_cpu_level(value, &mask))
        return PD_OK;
    pd_buf levels;
    pd_buf_init(&levels, 256);
    list_cpu_levels(&levels);
    const pd_status status = pd_error_set(err, PD_ERR_USAGE,
                                          known ? "this CPU does not have '%s'; --cpu takes: %s"
                                                : "'%s' is no CPU level; on this CPU --cpu takes: %s",
                                          value, levels.data ? levels.data : "auto");
    pd_buf_done(&levels);
    return status;
}

static pd_status store_value(pd_options *options, pd_option_id id, const char *value, pd_error *err)
{
    const pd_option *option = &table[id];
    char spelling[32];
    (void)pd_option_spelling(id, spelling);
    if (option->max &&
        !(pd_parse_u64(value, option->max, &options->numbers[id]) && options->numbers[id] >= option->min))
        return pd_error_set(err, PD_ERR_USAGE, "%s takes a whole number from %llu to %llu, not '%s'", spelling,
                            (unsigned long long)option->min, (unsigned long long)option->max, value);
    const bool known = !option->choices || is_choice(option->choices, value);
    if (id == PD_OPTION_CPU)
        PD_TRY(check_cpu(value, known, err));
    if (!known)
        return pd_error_set(err, PD_ERR_USAGE, "%s takes one of %s, not '%s'", spelling, option->choices, value);
    if (option->value && !*value)
        return pd_error_set(err, PD_ERR_USAGE, "%s needs a value: %s %s", spelling, spelling, option->value);
    options->values[id] = value;
    return PD_OK;
}

/* The option with this long name (`len` bytes), or PD_OPTION_COUNT. */
static pd_option_id find_name(const char *name, size_t len)
{
    pd_option_id id = 0;
    while (id < PD_OPTION_COUNT &&
           !(table[id].name && strlen(table[id].name) == len && memcmp(table[id].name, name, len) == 0))
        id++;
    return id;
}

static pd_option_id find_letter(char letter)
{
    pd_option_id id = 0;
    while (id < PD_OPTION_COUNT && table[id].letter != letter)
        id++;
    return id;
}

static pd_status refuse_unknown(const char *arg, size_t len, pd_error *err)
{
    char typed[64];
    (void)snprintf(typed, sizeof typed, "%.*s", (int)len, arg);
    const char *name = typed + (typed[0] == '-') + (typed[0] == '-' && typed[1] == '-');
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
        if (table[id].name && pd_near_match(name, table[id].name))
            return pd_error_set(err, PD_ERR_USAGE, "unknown option '%s'; did you mean '--%s'?", typed, table[id].name);
    return pd_error_set(err, PD_ERR_USAGE,
                        "unknown option '%s'; what begins with '-' and is no option comes after '--'", typed);
}

/* The walk through argv: `next` is the argument after the one in hand. */
typedef struct cursor {
    int argc, next;
    char **argv;
} cursor;

static pd_status take_value(pd_options *options, pd_option_id id, const char *attached, cursor *at, pd_error *err)
{
    char spelling[32];
    (void)pd_option_spelling(id, spelling);
    if (!table[id].value) {
        if (attached)
            return pd_error_set(err, PD_ERR_USAGE, "%s takes no value", spelling);
        options->values[id] = "";
        return PD_OK;
    }
    if (!attached && at->next == at->argc)
        return pd_error_set(err, PD_ERR_USAGE, "%s needs a value: %s %s", spelling, spelling, table[id].value);
    return store_value(options, id, attached ? attached : at->argv[at->next++], err);
}

static pd_status take_long(pd_options *options, const char *arg, cursor *at, pd_error *err)
{
    const size_t len = strcspn(arg, "=");
    const pd_option_id id = find_name(arg + 2, len - 2);
    if (id == PD_OPTION_COUNT)
        return refuse_unknown(arg, len, err);
    return take_value(options, id, arg[len] ? arg + len + 1 : NULL, at, err);
}

/* Several letters may share one dash; the first that takes a value takes the rest. */
static pd_status take_letters(pd_options *options, const char *arg, cursor *at, pd_error *err)
{
    for (const char *letter = arg + 1; *letter; letter++) {
        const pd_option_id id = find_letter(*letter);
        if (id == PD_OPTION_COUNT)
            return refuse_unknown(arg, strlen(arg), err);
        if (table[id].value)
            return take_value(options, id, letter[1] ? letter + 1 : NULL, at, err);
        PD_TRY(take_value(options, id, NULL, at, err));
    }
    return PD_OK;
}

static pd_status take_arguments(pd_options *options, cursor *at, pd_error *err)
{
    bool only_words = false;
    while (at->next < at->argc) {
        char *arg = at->argv[at->next++];
        if (only_words || arg[0] != '-' || arg[1] == '\0')
            options->words[options->n_words++] = arg;
        else if (strcmp(arg, "--") == 0)
            only_words = true;
        else if (arg[1] == '-')
            PD_TRY(take_long(options, arg, at, err));
        else
            PD_TRY(take_letters(options, arg, at, err));
    }
    return PD_OK;
}

pd_status pd_options_parse(pd_options *ret_options, int argc, char **argv, pd_error *err)
{
    pd_options options = { .words = pd_mem_alloc((size_t)argc + 1, sizeof *options.words) };
    if (!options.words)
        return pd_error_set_nomem(err);
    cursor at = { .argc = argc, .next = 1, .argv = argv };
    const pd_status status = take_arguments(&options, &at, err);
    if (status != PD_OK) {
        pd_options_done(&options);
        return status;
    }
    *ret_options = options;
    return PD_OK;
}

void pd_options_done(pd_options *options)
{
    pd_mem_free(options->words);
    *options = (pd_options){ 0 };
}

bool pd_options_given(const pd_options *options, pd_option_id id) { return options->values[id] != NULL; }

const char *pd_options_text(const pd_options *options, pd_option_id id)
{
    return options->values[id] ? options->values[id] : table[id].preset;
}

uint64_t pd_options_number(const pd_options *options, pd_option_id id)
{
    uint64_t number = options->numbers[id];
    if (!options->values[id] && !(table[id].preset && pd_parse_u64(table[id].preset, table[id].max, &number)))
        number = 0;
    return number;
}
