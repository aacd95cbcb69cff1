/* Raw files, made here: a DNG whose sensor saw red on the left and blue on the right, and whose preview, where it has
 * one, shows something else (red rises to the right, green downwards), so that it can be told which was taken. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "media/media.h"
#include "test.h"

enum {
    SENSOR_WIDTH = 1200,
    SENSOR_HEIGHT = 800,
    TIMEOUT_MS = 60000, /* sanitizers */
};

static pd_media_pool *pool;

/* A TIFF file in the making: little-endian; values that do not fit into an entry lie in `values`, behind all
 * directories. */
typedef struct tiff_writer {
    pd_buf directories, values;
    size_t directories_bytes; /* known beforehand */
} tiff_writer;

static void put(pd_buf *buf, const void *bytes, size_t n)
{
    if (pd_buf_append(buf, bytes, n) != PD_OK)
        abort();
}

static void put_number(pd_buf *buf, uint32_t value, size_t n) { put(buf, &value, n); }

static void add_entry(tiff_writer *w, uint16_t tag, uint16_t type, uint32_t count, const void *values, size_t bytes)
{
    static const uint8_t zeros[4];
    put_number(&w->directories, tag, 2);
    put_number(&w->directories, type, 2);
    put_number(&w->directories, count, 4);
    if (bytes <= 4) {
        put(&w->directories, values, bytes);
        put(&w->directories, zeros, 4 - bytes);
        return;
    }
    put_number(&w->directories, (uint32_t)(w->directories_bytes + w->values.len), 4);
    put(&w->values, values, bytes);
    put(&w->values, zeros, w->values.len & 1);
}

static void add_short(tiff_writer *w, uint16_t tag, uint16_t value) { add_entry(w, tag, 3, 1, &value, 2); }
static void add_long(tiff_writer *w, uint16_t tag, uint32_t value) { add_entry(w, tag, 4, 1, &value, 4); }

/* Red on the left, blue on the right, through a filter of rows RGRG and GBGB; 40 % of white. */
static void expose(uint16_t *sensor)
{
    for (uint32_t y = 0; y < SENSOR_HEIGHT; y++)
        for (uint32_t x = 0; x < SENSOR_WIDTH; x++) {
            const bool is_red = !(y & 1) && !(x & 1), is_blue = (y & 1) && (x & 1);
            sensor[(size_t)y * SENSOR_WIDTH + x] = (x < SENSOR_WIDTH / 2 ? is_red : is_blue) ? 26000 : 300;
        }
}

static void add_colours(tiff_writer *w)
{
    static const int32_t matrix[18] = { 10000, 10000, 0,     10000, 0,     10000, 0,     10000, 10000,
                                        10000, 0,     10000, 0,     10000, 0,     10000, 10000, 10000 };
    static const uint32_t neutral[6] = { 1, 1, 1, 1, 1, 1 };
    add_entry(w, 50721, 10, 9, matrix, sizeof matrix);  /* ColorMatrix1 */
    add_entry(w, 50728, 5, 3, neutral, sizeof neutral); /* AsShotNeutral */
    add_short(w, 50778, 21);                            /* CalibrationIlluminant1: D65 */
}

typedef struct dng_plan {
    const pd_picture *jpeg; /* its rendition is the preview; NULL: none */
    uint16_t orientation;
} dng_plan;

enum { PREVIEW_ENTRIES = 16, SENSOR_ENTRIES = 13, NOWHERE = 0 };

static void add_sensor_directory(tiff_writer *w, const uint16_t *sensor)
{
    static const uint16_t repeat[2] = { 2, 2 };
    static const uint8_t pattern[4] = { 0, 1, 1, 2 };
    const uint32_t bytes = SENSOR_WIDTH * SENSOR_HEIGHT * 2;
    put_number(&w->directories, SENSOR_ENTRIES, 2);
    add_long(w, 254, 0); /* the main picture */
    add_long(w, 256, SENSOR_WIDTH);
    add_long(w, 257, SENSOR_HEIGHT);
    add_short(w, 258, 16);
    add_short(w, 259, 1);     /* not compressed */
    add_short(w, 262, 32803); /* colour filter array */
    add_long(w, 273, (uint32_t)(w->directories_bytes + w->values.len));
    put(&w->values, sensor, bytes);
    add_short(w, 277, 1);
    add_long(w, 278, SENSOR_HEIGHT);
    add_long(w, 279, bytes);
    add_entry(w, 33421, 3, 2, repeat, sizeof repeat);
    add_entry(w, 33422, 1, 4, pattern, sizeof pattern);
    add_long(w, 50717, 65535); /* WhiteLevel */
    put_number(&w->directories, NOWHERE, 4);
}

