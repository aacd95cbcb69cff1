#include "test.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "token/token.h"
#include "weights/weights.h"

enum { BOS = 8190, EOS = 8191, N_GOLDEN = 16, GOLDEN_LEN = 32 };

static char scratch[] = "/tmp/pd-token-XXXXXX";

static const char *source_path(const char *name)
{
    static char path[PATH_MAX];
    const char *source = getenv("PD_SOURCE");
    snprintf(path, sizeof path, "%s/%s", source ? source : ".", name);
    return path;
}

static pd_tokenizer *open_tiny(void)
{
    pd_tokenizer *tokenizer = NULL;
    pd_error err;
    if (pd_tokenizer_open_clip(&tokenizer, source_path("models/tiny"), &err) != PD_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return tokenizer;
}

static size_t encode(const pd_tokenizer *tokenizer, const char *text, size_t n_max, int32_t *ids)
{
    size_t n = 0;
    pd_error err;
    return pd_tokenizer_encode(tokenizer, text, strlen(text), n_max, ids, &n, &err) == PD_OK ? n : 0;
}

static void the_texts_of_the_model_are_exact(void)
{
    pd_weights *golden = NULL;
    pd_tensor tensor;
    pd_json *texts = NULL;
    pd_error err;
    int64_t expected[GOLDEN_LEN];
    int32_t ids[GOLDEN_LEN];
    pd_tokenizer *tokenizer = open_tiny();
    CHECK(pd_tokenizer_vocabulary(tokenizer) == 8192);
    REQUIRE(pd_weights_open(&golden, source_path("tests/data/tiny/golden.safetensors"), &err) == PD_OK);
    REQUIRE(pd_weights_find(golden, "input_ids", &tensor) && tensor.count == N_GOLDEN * GOLDEN_LEN);
    const char *list = pd_weights_metadata(golden, "texts");
    REQUIRE(list && pd_json_parse(&texts, list, strlen(list), &err) == PD_OK);
    REQUIRE(pd_json_count(texts) == N_GOLDEN);
    for (size_t i = 0; i < N_GOLDEN; i++) {
        pd_str text;
        size_t n;
        REQUIRE(pd_tensor_read_i64(&tensor, i * GOLDEN_LEN, GOLDEN_LEN, expected, &err) == PD_OK);
        REQUIRE(pd_json_read_string(pd_json_at(texts, i), &text));
        REQUIRE(pd_tokenizer_encode(tokenizer, text.ptr, text.len, GOLDEN_LEN, ids, &n, &err) == PD_OK);
        for (size_t k = 0; k < GOLDEN_LEN; k++)
            CHECK(ids[k] == expected[k]);
    }
    pd_json_free(&texts);
    pd_weights_close(&golden);
    pd_tokenizer_close(&tokenizer);
}

static void an_empty_text_is_bos_and_eos(void)
{
    pd_tokenizer *tokenizer = open_tiny();
    int32_t ids[4] = { 0 };
    CHECK(encode(tokenizer, "", 4, ids) == 2);
    CHECK(ids[0] == BOS && ids[1] == EOS && ids[2] == EOS && ids[3] == EOS);
    CHECK(encode(tokenizer, " \t\n\xE3\x80\x80\x01", 2, ids) == 2);
    pd_tokenizer_close(&tokenizer);
}

static void long_texts_are_cut_with_eos_at_the_end(void)
{
    pd_tokenizer *tokenizer = open_tiny();
    int32_t all[100], cut[100];
    const char *text = "one two three four five six seven eight nine ten";
    const size_t n = encode(tokenizer, text, 100, all);
    CHECK(n > 8);
    for (size_t n_max = 2; n_max < n; n_max++) {
        CHECK(encode(tokenizer, text, n_max, cut) == n_max);
        CHECK(memcmp(all, cut, (n_max - 1) * sizeof *all) == 0 && cut[n_max - 1] == EOS);
    }
    char endless[PD_TOKEN_TEXT_BYTES_MAX + 2];
    memset(endless, '1', sizeof endless);
    endless[PD_TOKEN_TEXT_BYTES_MAX] = '\0';
    CHECK(encode(tokenizer, endless, 100, cut) == 32); /* model_max_length */
    CHECK(cut[31] == EOS && cut[99] == EOS);
    size_t used = 0;
    pd_error err;
    CHECK(pd_tokenizer_encode(tokenizer, endless, PD_TOKEN_TEXT_BYTES_MAX + 1, 100, cut, &used, &err) == PD_ERR_LIMIT);
    CHECK(strstr(err.message, "4096") != NULL);
    pd_tokenizer_close(&tokenizer);
}

static void one_word_of_any_length_is_encoded(void)
{
    pd_tokenizer *tokenizer = open_tiny();
    char word[PD_TOKEN_TEXT_BYTES_MAX + 1];
    int32_t ids[32];
    for (size_t i = 0; i < sizeof word; i++)
        word[i] = (char)('a' + i * i % 26);
    word[PD_TOKEN_TEXT_BYTES_MAX] = '\0';
    CHECK(encode(tokenizer, word, 32, ids) == 32);
    pd_tokenizer_close(&tokenizer);
}

static void malformed_utf8_counts_as_replacement_characters(void)
{
    pd_tokenizer *tokenizer = open_tiny();
    int32_t a[32], b[32];
    CHECK(encode(tokenizer, "a\xFF\xC3 b", 32, a) == encode(tokenizer, "a\xEF\xBF\xBD\xEF\xBF\xBD b", 32, b));
    CHECK(memcmp(a, b, sizeof a) == 0);
    pd_tokenizer_close(&tokenizer);
}

static void special_tokens_in_a_text_stand_for_themselves(void)
{
    pd_tokenizer *tokenizer = open_tiny();
    int32_t ids[32];
    CHECK(encode(tokenizer, "<|endoftext|><|startoftext|>", 32, ids) == 4);
    CHECK(ids[1] == EOS && ids[2] == BOS && ids[3] == EOS);
    pd_tokenizer_close(&tokenizer);
}

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    pd_error err;
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    if (pd_file_replace(path, text, strlen(text), false, &err) != PD_OK)
        abort();
}

