/* The real decoder through the real pool: on bitmaps made here, and on the shared photos where they are. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/mem.h"
#include "media/media.h"
#include "test.h"

enum { SLOW_MS = 60000 }; /* sanitizers and large pictures */

static pd_media_pool *pool;
static const char *photos; /* the folder of shared photos; NULL: not there */

static int open_bytes(const void *bytes, size_t n)
{
    const int fd = memfd_create("picture", MFD_CLOEXEC);
    if (fd < 0 || pd_fd_write_all(fd, bytes, n) != PD_OK)
        abort();
    return fd;
}

/* A 24-bit bitmap: red rises to the right, green downwards. */
static int open_bitmap(uint16_t width, uint16_t height)
{
    const size_t row_bytes = ((size_t)width * 24 + 31) / 32 * 4, n = 26 + row_bytes * height;
    uint8_t *file = pd_mem_alloc(n, 1);
    if (!file)
        abort();
    memcpy(file, "BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\0\0\0\0\x01\0\x18", 26);
    memcpy(file + 18, &width, 2);
    memcpy(file + 20, &height, 2);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *pixel = file + 26 + (height - 1 - y) * row_bytes + 3 * (size_t)x;
            pixel[1] = (uint8_t)(255 * y / height);
            pixel[2] = (uint8_t)(255 * x / width);
        }
    const int fd = open_bytes(file, n);
    pd_mem_free(file);
    return fd;
}

static pd_status decode(int fd, uint32_t short_side_min, pd_picture *ret_picture, pd_error *err)
{
    const pd_media_request request = { .short_side_min = short_side_min, .thumb = true, .timeout_ms = SLOW_MS };
    const pd_status status = pd_media_decode(pool, fd, &request, ret_picture, err);
    (void)close(fd);
    return status;
}

static void sizes_are_as_promised(void)
{
    static const struct {
        uint16_t width, height, short_side_min;
    } cases[] = { { 1, 1, 448 },      { 100, 60, 448 },    { 447, 900, 448 }, { 896, 1000, 448 },
                  { 895, 1000, 448 }, { 2000, 1500, 448 }, { 30, 5000, 448 }, { 1000, 900, 0 } };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        const uint32_t w = cases[i].width, h = cases[i].height, own = w < h ? w : h;
        pd_picture picture = { 0 };
        REQUIRE(decode(open_bitmap(cases[i].width, cases[i].height), cases[i].short_side_min, &picture, NULL) == PD_OK);
        CHECK(picture.has_pixels && picture.width == w && picture.height == h && strcmp(picture.type, "bmp") == 0);
        const uint32_t side = picture.pixel_width < picture.pixel_height ? picture.pixel_width : picture.pixel_height;
        const uint32_t want = cases[i].short_side_min ? cases[i].short_side_min : PD_MEDIA_THUMB_SIDE;
        CHECK(side >= (own < want ? own : want) && (side <= own && (side < 2 * want || side == own)));
        CHECK(picture.thumb_bytes > 20 && memcmp(picture.thumb, "RIFF", 4) == 0 &&
              memcmp(picture.thumb + 8, "WEBP", 4) == 0);
        pd_picture_release(&picture);
    }
}

static void colours_without_profile_stay_as_they_are(void)
{
    pd_picture picture = { 0 };
    REQUIRE(decode(open_bitmap(256, 256), 448, &picture, NULL) == PD_OK);
    unsigned n_wrong = 0;
    for (uint32_t y = 0; y < 256; y++)
        for (uint32_t x = 0; x < 256; x++) {
            const uint8_t *pixel = picture.pixels + 3 * ((size_t)y * 256 + x);
            n_wrong += pixel[0] != 255 * x / 256 || pixel[1] != 255 * y / 256 || pixel[2] != 0;
        }
    CHECK(n_wrong == 0);
    pd_picture_release(&picture);
}

