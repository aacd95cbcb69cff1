/* test_wordpiece.c: BERT's pieces, there and back. */
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"
#include "token/wordpiece.h"

static const char words[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\npicture\nof\n##s\n##ing\nplay\n'\nt\nshirt\n-\n.\ncafe\n"
    "Play\n!\n##é\n狗\nn\ns\n,\n";
enum {
    UNK = 1,
    A = 5,
    PICTURE,
    OF,
    S,
    ING,
    PLAY,
    TICK,
    T,
    SHIRT,
    DASH,
    STOP,
    CAFE,
    BIG_PLAY,
    BANG,
    E,
    DOG,
    N,
    S1,
    COMMA
};

static pd_wordpiece open_words(const char *config)
{
    pd_wordpiece wordpiece = { 0 };
    pd_error err = { 0 };
    if (pd_wordpiece_parse(&wordpiece, pd_str_of(config), pd_str_of(words), &err) != PD_OK)
        fprintf(stderr, "%s\n", err.message);
    return wordpiece;
}

static bool gives(const pd_wordpiece *wordpiece, const char *text, const int32_t *ids, size_t n)
{
    int32_t got[32];
    size_t n_got = 0;
    const bool same = pd_wordpiece_encode(wordpiece, pd_str_of(text), 32, got, &n_got, NULL) == PD_OK && n_got == n &&
                      memcmp(got, ids, n * sizeof *ids) == 0;
    for (size_t i = 0; !same && i < n_got; i++)
        fprintf(stderr, "%s: %d\n", text, (int)got[i]);
    return same;
}
#define GIVES(text, ...) \
    gives(&w, text, (const int32_t[]){ __VA_ARGS__ }, sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

static bool reads(const pd_wordpiece *wordpiece, const char *text, const int32_t *ids, size_t n)
{
    char got[64];
    pd_wordpiece_decode(wordpiece, ids, n, got, sizeof got);
    if (strcmp(got, text) != 0)
        fprintf(stderr, "'%s' is not '%s'\n", got, text);
    return strcmp(got, text) == 0;
}
#define READS(text, ...) \
    reads(&w, text, (const int32_t[]){ __VA_ARGS__ }, sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

static void words_are_cut_into_pieces(void)
{
    pd_wordpiece w = open_words("");
    CHECK(pd_wordpiece_vocabulary(&w) == 24);
    CHECK(GIVES("a picture of", A, PICTURE, OF));
    CHECK(GIVES(" \tA\nPICTURES\r of ", A, PICTURE, S, OF));
    CHECK(GIVES("playing plays", PLAY, ING, PLAY, S));
    CHECK(GIVES("t-shirt's.", T, DASH, SHIRT, TICK, S1, STOP));
    CHECK(GIVES("CAF\xC3\x89 cafe\xCC\x81", CAFE, CAFE));    /* accents go, in either form */
    CHECK(GIVES("a\xE7\x8B\x97of", A, DOG, OF));             /* a Chinese character stands alone */
    CHECK(GIVES("playful a", UNK, A));                       /* cannot be taken apart to its end */
    CHECK(GIVES("a\x01\xEF\xBF\xBD\xE2\x80\x8B of", A, OF)); /* controls are nothing */
    int32_t id = 0;
    size_t n = 1;
    CHECK(pd_wordpiece_encode(&w, pd_str_of(""), 4, &id, &n, NULL) == PD_OK && n == 0);
    pd_wordpiece_done(&w);
}

static void the_config_is_minded(void)
{
    pd_wordpiece w = open_words("{\"do_lower_case\": false, \"tokenize_chinese_chars\": false, \"unk_token\": "
                                "{\"content\": \"[UNK]\"}, \"clean_up_tokenization_spaces\": false}");
    CHECK(GIVES("Play play", BIG_PLAY, PLAY));
    CHECK(GIVES("caf\xC3\xA9", UNK)); /* "cafe" is there, "caf" is not */
    CHECK(GIVES("a\xE7\x8B\x97", UNK));
    CHECK(READS("play .", PLAY, 24, 2, STOP));
    pd_wordpiece_done(&w);
}

static void long_words_are_unknown(void)
{
    pd_wordpiece w = open_words("");
    char text[400];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "aaaa"[i % 4];
    text[sizeof text - 1] = '\0';
    CHECK(GIVES(text, UNK));
    int32_t ids[2];
    size_t n = 0;
    pd_error err = { 0 };
    CHECK(pd_wordpiece_encode(&w, pd_str_of("a a a"), 2, ids, &n, &err) == PD_ERR_LIMIT && strstr(err.message, "2"));
    static char huge[PD_TOKEN_TEXT_BYTES_MAX + 1];
    CHECK(pd_wordpiece_encode(&w, (pd_str){ huge, sizeof huge }, 2, ids, &n, &err) == PD_ERR_LIMIT);
    pd_wordpiece_done(&w);
}

static void ids_are_read_as_words(void)
{
    pd_wordpiece w = open_words("");
    CHECK(READS("a playing picture", 2, A, PLAY, ING, PICTURE, 3, 0, 0));
    CHECK(READS("t - shirt's, a!", T, DASH, SHIRT, TICK, S1, COMMA, A, BANG));
    CHECK(READS("a", 999, -3, A, 24));
    CHECK(READS("##s a", S, A)); /* nothing to go on from */
    char small[6];
    pd_wordpiece_decode(&w, (const int32_t[]){ DOG, DOG }, 2, small, sizeof small);
    CHECK(strcmp(small, "狗 ") == 0); /* cut at a character */
    pd_wordpiece_done(&w);
}

static bool is_refused(const char *config, const char *vocabulary, const char *what)
{
    pd_wordpiece w = { 0 };
    pd_error err = { 0 };
    const size_t live = pd_mem_live();
    const bool ok = pd_wordpiece_parse(&w, pd_str_of(config), pd_str_of(vocabulary), &err) != PD_OK &&
                    strstr(err.message, what) && pd_mem_live() == live;
    if (!ok)
        fprintf(stderr, "%s | %s: %s\n", config, vocabulary, err.message);
    return ok;
}

static void broken_files_are_refused(void)
{
    CHECK(is_refused("", "", "vocab.txt: byte 0: there are no words"));
    CHECK(is_refused("", "a\nb\n", "vocab.txt: the unk_token '[UNK]' is not in it"));
    CHECK(is_refused("", "[UNK]\na\na\n", "vocab.txt: 'a' is there twice"));
    CHECK(is_refused("{", "[UNK]\n", "tokenizer_config.json"));
    CHECK(is_refused("{\"unk_token\": 3}", "[UNK]\n", "\"unk_token\" is not a text"));
    CHECK(is_refused("{\"sep_token\": \"\"}", "[UNK]\n", "\"sep_token\" has 0 bytes"));
    pd_wordpiece w = { 0 };
    CHECK(pd_wordpiece_parse(&w, pd_str_of(""), pd_str_of("[UNK]\r\na\r\nb"), NULL) == PD_OK);
    CHECK(pd_wordpiece_vocabulary(&w) == 3 && GIVES("a b", 1, 2));
    pd_wordpiece_done(&w);
}

static void running_out_of_memory_leaks_nothing(void)
{
    const size_t live = pd_mem_live();
    bool done = false;
    for (size_t nth = 1; !done; nth++) {
        pd_wordpiece w = { 0 };
        int32_t ids[8];
        size_t n = 0;
        (void)pd_mem_fail_at(nth);
        pd_status status = pd_wordpiece_parse(&w, pd_str_of("{\"do_lower_case\": true}"), pd_str_of(words), NULL);
        if (status == PD_OK)
            status = pd_wordpiece_encode(&w, pd_str_of("A caf\xC3\xA9"), 8, ids, &n, NULL);
        (void)pd_mem_fail_at(0);
        pd_wordpiece_done(&w);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        CHECK(pd_mem_live() == live);
        done = status == PD_OK;
        REQUIRE(nth < 100);
    }
}

static void the_shipped_directory_opens(void)
{
    const char *source = getenv("PD_SOURCE");
    char dir[4096];
    pd_wordpiece *wordpiece = NULL;
    REQUIRE(source);
    (void)snprintf(dir, sizeof dir, "%s/models/tiny-caption", source);
    REQUIRE(pd_wordpiece_open(&wordpiece, dir, NULL) == PD_OK);
    CHECK(pd_wordpiece_vocabulary(wordpiece) == 3866);
    CHECK(gives(wordpiece, "a photo of a giraffe", (const int32_t[]){ 28, 420, 105, 28, 802 }, 5));
    CHECK(reads(wordpiece, "a photo of a giraffe", (const int32_t[]){ 2, 28, 420, 105, 28, 802, 3 }, 7));
    pd_wordpiece_close(&wordpiece);
    pd_error err = { 0 };
    CHECK(pd_wordpiece_open(&wordpiece, "/nowhere", &err) == PD_ERR_NOT_FOUND && strstr(err.message, "vocab.txt"));
}

int main(void)
{
    RUN(words_are_cut_into_pieces);
    RUN(the_config_is_minded);
    RUN(long_words_are_unknown);
    RUN(ids_are_read_as_words);
    RUN(broken_files_are_refused);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(the_shipped_directory_opens);
    return TEST_RESULT();
}