#define SMALL_VOCABULARY                                                                                  \
    "{\"a\": 0, \"b\": 1, \"a</w>\": 2, \"b</w>\": 3, \"ab\": 4, \"ab</w>\": 5, \"<|startoftext|>\": 6, " \
    "\"<|endoftext|>\": 7, \"!\": 8}"

static void write_small(void)
{
    write_file("vocab.json", SMALL_VOCABULARY);
    write_file("merges.txt", "#version: 0.2\na b</w>\na b\n");
    write_file("tokenizer_config.json", "{}");
    write_file("special_tokens_map.json", "{}");
}

static pd_status open_scratch(pd_error *err, pd_tokenizer **ret_tokenizer)
{
    return pd_tokenizer_open_clip(ret_tokenizer, scratch, err);
}

static bool refuses(pd_status status, const char *file, const char *what)
{
    pd_tokenizer *tokenizer = NULL;
    pd_error err = { 0 };
    const pd_status got = open_scratch(&err, &tokenizer);
    const bool ok = got == status && !tokenizer && strstr(err.message, file) && strstr(err.message, what);
    if (!ok)
        fprintf(stderr, "%s: %s\n", pd_status_name(got), err.message);
    pd_tokenizer_close(&tokenizer);
    return ok;
}

static void merges_join_by_rank(void)
{
    pd_tokenizer *tokenizer = NULL;
    pd_error err;
    int32_t ids[16];
    write_small();
    REQUIRE(open_scratch(&err, &tokenizer) == PD_OK);
    CHECK(encode(tokenizer, "ab", 16, ids) == 3 && ids[1] == 5);
    CHECK(encode(tokenizer, "ABAB", 16, ids) == 4 && ids[1] == 4 && ids[2] == 5);
    CHECK(encode(tokenizer, "aba", 16, ids) == 4 && ids[1] == 4 && ids[2] == 2);
    CHECK(encode(tokenizer, "aab", 16, ids) == 4 && ids[1] == 0 && ids[2] == 5);
    CHECK(encode(tokenizer, "c", 16, ids) == 3 && ids[1] == 7); /* unknown */
    pd_tokenizer_close(&tokenizer);
}

