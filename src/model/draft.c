#include "model/draft.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Greatest error of a layer's outputs that is still taken: normalised mean square over the calibration rows. */
#define INT8_ERROR_MAX 1e-3
#define BF16_ERROR_MAX 1e-4

/* A layer with at most so many inputs keeps its floats: too few products for the rounding errors to cancel, and little
 * to win. The shipped model's worst picture has cosine 0.9941 to fp32 with 0 here, 0.9959 with 32, 0.9964 with 64; the
 * image tower takes 4.3, 4.6 and 4.9 ms (AVX-512 VNNI), 8.2, 7.0 and 7.0 ms (AVX2). See SPEED.md. */
#define FLOAT_INPUTS_MAX 32

/* As written to disk. */
enum { FORM_INT8, FORM_FP32, FORM_BF16 };

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

pd_status pd_draft_begin(pd_draft *ret_draft, const pd_linear_source *source, pd_preparer *preparer)
{
    const size_t n = source->n * source->n_names, k = source->k;
    pd_draft draft = { .linear = { .n = n, .k = k }, .fresh = pd_prepared_is_fresh(preparer->prepared) };
    draft.keep_float = source->keep_float || preparer->precision == PD_PRECISION_FP32 || k <= FLOAT_INPUTS_MAX;
    pd_status status = PD_OK;
    if (draft.fresh) {
        draft.w = pd_mem_alloc(n, k * sizeof *draft.w);
        draft.bias = pd_mem_alloc(n, sizeof *draft.bias);
        draft.packed = pd_mem_alloc_aligned(PD_ARENA_ALIGNMENT, pd_pack_f32_bytes(n, k));
        status = draft.w && draft.bias && draft.packed ? pd_prepare_dense(preparer, source, draft.w, draft.bias)
                                                       : pd_error_set_nomem(preparer->err);
        if (status == PD_OK)
            pd_pack_f32(draft.w, n, k, draft.packed);
        draft.linear.bias = draft.bias;
        draft.linear.packed = draft.packed;
    }
    if (status == PD_OK)
        *ret_draft = draft;
    else
        pd_draft_done(&draft);
    return status;
}

void pd_draft_done(pd_draft *draft)
{
    pd_mem_free(draft->w);
    pd_mem_free(draft->bias);
    pd_mem_free(draft->packed);
    *draft = (pd_draft){ 0 };
}

/* Scratch of one observation: the layer once more in both other precisions, rows and results. */
typedef struct trial {
    int8_t *packed_i8;
    uint16_t *packed_bf16;
    float *scale, *sum;         /* [n] and more, of the weights */
    float *x, *exact, *rounded; /* [rows, k], [rows, n] twice */
    uint8_t *bytes;             /* [rows, k] and more */
    uint16_t *halves;           /* the same */
    float row_scale[PD_DRAFT_ROWS], row_zero[PD_DRAFT_ROWS];
} trial;

static void end_trial(trial *t)
{
    void *const all[] = { t->packed_i8, t->packed_bf16, t->scale, t->sum,   t->x,
                          t->exact,     t->rounded,     t->bytes, t->halves };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        pd_mem_free(all[i]);
}

static bool begin_trial(trial *t, const pd_draft *draft)
{
    const size_t n = draft->linear.n, k = draft->linear.k, columns = round_up(n, PD_PANEL_COLUMNS);
    *t = (trial){ .packed_i8 = pd_mem_alloc_aligned(PD_ARENA_ALIGNMENT, pd_pack_i8_bytes(n, k)),
                  .packed_bf16 = pd_mem_alloc_aligned(PD_ARENA_ALIGNMENT, pd_pack_bf16_bytes(n, k)),
                  .scale = pd_mem_alloc(columns, sizeof(float)),
                  .sum = pd_mem_alloc(columns, sizeof(float)),
                  .x = pd_mem_alloc(PD_DRAFT_ROWS * k, sizeof(float)),
                  .exact = pd_mem_alloc(PD_DRAFT_ROWS * n, sizeof(float)),
                  .rounded = pd_mem_alloc(PD_DRAFT_ROWS * n, sizeof(float)),
                  .bytes = pd_mem_alloc(PD_DRAFT_ROWS, round_up(k, 4)),
                  .halves = pd_mem_alloc(PD_DRAFT_ROWS, round_up(k, 2) * sizeof(uint16_t)) };
    return t->packed_i8 && t->packed_bf16 && t->scale && t->sum && t->x && t->exact && t->rounded && t->bytes &&
           t->halves;
}