static void metadata_alone_costs_no_pixels(void)
{
    static const char xmp[] = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
                              " xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='5' xmp:Label='Red'/></rdf:RDF>";
    pd_picture picture = { 0 };
    pd_media_request request = { .thumb = true, .meta_only = true, .has_sidecar = true, .timeout_ms = SLOW_MS };
    const int fd = open_bitmap(300, 200);
    request.sidecar_fd = open_bytes(xmp, sizeof xmp - 1);
    REQUIRE(pd_media_decode(pool, fd, &request, &picture, NULL) == PD_OK);
    CHECK(!picture.has_pixels && !picture.thumb && picture.width == 300 && picture.height == 200 && !picture.phash);
    CHECK(picture.meta.rating == 5 && strcmp(pd_texts_find(picture.texts, PD_TEXT_LABEL), "Red") == 0);
    pd_picture_release(&picture);
    CHECK(ftruncate(request.sidecar_fd, 0) == 0); /* empty: no sidecar, and no fault of the picture's */
    request.meta_only = false;
    REQUIRE(pd_media_decode(pool, fd, &request, &picture, NULL) == PD_OK);
    CHECK(picture.has_pixels && picture.meta.rating == PD_MEDIA_ABSENT && !picture.texts.len);
    pd_picture_release(&picture);
    CHECK(ftruncate(request.sidecar_fd, (off_t)PD_MEDIA_SIDECAR_BYTES_MAX + 1) == 0);
    REQUIRE(pd_media_decode(pool, fd, &request, &picture, NULL) == PD_OK);
    CHECK(picture.has_pixels && picture.meta.rating == PD_MEDIA_ABSENT);
    pd_picture_release(&picture);
    (void)close(request.sidecar_fd);
    (void)close(fd);
}

/* Asks for a rendition and decodes it as any other JPEG; *ret_made is what was made, *ret_seen what is seen of it. */
static pd_status decode_rendition(int fd, uint32_t side, pd_picture *ret_made, pd_picture *ret_seen, pd_error *err)
{
    const pd_media_request request = { .thumb = true, .rendition_side = side, .timeout_ms = SLOW_MS };
    pd_status status = pd_media_decode(pool, fd, &request, ret_made, err);
    (void)close(fd);
    if (status == PD_OK && ret_made->rendition)
        status = decode(open_bytes(ret_made->rendition, ret_made->rendition_bytes), 448, ret_seen, err);
    return status;
}

/* The segments of a JPEG up to its pixels: no metadata, baseline, colours at half the size. */
static bool is_plain_jpeg(const uint8_t *jpeg, size_t n)
{
    for (size_t at = 2; at + 17 < n && jpeg[at] == 0xff; at += 2 + (size_t)(jpeg[at + 2] << 8 | jpeg[at + 3])) {
        if (jpeg[at + 1] == 0xc0)
            return jpeg[0] == 0xff && jpeg[1] == 0xd8 && jpeg[at + 11] == 0x22 && jpeg[at + 14] == 0x11;
        if (jpeg[at + 1] > 0xe0 && jpeg[at + 1] <= 0xef)
            return false;
    }
    return false;
}

static void renditions_are_whole_pictures_and_never_larger(void)
{
    static const struct {
        uint16_t width, height;
        uint32_t side, want_width, want_height;
    } cases[] = { { 1, 1, 2048, 1, 1 },
                  { 100, 60, 2048, 100, 60 },
                  { 2100, 1500, 2048, 2048, 1463 },
                  { 1000, 4096, 2048, 500, 2048 },
                  { 3000, 1, 16, 16, 1 } };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        pd_picture made = { 0 }, seen = { 0 };
        pd_error error = { 0 };
        REQUIRE(decode_rendition(open_bitmap(cases[i].width, cases[i].height), cases[i].side, &made, &seen, &error) ==
                PD_OK);
        CHECK(made.width == cases[i].width && made.height == cases[i].height && strcmp(made.type, "bmp") == 0);
        CHECK(!made.has_pixels && !made.pixels && !made.thumb && !made.pixels_error[0]);
        CHECK(is_plain_jpeg(made.rendition, made.rendition_bytes));
        CHECK(seen.width == cases[i].want_width && seen.height == cases[i].want_height);
        CHECK(seen.has_pixels && strcmp(seen.type, "jpeg") == 0);
        /* the lower right corner is bright in both colours, the upper left dark; measured within 8 */
        const uint8_t *last = seen.pixels + 3 * ((size_t)seen.pixel_width * seen.pixel_height - 1);
        if (cases[i].width > 50 && cases[i].height > 50)
            CHECK(last[0] > 240 && last[1] > 235 && last[2] < 16 && seen.pixels[0] < 16 && seen.pixels[1] < 16);
        pd_picture_release(&seen);
        pd_picture_release(&made);
    }
}

