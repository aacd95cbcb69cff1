/* test_generate.c: greedy and beam search over logits from anywhere, well-meaning or not. The goldens of caption_parity
 * say that ordinary logits give what the reference gives. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/attr.h"
#include "model/generate.h"
#include "test.h"

enum { START = 1, STOP = 0, VOCABULARY_MAX = 40, LENGTH_MAX = 64, BEAMS_MAX = 16 };

/* A language whose logits follow from what was written: the tests' stories. */
typedef struct teller {
    size_t vocabulary;
    float (*logit)(const struct teller *teller, const int32_t *ids, size_t n, int32_t next);
    unsigned seed;
    int32_t rows[BEAMS_MAX][LENGTH_MAX], before[BEAMS_MAX][LENGTH_MAX];
    size_t n; /* ids of every row */
} teller;

static void tell_row(const teller *t, const int32_t *ids, float *ret_logits)
{
    for (size_t id = 0; id < t->vocabulary; id++)
        ret_logits[id] = t->logit(t, ids, t->n, (int32_t)id);
}

static void begin(void *user, const int32_t *ids, size_t n, float *ret_logits)
{
    teller *t = user;
    memcpy(t->rows[0], ids, n * sizeof *ids);
    t->n = n;
    tell_row(t, t->rows[0], ret_logits);
}

static void go_on(void *user, size_t n, const uint32_t *parents, const int32_t *tokens, float *ret_logits)
{
    teller *t = user;
    memcpy(t->before, t->rows, sizeof t->rows);
    for (size_t i = 0; i < n; i++) {
        memcpy(t->rows[i], t->before[parents[i]], t->n * sizeof *t->rows[i]);
        t->rows[i][t->n] = tokens[i];
    }
    t->n++;
    for (size_t i = 0; i < n; i++)
        tell_row(t, t->rows[i], ret_logits + i * t->vocabulary);
}

static const pd_generate_options plain = {
    .n_beams = 1, .n_captions = 1, .max_tokens = 10, .length_penalty = 1, .repetition_penalty = 1, .stop = STOP
};
/* What pd_caption_options_init says when a directory says nothing. */
static const pd_generate_options usual = { .n_beams = 5,
                                           .n_captions = 5,
                                           .max_tokens = 20,
                                           .no_repeat_ngram = 3,
                                           .no_triples = true,
                                           .length_penalty = 1,
                                           .repetition_penalty = 1,
                                           .stop = STOP };

static pd_arena arena;
static pd_generated found[BEAMS_MAX];

/* All results are well-formed, whatever the logits. */
static size_t write_texts(teller *t, const pd_generate_options *options, const int32_t *beginning, size_t n_beginning)
{
    const pd_language language = { .vocabulary = t->vocabulary, .begin = begin, .go_on = go_on, .user = t };
    pd_arena_done(&arena);
    if (pd_arena_init(&arena, pd_generate_need(options, t->vocabulary, n_beginning)) != PD_OK)
        return 0;
    const size_t n = pd_generate_run(&language, options, beginning, n_beginning, &arena, found);
    CHECK(n >= 1 && n <= options->n_captions);
    for (size_t i = 0; i < n; i++) {
        CHECK(!isnan(found[i].score) && !isnan(found[i].likelihood));
        CHECK(i == 0 || found[i].score <= found[i - 1].score);
        CHECK(found[i].n >= n_beginning && found[i].n <= n_beginning + options->max_tokens);
        CHECK(memcmp(found[i].ids, beginning, n_beginning * sizeof *beginning) == 0);
        for (size_t j = n_beginning; j < found[i].n; j++)
            CHECK(found[i].ids[j] >= 0 && (size_t)found[i].ids[j] < t->vocabulary);
        for (size_t j = n_beginning; j + 1 < found[i].n; j++)
            CHECK(found[i].ids[j] != options->stop);
    }
    return n;
}