static double sum_squares(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (b ? b[i] : 0.0f)) * ((double)a[i] - (b ? b[i] : 0.0f));
    return sum;
}

/* Multiplies the rows t->x by the layer in each precision and adds up the errors. */
static void compare_precisions(const pd_kernels *kernels, trial *t, size_t rows, pd_draft *draft)
{
    const size_t n = draft->linear.n, k = draft->linear.k, count = rows * n;
    pd_gemm gemm = { .m = rows, .n = n, .k = k, .c = t->exact, .ld_c = n };
    kernels->gemm_f32(&gemm, t->x, k, draft->packed);
    draft->energy += sum_squares(t->exact, NULL, count);

    const pd_rows_u8 bytes = { t->bytes, t->row_scale, t->row_zero, round_up(k, 4) };
    gemm.c = t->rounded;
    pd_pack_i8(draft->w, n, k, t->packed_i8, t->scale, t->sum);
    kernels->quantise_rows(t->x, k, rows, k, &bytes);
    kernels->gemm_i8(&gemm, &bytes, &(pd_weights_i8){ t->packed_i8, t->scale, t->sum });
    draft->error_i8 += sum_squares(t->rounded, t->exact, count);

    pd_pack_bf16(draft->w, n, k, t->packed_bf16);
    kernels->round_rows(t->x, k, rows, k, t->halves, round_up(k, 2));
    kernels->gemm_bf16(&gemm, t->halves, round_up(k, 2), t->packed_bf16);
    draft->error_bf16 += sum_squares(t->rounded, t->exact, count);
}

static pd_draft *find_draft(const pd_draft_list *list, const pd_linear *linear)
{
    for (size_t i = 0; i < list->n_drafts; i++)
        if (list->drafts[i].linear.packed == linear->packed)
            return &list->drafts[i];
    return NULL;
}

/* An observer of pd_nn: multiplies some of the rows in each precision. */
static void observe(void *list, const pd_linear *linear, const float *x, size_t ld_x, size_t m)
{
    pd_draft_list *drafts = list;
    pd_draft *draft = find_draft(drafts, linear);
    if (!draft || !draft->fresh || draft->keep_float || drafts->status != PD_OK)
        return;
    trial t;
    const size_t rows = m < PD_DRAFT_ROWS ? m : PD_DRAFT_ROWS, k = linear->k;
    if (begin_trial(&t, draft)) {
        for (size_t i = 0; i < rows; i++)
            memcpy(t.x + i * k, x + m * i / rows * ld_x, k * sizeof *x);
        compare_precisions(drafts->preparer->kernels, &t, rows, draft);
    } else {
        drafts->status = pd_error_set_nomem(drafts->preparer->err);
    }
    end_trial(&t);
}

static uint32_t choose_form(const pd_draft *draft)
{
    if (draft->keep_float || draft->energy <= 0)
        return FORM_FP32;
    if (draft->error_i8 <= INT8_ERROR_MAX * draft->energy)
        return FORM_INT8;
    return draft->error_bf16 <= BF16_ERROR_MAX * draft->energy ? FORM_BF16 : FORM_FP32;
}

/* Asks for the blocks of one packed form and fills them when they are fresh. */
static pd_status pack_floats(const pd_draft *draft, pd_preparer *preparer, pd_linear *linear)
{
    void *packed = NULL;
    bool fill = false;
    PD_TRY(pd_prepare_block(preparer, pd_pack_f32_bytes(linear->n, linear->k), 1, &packed, &fill));
    if (fill)
        memcpy(packed, draft->packed, pd_pack_f32_bytes(linear->n, linear->k));
    linear->packed = packed;
    return PD_OK;
}

static pd_status pack_halves(const pd_draft *draft, pd_preparer *preparer, pd_linear *linear)
{
    void *packed = NULL;
    bool fill = false;
    PD_TRY(pd_prepare_block(preparer, pd_pack_bf16_bytes(linear->n, linear->k), 1, &packed, &fill));
    if (fill)
        pd_pack_bf16(draft->w, linear->n, linear->k, packed);
    linear->packed_bf16 = packed;
    return PD_OK;
}

