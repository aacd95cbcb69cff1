/* Decodes every sample with a known answer through the real pool and compares: size, colours, metadata.
 *
 *   check_goldens DIR LIST.jsonl [NAME]  (the decoder's path is in PD_DECODER)
 *
 * The colours of the list were made by a path of libvips that, for pictures without profile, goes to XYZ for D65 and
 * back through a profile for D50. White becomes 250 253 253 on it and red 248 26 16: see `shift_white`. We keep such
 * colours as they are, so the comparison repeats that detour on our side, pixel by pixel, and takes the better of both
 * (a list without the detour must pass too). */
#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/media.h"

#define COLOUR_TOLERANCE 6.0 /* mean absolute difference of 0..255; the largest of a `must` file is printed */

enum { GRID = 16, SHORT_SIDE = 448 };

typedef struct golden_tally {
    unsigned must, must_failed, should, should_failed;
    double worst;
    char worst_name[128];
    int64_t decode_ns;
} golden_tally;

static double to_linear(uint8_t value)
{
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double to_coded(double linear)
{
    const double v = linear < 0 ? 0 : linear > 1 ? 1 : linear;
    return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055);
}

/* Linear sRGB to XYZ (D65, IEC 61966-2-1), read as XYZ of D50 by the inverse of the profile's colorants
 * (ICC sRGB: XYZ D50). */
static void shift_white(const uint8_t pixel[3], const double linear_of[256], double ret_rgb[3])
{
    static const double to_xyz[3][3] = { { 0.4124, 0.3576, 0.1805 },
                                         { 0.2126, 0.7152, 0.0722 },
                                         { 0.0193, 0.1192, 0.9505 } };
    static const double from_d50[3][3] = { { 3.1338561, -1.6168667, -0.4906146 },
                                           { -0.9787684, 1.9161415, 0.0334540 },
                                           { 0.0719453, -0.2289914, 1.4052427 } };
    double xyz[3] = { 0 };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            xyz[i] += to_xyz[i][k] * linear_of[pixel[k]];
    for (int i = 0; i < 3; i++)
        ret_rgb[i] = to_coded(from_d50[i][0] * xyz[0] + from_d50[i][1] * xyz[1] + from_d50[i][2] * xyz[2]);
}

/* Exact area averages: [GRID, GRID, 3]. */
static void average(const pd_picture *picture, bool is_shifted, double ret_cells[GRID * GRID * 3])
{
    double linear_of[256];
    for (int i = 0; i < 256; i++)
        linear_of[i] = to_linear((uint8_t)i);
    memset(ret_cells, 0, GRID * GRID * 3 * sizeof *ret_cells);
    const double sx = (double)GRID / picture->pixel_width, sy = (double)GRID / picture->pixel_height;
    for (uint32_t y = 0; y < picture->pixel_height; y++)
        for (uint32_t x = 0; x < picture->pixel_width; x++) {
            const uint8_t *pixel = picture->pixels + 3 * ((size_t)y * picture->pixel_width + x);
            double rgb[3] = { pixel[0], pixel[1], pixel[2] };
            if (is_shifted)
                shift_white(pixel, linear_of, rgb);
            for (int gy = (int)(y * sy); gy < GRID && gy < (y + 1) * sy; gy++)
                for (int gx = (int)(x * sx); gx < GRID && gx < (x + 1) * sx; gx++) {
                    const double w = (fmin((x + 1) * sx, gx + 1) - fmax(x * sx, gx)) *
                                     (fmin((y + 1) * sy, gy + 1) - fmax(y * sy, gy));
                    for (int c = 0; c < 3; c++)
                        ret_cells[3 * (GRID * gy + gx) + c] += w * rgb[c];
                }
        }
}

static double differ(const pd_picture *picture, const char *hex, bool is_shifted)
{
    double cells[GRID * GRID * 3], sum = 0;
    average(picture, is_shifted, cells);
    for (int i = 0; i < GRID * GRID * 3; i++) {
        const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        sum += fabs(cells[i] - (double)strtoul(digits, NULL, 16));
    }
    return sum / (GRID * GRID * 3);
}