/* 8 bits a pixel, 256 grey values in no order: nothing takes more bytes in a JPEG. */
static int open_noise(uint16_t width, uint16_t height)
{
    const size_t n = 26 + 768 + (size_t)width * height;
    uint8_t *file = pd_mem_alloc(n, 1);
    if (!file)
        abort();
    memcpy(file, "BM\0\0\0\0\0\0\0\0\x1a\x03\0\0\x0c\0\0\0\0\0\0\0\x01\0\x08", 26);
    memcpy(file + 18, &width, 2);
    memcpy(file + 20, &height, 2);
    for (size_t i = 0; i < 256; i++)
        memset(file + 26 + 3 * i, (int)i, 3);
    uint64_t state = 1;
    for (size_t i = 26 + 768; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        file[i] = (uint8_t)(state >> 56);
    }
    const int fd = open_bytes(file, n);
    pd_mem_free(file);
    return fd;
}

/* At quality 90 such noise takes 0.79 bytes a pixel, 53 MB: more than the slot holds. At 60 it takes 0.47. */
static void a_rendition_that_does_not_fit_loses_quality(void)
{
    pd_picture made = { 0 }, seen = { 0 };
    pd_error error = { 0 };
    REQUIRE(decode_rendition(open_noise(8400, 8000), 8400, &made, &seen, &error) == PD_OK);
    CHECK(made.rendition && seen.width == 8400 && seen.height == 8000);
    CHECK(made.rendition_bytes > 25 * 1000 * 1000 && made.rendition_bytes < 40 * 1000 * 1000);
    pd_picture_release(&seen);
    pd_picture_release(&made);
}

static void what_is_no_picture_is_said_so(void)
{
    static const struct {
        const char *bytes, *says;
    } cases[] = { { "PK\x03\x04 more of a zip archive", "ZIP" },
                  { "%PDF-1.7 and so on", "PDF" },
                  { "hello, this is a text", "not a picture" },
                  { "\xff\xd8\xff\xe0 that is no JPEG", "damaged" },
                  { "GIF89a that is no GIF", "damaged" } };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        pd_picture picture = { 0 };
        pd_error error = { 0 };
        CHECK(decode(open_bytes(cases[i].bytes, strlen(cases[i].bytes)), 448, &picture, &error) == PD_ERR_FORMAT);
        CHECK(strstr(error.message, cases[i].says));
    }
}

static void a_small_file_with_a_huge_picture_is_refused(void)
{
    static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0\xbd\x65\x6d\xbd"
                                 "\0\0\0\0IEND\xae\x42\x60\x82";
    pd_picture picture = { 0 };
    pd_error error = { 0 };
    const pd_status status = decode(open_bytes(png, sizeof png - 1), 448, &picture, &error);
    CHECK(status == PD_ERR_LIMIT || status == PD_ERR_FORMAT);
    CHECK(error.message[0]);
    pd_picture_release(&picture);
}

/* thumbnail_640.heic: 1,200 x 900 px, red rising to the right; its second item, the last 1,194 bytes, is the same in
 * 640 x 480. */
static void a_heif_thumbnail_serves_where_it_is_large_enough(void)
{
    static const struct {
        uint32_t short_side_min, pixel_width;
        bool is_damaged;
    } cases[] = { { 448, 640, false }, { 480, 640, false }, { 481, 1200, false }, { 480, 1200, true } };
    char path[4096];
    pd_file_map map;
    const char *source = getenv("PD_SOURCE");
    (void)snprintf(path, sizeof path, "%s/tests/data/heif/thumbnail_640.heic", source ? source : "");
    REQUIRE(pd_file_map_open(&map, path, NULL) == PD_OK && map.len == 5173);
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        uint8_t file[5173];
        pd_picture picture = { 0 };
        memcpy(file, map.data, sizeof file);
        if (cases[i].is_damaged)
            memset(file + sizeof file - 1194, 0xff, 4); /* the length of its first unit */
        REQUIRE(decode(open_bytes(file, sizeof file), cases[i].short_side_min, &picture, NULL) == PD_OK);
        REQUIRE(picture.has_pixels);
        CHECK(picture.width == 1200 && picture.height == 900 && picture.pixel_width == cases[i].pixel_width);
        const uint8_t *row = picture.pixels + (size_t)3 * picture.pixel_width * (picture.pixel_height / 2);
        CHECK(row[0] < 20 && row[3 * picture.pixel_width - 3] > 235 && abs(row[1] - 127) < 12);
        pd_picture_release(&picture);
    }
    pd_file_map_close(&map);
}

