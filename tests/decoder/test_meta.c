/* Metadata of whole files: every container, the choice between sources, and hostile ones. The files are the fuzzing
 * corpus; fuzz/make_meta_corpus.py says how they were made. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/mem.h"
#include "decoder/meta.h"
#include "decoder/xmp.h"
#include "test.h"

typedef struct found {
    pd_photo_meta meta;
    pd_buf texts;
    char lists[PD_TEXT_KIND_END][512]; /* texts of each kind, joined by ", " */
} found;

static pd_file_map open_file(const char *folder, const char *name)
{
    char path[4096];
    const char *source = getenv("PD_SOURCE");
    pd_file_map map;
    (void)snprintf(path, sizeof path, "%s/fuzz/corpus/%s/%s", source ? source : ".", folder, name);
    if (pd_file_map_open(&map, path, NULL) != PD_OK)
        abort();
    return map;
}

static void join(found *f)
{
    const pd_texts texts = { f->texts.data, f->texts.len };
    for (const char *text = NULL; (text = pd_texts_next(texts, text));) {
        char *list = f->lists[pd_texts_kind(text)];
        const size_t used = strlen(list);
        (void)snprintf(list + used, sizeof f->lists[0] - used, "%s%s", used ? ", " : "", text);
    }
}

/* `sidecar`: a file of the corpus of XMP, or NULL. */
static found read_file(const char *name, const char *sidecar)
{
    found f = { 0 };
    const pd_file_map map = open_file("meta", name), beside = sidecar ? open_file("xmp", sidecar) : (pd_file_map){ 0 };
    pd_buf_init(&f.texts, PD_TEXTS_BYTES_MAX);
    const pd_meta_input input = { map.data, map.len, beside.data, beside.len };
    CHECK(pd_meta_read(&input, &f.meta, &f.texts) == PD_OK);
    CHECK(pd_texts_are_sound((pd_texts){ f.texts.data, f.texts.len }));
    join(&f);
    pd_buf_done(&f.texts);
    pd_file_map_close((pd_file_map *)(uintptr_t)&map);
    pd_file_map_close((pd_file_map *)(uintptr_t)&beside);
    return f;
}

static bool is_text(const found *f, pd_text_kind kind, const char *want)
{
    if (strcmp(f->lists[kind], want) != 0)
        fprintf(stderr, "kind %d: '%s' is not '%s'\n", (int)kind, f->lists[kind], want);
    return strcmp(f->lists[kind], want) == 0;
}

static void check_exif(const pd_photo_meta *meta)
{
    CHECK(strcmp(meta->make, "Maker") == 0 && strcmp(meta->model, "Model 12") == 0 && meta->orientation == 6);
    CHECK(strcmp(meta->taken, "2019-12-31T23:59:58+01:00") == 0 && strcmp(meta->taken_source, "exif") == 0);
    CHECK(strcmp(meta->subsec, "123") == 0 && strcmp(meta->lens, "Lens 35mm F1.4") == 0);
    CHECK(meta->iso == 102400 && fabs(meta->exposure_s - 0.004) < 1e-12 && fabs(meta->gps_lat + 33.50333333) < 1e-6);
    CHECK(meta->flash == 25 && meta->focal35_mm == 52 && meta->gps_alt == -12.5);
}

static void check_xmp_words(const found *f)
{
    CHECK(is_text(f, PD_TEXT_TITLE, "A title") && is_text(f, PD_TEXT_DESCRIPTION, "First line\nsecond & last"));
    CHECK(is_text(f, PD_TEXT_KEYWORD_PATH, "animals|birds|robin") && is_text(f, PD_TEXT_LABEL, "Green"));
    CHECK(is_text(f, PD_TEXT_PERSON, "Carla, Dora, Emil, Fritz")); /* a dog is no person */
    CHECK(f->meta.rating == 4);
}

/* Those that carry both an EXIF block and an XMP packet, and nothing else. */
static void every_container_is_opened(void)
{
    static const char *const names[] = {
        "webp_exif_and_xmp", "heif_exif_and_xmp", "heif_in_three_pieces", "heif_in_idat", "jxl", "jp2"
    };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const found f = read_file(names[i], NULL);
        if (!f.meta.make[0])
            fprintf(stderr, "in %s\n", names[i]);
        check_exif(&f.meta);
        check_xmp_words(&f);
        CHECK(is_text(&f, PD_TEXT_KEYWORD, "robin, K\xc3\xb6ln, sea")); /* XMP's, then those of Windows */
        CHECK(is_text(&f, PD_TEXT_ARTIST, "J\xc3\xb6rg") && is_text(&f, PD_TEXT_SOFTWARE, "Firmware 1.0"));
    }
}

