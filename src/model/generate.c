#include "model/generate.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A text so far. */
typedef struct pd_beam {
    int32_t *ids;
    size_t n;
    float sum;     /* of log-probabilities, penalties included */
    float sum_raw; /* without penalties */
    float score;   /* of a finished one */
} pd_beam;

/* A way to go on. */
typedef struct pd_candidate {
    uint32_t row;
    int32_t id;
    float sum, sum_raw;
} pd_candidate;

typedef struct pd_search {
    const pd_language *language;
    const pd_generate_options *options;
    size_t n_beginning;
    pd_beam *running, *next, *finished; /* [n_beams]; a beam's ids move with it */
    size_t n_running, n_finished;
    pd_candidate *candidates; /* [2 * n_beams] */
    size_t n_candidates;
    float *raw, *processed; /* [n_beams, vocabulary]: log-probabilities, and what is compared */
    uint32_t *parents;      /* [n_beams] */
    int32_t *tokens;        /* [n_beams] */
} pd_search;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t count_new(const pd_generate_options *options) { return larger(options->max_tokens, 1); }

size_t pd_generate_need(const pd_generate_options *options, size_t vocabulary, size_t n_beginning)
{
    const size_t n = options->n_beams, length = n_beginning + count_new(options);
    return 3 * pd_arena_need(n, sizeof(pd_beam)) + 3 * n * pd_arena_need(length, sizeof(int32_t)) +
           pd_arena_need(2 * n, sizeof(pd_candidate)) + 2 * pd_arena_need(n * vocabulary, sizeof(float)) +
           pd_arena_need(n, sizeof(uint32_t)) + pd_arena_need(n, sizeof(int32_t));
}

static pd_beam *take_beams(pd_arena *arena, size_t n, size_t length)
{
    pd_beam *beams = pd_arena_take(arena, n, sizeof *beams);
    for (size_t i = 0; i < n; i++)
        beams[i] = (pd_beam){ .ids = pd_arena_take(arena, length, sizeof *beams->ids) };
    return beams;
}

/* Logits, in place, to log-probabilities. */
static void normalise(float *logits, size_t n)
{
    float largest = -INFINITY;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    if (largest == -INFINITY)
        return;
    for (size_t i = 0; i < n; i++)
        total += expf(logits[i] - largest);
    const float log_total = largest + (float)log(total);
    for (size_t i = 0; i < n; i++)
        logits[i] = largest == FLT_MAX && logits[i] == largest ? -(float)log(total) : logits[i] - log_total;
}

static void make_finite(float *logits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        logits[i] = isnan(logits[i]) ? -INFINITY : logits[i] < FLT_MAX ? logits[i] : FLT_MAX;
}