static size_t write_from_start(teller *t, const pd_generate_options *options)
{
    return write_texts(t, options, (const int32_t[]){ START }, 1);
}

static bool is_text(const pd_generated *text, const int32_t *ids, size_t n)
{
    return text->n == n && memcmp(text->ids, ids, n * sizeof *ids) == 0;
}
#define IS_TEXT(index, ...) \
    is_text(&found[index], (const int32_t[]){ __VA_ARGS__ }, sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

/* 7 for ever. */
static float stammer(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    (void)t, (void)ids, (void)n;
    return next == 7 ? 50.0F : next == STOP ? -50.0F : -(float)next / 100;
}

/* Says again what it said two words before. */
static float echo(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    (void)t;
    return n >= 2 && ids[n - 2] == next ? 40.0F : next == STOP ? -40.0F : -(float)next / 10;
}

static bool has_triple(const pd_generated *text)
{
    for (size_t i = 0; i + 2 < text->n; i++)
        if (text->ids[i] == text->ids[i + 1] && text->ids[i] == text->ids[i + 2])
            return true;
    return false;
}

static void usual_options_do_not_stammer(void)
{
    static float (*const stories[])(const teller *, const int32_t *, size_t, int32_t) = { stammer, echo };
    for (size_t i = 0; i < PD_COUNT_OF(stories); i++)
        for (size_t beams = 1; beams <= 16; beams += 5) {
            teller t = { .vocabulary = 30, .logit = stories[i] };
            pd_generate_options options = usual;
            options.n_beams = beams;
            options.n_captions = beams < 5 ? beams : 5;
            const size_t n = write_from_start(&t, &options);
            for (size_t j = 0; j < n; j++) {
                CHECK(!has_triple(&found[j]));
                for (size_t at = 0; at + 6 <= found[j].n; at++) /* no three words twice in a row either */
                    CHECK(memcmp(found[j].ids + at, found[j].ids + at + 3, 3 * sizeof(int32_t)) != 0);
            }
        }
    teller t = { .vocabulary = 30, .logit = stammer };
    (void)write_from_start(&t, &plain);
    CHECK(has_triple(&found[0])); /* without them it does */
    CHECK(pd_generate_repeats(found[0].ids + 1, found[0].n - 1));
}

static void repetition_is_seen(void)
{
    CHECK(!pd_generate_repeats((const int32_t[]){ 0 }, 0));
    CHECK(!pd_generate_repeats((const int32_t[]){ 1, 1 }, 2));
    CHECK(pd_generate_repeats((const int32_t[]){ 5, 1, 1, 1 }, 4));
    CHECK(!pd_generate_repeats((const int32_t[]){ 1, 2, 1, 2, 3 }, 5));
    CHECK(pd_generate_repeats((const int32_t[]){ 9, 1, 2, 1, 2, 1, 2 }, 7));
    CHECK(pd_generate_repeats((const int32_t[]){ 1, 2, 3, 1, 2, 3 }, 6));
    CHECK(!pd_generate_repeats((const int32_t[]){ 1, 2, 3, 4, 1, 2, 3, 5 }, 8));
    CHECK(pd_generate_repeats((const int32_t[]){ 1, 1, 2, 1, 1, 3, 1, 1 }, 8));
}

/* Deterministic, and without pattern. */
static unsigned mix(unsigned value)
{
    value ^= value >> 16;
    value *= 0x7feb352dU;
    value ^= value >> 15;
    value *= 0x846ca68bU;
    return value ^ value >> 16;
}

static float noise(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    unsigned hash = t->seed;
    for (size_t i = 0; i < n; i++)
        hash = mix(hash * 31 + (unsigned)ids[i]);
    return (float)(mix(hash + 977 * (unsigned)next) >> 8) / (float)(1 << 21);
}

/* The best of all texts, by trying all. */
static double best_score(const teller *t, const pd_generate_options *options, int32_t *ids, size_t n, double sum)
{
    const double length = (double)(n - 1);
    if (n > 1 && (ids[n - 1] == STOP || n - 1 == options->max_tokens))
        return sum / pow(length, options->length_penalty);
    double total = 0, best = -INFINITY;
    for (int32_t id = 0; id < (int32_t)t->vocabulary; id++)
        total += exp(t->logit(t, ids, n, id));
    for (int32_t id = 0; id < (int32_t)t->vocabulary; id++) {
        ids[n] = id;
        best = fmax(best, best_score(t, options, ids, n + 1, sum + t->logit(t, ids, n, id) - log(total)));
    }
    return best;
}

static void enough_beams_find_the_best_of_all(void)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        teller t = { .vocabulary = 3, .logit = noise, .seed = seed };
        int32_t ids[LENGTH_MAX] = { START };
        pd_generate_options options = plain;
        options.n_beams = 16; /* 2 ^ 4 unfinished texts at most */
        options.max_tokens = 4;
        options.stopping = PD_STOPPING_NEVER;
        options.length_penalty = 0.5F * (float)(seed % 5);
        (void)write_from_start(&t, &options);
        const double best = best_score(&t, &options, ids, 1, 0);
        CHECK(fabs(found[0].score - best) < 1e-5); /* measured 2e-7 */
    }
}

