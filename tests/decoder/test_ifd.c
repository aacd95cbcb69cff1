#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/mem.h"
#include "decoder/ciff.h"
#include "decoder/ifd.h"
#include "test.h"

/* A block of the fuzzing corpus, all fields known: see each file's name. */
static pd_photo_meta read_block(const char *name, bool *ret_is_ours)
{
    char path[4096];
    const char *source = getenv("PD_SOURCE");
    (void)snprintf(path, sizeof path, "%s/fuzz/corpus/ifd/%s", source ? source : ".", name);
    pd_file_map map;
    pd_photo_meta meta;
    pd_meta_init(&meta);
    if (pd_file_map_open(&map, path, NULL) != PD_OK)
        abort();
    *ret_is_ours = pd_ifd_read(map.data, map.len, &meta);
    pd_ciff_read(map.data, map.len, &meta);
    pd_file_map_close(&map);
    return meta;
}

static void check_all_fields(const pd_photo_meta *meta)
{
    CHECK(strcmp(meta->taken, "2019-12-31T23:59:58+01:00") == 0 && strcmp(meta->taken_source, "exif") == 0);
    CHECK(strcmp(meta->make, "Maker") == 0 && strcmp(meta->model, "Model 12") == 0);
    CHECK(strcmp(meta->lens, "Lens 35mm F1.4") == 0);
    CHECK(meta->orientation == 6 && meta->iso == 200);
    CHECK(fabs(meta->exposure_s - 1 / 250.0) < 1e-12 && fabs(meta->fnumber - 2.8) < 1e-12 && meta->focal_mm == 35);
    CHECK(fabs(meta->gps_lat + 33.503428) < 1e-6 && fabs(meta->gps_lon - 151.2) < 1e-9);
    CHECK(meta->gps_alt == -12.5);
}

static void both_byte_orders_say_the_same(void)
{
    bool is_ours;
    pd_photo_meta meta = read_block("little_endian", &is_ours);
    CHECK(is_ours);
    check_all_fields(&meta);
    meta = read_block("big_endian_with_exif_mark", &is_ours);
    CHECK(is_ours);
    check_all_fields(&meta);
}

static void damage_costs_only_what_lies_there(void)
{
    bool is_ours;
    pd_photo_meta meta = read_block("cut_in_the_middle", &is_ours);
    CHECK(is_ours && strcmp(meta.make, "Maker") == 0 && isnan(meta.gps_lat));
    meta = read_block("pointer_to_itself", &is_ours);
    CHECK(is_ours && !meta.taken[0]);
    meta = read_block("count_wraps_around", &is_ours);
    CHECK(is_ours && !meta.make[0] && isnan(meta.exposure_s));
}

static void bigtiff_is_read(void)
{
    bool is_ours;
    const pd_photo_meta meta = read_block("bigtiff", &is_ours);
    CHECK(is_ours && meta.orientation == 8);
}

static void the_oldest_canon_block_is_read(void)
{
    bool is_ours;
    const pd_photo_meta meta = read_block("canon_ciff", &is_ours);
    CHECK(!is_ours && strcmp(meta.make, "Canon") == 0 && strcmp(meta.model, "PowerShot") == 0);
}

static void times_are_kept_only_when_they_exist(void)
{
    static const struct {
        const char *time, *offset, *want;
    } cases[] = {
        { "2004:11:26 12:05:19", NULL, "2004-11-26T12:05:19" },
        { "2004:11:26 12:05:19", "+01:00", "2004-11-26T12:05:19+01:00" },
        { "2004:11:26 12:05:19", "-0330", "2004-11-26T12:05:19-03:30" },
        { "2004:11:26 12:05:19", "Z", "2004-11-26T12:05:19+00:00" },
        { "2004:11:26 12:05:19", "+99:00", "2004-11-26T12:05:19" },
        { "2004-11-26T12:05:19", "", "2004-11-26T12:05:19" },
        { "2004:11: 6  2: 5: 9", "", "2004-11-06T02:05:09" },
        { "2024:02:29 00:00:00", "", "2024-02-29T00:00:00" },
        { "2023:02:29 00:00:00", "", "" },
        { "0000:00:00 00:00:00", "", "" },
        { "    :  :     :  :  ", "", "" },
        { "2004:13:01 00:00:00", "", "" },
        { "2004:11:26 24:00:00", "", "" },
        { "2004:11:26", "", "" },
        { "yesterday afternoon", "", "" },
        { "", "", "" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        char text[32];
        CHECK(pd_exif_time_format(cases[i].time, cases[i].offset, text) == (cases[i].want[0] != '\0'));
        CHECK(strcmp(text, cases[i].want) == 0);
    }
}

static void texts_become_clean(void)
{
    static const struct {
        const char *text;
        size_t size;
        const char *want;
    } cases[] = {
        { "  Canon  ", 64, "Canon" },     { "a\nb\x1b[1m", 64, "a b [1m" },
        { "K\xf6ln", 64, "K\xc3\xb6ln" }, { "K\xc3\xb6ln", 64, "K\xc3\xb6ln" },
        { "K\xc3\xb6ln", 3, "K" },        { "abcdef", 4, "abc" },
        { "\x01\x02", 64, "" },           { "", 64, "" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        char text[64];
        pd_text_clean((const uint8_t *)cases[i].text, strlen(cases[i].text), text, cases[i].size);
        CHECK(strcmp(text, cases[i].want) == 0);
    }
}

int main(void)
{
    RUN(both_byte_orders_say_the_same);
    RUN(damage_costs_only_what_lies_there);
    RUN(bigtiff_is_read);
    RUN(the_oldest_canon_block_is_read);
    RUN(times_are_kept_only_when_they_exist);
    RUN(texts_become_clean);
    return TEST_RESULT();
}