static void penalise_repetition(float *scores, size_t vocabulary, const pd_beam *beam, float penalty)
{
    for (size_t i = 0; i < beam->n; i++) {
        const int32_t id = beam->ids[i];
        if (id < 0 || (size_t)id >= vocabulary)
            continue;
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = beam->ids[j] == id;
        if (!seen)
            scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
}

static void bar(float *scores, size_t vocabulary, int32_t id)
{
    if (id >= 0 && (size_t)id < vocabulary)
        scores[id] = -INFINITY;
}

/* What would end an n-gram that is there already. */
static void bar_ngrams(float *scores, size_t vocabulary, const pd_beam *beam, size_t n)
{
    if (beam->n + 1 < n)
        return;
    const int32_t *last = beam->ids + beam->n + 1 - n;
    for (size_t i = 0; i + n <= beam->n; i++)
        if (memcmp(beam->ids + i, last, (n - 1) * sizeof *last) == 0)
            bar(scores, vocabulary, beam->ids[i + n - 1]);
}

static void process(const pd_search *search, const pd_beam *beam, float *scores)
{
    const pd_generate_options *options = search->options;
    const size_t vocabulary = search->language->vocabulary;
    if (options->repetition_penalty != 1)
        penalise_repetition(scores, vocabulary, beam, options->repetition_penalty);
    if (options->no_repeat_ngram)
        bar_ngrams(scores, vocabulary, beam, options->no_repeat_ngram);
    if (options->no_triples && beam->n >= 2 && beam->ids[beam->n - 1] == beam->ids[beam->n - 2])
        bar(scores, vocabulary, beam->ids[beam->n - 1]);
    if (beam->n < search->n_beginning + options->min_tokens)
        bar(scores, vocabulary, options->stop);
    for (size_t i = 0; i < options->n_suppressed; i++)
        bar(scores, vocabulary, options->suppressed[i]);
}

/* The logits in search->raw become log-probabilities there, and what is compared in search->processed. */
static void judge(pd_search *search)
{
    const size_t vocabulary = search->language->vocabulary;
    for (size_t row = 0; row < search->n_running; row++) {
        float *raw = search->raw + row * vocabulary, *processed = search->processed + row * vocabulary;
        make_finite(raw, vocabulary);
        if (search->options->n_beams == 1)
            memcpy(processed, raw, vocabulary * sizeof *raw);
        normalise(raw, vocabulary);
        if (search->options->n_beams > 1)
            memcpy(processed, raw, vocabulary * sizeof *raw);
        process(search, &search->running[row], processed);
    }
}

static void insert(pd_search *search, size_t max, pd_candidate candidate)
{
    size_t at = search->n_candidates < max ? search->n_candidates++ : max - 1;
    for (; at > 0 && search->candidates[at - 1].sum < candidate.sum; at--)
        search->candidates[at] = search->candidates[at - 1];
    search->candidates[at] = candidate;
}

/* The best continuations of all rows, best first. */
static void collect(pd_search *search)
{
    const size_t vocabulary = search->language->vocabulary, max = 2 * search->options->n_beams;
    search->n_candidates = 0;
    for (size_t row = 0; row < search->n_running; row++) {
        const pd_beam *beam = &search->running[row];
        const float *raw = search->raw + row * vocabulary, *processed = search->processed + row * vocabulary;
        float least = search->n_candidates == max ? search->candidates[max - 1].sum : -INFINITY;
        for (size_t id = 0; id < vocabulary; id++) {
            const float sum = beam->sum + processed[id];
            if (!(sum > least))
                continue;
            insert(search, max, (pd_candidate){ (uint32_t)row, (int32_t)id, sum, beam->sum_raw + raw[id] });
            least = search->n_candidates == max ? search->candidates[max - 1].sum : -INFINITY;
        }
    }
}

static void extend(pd_beam *to, const pd_beam *from, const pd_candidate *candidate)
{
    memcpy(to->ids, from->ids, from->n * sizeof *to->ids);
    to->ids[from->n] = candidate->id;
    to->n = from->n + 1;
    to->sum = candidate->sum;
    to->sum_raw = candidate->sum_raw;
}

static float score_of(const pd_search *search, float sum, size_t n)
{
    return sum / powf((float)larger(n - search->n_beginning, 1), search->options->length_penalty);
}

/* Puts a finished text among the best, behind those that are as good. */
static void finish(pd_search *search, const pd_candidate *candidate)
{
    const pd_beam *from = &search->running[candidate->row];
    const size_t max = search->options->n_beams;
    const float score = score_of(search, candidate->sum, from->n + 1);
    if (search->n_finished == max && !(score > search->finished[max - 1].score))
        return;
    size_t at = search->n_finished < max ? search->n_finished++ : max - 1;
    pd_beam beam = search->finished[at];
    extend(&beam, from, candidate);
    beam.score = score;
    for (; at > 0 && search->finished[at - 1].score < score; at--)
        search->finished[at] = search->finished[at - 1];
    search->finished[at] = beam;
}

/* Takes the candidates: those that end among the finished, the others as the next rows. False: nothing goes on. */
static bool advance(pd_search *search, bool is_last)
{
    const pd_generate_options *options = search->options;
    size_t n = 0;
    for (size_t i = 0; i < search->n_candidates; i++) {
        const pd_candidate *candidate = &search->candidates[i];
        if (is_last || candidate->id == options->stop) {
            if (i < options->n_beams)
                finish(search, candidate);
        } else if (n < options->n_beams) {
            extend(&search->next[n], &search->running[candidate->row], candidate);
            search->parents[n] = candidate->row;
            search->tokens[n++] = candidate->id;
        }
    }
    if (n == 0)
        return false;
    pd_beam *const swapped = search->running;
    search->running = search->next;
    search->next = swapped;
    search->n_running = n;
    return true;
}

/* Whether a running beam could still be among the best. */
static bool can_improve(const pd_search *search)
{
    const pd_generate_options *options = search->options;
    if (search->n_finished < options->n_beams)
        return true;
    if (options->stopping == PD_STOPPING_EARLY)
        return false;
    const bool to_the_end = options->stopping == PD_STOPPING_NEVER && options->length_penalty > 0;
    const size_t n = to_the_end ? search->n_beginning + count_new(options) : search->running[0].n;
    return score_of(search, search->running[0].sum, n) > search->finished[options->n_beams - 1].score;
}

static void run_beams(pd_search *search)
{
    for (size_t step = 0;; step++) {
        judge(search);
        collect(search);
        if (!advance(search, step + 1 >= count_new(search->options)) || !can_improve(search))
            return;
        search->language->go_on(search->language->user, search->n_running, search->parents, search->tokens,
                                search->raw);
    }
}

static void run_greedy(pd_search *search)
{
    const size_t vocabulary = search->language->vocabulary;
    pd_beam *beam = &search->running[0];
    for (size_t step = 0; step < count_new(search->options); step++) {
        if (step > 0)
            search->language->go_on(search->language->user, 1, search->parents, search->tokens, search->raw);
        judge(search);
        size_t best = 0;
        for (size_t id = 1; id < vocabulary; id++)
            best = search->processed[id] > search->processed[best] ? id : best;
        if (search->processed[best] == -INFINITY)
            return;
        beam->sum += search->raw[best];
        beam->sum_raw = beam->sum;
        beam->ids[beam->n++] = search->tokens[0] = (int32_t)best;
        if (search->tokens[0] == search->options->stop)
            return;
    }
}

/* What is handed out: the finished ones, or what was written so far where none could be finished. */
static size_t hand_out(pd_search *search, pd_generated *ret_generated)
{
    const bool any = search->n_finished > 0;
    const pd_beam *beams = any ? search->finished : search->running;
    const size_t n = smaller(any ? search->n_finished : search->n_running, larger(search->options->n_captions, 1));
    for (size_t i = 0; i < n; i++) {
        const pd_beam *beam = &beams[i];
        const size_t written = beam->n - search->n_beginning;
        ret_generated[i] = (pd_generated){ .ids = beam->ids,
                                           .n = beam->n,
                                           .score = any ? beam->score : score_of(search, beam->sum, beam->n),
                                           .likelihood = beam->sum_raw / (float)larger(written, 1) };
    }
    return n;
}

size_t pd_generate_run(const pd_language *language, const pd_generate_options *options, const int32_t *beginning,
                       size_t n_beginning, pd_arena *arena, pd_generated *ret_generated)
{
    const size_t n = options->n_beams, length = n_beginning + count_new(options);
    pd_search search = { .language = language, .options = options, .n_beginning = n_beginning, .n_running = 1 };
    search.running = take_beams(arena, n, length);
    search.next = take_beams(arena, n, length);
    search.finished = take_beams(arena, n, length);
    search.candidates = pd_arena_take(arena, 2 * n, sizeof *search.candidates);
    search.raw = pd_arena_take(arena, n * language->vocabulary, sizeof *search.raw);
    search.processed = pd_arena_take(arena, n * language->vocabulary, sizeof *search.processed);
    search.parents = pd_arena_take(arena, n, sizeof *search.parents);
    search.tokens = pd_arena_take(arena, n, sizeof *search.tokens);
    memcpy(search.running[0].ids, beginning, n_beginning * sizeof *beginning);
    search.running[0].n = n_beginning;
    search.parents[0] = 0;
    language->begin(language->user, beginning, n_beginning, search.raw);
    if (n == 1)
        run_greedy(&search);
    else
        run_beams(&search);
    return hand_out(&search, ret_generated);
}

/* How often the run of n ids at the end of ids[0 .. end) stands there in a row. */
static size_t count_runs(const int32_t *ids, size_t end, size_t n)
{
    size_t times = 1;
    while ((times + 1) * n <= end && memcmp(ids + end - (times + 1) * n, ids + end - n, n * sizeof *ids) == 0)
        times++;
    return times;
}

static bool has_loop(const int32_t *ids, size_t n)
{
    for (size_t end = 2; end <= n; end++)
        for (size_t run = 1; run <= end / 2; run++)
            if (count_runs(ids, end, run) >= (run <= 2 ? 3 : 2))
                return true;
    return false;
}

bool pd_generate_repeats(const int32_t *ids, size_t n)
{
    size_t different = 0;
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = ids[j] == ids[i];
        different += !seen;
    }
    return has_loop(ids, n) || (n >= 8 && 2 * different < n);
}
