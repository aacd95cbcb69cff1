/* Decodes every sample with known pixels through the real pool, writes down what is right, and compares with the table
 * that is committed: quality/formats.csv.
 *
 *   check_goldens PHOTOS TABLE.csv [write]  (the decoder's path is in PD_DECODER)
 *
 * A row for a sample: type, upright size and number of pages as we find them, and how far the colours are from the
 * list's (mean absolute difference of 0..255 over 16 x 16 cells). Everything that is not as in the list needs a reason
 * here. Metadata: check_metadata.c.
 *
 * The colours of the list are `vips_thumbnail(file, 16, height 16, force, export_profile srgb)`. For a picture without
 * profile that call goes through XYZ for D65 and comes back through a profile for D50, and flattens alpha last: white
 * becomes 250 253 253 and red 248 26 16. We leave such colours as they are, so the same call is made on our pixels with
 * and without that detour, and the smaller difference counts (cell by cell where there was alpha). It also reduces by
 * the codec to just above 16 px, which for pictures of a few hundred pixels is not the same as reducing the whole;
 * where that matters, our decoder is asked for so small a picture too ("small" in the table). */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <vips/vips.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/media.h"

#define COLOUR_TOLERANCE 6.0 /* mean absolute difference of 0..255, the list's own; measured at most 5.60 */
#define SAME_TOLERANCE 0.3   /* between the table and another machine's decoders; measured 0 on this one */

enum {
    GRID = 16,
    CELLS = GRID * GRID * 3,
    SHORT_SIDE = 448,
    SHORT_SIDE_SMALL = 24,
    LIST_BYTES_MAX = 16 << 20,
    PATIENCE_MS = 60000, /* colours are judged here, not speed: sanitizers are slow */
};

/* A sample that is not as the list says, and why that is right. `instead`: another sample of the same picture. */
static const struct {
    const char *file, *instead, *reason;
} exceptions[] = {
    { "bmp__bmpsuite__q__rgb16-3103.bmp", "bmp__bmpsuite__g__rgb16.bmp",
      "the list has ImageMagick's colours, which are wrong for 3 and 10 bits; ours are those of the same picture in 5 "
      "bits" },
    { "tiff__pillow__hopper_unknown_pixel_mode.tif", "bmp__pillow__hopper.bmp",
      "the list has libvips' white for samples of 32 bits; ours are the colours of the same picture in 8 bits" },
    { "jpeg__pillow__ultrahdr.jpg", NULL,
      "the file ends where its pixels would begin: the list has grey, we keep the metadata and say that it is "
      "damaged" },
    { "sony.hif", NULL, "its tiles are damaged; metadata only, as the list wants" },
    { "png__apng_pillow__blend_op_over_near_transparent.png", NULL, "the list does not count the frames of APNG" },
    { "png__apng_pillow__dispose_op_background_before_region.png", NULL, "the list does not count the frames of APNG" },
    { "png__apng_pillow__sequence_repeat.png", NULL, "the list does not count the frames of APNG" },
};

/* One run over all samples. */
typedef struct golden_run {
    pd_media_pool *pool;
    pd_json **rows; /* [n_rows] of all lists */
    size_t n_rows;
    pd_buf table;
    unsigned n, n_right, n_excused, n_wrong;
} golden_run;

typedef struct golden_verdict {
    const char *compared; /* "whole", "small", or "" when no colours were */
    double difference;
    char fault[256];
} golden_verdict;

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

static bool read_text(const pd_json *row, const char *key, char *ret_text, size_t size)
{
    pd_str value;
    if (!pd_json_read_string(pd_json_get(row, key), &value) || value.len >= size)
        return false;
    memcpy(ret_text, value.ptr, value.len);
    ret_text[value.len] = '\0';
    return true;
}

/* The colours of the sample `file` in the list; false when it has none there. */
static bool find_colours(const golden_run *run, const char *file, char ret_hex[2 * CELLS + 1], bool *ret_has_alpha)
{
    char name[256];
    for (size_t i = 0; i < run->n_rows; i++)
        if (read_text(run->rows[i], "file", name, sizeof name) && strcmp(name, file) == 0) {
            (void)pd_json_read_bool(pd_json_get(run->rows[i], "alpha"), ret_has_alpha);
            return read_text(run->rows[i], "rgb16x16", ret_hex, 2 * CELLS + 1);
        }
    return false;
}

static size_t find_exception(const char *file)
{
    size_t i = 0;
    while (i < PD_COUNT_OF(exceptions) && strcmp(exceptions[i].file, file) != 0)
        i++;
    return i;
}