static int open_dng(const dng_plan *plan)
{
    const size_t directory_bytes = 2 + 12 * PREVIEW_ENTRIES + 4;
    tiff_writer w = { .directories_bytes = 8 + directory_bytes + 2 + 12 * SENSOR_ENTRIES + 4 };
    uint16_t *sensor = pd_mem_alloc((size_t)SENSOR_WIDTH * SENSOR_HEIGHT, sizeof *sensor);
    if (!sensor)
        abort();
    expose(sensor);
    pd_buf_init(&w.directories, (size_t)16 << 20);
    pd_buf_init(&w.values, (size_t)16 << 20);
    put(&w.directories, "II*\0\x08\0\0\0", 8);
    put_number(&w.directories, PREVIEW_ENTRIES, 2);
    add_long(&w, 254, 1); /* a reduced picture */
    add_long(&w, 256, plan->jpeg ? plan->jpeg->width : 16);
    add_long(&w, 257, plan->jpeg ? plan->jpeg->height : 16);
    add_short(&w, 259, plan->jpeg ? 7 : 1);
    add_short(&w, 262, 6);
    add_entry(&w, 271, 2, 7, "Makers", 7);
    add_entry(&w, 272, 2, 10, "Model Raw", 10);
    add_long(&w, 273, (uint32_t)(w.directories_bytes + w.values.len));
    if (plan->jpeg)
        put(&w.values, plan->jpeg->rendition, plan->jpeg->rendition_bytes);
    put(&w.values, "\0", w.values.len & 1);
    add_short(&w, 274, plan->orientation);
    add_long(&w, 279, plan->jpeg ? (uint32_t)plan->jpeg->rendition_bytes : 0);
    add_long(&w, 330, (uint32_t)(8 + directory_bytes)); /* SubIFDs */
    add_entry(&w, 50706, 1, 4, "\1\4\0", 4);            /* DNGVersion */
    add_entry(&w, 50708, 2, 10, "Model Raw", 10);
    add_colours(&w);
    put_number(&w.directories, NOWHERE, 4);
    add_sensor_directory(&w, sensor);
    put(&w.directories, w.values.data, w.values.len);
    const int fd = memfd_create("dng", MFD_CLOEXEC);
    if (fd < 0 || pd_fd_write_all(fd, w.directories.data, w.directories.len) != PD_OK)
        abort();
    pd_buf_done(&w.directories);
    pd_buf_done(&w.values);
    pd_mem_free(sensor);
    return fd;
}

/* A JPEG of a 24-bit bitmap: red rises to the right, green downwards. */
static void make_jpeg(uint16_t width, uint16_t height, pd_picture *ret_made)
{
    const size_t row_bytes = ((size_t)width * 24 + 31) / 32 * 4, n = 26 + row_bytes * height;
    uint8_t *file = pd_mem_alloc(n, 1);
    if (!file)
        abort();
    memset(file, 0, n);
    memcpy(file, "BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\0\0\0\0\x01\0\x18", 26);
    memcpy(file + 18, &width, 2);
    memcpy(file + 20, &height, 2);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *pixel = file + 26 + (height - 1 - y) * row_bytes + 3 * (size_t)x;
            pixel[1] = (uint8_t)(255 * y / height);
            pixel[2] = (uint8_t)(255 * x / width);
        }
    const int fd = memfd_create("bitmap", MFD_CLOEXEC);
    if (fd < 0 || pd_fd_write_all(fd, file, n) != PD_OK)
        abort();
    pd_mem_free(file);
    const pd_media_request request = { .rendition_side = 4096, .timeout_ms = TIMEOUT_MS };
    if (pd_media_decode(pool, fd, &request, ret_made, NULL) != PD_OK || !ret_made->rendition)
        abort();
    (void)close(fd);
}