static const char *text_of(const pd_json *row, const char *key)
{
    static char text[GRID * GRID * 6 + 1];
    pd_str value;
    if (!pd_json_read_string(pd_json_get(row, key), &value) || value.len >= sizeof text)
        return NULL;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return text;
}

/* Appends what is wrong to `ret_faults`. */
static void check_number(const pd_json *row, const char *key, double got, double tolerance, pd_buf *faults)
{
    double want;
    if (!pd_json_read_number(pd_json_get(row, key), &want) || want == 0)
        return;
    if (!(fabs(got - want) <= tolerance * (strncmp(key, "gps", 3) == 0 ? 1 : fabs(want))))
        (void)pd_buf_appendf(faults, " %s: %.9g is not %.9g;", key, got, want);
}

static void check_text(const pd_json *row, const char *key, const char *got, pd_buf *faults)
{
    const char *want = text_of(row, key);
    if (want && strcmp(want, got) != 0)
        (void)pd_buf_appendf(faults, " %s: '%s' is not '%s';", key, got, want);
}

static void check_time(const pd_json *row, const char *got, pd_buf *faults)
{
    char want[64] = "";
    const char *stored = text_of(row, "datetime_original");
    if (!stored)
        return;
    if (isdigit((unsigned char)stored[0]) && strncmp(stored, "0000", 4) != 0) {
        (void)snprintf(want, sizeof want, "%.4s-%.2s-%.2sT%.8s", stored, stored + 5, stored + 8, stored + 11);
        const char *offset = text_of(row, "offset_time_original");
        if (offset)
            (void)snprintf(want + 19, sizeof want - 19, "%.6s", offset);
        if (strcmp(want, got) != 0)
            (void)pd_buf_appendf(faults, " taken: '%s' is not '%s';", got, want);
    }
}

static void check_meta(const pd_json *row, const pd_photo_meta *meta, pd_buf *faults)
{
    check_text(row, "make", meta->make, faults);
    check_text(row, "model", meta->model, faults);
    check_text(row, "lens", meta->lens, faults);
    check_time(row, meta->taken, faults);
    check_number(row, "orientation", meta->orientation, 0, faults);
    check_number(row, "iso", meta->iso, 0, faults);
    check_number(row, "exposure_s", meta->exposure_s, 1e-3, faults);
    check_number(row, "fnumber", meta->fnumber, 1e-3, faults);
    check_number(row, "focal_mm", meta->focal_mm, 1e-3, faults);
    check_number(row, "gps_lat", meta->gps_lat, 1e-6, faults);
    check_number(row, "gps_lon", meta->gps_lon, 1e-6, faults);
}

static void check_type(const pd_json *row, const char *got, pd_buf *faults)
{
    const char *want = text_of(row, "type");
    want = !want ? got : strcasecmp(want, "heic") == 0 ? "heif" : strcasecmp(want, "bigtiff") == 0 ? "tiff" : want;
    if (strcasecmp(want, got) != 0)
        (void)pd_buf_appendf(faults, " type: %s is not %s;", got, want);
}

static void check_picture(const pd_json *row, const pd_picture *picture, golden_tally *tally, const char *name,
                          pd_buf *faults)
{
    int64_t width = 0, height = 0, pages = 0;
    if (!pd_json_read_int(pd_json_get(row, "display_w"), &width))
        (void)pd_json_read_int(pd_json_get(row, "w"), &width);
    if (!pd_json_read_int(pd_json_get(row, "display_h"), &height))
        (void)pd_json_read_int(pd_json_get(row, "h"), &height);
    if (width != picture->width || height != picture->height)
        (void)pd_buf_appendf(faults, " size: %u x %u is not %lld x %lld;", picture->width, picture->height,
                             (long long)width, (long long)height);
    if (pd_json_read_int(pd_json_get(row, "pages"), &pages) && pages != picture->pages)
        printf("  note %s: %u pages, the list says %lld\n", name, picture->pages, (long long)pages);
    check_type(row, picture->type, faults);
    check_meta(row, &picture->meta, faults);
    const char *hex = text_of(row, "rgb16x16");
    if (!picture->has_pixels) {
        if (hex)
            (void)pd_buf_appendf(faults, " no pixels: %s;", picture->pixels_error);
        else
            printf("  note %s: no pixels: %s\n", name, picture->pixels_error);
        return;
    }
    if (!hex)
        return;
    const double plain = differ(picture, hex, false), shifted = differ(picture, hex, true);
    const double difference = fmin(plain, shifted);
    if (plain > COLOUR_TOLERANCE)
        printf("  note %s: colours differ by %.2f, %.2f after the detour\n", name, plain, shifted);
    if (difference > COLOUR_TOLERANCE)
        (void)pd_buf_appendf(faults, " colours: differ by %.2f;", difference);
    else if (difference > tally->worst) {
        tally->worst = difference;
        (void)snprintf(tally->worst_name, sizeof tally->worst_name, "%.127s", name);
    }
}