static void check_colours(const golden_run *run, int fd, const char *file, const pd_picture *picture,
                          golden_verdict *verdict)
{
    char hex[2 * CELLS + 1];
    bool has_alpha = false;
    const size_t i = find_exception(file);
    const char *counts = i < PD_COUNT_OF(exceptions) && exceptions[i].instead ? exceptions[i].instead : file;
    if (!find_colours(run, file, hex, &has_alpha))
        return;
    if (!picture->has_pixels) {
        (void)snprintf(verdict->fault, sizeof verdict->fault, "no pixels: %.200s", picture->pixels_error);
        return;
    }
    if (!find_colours(run, counts, hex, &has_alpha))
        abort();
    verdict->compared = "whole";
    verdict->difference = differ(picture, hex, has_alpha);
    if (verdict->difference > COLOUR_TOLERANCE) {
        const pd_media_request request = { .short_side_min = SHORT_SIDE_SMALL, .timeout_ms = PATIENCE_MS };
        pd_picture small = { 0 };
        if (pd_media_decode(run->pool, fd, &request, &small, NULL) == PD_OK && small.has_pixels) {
            verdict->compared = "small";
            verdict->difference = differ(&small, hex, has_alpha);
        }
        pd_picture_release(&small);
    }
    if (verdict->difference > COLOUR_TOLERANCE)
        (void)snprintf(verdict->fault, sizeof verdict->fault, "colours differ by %.2f", verdict->difference);
    else if (counts != file)
        (void)snprintf(verdict->fault, sizeof verdict->fault, "colours of %s", counts);
}

static void check_facts(const pd_json *row, const pd_picture *picture, golden_verdict *verdict)
{
    int64_t width = 0, height = 0, pages = 1;
    char type[16] = "";
    if (!pd_json_read_int(pd_json_get(row, "display_w"), &width))
        (void)pd_json_read_int(pd_json_get(row, "w"), &width);
    if (!pd_json_read_int(pd_json_get(row, "display_h"), &height))
        (void)pd_json_read_int(pd_json_get(row, "h"), &height);
    const bool has_pages = pd_json_read_int(pd_json_get(row, "pages"), &pages);
    (void)read_text(row, "type", type, sizeof type);
    const char *want = strcasecmp(type, "heic") == 0 ? "heif" : strcasecmp(type, "bigtiff") == 0 ? "tiff" : type;
    if (width != picture->width || height != picture->height)
        (void)snprintf(verdict->fault, sizeof verdict->fault, "size is not %lld x %lld", (long long)width,
                       (long long)height);
    else if (strcasecmp(want, picture->type) != 0)
        (void)snprintf(verdict->fault, sizeof verdict->fault, "type is not %s", want);
    else if (has_pages && pages != picture->pages)
        (void)snprintf(verdict->fault, sizeof verdict->fault, "pages are not %lld", (long long)pages);
}

static void check_row(golden_run *run, const char *photos, const char *set, const pd_json *row)
{
    char file[256] = "", path[4096], line[1024];
    golden_verdict verdict = { .compared = "" };
    pd_picture picture = { 0 };
    pd_error error = { 0 };
    (void)read_text(row, "file", file, sizeof file);
    (void)snprintf(path, sizeof path, "%s/%s/%s", photos, set, file);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const pd_media_request request = { .short_side_min = SHORT_SIDE, .thumb = true, .timeout_ms = PATIENCE_MS };
    if (pd_media_decode(run->pool, fd, &request, &picture, &error) != PD_OK) {
        (void)snprintf(verdict.fault, sizeof verdict.fault, "%.200s", error.message);
    } else {
        check_colours(run, fd, file, &picture, &verdict);
        if (!verdict.fault[0])
            check_facts(row, &picture, &verdict);
    }
    const size_t i = find_exception(file);
    const bool is_excused = i < PD_COUNT_OF(exceptions);
    const char *word = !verdict.fault[0] && picture.has_pixels ? "right" : is_excused ? "excused" : "wrong";
    if (word[0] == 'w' || (word[0] == 'r' && is_excused))
        printf("%s/%s: %s\n", set, file, verdict.fault[0] ? verdict.fault : "right, but excused");
    run->n++;
    *(word[0] == 'r' ? &run->n_right : word[0] == 'e' ? &run->n_excused : &run->n_wrong) += 1;
    (void)snprintf(line, sizeof line, "%s/%s,%s,%ux%u,%u,%s,%.1f,%s,\"%s\"\n", set, file, picture.type, picture.width,
                   picture.height, picture.pages, verdict.compared, verdict.difference, word,
                   is_excused ? exceptions[i].reason : verdict.fault);
    if (pd_buf_append(&run->table, line, strlen(line)) != PD_OK)
        abort();
    pd_picture_release(&picture);
    if (fd >= 0)
        (void)close(fd);
}

