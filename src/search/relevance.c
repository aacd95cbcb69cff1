/* relevance.c: what a score means in this library.
 *
 * A cosine by itself says little: how high it is depends on how the question is put, and on what the library holds.
 * What does say something is how far it stands out of the scores that this question gives to all photos. So every score
 * is measured in standard deviations from their mean (z), and the line lies between two places: where chance alone
 * would bring `expected` photos of a library of this size, and the best match.
 *
 * A small library says little about chance, and one that holds a single kind of picture nothing at all. It is helped by
 * questions that nobody asked: everyday words, compared with the same photos, count as NULL_WEIGHT photos more.
 *
 * Fitted on ../shared/quality: quality/README.md has the figures, quality/ablation.py what was tried. */
#include <math.h>

#include "base/mem.h"
#include "search/search.h"

#define NULL_WEIGHT 50
#define TOP_SHARE 0.5   /* of the best match in the line; the rest is chance's */
#define LINE_MIN 1.0    /* standard deviations: less is nothing, however small the library */
#define MATCH_SCALE 1.5 /* standard deviations above the line at which 63 % of the upper half are used up */
#define DEVIATION_MIN 1e-6
#define EXPECTED_MAX 5.0
#define WORDS_EXPECTED 10.0 /* words times photos */
#define SAMPLE_ROWS 64
#define SAMPLE_QUESTIONS 24

/* Acklam's rational approximation of the normal distribution's quantiles, relative error 1.2e-9; 0 < p <= 1/2. */
static double quantile(double p)
{
    if (p < 0.02425) {
        const double q = sqrt(-2 * log(p));
        return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
                  2.549732539343734e+00) *
                     q +
                 4.374664141464968e+00) *
                    q +
                2.938163982698783e+00) /
               ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
                 3.754408661907416e+00) *
                    q +
                1);
    }
    const double q = p - 0.5, r = q * q;
    return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
              1.383577518672690e+02) *
                 r -
             3.066479806614716e+01) *
                r +
            2.506628277459239e+00) *
           q /
           (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
              6.680131188771972e+01) *
                 r -
             1.328068155288572e+01) *
                r +
            1);
}

/* The z that chance lets `expected` of n photos reach. */
static double chance(double expected, size_t n) { return -quantile(fmin(0.5, expected / (double)(n ? n : 1))); }

double pd_relevance_expected(size_t n_words)
{
    return n_words < 1 ? EXPECTED_MAX : fmin(EXPECTED_MAX, fmax(1, WORDS_EXPECTED / (double)n_words));
}

void pd_relevance_fit(pd_relevance *ret_relevance, const float *scores, size_t n, const pd_null *null, double expected)
{
    double sum = 0, square = 0, best = -HUGE_VAL;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(scores[i] == scores[i]))
            continue;
        const double score = (double)scores[i];
        sum += score;
        square += score * score;
        best = fmax(best, score);
        count++;
    }
    const double weight = (double)count + null->weight;
    pd_relevance r = { 0 };
    if (weight > 0) {
        r.mean = (sum + null->weight * null->mean) / weight;
        const double null_square = null->deviation * null->deviation + null->mean * null->mean;
        r.deviation = sqrt(fmax(0, (square + null->weight * null_square) / weight - r.mean * r.mean));
    }
    const double top = count && r.deviation >= DEVIATION_MIN ? (best - r.mean) / r.deviation : 0;
    r.line = fmax(LINE_MIN, TOP_SHARE * top + (1 - TOP_SHARE) * chance(expected, count));
    *ret_relevance = r;
}

double pd_relevance_of(const pd_relevance *relevance, float score)
{
    if (!(score == score) || relevance->deviation < DEVIATION_MIN)
        return 0;
    return ((double)score - relevance->mean) / relevance->deviation;
}

int pd_relevance_match(const pd_relevance *relevance, double z)
{
    const double line = relevance->line;
    if (z <= 0)
        return 0;
    return (int)(z < line ? 50 * z / line : 100 - 50 * exp((line - z) / MATCH_SCALE));
}

typedef struct measuring {
    const pd_kernels *kernels;
    const pd_null_mix *mix;
    float *rows; /* [n_rows, dim] */
    size_t n_rows;
    float *question; /* [dim] */
    double sum, square;
    size_t count;
} measuring;

/* Question number i, of one bank vector, one row, or both. False: it has no direction. */
static bool make_question(measuring *m, size_t i)
{
    const size_t dim = m->mix->dim;
    const float *words = m->mix->text_weight > 0 ? m->mix->bank + i % m->mix->n_bank * dim : NULL;
    const float *picture = m->rows + i % m->n_rows * dim;
    for (size_t d = 0; d < dim; d++)
        m->question[d] = (words ? (float)m->mix->text_weight * words[d] : 0) +
                         (m->mix->picture_weight > 0 ? (float)m->mix->picture_weight * picture[d] : 0);
    const float length = sqrtf(m->kernels->dot_f32(m->question, m->question, dim));
    for (size_t d = 0; d < dim && length > 0; d++)
        m->question[d] /= length;
    return length > 0;
}

static void compare_question(measuring *m, size_t i)
{
    for (size_t row = 0; row < m->n_rows; row++) {
        if (m->mix->picture_weight > 0 && row == i % m->n_rows)
            continue;
        const double score = (double)m->kernels->dot_f32(m->question, m->rows + row * m->mix->dim, m->mix->dim);
        m->sum += score;
        m->square += score * score;
        m->count++;
    }
}

pd_status pd_null_measure(const pd_vindex *index, const pd_kernels *kernels, const pd_null_mix *mix, pd_null *ret_null,
                          pd_error *err)
{
    const size_t count = pd_vindex_count(index), n_rows = count < SAMPLE_ROWS ? count : SAMPLE_ROWS;
    measuring m = { .kernels = kernels, .mix = mix, .n_rows = n_rows };
    m.rows = pd_mem_alloc(n_rows * mix->dim, sizeof *m.rows);
    m.question = pd_mem_alloc(mix->dim, sizeof *m.question);
    const pd_status status = m.rows && m.question ? PD_OK : pd_error_set_nomem(err);
    for (size_t i = 0; status == PD_OK && i < n_rows; i++)
        pd_vindex_row(index, i * count / n_rows, m.rows + i * mix->dim);
    for (size_t i = 0; status == PD_OK && n_rows > 0 && i < SAMPLE_QUESTIONS; i++)
        if (make_question(&m, i))
            compare_question(&m, i);
    pd_mem_free(m.rows);
    pd_mem_free(m.question);
    PD_TRY(status);
    pd_null null = { 0 };
    if (m.count > 0) {
        null.mean = m.sum / (double)m.count;
        null.deviation = sqrt(fmax(0, m.square / (double)m.count - null.mean * null.mean));
        null.weight = NULL_WEIGHT;
    }
    *ret_null = null;
    return PD_OK;
}
