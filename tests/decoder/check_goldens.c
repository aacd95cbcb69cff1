/* Decodes every sample with a known answer through the real pool and compares: size, colours, metadata.
 *
 *   check_goldens DIR LIST.jsonl [NAME]  (the decoder's path is in PD_DECODER)
 *
 * The colours of the list are `vips_thumbnail(file, 16, height 16, force, export_profile srgb)`. For a picture without
 * profile that call goes through XYZ for D65 and comes back through a profile for D50, and flattens alpha last: white
 * becomes 250 253 253 and red 248 26 16. We leave such colours as they are, so the same call is made on our pixels with
 * and without that detour, and the smaller difference counts (cell by cell where there was alpha). It also reduces by
 * the codec to just above 16 px, which for pictures of a few hundred pixels is not the same as reducing the whole;
 * where that matters, our decoder is asked for so small a picture too. */
#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <vips/vips.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/media.h"

#define COLOUR_TOLERANCE 6.0 /* mean absolute difference of 0..255; the largest of a `must` file is printed */

enum { GRID = 16, CELLS = GRID * GRID * 3, SHORT_SIDE = 448, SHORT_SIDE_SMALL = 24 };

typedef struct golden_tally {
    unsigned must, must_failed, should, should_failed;
    double worst;
    char worst_name[128];
    int64_t decode_ns;
} golden_tally;

/* The list's own recipe on our pixels; false when libvips fails. */
static bool reduce(const pd_picture *picture, bool has_detour, uint8_t ret_cells[CELLS])
{
    VipsImage *image =
        vips_image_new_from_memory(picture->pixels, (size_t)3 * picture->pixel_width * picture->pixel_height,
                                   (int)picture->pixel_width, (int)picture->pixel_height, 3, VIPS_FORMAT_UCHAR);
    VipsImage *small = NULL;
    if (!image)
        return false;
    image->Type = VIPS_INTERPRETATION_sRGB;
    const int result = has_detour
                           ? vips_thumbnail_image(image, &small, GRID, "height", GRID, "size", VIPS_SIZE_FORCE,
                                                  "export_profile", "srgb", NULL)
                           : vips_thumbnail_image(image, &small, GRID, "height", GRID, "size", VIPS_SIZE_FORCE, NULL);
    size_t bytes = 0;
    uint8_t *cells = result == 0 ? vips_image_write_to_memory(small, &bytes) : NULL;
    if (cells && bytes == CELLS)
        memcpy(ret_cells, cells, CELLS);
    g_free(cells);
    g_clear_object(&small);
    g_object_unref(image);
    return bytes == CELLS;
}

/* The mean absolute difference, with the detour for all pixels or for none; where there is alpha, for each cell. */
static double differ(const pd_picture *picture, const char *hex, bool has_alpha)
{
    uint8_t plain[CELLS], detour[CELLS];
    double sum_plain = 0, sum_detour = 0, sum_least = 0;
    if (!reduce(picture, false, plain) || !reduce(picture, true, detour))
        return 1e9;
    for (size_t i = 0; i < CELLS; i++) {
        const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        const double want = (double)strtoul(digits, NULL, 16);
        sum_plain += fabs(plain[i] - want);
        sum_detour += fabs(detour[i] - want);
        sum_least += fmin(fabs(plain[i] - want), fabs(detour[i] - want));
    }
    return (has_alpha ? sum_least : fmin(sum_plain, sum_detour)) / CELLS;
}

static const char *text_of(const pd_json *row, const char *key)
{
    static char text[2 * CELLS + 1];
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

static void check_facts(const pd_json *row, const pd_picture *picture, pd_buf *faults)
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
        printf("  note: %u pages, the list says %lld\n", picture->pages, (long long)pages);
    check_type(row, picture->type, faults);
    check_meta(row, &picture->meta, faults);
}

static void check_colours(pd_media_pool *pool, int fd, const pd_json *row, const pd_picture *picture,
                          golden_tally *tally, pd_buf *faults)
{
    bool has_alpha = false;
    char hex[2 * CELLS + 1], name[128];
    (void)pd_json_read_bool(pd_json_get(row, "alpha"), &has_alpha);
    (void)snprintf(name, sizeof name, "%.127s", text_of(row, "file"));
    (void)snprintf(hex, sizeof hex, "%s", text_of(row, "rgb16x16"));
    double difference = differ(picture, hex, has_alpha);
    if (difference > COLOUR_TOLERANCE) {
        const pd_media_request request = { .short_side_min = SHORT_SIDE_SMALL };
        pd_picture small = { 0 };
        if (pd_media_decode(pool, fd, &request, &small, NULL) == PD_OK && small.has_pixels) {
            const double again = differ(&small, hex, has_alpha);
            printf("  note %s: colours differ by %.2f, by %.2f when decoded small\n", name, difference, again);
            difference = again;
        }
        pd_picture_release(&small);
    }
    if (difference > COLOUR_TOLERANCE)
        (void)pd_buf_appendf(faults, " colours: differ by %.2f;", difference);
    else if (difference > tally->worst) {
        tally->worst = difference;
        (void)snprintf(tally->worst_name, sizeof tally->worst_name, "%.127s", name);
    }
}

static void check_pixels(pd_media_pool *pool, int fd, const pd_json *row, const pd_picture *picture,
                         golden_tally *tally, pd_buf *faults)
{
    const bool has_answer = text_of(row, "rgb16x16") != NULL;
    if (has_answer && picture->has_pixels)
        check_colours(pool, fd, row, picture, tally, faults);
    else if (has_answer)
        (void)pd_buf_appendf(faults, " no pixels: %s;", picture->pixels_error);
    else
        printf("  note %s: no colours in the list; pixels: %s\n", text_of(row, "file"),
               picture->has_pixels ? "yes" : picture->pixels_error);
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
    else {
        check_facts(row, &picture, &faults);
        check_pixels(pool, fd, row, &picture, tally, &faults);
    }
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
    if (VIPS_INIT(argv[0]))
        return 1;
    if (argc < 3 || access(argv[2], R_OK) != 0) {
        printf("skipped: no list of samples\n");
        return 77;
    }
    pd_media_pool *pool = NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = decoder, .n_processes = 1, .n_slots = 2 };
    pd_buf list;
    pd_buf_init(&list, (size_t)16 << 20);
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK ||
        pd_file_read(argv[2], (size_t)16 << 20, &list, &error) != PD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    golden_tally tally = { 0 };
    char *rest = NULL;
    for (char *line = strtok_r(list.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
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