static bool has_ngram_twice(const pd_generated *text, size_t n)
{
    for (size_t i = 0; i + n <= text->n; i++)
        for (size_t j = i + 1; j + n <= text->n; j++)
            if (memcmp(text->ids + i, text->ids + j, n * sizeof *text->ids) == 0)
                return true;
    return false;
}

static void promises_hold_on_noise(void)
{
    static const int32_t suppressed[] = { 3, 5, 39, 1000, -1 };
    for (unsigned seed = 1; seed <= (TEST_SANITIZED ? 60 : 400); seed++) {
        teller t = { .vocabulary = 2 + mix(seed) % (VOCABULARY_MAX - 2), .logit = noise, .seed = seed };
        pd_generate_options options = plain;
        options.n_beams = 1 + mix(seed + 1) % BEAMS_MAX;
        options.n_captions = 1 + mix(seed + 2) % options.n_beams;
        options.max_tokens = 1 + mix(seed + 3) % 20;
        options.min_tokens = mix(seed + 4) % 8;
        options.no_repeat_ngram = mix(seed + 5) % 4;
        options.repetition_penalty = 1 + (float)(mix(seed + 6) % 3) / 4;
        options.length_penalty = (float)(mix(seed + 7) % 5) - 1;
        options.stopping = (pd_stopping)(mix(seed + 8) % 3);
        options.suppressed = suppressed;
        options.n_suppressed = PD_COUNT_OF(suppressed);
        const size_t n = write_from_start(&t, &options);
        for (size_t i = 0; i < n; i++) {
            const bool stopped = found[i].ids[found[i].n - 1] == STOP;
            CHECK(!stopped || found[i].n - 2 >= options.min_tokens);
            CHECK(!options.no_repeat_ngram || !has_ngram_twice(&found[i], options.no_repeat_ngram));
            for (size_t j = 1; j < found[i].n; j++)
                CHECK(found[i].ids[j] != 3 && found[i].ids[j] != 5 && found[i].ids[j] != 39);
        }
    }
}

/* Every third logit is none. */
static float broken(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    static const float values[] = { NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 0, 1, -NAN };
    const float value = noise(t, ids, n, next);
    const unsigned pick = mix(t->seed + 7 * (unsigned)next + (unsigned)n) % 16;
    return pick < 8 ? values[pick] : value;
}

static float nothing(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    (void)ids, (void)n, (void)next;
    return t->seed ? NAN : -INFINITY;
}

