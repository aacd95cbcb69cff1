/* test_draft.c: which precision a layer is settled in, by the inputs that it gets. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "model/draft.h"
#include "test.h"

enum { N = 40, K = 64, ROWS = 24 };

static pd_weights *weights;
static pd_kernels kernels;
static float w[N * K];
static float rows[ROWS * K];

/* In [-1, 1), the same in every run. */
static float spread(size_t i) { return (float)((i * 2654435761U + 12345) % 65536 >> 3) / 4096.0f - 1.0f; }

/* A checkpoint with one layer, "layer". */
static bool write_checkpoint(const char *path)
{
    static const char header[] = "{\"layer.weight\":{\"dtype\":\"F32\",\"shape\":[40,64],\"data_offsets\":[0,10240]},"
                                 "\"layer.bias\":{\"dtype\":\"F32\",\"shape\":[40],\"data_offsets\":[10240,10400]}}";
    const uint64_t len = sizeof header - 1;
    float bias[N];
    for (size_t i = 0; i < N; i++)
        bias[i] = spread(i + 99);
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    bool right = fwrite(&len, sizeof len, 1, file) == 1 && fwrite(header, len, 1, file) == 1;
    right = fwrite(w, sizeof w, 1, file) == 1 && fwrite(bias, sizeof bias, 1, file) == 1 && right;
    return fclose(file) == 0 && right;
}

static pd_linear_source make_source(bool keep_float)
{
    pd_linear_source source = { .n_names = 1, .n = N, .k = K, .bias = true, .keep_float = keep_float };
    (void)snprintf(source.names[0], sizeof source.names[0], "layer");
    return source;
}

typedef struct settled {
    pd_status status;
    const char *form;
} settled;

static const char *form_of(const pd_linear *linear)
{
    return linear->packed ? "fp32" : linear->packed_bf16 ? "bf16" : linear->packed_i8.packed ? "int8" : "none";
}

static settled settle(pd_precision precision, bool keep_float, const float *x)
{
    static const uint8_t key[PD_SHA256_BYTES] = { 1 };
    pd_error err;
    pd_prepare_progress progress = { 0 };
    pd_preparer preparer = { .weights = weights,
                             .kernels = &kernels,
                             .precision = precision,
                             .progress = &progress,
                             .dir = "here",
                             .err = &err };
    const pd_linear_source source = make_source(keep_float);
    pd_linear linear = { 0 };
    settled result = { .status = pd_prepared_open(&preparer.prepared, NULL, key, &err) };
    if (result.status == PD_OK)
        result.status = pd_draft_linear(&preparer, &source, x, ROWS, &linear);
    result.form = form_of(&linear);
    pd_prepared_close(&preparer.prepared);
    return result;
}

static bool is(settled result, const char *form) { return result.status == PD_OK && strcmp(result.form, form) == 0; }

static void fill_rows(float loud)
{
    for (size_t i = 0; i < ROWS * K; i++)
        rows[i] = spread(i + 7) * (i % K == 5 ? loud : 1.0f);
}

static void ordinary_inputs_leave_a_layer_in_int8(void)
{
    fill_rows(1.0f);
    CHECK(is(settle(PD_PRECISION_INT8, false, rows), "int8"));
    CHECK(is(settle(PD_PRECISION_FP32, false, rows), "fp32"));
    CHECK(is(settle(PD_PRECISION_INT8, true, rows), "fp32"));
}

/* Column 5 is 400 times as loud and its weights nearly nothing: what the others say drowns in steps of its range. */
static void loud_inputs_that_matter_little_need_bf16(void)
{
    fill_rows(400.0f);
    CHECK(is(settle(PD_PRECISION_INT8, false, rows), "bf16"));
}

/* Two loud columns that all but cancel: 8 bits of mantissa are not enough either. */
static void loud_inputs_that_cancel_need_fp32(void)
{
    fill_rows(1.0f);
    for (size_t row = 0; row < ROWS; row++) {
        rows[row * K + 8] = 3000.0f * (1.0f + spread(row));
        rows[row * K + 9] = rows[row * K + 8] * 1.0007f;
    }
    CHECK(is(settle(PD_PRECISION_INT8, false, rows), "fp32"));
}

static void a_layer_that_nothing_was_seen_of_stays_fp32(void)
{
    CHECK(is(settle(PD_PRECISION_INT8, false, NULL), "fp32"));
    memset(rows, 0, sizeof rows);
    CHECK(is(settle(PD_PRECISION_INT8, false, rows), "fp32"));
}

static void running_out_of_memory_leaks_nothing(void)
{
    fill_rows(1.0f);
    const size_t live = pd_mem_live();
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        (void)pd_mem_fail_at(nth);
        status = settle(PD_PRECISION_INT8, false, rows).status;
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        CHECK(pd_mem_live() == live);
        REQUIRE(nth < 100);
    }
    CHECK(nth > 12); /* three of the draft, nine of the trial */
}

static void the_picture_is_a_picture(void)
{
    enum { SIDE = 64 };
    float *picture = pd_mem_alloc((size_t)SIDE * SIDE, 3 * sizeof *picture);
    REQUIRE(picture);
    pd_calibration_picture(SIDE, picture);
    double sum = 0, square = 0;
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 3; i++) {
        sum += picture[i];
        square += (double)picture[i] * picture[i];
    }
    const double mean = sum / (SIDE * SIDE * 3), deviation = sqrt(square / (SIDE * SIDE * 3) - mean * mean);
    CHECK(fabs(mean) < 0.6 && deviation > 0.5 && deviation < 2.0); /* normalised photographs: 0 and 1 */
    pd_mem_free(picture);
}

int main(void)
{
    char path[] = "/tmp/pd-test-draft-XXXXXX.safetensors";
    const int fd = mkstemps(path, 12);
    for (size_t i = 0; i < N * K; i++)
        w[i] = spread(i) * (i % K == 5 ? 1e-3f : 1.0f);
    for (size_t i = 0; i < N; i++)
        w[i * K + 9] = -w[i * K + 8];
    pd_kernels_init(&kernels, pd_cpu_detect());
    if (fd < 0 || close(fd) != 0 || !write_checkpoint(path) || pd_weights_open(&weights, path, NULL) != PD_OK)
        return 1;
    RUN(ordinary_inputs_leave_a_layer_in_int8);
    RUN(loud_inputs_that_matter_little_need_bf16);
    RUN(loud_inputs_that_cancel_need_fp32);
    RUN(a_layer_that_nothing_was_seen_of_stays_fp32);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(the_picture_is_a_picture);
    pd_weights_close(&weights);
    (void)unlink(path);
    return TEST_RESULT();
}