static void exif_alone_is_found(void)
{
    static const char *const names[] = { "png_exif_chunk", "png_raw_profiles", "raf", "olympus_raw",
                                         "jpeg_segment_too_long" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const found f = read_file(names[i], NULL);
        if (!f.meta.make[0])
            fprintf(stderr, "in %s\n", names[i]);
        check_exif(&f.meta);
    }
}

static void xmp_alone_fills_everything(void)
{
    static const char *const names[] = { "png_xmp_compressed", "gif_xmp" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const found f = read_file(names[i], NULL);
        check_xmp_words(&f);
        CHECK(strcmp(f.meta.taken, "2018-07-06T05:04:03+02:00") == 0 && strcmp(f.meta.taken_source, "xmp") == 0);
        CHECK(strcmp(f.meta.subsec, "25") == 0 && strcmp(f.meta.make, "XMaker") == 0 && f.meta.flash == 1);
        CHECK(fabs(f.meta.gps_lat - 48.85833333) < 1e-6 && fabs(f.meta.gps_lon + 2.35194444) < 1e-6);
        CHECK(f.meta.gps_alt == 35.1 && f.meta.iso == 640 && fabs(f.meta.exposure_s - 1 / 60.0) < 1e-12);
        CHECK(f.meta.fnumber == 5.6 && f.meta.focal_mm == 50 && strcmp(f.meta.lens, "18-55mm f/3.5-5.6") == 0);
        CHECK(is_text(&f, PD_TEXT_ARTIST, "Ann; Bob") && is_text(&f, PD_TEXT_COPYRIGHT, "(c) Ann"));
        CHECK(is_text(&f, PD_TEXT_SOFTWARE, "Tool 1") && is_text(&f, PD_TEXT_KEYWORD, "robin, K\xc3\xb6ln"));
        CHECK(f.meta.orientation == 1);
    }
}

static void iptc_is_read_where_xmp_is_silent(void)
{
    const found alone = read_file("jpeg_iptc_alone", NULL), both = read_file("jpeg_exif_xmp_iptc", NULL);
    CHECK(is_text(&alone, PD_TEXT_TITLE, "An object") && is_text(&alone, PD_TEXT_DESCRIPTION, "A caption"));
    CHECK(is_text(&alone, PD_TEXT_KEYWORD, "harbour, Flu\xc3\x9f") && is_text(&alone, PD_TEXT_ARTIST, "Greta"));
    CHECK(is_text(&alone, PD_TEXT_COPYRIGHT, "IPTC rights"));
    check_exif(&both.meta);
    check_xmp_words(&both);
    CHECK(is_text(&both, PD_TEXT_KEYWORD, "robin, K\xc3\xb6ln, harbour, Flu\xc3\x9f, sea"));
    const found tiff = read_file("tiff_xmp_iptc", NULL), png = read_file("png_texts", NULL);
    check_xmp_words(&tiff);
    CHECK(is_text(&tiff, PD_TEXT_KEYWORD, "robin, K\xc3\xb6ln, harbour, Flu\xc3\x9f"));
    CHECK(is_text(&png, PD_TEXT_TITLE, "A png") && is_text(&png, PD_TEXT_ARTIST, "Hans"));
}

static void canons_boxes_are_put_together(void)
{
    const found f = read_file("cr3", NULL);
    CHECK(strcmp(f.meta.make, "Canon") == 0 && f.meta.orientation == 8 && f.meta.exposure_s == 0.002);
    CHECK(strcmp(f.meta.taken, "2020-02-29T01:02:03") == 0);
    CHECK(strcmp(f.meta.lens, "RF35mm F1.8 MACRO IS STM") == 0 && f.meta.iso == 200);
    CHECK(f.meta.gps_lat == 10 && f.meta.gps_lon == -20.5);
}

static void a_packet_continues_in_its_own_pieces_only(void)
{
    const found f = read_file("jpeg_extended_xmp", NULL), lie = read_file("jpeg_extension_lies", NULL);
    CHECK(is_text(&f, PD_TEXT_KEYWORD, "continued"));
    CHECK(is_text(&lie, PD_TEXT_KEYWORD, ""));
}

