#include "cli/options.h"

#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "base/near.h"
#include "test.h"

enum { ARGS_MAX = 16 };

/* Splits `line` at '|' into argv after a program name, and parses it. */
typedef struct call {
    char text[512];
    char *argv[ARGS_MAX];
    int argc;
    pd_options options;
    pd_error err;
    pd_status status;
} call;

static void parse(call *c, const char *line)
{
    static char program[] = "pixel-detective";
    memset(c, 0, sizeof *c);
    (void)snprintf(c->text, sizeof c->text, "%s", line);
    c->argv[c->argc++] = program;
    char *rest = c->text;
    while (*line && rest && c->argc < ARGS_MAX)
        c->argv[c->argc++] = strsep(&rest, "|");
    c->status = pd_options_parse(&c->options, c->argc, c->argv, &c->err);
}

static void refuse(const char *line, const char *part)
{
    call c;
    parse(&c, line);
    CHECK(c.status == PD_ERR_USAGE);
    CHECK(strstr(c.err.message, part) != NULL);
    CHECK(c.options.words == NULL);
}

static void options_stand_before_and_after_the_words(void)
{
    call c;
    parse(&c, "--library|/lib|search|--json|red|car|-n|5");
    CHECK(c.status == PD_OK);
    CHECK(strcmp(pd_options_text(&c.options, PD_OPTION_LIBRARY), "/lib") == 0);
    CHECK(pd_options_given(&c.options, PD_OPTION_JSON));
    CHECK(pd_options_number(&c.options, PD_OPTION_NUMBER) == 5);
    REQUIRE(c.options.n_words == 3);
    CHECK(strcmp(c.options.words[0], "search") == 0);
    CHECK(strcmp(c.options.words[2], "car") == 0);
    pd_options_done(&c.options);
}

static void values_are_attached_or_follow(void)
{
    static const char *const lines[] = { "-n7", "-n|7", "-0n7", "-0n|7" };
    for (size_t i = 0; i < PD_COUNT_OF(lines); i++) {
        call c;
        parse(&c, lines[i]);
        CHECK(c.status == PD_OK);
        CHECK(pd_options_number(&c.options, PD_OPTION_NUMBER) == 7);
        CHECK(pd_options_given(&c.options, PD_OPTION_NUL) == (lines[i][1] == '0'));
        pd_options_done(&c.options);
    }
    call c;
    parse(&c, "--sort=-date|--model|a=b");
    CHECK(strcmp(pd_options_text(&c.options, PD_OPTION_SORT), "-date") == 0);
    CHECK(strcmp(pd_options_text(&c.options, PD_OPTION_MODEL), "a=b") == 0);
    pd_options_done(&c.options);
}

static void two_dashes_end_the_options(void)
{
    call c;
    parse(&c, "search|--|-x|--json|--");
    CHECK(c.status == PD_OK);
    CHECK(c.options.n_words == 4);
    CHECK(!pd_options_given(&c.options, PD_OPTION_JSON));
    pd_options_done(&c.options);
}

static void a_single_dash_is_a_word(void)
{
    call c;
    parse(&c, "search|-");
    CHECK(c.status == PD_OK && c.options.n_words == 2);
    pd_options_done(&c.options);
}

static void the_last_of_equal_options_counts(void)
{
    call c;
    parse(&c, "-n|3|-n|4");
    CHECK(pd_options_number(&c.options, PD_OPTION_NUMBER) == 4);
    pd_options_done(&c.options);
}

static void what_is_not_given_has_its_preset(void)
{
    call c;
    parse(&c, "");
    CHECK(c.status == PD_OK);
    CHECK(pd_options_number(&c.options, PD_OPTION_NUMBER) == 20);
    CHECK(pd_options_number(&c.options, PD_OPTION_THREADS) == 0);
    CHECK(!pd_options_given(&c.options, PD_OPTION_SORT) && pd_options_number(&c.options, PD_OPTION_OFFSET) == 0);
    CHECK(pd_options_text(&c.options, PD_OPTION_JSON) == NULL);
    pd_options_done(&c.options);
}