static void settings_are_obeyed(void)
{
    pd_tokenizer *tokenizer = NULL;
    pd_error err;
    int32_t ids[16];
    write_small();
    write_file("special_tokens_map.json", "{\"pad_token\": \"a\", \"eos_token\": {\"content\": \"b\"}}");
    write_file("tokenizer_config.json", "{\"pad_token\": {\"content\": \"!\"}, \"do_lower_case\": false,"
                                        " \"model_max_length\": 1000000000000000019884624838656}");
    REQUIRE(open_scratch(&err, &tokenizer) == PD_OK);
    CHECK(encode(tokenizer, "A", 4, ids) == 3); /* not lower-cased: unknown */
    CHECK(ids[0] == 6 && ids[1] == 7 && ids[2] == 1 && ids[3] == 8);
    pd_tokenizer_close(&tokenizer);
    write_file("tokenizer_config.json", "{\"model_max_length\": 3}");
    REQUIRE(open_scratch(&err, &tokenizer) == PD_OK);
    CHECK(encode(tokenizer, "a a a a a a", 8, ids) == 3 && ids[2] == 1);
    pd_tokenizer_close(&tokenizer);
}

static void broken_files_are_named(void)
{
    write_small();
    write_file("vocab.json", "{\"a\": 0");
    CHECK(refuses(PD_ERR_FORMAT, "vocab.json", "byte 7"));
    write_file("vocab.json", "{\"a\": 0}");
    CHECK(refuses(PD_ERR_FORMAT, "vocab.json", "bos_token '<|startoftext|>'"));
    write_small();
    write_file("merges.txt", "#version: 0.2\na b\na c\n");
    CHECK(refuses(PD_ERR_FORMAT, "merges.txt", "line 3: 'a c'"));
    write_file("merges.txt", "ab\n");
    CHECK(refuses(PD_ERR_FORMAT, "merges.txt", "line 1"));
    write_small();
    write_file("tokenizer_config.json", "{\"model_max_length\": 1}");
    CHECK(refuses(PD_ERR_FORMAT, "tokenizer_config.json", "model_max_length"));
    write_file("tokenizer_config.json", "{\"bos_token\": 5}");
    CHECK(refuses(PD_ERR_FORMAT, "tokenizer_config.json", "bos_token"));
    write_file("tokenizer_config.json", "nonsense");
    CHECK(refuses(PD_ERR_FORMAT, "tokenizer_config.json", "JSON"));
    write_file("tokenizer_config.json",
               "{\"bos_token\": \"0123456789012345678901234567890123456789012345678901234567890123\"}");
    CHECK(refuses(PD_ERR_LIMIT, "tokenizer_config.json", "64 bytes"));
    write_small();
    pd_error err = { 0 };
    pd_tokenizer *tokenizer = NULL;
    CHECK(pd_tokenizer_open_clip(&tokenizer, scratch, &err) == PD_OK);
    CHECK(err.status == PD_OK && !err.message[0]); /* optional files are not there: nothing to be said */
    pd_tokenizer_close(&tokenizer);
    CHECK(pd_tokenizer_open_clip(&tokenizer, "/nowhere", &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "no vocab.json in '/nowhere'") != NULL);
}

#define NORMALISER "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Lowercase\"}]}"
#define PATTERN "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"
#define SPLIT "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" PATTERN "\"}}"
#define PRE "{\"type\":\"Sequence\",\"pretokenizers\":[" SPLIT ",{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}"
#define MODEL "\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\""
#define WORDS "\"vocab\":" SMALL_VOCABULARY ",\"merges\":[\"a b</w>\",[\"a\",\"b\"]]"

/* A tokenizer.json of these parts, and nothing else of words. */
static void write_json(const char *normaliser, const char *pre, const char *model)
{
    char text[4096], path[PATH_MAX];
    write_small();
    snprintf(path, sizeof path, "%s/merges.txt", scratch);
    (void)unlink(path);
    snprintf(text, sizeof text,
             "{\"added_tokens\":[{\"id\":9,\"content\":\"<|pad|>\"}],\n"
             "\"normalizer\":%s,\"pre_tokenizer\":%s,\"model\":{%s},\"a\":[1,{\"b\":\"\\\"}\"}]}",
             normaliser, pre, model);
    write_file("tokenizer.json", text);
}

static void remove_json(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/tokenizer.json", scratch);
    (void)unlink(path);
}

