/* The ids that OpenAI's tokenizer gives, for the lines of clip.jsonl and every text of the parity fixtures. */
#include "test.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "token/token.h"

enum {
    IDS_MAX = 8192,
    LINES = 667,
    MOJIBAKE_LINES = 31, /* text in the wrong encoding, which ftfy guesses right again and we leave: token/clean.h */
    PARITY_TEXTS = 15
};

static char scratch[] = "/tmp/pd-token-XXXXXX";
static const char *shared;

/* `wrap`: the golden ids stand between bos and eos; else they hold them. Golden ids are not cut, ours are at
 * model_max_length: then all but the last count. */
static bool is_exact(const pd_tokenizer *tokenizer, const pd_json *entry, bool wrap)
{
    static int32_t ids[IDS_MAX];
    pd_str text;
    size_t n = 0;
    pd_error err;
    const pd_json *golden = pd_json_get(entry, "ids");
    if (!pd_json_read_string(pd_json_get(entry, "text"), &text) ||
        pd_tokenizer_encode(tokenizer, text.ptr, text.len, wrap ? IDS_MAX : pd_json_count(golden), ids, &n, &err) !=
            PD_OK)
        return false;
    const size_t first = wrap ? 1 : 0;
    const size_t whole = pd_json_count(golden) + 2 * first;
    const bool cut = !wrap && n < whole && ids[n - 1] == ids[whole - 1];
    bool exact = n == whole || cut;
    for (size_t i = 0; exact && i < (cut ? n - 1 : pd_json_count(golden)); i++) {
        int64_t id;
        exact = pd_json_read_int(pd_json_at(golden, i), &id) && id == ids[first + i];
    }
    if (!exact)
        printf("differs: %.*s\n", (int)text.len, text.ptr);
    return exact;
}

static void check_lines(const char *dir)
{
    char path[PATH_MAX], line[1 << 16];
    pd_tokenizer *tokenizer = NULL;
    pd_error err;
    size_t n = 0, n_exact = 0;
    snprintf(path, sizeof path, "%s/golden/tokenizer/clip.jsonl", shared);
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    REQUIRE(pd_tokenizer_open_clip(&tokenizer, dir, &err) == PD_OK);
    CHECK(pd_tokenizer_vocabulary(tokenizer) == 49408);
    while (fgets(line, sizeof line, file)) {
        pd_json *entry = NULL;
        REQUIRE(pd_json_parse(&entry, line, strlen(line), &err) == PD_OK);
        n_exact += is_exact(tokenizer, entry, true);
        n++;
        pd_json_free(&entry);
    }
    fclose(file);
    pd_tokenizer_close(&tokenizer);
    printf("%zu of %zu lines exact\n", n_exact, n);
    CHECK(n == LINES);
    CHECK(n_exact == LINES - MOJIBAKE_LINES);
}

static void every_line_but_mojibake_is_exact(void) { check_lines(scratch); }

/* The same words out of a tokenizer.json, in both forms of its merges. */
static void a_tokenizer_json_gives_the_same_ids(void)
{
    static const char *const forms[] = { "words", "words-pairs" };
    const char *source = getenv("PD_SOURCE");
    for (size_t i = 0; i < PD_COUNT_OF(forms); i++) {
        char command[3 * PATH_MAX], dir[PATH_MAX];
        bool reads_json = false;
        snprintf(dir, sizeof dir, "%s/%s", scratch, forms[i]);
        snprintf(command, sizeof command, "python3 '%s/tools/golden/checkpoint_variant.py' '%s' '%s' %s",
                 source ? source : ".", scratch, dir, forms[i]);
        REQUIRE(system(command) == 0);
        CHECK(pd_tokenizer_reads_json(dir, &reads_json, NULL) == PD_OK && reads_json);
        check_lines(dir);
    }
    bool reads_json = true;
    CHECK(pd_tokenizer_reads_json(scratch, &reads_json, NULL) == PD_OK && !reads_json);
}

static void every_text_of_the_parity_fixtures_is_exact(void)
{
    static const char *const families[] = { "clip_gelu", "clip_outlier", "clip_quickgelu", "mobilenet_clip" };
    size_t n = 0;
    for (size_t i = 0; i < PD_COUNT_OF(families); i++) {
        char path[PATH_MAX];
        pd_tokenizer *tokenizer = NULL;
        pd_json *golden = NULL;
        pd_buf text;
        pd_error err;
        snprintf(path, sizeof path, "%s/golden/parity/%s", shared, families[i]);
        REQUIRE(pd_tokenizer_open_clip(&tokenizer, path, &err) == PD_OK);
        snprintf(path, sizeof path, "%s/golden/parity/%s/golden.json", shared, families[i]);
        pd_buf_init(&text, 1 << 20);
        REQUIRE(pd_file_read(path, 1 << 20, &text, &err) == PD_OK);
        REQUIRE(pd_json_parse(&golden, text.data, text.len, &err) == PD_OK);
        const pd_json *texts = pd_json_get(golden, "texts");
        for (size_t k = 0; k < pd_json_count(texts); k++, n++)
            CHECK(is_exact(tokenizer, pd_json_at(texts, k), false));
        pd_json_free(&golden);
        pd_buf_done(&text);
        pd_tokenizer_close(&tokenizer);
    }
    CHECK(n == PARITY_TEXTS);
}

/* OpenAI's vocabulary, out of the shared file, into `scratch`. */
static bool make_vocabulary(void)
{
    char command[3 * PATH_MAX];
    const char *source = getenv("PD_SOURCE");
    snprintf(command, sizeof command,
             "python3 '%s/tools/golden/clip_vocabulary.py' '%s/golden/tokenizer/bpe_simple_vocab_16e6.txt.gz' '%s'",
             source ? source : ".", shared, scratch);
    return system(command) == 0;
}

static void remove_scratch(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    CHECK(system(command) == 0);
}

int main(void)
{
    char path[PATH_MAX];
    shared = getenv("PD_SHARED");
    snprintf(path, sizeof path, "%s/golden/tokenizer/clip.jsonl", shared ? shared : "");
    if (!pd_file_exists(path))
        SKIP_ALL("no golden/tokenizer/clip.jsonl in the shared test data");
    if (!mkdtemp(scratch) || !make_vocabulary())
        return 1;
    RUN(every_line_but_mojibake_is_exact);
    RUN(a_tokenizer_json_gives_the_same_ids);
    RUN(every_text_of_the_parity_fixtures_is_exact);
    remove_scratch();
    return TEST_RESULT();
}