static void what_makes_no_sense_is_refused_with_what_would(void)
{
    refuse("--jsn", "did you mean '--json'?");
    refuse("--rechekc=1", "did you mean '--recheck'?");
    refuse("-json", "did you mean '--json'?");
    refuse("-people", "comes after '--'");
    refuse("--nothing-like-it", "comes after '--'");
    refuse("--library", "--library needs a value: --library DIR");
    refuse("--library=", "needs a value");
    refuse("--json=1", "--json takes no value");
    refuse("-n|0", "from 1 to 10000, not '0'");
    refuse("-n|10001", "from 1 to 10000");
    refuse("-n|-1", "from 1 to 10000");
    refuse("-n|99999999999999999999999", "from 1 to 10000");
    refuse("--threads|65", "from 1 to 64");
    refuse("--sort|taste", "score|date|-date|name|-name|size|-size");
    refuse("--offset|1000000001", "from 0 to 1000000000");
    refuse("-o", "-o needs a value: -o FILE");
    refuse("--sort|scor", "not 'scor'");
    refuse("--cpu|sse9", "'sse9' is no CPU level; on this CPU --cpu takes: auto, scalar");
    refuse("--precision|int4", "int8|fp32");
}

#ifdef __x86_64__
static void a_level_of_another_cpu_is_refused(void)
{
    refuse("--cpu|neon", "this CPU does not have 'neon'; --cpu takes: auto, scalar");
}
#endif

static void running_out_of_memory_leaves_nothing(void)
{
    const size_t live = pd_mem_live();
    call c;
    (void)pd_mem_fail_at(1);
    parse(&c, "search|x");
    CHECK(c.status == PD_ERR_NOMEM);
    CHECK(pd_mem_fail_at(0) > 0);
    CHECK(pd_mem_live() == live);
}

static void letters_and_names_are_unique_and_helped(void)
{
    for (pd_option_id a = 0; a < PD_OPTION_COUNT; a++) {
        const pd_option *option = pd_option_of(a);
        CHECK(option->name || option->letter);
        CHECK(option->help && option->help[strlen(option->help) - 1] != '.');
        for (pd_option_id b = 0; b < a; b++) {
            const pd_option *other = pd_option_of(b);
            CHECK(!option->letter || option->letter != other->letter);
            CHECK(!option->name || !other->name || strcmp(option->name, other->name) != 0);
        }
    }
}

static void every_option_belongs_to_a_command(void)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    uint64_t used = pd_command_common_options();
    for (size_t i = 0; i < n; i++) {
        CHECK((commands[i].options & pd_command_common_options()) == 0);
        used |= commands[i].options;
    }
    CHECK(used == PD_OPTION_BIT(PD_OPTION_COUNT) - 1);
}

static void near_words_are_slips_of_the_finger(void)
{
    CHECK(pd_near_distance("search", "search") == 0);
    CHECK(pd_near_distance("serach", "search") == 1);
    CHECK(pd_near_distance("serch", "search") == 1);
    CHECK(pd_near_distance("", "abc") == 3);
    CHECK(pd_near_match("stat", "status"));
    CHECK(pd_near_match("indx", "index"));
    CHECK(!pd_near_match("x", "index"));
    CHECK(!pd_near_match("sunset", "status"));
    CHECK(!pd_near_match("", "a"));
    CHECK(!pd_near_match("a-word-that-is-much-longer-than-any-option", "json"));
}

int main(void)
{
    RUN(options_stand_before_and_after_the_words);
    RUN(values_are_attached_or_follow);
    RUN(two_dashes_end_the_options);
    RUN(a_single_dash_is_a_word);
    RUN(the_last_of_equal_options_counts);
    RUN(what_is_not_given_has_its_preset);
    RUN(what_makes_no_sense_is_refused_with_what_would);
#ifdef __x86_64__
    RUN(a_level_of_another_cpu_is_refused);
#endif
    RUN(running_out_of_memory_leaves_nothing);
    RUN(letters_and_names_are_unique_and_helped);
    RUN(every_option_belongs_to_a_command);
    RUN(near_words_are_slips_of_the_finger);
    return TEST_RESULT();
}