static void a_tokenizer_json_stands_for_both_files(void)
{
    pd_tokenizer *tokenizer = NULL;
    pd_error err = { 0 };
    int32_t ids[16];
    bool reads = false;
    write_json(NORMALISER, PRE, MODEL "," WORDS);
    CHECK(pd_tokenizer_reads_json(scratch, &reads, &err) == PD_OK && reads);
    REQUIRE(open_scratch(&err, &tokenizer) == PD_OK);
    CHECK(pd_tokenizer_vocabulary(tokenizer) == 9);
    CHECK(encode(tokenizer, "ab", 16, ids) == 3 && ids[0] == 6 && ids[1] == 5 && ids[2] == 7);
    CHECK(encode(tokenizer, "ABAB", 16, ids) == 4 && ids[1] == 4 && ids[2] == 5);
    pd_tokenizer_close(&tokenizer);

    /* order of the parts, capitals, a token beside the vocabulary */
    write_json("null", PRE, WORDS "," MODEL);
    write_file("tokenizer_config.json", "{\"pad_token\":\"<|pad|>\"}");
    REQUIRE(open_scratch(&err, &tokenizer) == PD_OK);
    CHECK(pd_tokenizer_vocabulary(tokenizer) == 10);
    CHECK(encode(tokenizer, "ABab", 16, ids) == 5 && ids[1] == 7 && ids[3] == 5 && ids[5] == 9);
    pd_tokenizer_close(&tokenizer);

    /* the two files are preferred where both are there */
    write_small();
    write_file("tokenizer.json", "nonsense");
    CHECK(pd_tokenizer_reads_json(scratch, &reads, &err) == PD_OK && !reads);
    CHECK(open_scratch(&err, &tokenizer) == PD_OK);
    pd_tokenizer_close(&tokenizer);
    remove_json();
}

static bool refuses_json(pd_status status, const char *what)
{
    const bool ok = refuses(status, "tokenizer.json", what);
    remove_json();
    return ok;
}

static void other_tokenizers_are_called_by_their_names(void)
{
    write_json(NORMALISER, PRE, "\"type\":\"Unigram\",\"vocab\":[]");
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "model 'Unigram'"));
    write_json(NORMALISER, PRE, "\"type\":\"WordPiece\",\"vocab\":{\"a\":1}");
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "model 'WordPiece'"));
    write_json(NORMALISER, PRE, "\"type\":\"BPE\"," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "word ends"));
    write_json(NORMALISER, PRE, MODEL ",\"byte_fallback\":true," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "byte_fallback"));
    write_json(NORMALISER, PRE, MODEL ",\"continuing_subword_prefix\":\"##\"," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "continuing_subword_prefix"));
    write_json("{\"type\":\"BertNormalizer\"}", PRE, MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "normalizer 'BertNormalizer'"));
    write_json("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"}}", PRE, MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "normalizer 'Replace'"));
    write_json(NORMALISER, "{\"type\":\"Metaspace\"}", MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "pre_tokenizer 'Metaspace'"));
    write_json(NORMALISER, "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"}]}", MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "pre_tokenizer 'Sequence'"));
    write_json(NORMALISER,
               "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x\"}}]}",
               MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "pre_tokenizer 'Split'"));
    write_json(NORMALISER, "null", MODEL "," WORDS);
    CHECK(refuses_json(PD_ERR_UNSUPPORTED, "pre_tokenizer 'of no type'"));
}