static void broken_logits_give_some_text(void)
{
    for (unsigned seed = 1; seed <= 200; seed++)
        for (size_t beams = 1; beams <= 5; beams += 4) {
            teller t = { .vocabulary = 1 + seed % 9, .logit = broken, .seed = seed };
            pd_generate_options options = usual;
            options.n_beams = options.n_captions = beams;
            (void)write_from_start(&t, &options);
        }
    for (unsigned seed = 0; seed < 2; seed++)
        for (size_t beams = 1; beams <= 5; beams += 4) {
            teller t = { .vocabulary = 4, .logit = nothing, .seed = seed };
            pd_generate_options options = usual;
            options.n_beams = options.n_captions = beams;
            CHECK(write_from_start(&t, &options) == 1 && found[0].n == 1);
        }
}

static void a_vocabulary_of_one_word_ends(void)
{
    for (size_t beams = 1; beams <= 5; beams += 4) {
        teller t = { .vocabulary = 1, .logit = stammer };
        pd_generate_options options = usual;
        options.n_beams = options.n_captions = beams;
        CHECK(write_texts(&t, &options, (const int32_t[]){ 0 }, 1) == 1); /* its one word is the stop */
        CHECK(IS_TEXT(0, 0, 0));
        options.stop = 9; /* none at all */
        CHECK(write_texts(&t, &options, (const int32_t[]){ 0 }, 1) == 1);
        CHECK(IS_TEXT(0, 0, 0)); /* a third one is barred */
    }
}

static void all_suppressed_writes_nothing(void)
{
    static const int32_t all[] = { 0, 1, 2, 3 };
    for (size_t beams = 1; beams <= 5; beams += 4) {
        teller t = { .vocabulary = 4, .logit = noise };
        pd_generate_options options = usual;
        options.n_beams = options.n_captions = beams;
        options.suppressed = all;
        options.n_suppressed = PD_COUNT_OF(all);
        CHECK(write_texts(&t, &options, (const int32_t[]){ START, 2 }, 2) == 1);
        CHECK(IS_TEXT(0, START, 2) && found[0].score == 0);
    }
}

/* 2, 3, 4 ... and from the fifth word on the stop. */
static float count_up(const teller *t, const int32_t *ids, size_t n, int32_t next)
{
    (void)t;
    if (next == STOP)
        return n >= 5 ? 20.0F : -5.0F;
    return next == ids[n - 1] + 1 ? 10.0F : 0.0F;
}

static void lengths_are_kept(void)
{
    teller t = { .vocabulary = 30, .logit = count_up };
    pd_generate_options options = plain;
    CHECK(write_from_start(&t, &options) == 1 && IS_TEXT(0, 1, 2, 3, 4, 5, STOP));
    options.min_tokens = 6;
    CHECK(write_from_start(&t, &options) == 1 && IS_TEXT(0, 1, 2, 3, 4, 5, 6, 7, STOP));
    options.max_tokens = 3;
    CHECK(write_from_start(&t, &options) == 1 && IS_TEXT(0, 1, 2, 3, 4));
    options = usual;
    options.max_tokens = 3;
    CHECK(write_from_start(&t, &options) == 5 && IS_TEXT(0, 1, 2, 3, 4));
    CHECK(write_texts(&t, &usual, (const int32_t[]){ START, 8 }, 2) >= 1 && IS_TEXT(0, 1, 8, 9, 10, 11, STOP));
    CHECK(fabsf(found[0].likelihood - found[0].score) < 1e-6F); /* length penalty 1, no others: the same */
}

int main(void)
{
    RUN(usual_options_do_not_stammer);
    RUN(repetition_is_seen);
    RUN(enough_beams_find_the_best_of_all);
    RUN(promises_hold_on_noise);
    RUN(broken_logits_give_some_text);
    RUN(a_vocabulary_of_one_word_ends);
    RUN(all_suppressed_writes_nothing);
    RUN(lengths_are_kept);
    pd_arena_done(&arena);
    return TEST_RESULT();
}