static pd_status pack_bytes(const pd_draft *draft, pd_preparer *preparer, pd_linear *linear)
{
    const size_t columns = round_up(linear->n, PD_PANEL_COLUMNS);
    void *packed = NULL, *scale = NULL, *sum = NULL;
    bool fill = false;
    PD_TRY(pd_prepare_block(preparer, pd_pack_i8_bytes(linear->n, linear->k), 1, &packed, &fill));
    PD_TRY(pd_prepare_block(preparer, columns, sizeof(float), &scale, &fill));
    PD_TRY(pd_prepare_block(preparer, columns, sizeof(float), &sum, &fill));
    if (fill)
        pd_pack_i8(draft->w, linear->n, linear->k, packed, scale, sum);
    linear->packed_i8 = (pd_weights_i8){ .packed = packed, .scale = scale, .sum = sum };
    return PD_OK;
}

pd_status pd_draft_settle(const pd_draft *draft, pd_preparer *preparer, pd_linear *ret_linear)
{
    pd_linear linear = { .n = draft->linear.n, .k = draft->linear.k };
    void *form = NULL, *bias = NULL;
    bool fill = false;
    PD_TRY(pd_prepare_block(preparer, 1, sizeof(uint32_t), &form, &fill));
    PD_TRY(pd_prepare_block(preparer, linear.n, sizeof(float), &bias, &fill));
    if (fill) {
        *(uint32_t *)form = choose_form(draft);
        memcpy(bias, draft->bias, linear.n * sizeof *draft->bias);
    }
    linear.bias = bias;
    switch (*(const uint32_t *)form) {
    case FORM_INT8: PD_TRY(pack_bytes(draft, preparer, &linear)); break;
    case FORM_FP32: PD_TRY(pack_floats(draft, preparer, &linear)); break;
    case FORM_BF16: PD_TRY(pack_halves(draft, preparer, &linear)); break;
    default: return pd_error_set(preparer->err, PD_ERR_CORRUPT, "a layer of form %u", *(const uint32_t *)form);
    }
    *ret_linear = linear;
    return PD_OK;
}

pd_status pd_draft_linear(pd_preparer *preparer, const pd_linear_source *source, const float *x, size_t m,
                          pd_linear *ret_linear)
{
    pd_draft draft;
    PD_TRY(pd_draft_begin(&draft, source, preparer));
    pd_draft_list list = { .preparer = preparer, .drafts = &draft, .n_drafts = 1 };
    if (draft.fresh && x)
        observe(&list, &draft.linear, x, draft.linear.k, m);
    const pd_status status = list.status == PD_OK ? pd_draft_settle(&draft, preparer, ret_linear) : list.status;
    pd_draft_done(&draft);
    return status;
}

pd_status pd_calibration_begin(pd_calibration *ret_calibration, pd_preparer *preparer, pd_draft *drafts,
                               size_t n_drafts, size_t arena_bytes)
{
    pd_calibration *c = ret_calibration;
    *c = (pd_calibration){ .list = { .preparer = preparer, .drafts = drafts, .n_drafts = n_drafts } };
    if (pd_arena_init(&c->arena, arena_bytes) != PD_OK)
        return pd_error_set_nomem(preparer->err);
    c->nn = (pd_nn){ .kernels = preparer->kernels, .arena = &c->arena, .observe = observe, .observe_user = &c->list };
    return PD_OK;
}

pd_status pd_calibration_end(pd_calibration *calibration)
{
    pd_arena_done(&calibration->arena);
    return calibration->list.status;
}

void pd_calibration_picture(size_t side, float *ret_values)
{
    enum { WAVES = 24 };
    float along[WAVES], across[WAVES], phase[WAVES], loudness[WAVES];
    uint32_t random = 12345;
    for (size_t i = 0; i < WAVES; i++) {
        const float waves = powf(1.25f, (float)i) / (float)side; /* from one wave a picture on */
        float *const values[] = { along + i, across + i, phase + i };
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            random = random * 1664525u + 1013904223u; /* Numerical Recipes */
            *values[j] = ((float)(random >> 8) * 0x1p-23f - 1.0f) * 6.2831853f * (j < 2 ? waves : 1.0f);
        }
        loudness[i] = 0.9f / sqrtf((float)i + 1.0f);
    }
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t channel = 0; channel < 3; channel++) {
                random = random * 1664525u + 1013904223u;
                float sum = ((float)(random >> 8) * 0x1p-23f - 1.0f) * 0.1f;
                for (size_t i = channel % 2; i < WAVES; i += 1 + channel % 2) /* channels are much alike */
                    sum += loudness[i] * sinf(along[i] * (float)x + across[i] * (float)y + phase[i]);
                *ret_values++ = sum;
            }
}
