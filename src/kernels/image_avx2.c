/* image_avx2.c: resizing and pixels to floats. The row pass keeps one pixel per 128-bit lane, four taps at a time; the
 * weights of an output are spread over the lanes once for four rows of the picture. */
#include "kernels/vec_avx2.h"

#include <stdbool.h>

#include "kernels/image_vec.h"

#define TAPS 4
#define ROWS 4

#define FORCE_INLINE static inline __attribute__((always_inline))

/* Four pixels. */
static inline __m128i load_pixels(const uint8_t *in)
{
    int32_t last;
    memcpy(&last, in + 8, sizeof last);
    return _mm_insert_epi32(_mm_loadl_epi64((const __m128i *)(const void *)in), last, 2);
}

/* Fewer: not a byte beyond them is read. */
static __m128i load_last_pixels(const uint8_t *in, size_t n)
{
    uint8_t bytes[sizeof(__m128i)] = { 0 };
    memcpy(bytes, in, n * RGB);
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Taps of one output, as lanes: w0 w0 w0 w0 w1 w1 w1 w1 and w2 .. w3 .. */
struct spread {
    __m256i low, high;
};

static inline struct spread spread_weights(const int32_t *weight, size_t n)
{
    const __m256i four = _mm256_castsi128_si256(_mm_maskload_epi32(weight, _mm256_castsi256_si128(first_lanes(n))));
    return (struct spread){ _mm256_permutevar8x32_epi32(four, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1)),
                            _mm256_permutevar8x32_epi32(four, _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3)) };
}

static inline __m256i add_taps(__m256i sum, __m128i pixels, struct spread weights)
{
    const __m256i both = _mm256_broadcastsi128_si256(pixels);
    const __m256i low = _mm256_setr_epi8(0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, -1, -1, -1, -1, /* pixel 0 */
                                         3, -1, -1, -1, 4, -1, -1, -1, 5, -1, -1, -1, -1, -1, -1, -1);
    const __m256i high = _mm256_setr_epi8(6, -1, -1, -1, 7, -1, -1, -1, 8, -1, -1, -1, -1, -1, -1, -1, /* pixel 2 */
                                          9, -1, -1, -1, 10, -1, -1, -1, 11, -1, -1, -1, -1, -1, -1, -1);
    sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_shuffle_epi8(both, low), weights.low));
    return _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_shuffle_epi8(both, high), weights.high));
}

static void store_pixel(uint8_t *out, __m256i sum)
{
    const __m128i total = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    const __m128i rounded = _mm_add_epi32(total, _mm_set1_epi32(1 << (PD_RESIZE_BITS - 1)));
    const __m128i words = _mm_packs_epi32(_mm_srai_epi32(rounded, PD_RESIZE_BITS), _mm_setzero_si128());
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(out, &bytes, RGB);
}

/* Output i of `rows` rows, at most ROWS; the source has at least `width` pixels. */
FORCE_INLINE void weigh_pixel(const pd_resize *r, size_t i, size_t width, const uint8_t *in, size_t ld_in,
                              const size_t rows, uint8_t *out, size_t ld_out)
{
    __m256i sum[ROWS];
#pragma GCC unroll 4
    for (size_t row = 0; row < rows; row++)
        sum[row] = _mm256_setzero_si256();
    for (size_t tap = 0; tap < r->count[i]; tap += TAPS) {
        const size_t first = r->first[i] + tap, left = r->count[i] - tap;
        const struct spread weights = spread_weights(r->weight + i * r->weights_max + tap, left);
#pragma GCC unroll 4
        for (size_t row = 0; row < rows; row++) {
            const uint8_t *from = in + row * ld_in + first * RGB;
            const bool whole = first + TAPS <= width;
            sum[row] = add_taps(sum[row], whole ? load_pixels(from) : load_last_pixels(from, width - first), weights);
        }
    }
#pragma GCC unroll 4
    for (size_t row = 0; row < rows; row++)
        store_pixel(out + row * ld_out + i * RGB, sum[row]);
}

static void resize_rows(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t rows, uint8_t *out, size_t ld_out)
{
    size_t width = 0; /* of what outputs read: nothing beyond is known to be there */
    for (size_t i = 0; i < r->n_out; i++)
        width = r->first[i] + r->count[i] > width ? r->first[i] + r->count[i] : width;
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS)
        for (size_t i = 0; i < r->n_out; i++)
            weigh_pixel(r, i, width, in + row * ld_in, ld_in, ROWS, out + row * ld_out, ld_out);
    for (; row < rows; row++)
        for (size_t i = 0; i < r->n_out; i++)
            weigh_pixel(r, i, width, in + row * ld_in, ld_in, 1, out + row * ld_out, ld_out);
}

void pd_kernels_avx2_image(pd_kernels *ret_kernels)
{
    ret_kernels->resize_rows = resize_rows;
    ret_kernels->resize_columns = resize_columns;
    ret_kernels->normalise_rgb = normalise_rgb;
}