static pd_status decode(int fd, uint32_t short_side_min, pd_picture *ret_picture, pd_error *err)
{
    const pd_media_request request = { .short_side_min = short_side_min, .thumb = true, .timeout_ms = TIMEOUT_MS };
    const pd_status status = pd_media_decode(pool, fd, &request, ret_picture, err);
    (void)close(fd);
    return status;
}

/* The pixel at the given parts of width and height. */
static const uint8_t *at(const pd_picture *picture, double x, double y)
{
    const size_t column = (size_t)(x * picture->pixel_width), row = (size_t)(y * picture->pixel_height);
    return picture->pixels + 3 * (row * picture->pixel_width + column);
}

static bool is_red(const uint8_t *pixel) { return pixel[0] > pixel[1] + 60 && pixel[0] > pixel[2] + 60; }
static bool is_blue(const uint8_t *pixel) { return pixel[2] > pixel[0] + 60 && pixel[2] > pixel[1] + 60; }

static bool shows_preview(const pd_picture *picture)
{
    const uint8_t *last = at(picture, 0.95, 0.95);
    return last[0] > 220 && last[1] > 220 && last[2] < 40;
}

static bool shows_sensor(const pd_picture *picture)
{
    return is_red(at(picture, 0.25, 0.5)) && is_blue(at(picture, 0.75, 0.5));
}

static void a_large_preview_is_taken(void)
{
    pd_picture jpeg = { 0 }, picture = { 0 };
    pd_error error = { 0 };
    make_jpeg(SENSOR_WIDTH - 10, SENSOR_HEIGHT - 8, &jpeg);
    const dng_plan plan = { &jpeg, 1 };
    REQUIRE(decode(open_dng(&plan), 448, &picture, &error) == PD_OK);
    CHECK(strcmp(picture.type, "raw") == 0 && picture.pages == 1 && picture.has_pixels && picture.thumb);
    /* the camera's own picture has a few pixels less than its sensor */
    CHECK(picture.width == SENSOR_WIDTH - 10 && picture.height == SENSOR_HEIGHT - 8);
    CHECK(shows_preview(&picture) && picture.pixel_height >= 448);
    CHECK(strcmp(picture.meta.make, "Makers") == 0 && strcmp(picture.meta.model, "Model Raw") == 0);
    pd_picture_release(&picture);
    pd_picture_release(&jpeg);
}

static void a_preview_counts_when_it_is_large_enough_for_the_question(void)
{
    pd_picture jpeg = { 0 }, picture = { 0 };
    make_jpeg(600, 400, &jpeg);
    const dng_plan plan = { &jpeg, 1 };
    REQUIRE(decode(open_dng(&plan), 330, &picture, NULL) == PD_OK);
    CHECK(shows_preview(&picture) && picture.width == SENSOR_WIDTH && picture.height == SENSOR_HEIGHT);
    pd_picture_release(&picture);
    REQUIRE(decode(open_dng(&plan), 500, &picture, NULL) == PD_OK);
    CHECK(shows_sensor(&picture) && picture.pixel_height >= 500);
    pd_picture_release(&picture);
    pd_picture_release(&jpeg);
}

static void without_preview_the_sensor_is_developed(void)
{
    pd_picture picture = { 0 };
    pd_error error = { 0 };
    const dng_plan plan = { NULL, 1 };
    REQUIRE(decode(open_dng(&plan), 448, &picture, &error) == PD_OK);
    if (!picture.has_pixels)
        fprintf(stderr, "%s\n", picture.pixels_error);
    REQUIRE(picture.has_pixels);
    CHECK(shows_sensor(&picture) && picture.pixel_width == SENSOR_WIDTH && picture.width == SENSOR_WIDTH);
    pd_picture_release(&picture);
    REQUIRE(decode(open_dng(&plan), 350, &picture, NULL) == PD_OK);
    CHECK(shows_sensor(&picture) && picture.pixel_width == SENSOR_WIDTH / 2);
    pd_picture_release(&picture);
}