static void a_broken_tokenizer_json_is_refused(void)
{
    write_json(NORMALISER, PRE, MODEL);
    CHECK(refuses_json(PD_ERR_FORMAT, "no merges"));
    write_json(NORMALISER, PRE, MODEL ",\"merges\":[]");
    CHECK(refuses_json(PD_ERR_FORMAT, "no vocab"));
    write_json(NORMALISER, PRE, MODEL ",\"vocab\":5,\"merges\":[]");
    CHECK(refuses_json(PD_ERR_FORMAT, "no vocab"));
    write_json(NORMALISER, PRE, MODEL ",\"vocab\":{\"a\":0},\"merges\":[]");
    CHECK(refuses_json(PD_ERR_FORMAT, "bos_token '<|startoftext|>'"));
    write_json(NORMALISER, PRE, MODEL ",\"vocab\":{\"a\":-1},\"merges\":[]");
    CHECK(refuses_json(PD_ERR_FORMAT, "vocab: byte"));
    static const char *const merges[] = { "5",         "\"ab\"",        "[\"a\"]",        "[\"a\",\"b\",\"c\"]",
                                          "\"a b c\"", "\"a\\nb\"",     "\"a b\",",       "{}",
                                          "[\"a\",5]", "\"a \\ud800\"", "[\"a b\",\"b\"]" };
    for (size_t i = 0; i < PD_COUNT_OF(merges); i++) {
        char model[2048];
        snprintf(model, sizeof model, "%s,\"vocab\":%s,\"merges\":[%s]", MODEL, SMALL_VOCABULARY, merges[i]);
        write_json(NORMALISER, PRE, model);
        CHECK(refuses_json(PD_ERR_FORMAT, "byte"));
    }
    write_json(NORMALISER, PRE, MODEL ",\"vocab\":" SMALL_VOCABULARY ",\"merges\":[\"a c\"]");
    CHECK(refuses_json(PD_ERR_FORMAT, "merges: line 1: 'a c'"));
    write_json(NORMALISER, PRE, MODEL "," WORDS ",\"vocab\":{\"a\":0}");
    CHECK(refuses_json(PD_ERR_FORMAT, "duplicate"));
    static const char *const texts[] = { "",
                                         "[]",
                                         "{",
                                         "{\"model\"",
                                         "{\"model\":{\"vocab\":{",
                                         "{]",
                                         "{}x",
                                         "nonsense",
                                         "{\"model\":{\"vocab\":{},\"merges\":[]}",
                                         "{\"model\":]}",
                                         "{\"a\\" };
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++) {
        write_json(NORMALISER, PRE, MODEL);
        write_file("tokenizer.json", texts[i]);
        CHECK(refuses_json(PD_ERR_FORMAT, ""));
    }
}

static void running_out_of_memory_with_a_json_leaks_nothing(void)
{
    write_json(NORMALISER, PRE, MODEL "," WORDS);
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        const size_t live = pd_mem_live();
        pd_tokenizer *tokenizer = NULL;
        pd_error err;
        (void)pd_mem_fail_at(nth);
        status = open_scratch(&err, &tokenizer);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && err.status == PD_ERR_NOMEM));
        pd_tokenizer_close(&tokenizer);
        CHECK(pd_mem_live() == live);
        REQUIRE(nth < 1000);
    }
    CHECK(nth > 20);
    remove_json();
}

static void running_out_of_memory_leaks_nothing(void)
{
    write_small();
    write_file("tokenizer_config.json", "{\"pad_token\": {\"content\": \"!\"}}");
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        const size_t live = pd_mem_live();
        pd_tokenizer *tokenizer = NULL;
        pd_error err;
        int32_t ids[16];
        size_t n;
        (void)pd_mem_fail_at(nth);
        status = open_scratch(&err, &tokenizer);
        if (status == PD_OK)
            status = pd_tokenizer_encode(tokenizer, "ab e\xCC\x81 &amp;", 12, 16, ids, &n, &err);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && err.status == PD_ERR_NOMEM));
        pd_tokenizer_close(&tokenizer);
        CHECK(pd_mem_live() == live);
        REQUIRE(nth < 1000);
    }
    CHECK(nth > 20);
}

int main(void)
{
    if (!mkdtemp(scratch))
        return 1;
    RUN(the_texts_of_the_model_are_exact);
    RUN(an_empty_text_is_bos_and_eos);
    RUN(long_texts_are_cut_with_eos_at_the_end);
    RUN(one_word_of_any_length_is_encoded);
    RUN(malformed_utf8_counts_as_replacement_characters);
    RUN(special_tokens_in_a_text_stand_for_themselves);
    RUN(merges_join_by_rank);
    RUN(settings_are_obeyed);
    RUN(broken_files_are_named);
    RUN(a_tokenizer_json_stands_for_both_files);
    RUN(other_tokenizers_are_called_by_their_names);
    RUN(a_broken_tokenizer_json_is_refused);
    RUN(running_out_of_memory_with_a_json_leaks_nothing);
    RUN(running_out_of_memory_leaks_nothing);
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command) == 0 ? TEST_RESULT() : 1;
}