static void a_picture_cut_off_keeps_its_facts(void)
{
    char path[4096];
    pd_file_map map;
    (void)snprintf(path, sizeof path, "%s/camera/htc-one.jpg", photos);
    REQUIRE(pd_file_map_open(&map, path, NULL) == PD_OK);
    pd_picture picture = { 0 };
    REQUIRE(decode(open_bytes(map.data, map.len / 3), 448, &picture, NULL) == PD_OK);
    CHECK(!picture.has_pixels && strstr(picture.pixels_error, "damaged") && !picture.pixels && !picture.thumb);
    CHECK(picture.width == 2688 && picture.height == 1520 && strcmp(picture.meta.model, "HTC One") == 0);
    pd_picture_release(&picture);
    pd_picture made = { 0 }, seen = { 0 };
    REQUIRE(decode_rendition(open_bytes(map.data, map.len / 3), 2048, &made, &seen, NULL) == PD_OK);
    CHECK(!made.rendition && !made.rendition_bytes && strstr(made.pixels_error, "damaged") && made.width == 2688);
    pd_picture_release(&made);
    pd_file_map_close(&map);
}

/* 16 x 16 averages of whole squares. */
static void average(const pd_picture *picture, double ret_cells[768])
{
    double n[256] = { 0 };
    memset(ret_cells, 0, 768 * sizeof *ret_cells);
    for (uint32_t y = 0; y < picture->pixel_height; y++)
        for (uint32_t x = 0; x < picture->pixel_width; x++) {
            const size_t cell = 16 * (size_t)(y * 16 / picture->pixel_height) + x * 16 / picture->pixel_width;
            for (size_t c = 0; c < 3; c++)
                ret_cells[3 * cell + c] += picture->pixels[3 * ((size_t)y * picture->pixel_width + x) + c];
            n[cell]++;
        }
    for (size_t i = 0; i < 768; i++)
        ret_cells[i] /= n[i / 3];
}

/* The JPEG of a photo shows what the pixels show. Measured: at most 0.6 a cell. */
static void check_rendition(const char *path, const pd_picture *picture)
{
    pd_picture made = { 0 }, seen = { 0 };
    REQUIRE(decode_rendition(open(path, O_RDONLY | O_CLOEXEC), 450, &made, &seen, NULL) == PD_OK);
    double pixels[768], jpeg[768], sum = 0;
    average(picture, pixels);
    average(&seen, jpeg);
    for (size_t k = 0; k < 768; k++)
        sum += fabs(pixels[k] - jpeg[k]);
    if (sum / 768 > 2)
        fprintf(stderr, "%s: the rendition differs by %.2f\n", path, sum / 768);
    CHECK(sum / 768 <= 2 && seen.width == 450 && seen.height == 300 && seen.meta.orientation == 1);
    pd_picture_release(&seen);
    pd_picture_release(&made);
}

/* Measured: at most 1.5 between any two of them; the pictures were encoded separately. */
static void all_orientations_come_out_upright(void)
{
    double first[768];
    for (int i = 0; i < 9; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/orientation/Landscape_%d.jpg", photos, i);
        pd_picture picture = { 0 };
        REQUIRE(decode(open(path, O_RDONLY | O_CLOEXEC), 448, &picture, NULL) == PD_OK);
        double cells[768], sum = 0;
        average(&picture, cells);
        if (i == 0)
            memcpy(first, cells, sizeof first);
        for (size_t k = 0; k < 768; k++)
            sum += fabs(cells[k] - first[k]);
        if (sum / 768 > 4)
            fprintf(stderr, "orientation %d differs by %.2f\n", i, sum / 768);
        CHECK(sum / 768 <= 4);
        CHECK(picture.width > picture.height && picture.meta.orientation == (i ? (uint32_t)i : 1));
        check_rendition(path, &picture);
        pd_picture_release(&picture);
    }
}

int main(void)
{
    static char folder[4096];
    const char *shared = getenv("PD_SHARED"), *decoder = getenv("PD_DECODER");
    (void)snprintf(folder, sizeof folder, "%s/photos", shared ? shared : "");
    photos = pd_dir_exists(folder) ? folder : NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = decoder, .n_processes = 1, .n_slots = 3 };
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    RUN(sizes_are_as_promised);
    RUN(metadata_alone_costs_no_pixels);
    RUN(colours_without_profile_stay_as_they_are);
    RUN(renditions_are_whole_pictures_and_never_larger);
    RUN(a_rendition_that_does_not_fit_loses_quality);
    RUN(a_heif_thumbnail_serves_where_it_is_large_enough);
    RUN(what_is_no_picture_is_said_so);
    RUN(a_small_file_with_a_huge_picture_is_refused);
    if (photos) {
        RUN(a_picture_cut_off_keeps_its_facts);
        RUN(all_orientations_come_out_upright);
    }
    pd_media_pool_free(&pool);
    return TEST_RESULT();
}