static void a_sidecar_has_the_last_word(void)
{
    const found f = read_file("jpeg_exif_xmp_iptc", "paths_only"), full = read_file("png_exif_chunk", "all_fields");
    CHECK(is_text(&f, PD_TEXT_KEYWORD_PATH, "places|K\xc3\xb6ln, animals"));
    CHECK(is_text(&f, PD_TEXT_KEYWORD, "K\xc3\xb6ln, animals")); /* the last levels; nothing of the file's own */
    CHECK(is_text(&f, PD_TEXT_TITLE, "A title") && f.meta.rating == 4);
    check_xmp_words(&full);
    CHECK(is_text(&full, PD_TEXT_KEYWORD, "robin, K\xc3\xb6ln")); /* Windows' keywords are not asked */
    CHECK(strcmp(full.meta.taken, "2018-07-06T05:04:03+02:00") == 0 && strcmp(full.meta.taken_source, "xmp") == 0);
    CHECK(strcmp(full.meta.make, "Maker") == 0 && full.meta.gps_lon < 0 && full.meta.orientation == 6);
    const found rejected = read_file("raf", "attributes_only");
    CHECK(rejected.meta.rating == -1 && strcmp(rejected.meta.taken, "2018-07-06T00:00:00") == 0);
}

static void hostile_sidecars_say_nothing(void)
{
    static const char *const names[] = { "billion_laughs", "external_entity", "no_namespace", "not_xml", "empty" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const found f = read_file("raf", names[i]);
        CHECK(is_text(&f, PD_TEXT_TITLE, "") && is_text(&f, PD_TEXT_DESCRIPTION, "words"));
        check_exif(&f.meta);
    }
    const found cut = read_file("raf", "cut_in_the_middle"), nonsense = read_file("raf", "nonsense_values");
    CHECK(is_text(&cut, PD_TEXT_TITLE, "A title"));
    CHECK(nonsense.meta.rating == 3 && fabs(nonsense.meta.gps_lat + 33.50333333) < 1e-6);
    CHECK(is_text(&nonsense, PD_TEXT_LABEL, ""));
    const found odd = read_file("raf", "control_characters"), wide = read_file("raf", "utf16");
    CHECK(is_text(&odd, PD_TEXT_KEYWORD, "a b, c d")); /* and not the one of 300 letters */
    CHECK(is_text(&wide, PD_TEXT_TITLE, "A title"));
}

static void hostile_files_say_little(void)
{
    static const char *const names[] = { "jpeg_hostile_directory", "box_of_size_nothing", "box_of_64_bits", "png_bomb",
                                         "png_cut" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        const found f = read_file(names[i], NULL);
        CHECK(!f.meta.make[0] && !f.meta.taken[0] && isnan(f.meta.gps_lat));
        CHECK(strlen(f.lists[PD_TEXT_TITLE]) < sizeof f.lists[0]);
    }
    const found f = read_file("jpeg_hostile_values", NULL), outside = read_file("heif_item_outside", NULL);
    CHECK(strcmp(outside.meta.make, "XMaker") == 0); /* the packet is where it should be, the EXIF block is not */
    CHECK(isnan(f.meta.exposure_s) && isnan(f.meta.gps_lat) && !f.meta.taken[0]);
}

static void memory_may_run_out_anywhere(void)
{
    const pd_file_map map = open_file("meta", "jpeg_exif_xmp_iptc"), beside = open_file("xmp", "all_fields");
    const pd_meta_input input = { map.data, map.len, beside.data, beside.len };
    const size_t live = pd_mem_live();
    pd_status status = PD_ERR_NOMEM;
    size_t nth = 0;
    while (status == PD_ERR_NOMEM && nth < 10000) {
        pd_photo_meta meta = { .iso = 77 };
        pd_buf texts;
        pd_buf_init(&texts, PD_TEXTS_BYTES_MAX);
        (void)pd_mem_fail_at(++nth);
        status = pd_meta_read(&input, &meta, &texts);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && meta.iso == 77));
        pd_buf_done(&texts);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK && nth > 10);
    pd_file_map_close((pd_file_map *)(uintptr_t)&map);
    pd_file_map_close((pd_file_map *)(uintptr_t)&beside);
}

static void a_packet_that_is_too_long_is_not_read(void)
{
    uint8_t *packet = pd_mem_alloc(PD_XMP_BYTES_MAX + 1, 1);
    REQUIRE(packet);
    pd_claims claims;
    pd_claims_init(&claims);
    memset(packet, ' ', PD_XMP_BYTES_MAX + 1);
    CHECK(!pd_xmp_read(packet, PD_XMP_BYTES_MAX + 1, &claims));
    pd_claims_done(&claims);
    pd_mem_free(packet);
}

int main(void)
{
    RUN(every_container_is_opened);
    RUN(exif_alone_is_found);
    RUN(xmp_alone_fills_everything);
    RUN(iptc_is_read_where_xmp_is_silent);
    RUN(canons_boxes_are_put_together);
    RUN(a_packet_continues_in_its_own_pieces_only);
    RUN(a_sidecar_has_the_last_word);
    RUN(hostile_sidecars_say_nothing);
    RUN(hostile_files_say_little);
    RUN(memory_may_run_out_anywhere);
    RUN(a_packet_that_is_too_long_is_not_read);
    return TEST_RESULT();
}