static void raw_files_are_turned_upright(void)
{
    static const uint16_t orientations[] = { 3, 6, 8 };
    for (size_t i = 0; i < PD_COUNT_OF(orientations); i++) {
        pd_picture picture = { 0 };
        const dng_plan plan = { NULL, orientations[i] };
        REQUIRE(decode(open_dng(&plan), 448, &picture, NULL) == PD_OK && picture.has_pixels);
        const uint16_t orientation = orientations[i];
        const bool is_turned = orientation >= 5;
        CHECK(picture.width == (is_turned ? SENSOR_HEIGHT : SENSOR_WIDTH) && picture.meta.orientation == orientation);
        const uint8_t *one = is_turned ? at(&picture, 0.5, 0.25) : at(&picture, 0.25, 0.5);
        const uint8_t *two = is_turned ? at(&picture, 0.5, 0.75) : at(&picture, 0.75, 0.5);
        CHECK(orientation == 6 ? is_red(one) && is_blue(two) : is_blue(one) && is_red(two));
        pd_picture_release(&picture);
    }
}

static void a_rendition_of_a_raw_file_is_a_jpeg(void)
{
    pd_picture made = { 0 }, seen = { 0 };
    const dng_plan plan = { NULL, 6 };
    const pd_media_request request = { .rendition_side = 600, .timeout_ms = TIMEOUT_MS };
    const int fd = open_dng(&plan);
    REQUIRE(pd_media_decode(pool, fd, &request, &made, NULL) == PD_OK && made.rendition);
    (void)close(fd);
    const int jpeg = memfd_create("jpeg", MFD_CLOEXEC);
    REQUIRE(pd_fd_write_all(jpeg, made.rendition, made.rendition_bytes) == PD_OK);
    REQUIRE(decode(jpeg, 448, &seen, NULL) == PD_OK);
    CHECK(seen.width == 400 && seen.height == 600 && is_red(at(&seen, 0.5, 0.25)) && is_blue(at(&seen, 0.5, 0.75)));
    pd_picture_release(&seen);
    pd_picture_release(&made);
}

/* A camera that LibRaw has never heard of: a Fujifilm header, and somewhere a JPEG. */
static void an_unknown_camera_still_has_a_preview(void)
{
    pd_picture jpeg = { 0 }, picture = { 0 };
    make_jpeg(500, 300, &jpeg);
    static const uint8_t header[200] = "FUJIFILMCCD-RAW 0201FF999999Camera of tomorrow";
    const int fd = memfd_create("raf", MFD_CLOEXEC);
    REQUIRE(pd_fd_write_all(fd, header, sizeof header) == PD_OK);
    REQUIRE(pd_fd_write_all(fd, jpeg.rendition, jpeg.rendition_bytes) == PD_OK);
    REQUIRE(decode(fd, 448, &picture, NULL) == PD_OK);
    CHECK(strcmp(picture.type, "raw") == 0 && picture.width == 500 && picture.height == 300);
    CHECK(shows_preview(&picture));
    pd_picture_release(&picture);
    pd_picture_release(&jpeg);
}

static void a_raw_file_with_nothing_in_it_is_refused(void)
{
    static const uint8_t empty[] = "II*\0\x08\0\0\0\1\0\x12\xc6\1\0\4\0\0\0\1\4\0\0\0\0\0\0"; /* DNGVersion alone */
    pd_picture picture = { 0 };
    pd_error error = { 0 };
    const int fd = memfd_create("dng", MFD_CLOEXEC);
    REQUIRE(pd_fd_write_all(fd, empty, sizeof empty - 1) == PD_OK);
    CHECK(decode(fd, 448, &picture, &error) == PD_ERR_FORMAT && strstr(error.message, "raw file"));
    pd_picture_release(&picture);
}

int main(void)
{
    pd_error error;
    const pd_media_options options = { .decoder_path = getenv("PD_DECODER"), .n_processes = 1, .n_slots = 3 };
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    RUN(a_large_preview_is_taken);
    RUN(a_preview_counts_when_it_is_large_enough_for_the_question);
    RUN(without_preview_the_sensor_is_developed);
    RUN(raw_files_are_turned_upright);
    RUN(a_rendition_of_a_raw_file_is_a_jpeg);
    RUN(an_unknown_camera_still_has_a_preview);
    RUN(a_raw_file_with_nothing_in_it_is_refused);
    pd_media_pool_free(&pool);
    return TEST_RESULT();
}