/* Appends the rows of a list; false when it cannot be read. */
static bool read_list(golden_run *run, const char *photos, const char *set)
{
    char path[4096];
    pd_buf list;
    pd_error error;
    bool is_good = true;
    (void)snprintf(path, sizeof path, "%s/%s.jsonl", photos, set);
    pd_buf_init(&list, LIST_BYTES_MAX);
    if (pd_file_read(path, LIST_BYTES_MAX, &list, &error) != PD_OK) {
        printf("%s\n", error.message);
        is_good = false;
    }
    char *rest = NULL;
    for (char *line = is_good ? strtok_r(list.data, "\n", &rest) : NULL; line && is_good;
         line = strtok_r(NULL, "\n", &rest)) {
        pd_json **rows = pd_mem_realloc(run->rows, run->n_rows + 1, sizeof *rows);
        if (!rows)
            abort();
        run->rows = rows;
        is_good = pd_json_parse(&run->rows[run->n_rows], line, strlen(line), &error) == PD_OK;
        run->n_rows += is_good;
    }
    pd_buf_done(&list);
    return is_good;
}

/* Whether two lines of the table say the same: the difference of colours may be another by a little. */
static bool is_same_line(const char *a, const char *b)
{
    for (int field = 0; field < 8; field++) {
        const size_t n = strcspn(a, field < 7 ? "," : "\n"), m = strcspn(b, field < 7 ? "," : "\n");
        if (field == 5 ? fabs(strtod(a, NULL) - strtod(b, NULL)) > SAME_TOLERANCE : n != m || strncmp(a, b, n) != 0)
            return false;
        a += n + (a[n] != '\0');
        b += m + (b[m] != '\0');
    }
    return true;
}

/* Prints the lines that are not as in the committed table. */
static unsigned compare_table(const char *path, const pd_buf *table)
{
    pd_buf want;
    pd_error error;
    unsigned n_bad = 0;
    pd_buf_init(&want, LIST_BYTES_MAX);
    if (pd_file_read(path, LIST_BYTES_MAX, &want, &error) != PD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    const char *a = table->data, *b = want.data;
    while (*a || *b) {
        if (!is_same_line(a, b)) {
            printf("now:   %.*s\ntable: %.*s\n", (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
            n_bad++;
        }
        a += strcspn(a, "\n") + (strchr(a, '\n') != NULL);
        b += strcspn(b, "\n") + (strchr(b, '\n') != NULL);
    }
    pd_buf_done(&want);
    return n_bad;
}

/* The number of things that went wrong. */
static unsigned write_table(const char *path, const pd_buf *table)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return 1;
    const size_t n = fwrite(table->data, 1, table->len, file);
    return fclose(file) != 0 || n != table->len;
}

/* Every list is read first: a sample may be compared with one of another. */
static bool check_sets(golden_run *run, const char *photos)
{
    static const char *const sets[] = { "camera", "formats" };
    size_t first[PD_COUNT_OF(sets) + 1] = { 0 };
    for (size_t i = 0; i < PD_COUNT_OF(sets); i++) {
        if (!read_list(run, photos, sets[i]))
            return false;
        first[i + 1] = run->n_rows;
    }
    for (size_t i = 0; i < PD_COUNT_OF(sets); i++)
        for (size_t k = first[i]; k < first[i + 1]; k++)
            check_row(run, photos, sets[i], run->rows[k]);
    return true;
}

int main(int argc, char **argv)
{
    static const char head[] = "file,type,size,pages,compared,difference,verdict,reason\n";
    if (VIPS_INIT(argv[0]))
        return 1;
    if (argc < 3 || !pd_dir_exists(argv[1])) {
        printf("skipped: no samples\n");
        return 77;
    }
    golden_run run = { 0 };
    pd_error error;
    const pd_media_options options = { .decoder_path = getenv("PD_DECODER"), .n_processes = 1, .n_slots = 2 };
    pd_buf_init(&run.table, LIST_BYTES_MAX);
    if (pd_media_pool_create(&run.pool, &options, &error) != PD_OK ||
        pd_buf_append(&run.table, head, sizeof head - 1) != PD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    if (!check_sets(&run, argv[1]))
        return 1;
    const bool is_writing = argc > 3 && strcmp(argv[3], "write") == 0;
    const unsigned n_bad =
        run.n_wrong + (is_writing ? write_table(argv[2], &run.table) : compare_table(argv[2], &run.table));
    printf("%u samples: %u right, %u excused with a reason, %u wrong\n", run.n, run.n_right, run.n_excused,
           run.n_wrong);
    for (size_t i = 0; i < run.n_rows; i++)
        pd_json_free(&run.rows[i]);
    pd_mem_free(run.rows);
    pd_media_pool_free(&run.pool);
    pd_buf_done(&run.table);
    return n_bad || !run.n ? 1 : 0;
}