static void check_row(pd_media_pool *pool, const char *dir, const pd_json *row, golden_tally *tally, const char *only)
{
    char name[128];
    const char *file = text_of(row, "file");
    (void)snprintf(name, sizeof name, "%.127s", file ? file : "");
    if (only && !strstr(name, only))
        return;
    const char *expect = text_of(row, "expect");
    const bool is_must = !expect || strcmp(expect, "must") == 0;
    char *path = pd_path_join(dir, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    pd_buf faults;
    pd_buf_init(&faults, 65536);
    const pd_media_request request = { .short_side_min = SHORT_SIDE, .thumb = true };
    pd_picture picture = { 0 };
    pd_error error;
    const int64_t start_ns = pd_clock_ns();
    const pd_status status = pd_media_decode(pool, fd, &request, &picture, &error);
    const int64_t took_ns = pd_clock_ns() - start_ns;
    tally->decode_ns += took_ns;
    if (status != PD_OK)
        (void)pd_buf_appendf(&faults, " %s: %s", pd_status_name(status), error.message);
    else
        check_picture(row, &picture, tally, name, &faults);
    if (only)
        printf("%s: %.1f ms, pixels %u x %u, thumb %zu bytes\n", name, (double)took_ns / PD_NS_PER_MS,
               picture.pixel_width, picture.pixel_height, picture.thumb_bytes);
    *(is_must ? &tally->must : &tally->should) += 1;
    if (faults.len) {
        printf("%s %s:%s\n", is_must ? "FAIL" : "  should", name, faults.data);
        *(is_must ? &tally->must_failed : &tally->should_failed) += 1;
    }
    pd_picture_release(&picture);
    pd_buf_done(&faults);
    (void)close(fd);
    pd_mem_free(path);
}

int main(int argc, char **argv)
{
    const char *decoder = getenv("PD_DECODER");
    if (argc < 3 || access(argv[2], R_OK) != 0) {
        printf("skipped: no list of samples\n");
        return 77;
    }
    pd_media_pool *pool = NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = decoder, .n_processes = 1, .n_slots = 1 };
    pd_buf list;
    pd_buf_init(&list, (size_t)16 << 20);
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK ||
        pd_file_read(argv[2], (size_t)16 << 20, &list, &error) != PD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    golden_tally tally = { 0 };
    for (char *line = strtok(list.data, "\n"); line; line = strtok(NULL, "\n")) {
        pd_json *row = NULL;
        if (pd_json_parse(&row, line, strlen(line), &error) != PD_OK) {
            printf("%s\n", error.message);
            return 1;
        }
        check_row(pool, argv[1], row, &tally, argc > 3 ? argv[3] : NULL);
        pd_json_free(&row);
    }
    pd_media_pool_free(&pool);
    pd_buf_done(&list);
    printf("must: %u of %u; should: %u of %u; worst colour difference %.2f of %.0f (%s); %.1f ms a file\n",
           tally.must - tally.must_failed, tally.must, tally.should - tally.should_failed, tally.should, tally.worst,
           COLOUR_TOLERANCE, tally.worst_name,
           (double)tally.decode_ns / PD_NS_PER_MS / (tally.must + tally.should ? tally.must + tally.should : 1));
    return tally.must_failed || !tally.must ? 1 : 0;
}
