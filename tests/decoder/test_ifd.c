#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "decoder/ciff.h"
#include "decoder/exif_text.h"
#include "decoder/ifd.h"
#include "test.h"

/* A block of the fuzzing corpus, all fields known: see each file's name, and fuzz/make_meta_corpus.py. */
static pd_claims read_block(const char *name, bool *ret_is_ours)
{
    char path[4096];
    const char *source = getenv("PD_SOURCE");
    (void)snprintf(path, sizeof path, "%s/fuzz/corpus/ifd/%s", source ? source : ".", name);
    pd_file_map map;
    pd_claims claims;
    pd_claims_init(&claims);
    if (pd_file_map_open(&map, path, NULL) != PD_OK)
        abort();
    *ret_is_ours = pd_ifd_read(map.data, map.len, PD_IFD_ALL, &claims, NULL);
    pd_ciff_read(map.data, map.len, &claims.facts);
    pd_file_map_close(&map);
    return claims;
}

static bool has_text(const pd_claims *claims, pd_text_kind kind, const char *text)
{
    const char *found = pd_texts_find((pd_texts){ claims->texts.data, claims->texts.len }, kind);
    return found && strcmp(found, text) == 0;
}

static void check_all_fields(const pd_claims *claims)
{
    const pd_photo_meta *meta = &claims->facts;
    CHECK(strcmp(claims->times[PD_WHEN_TAKEN].text, "2019-12-31T23:59:58+01:00") == 0);
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
    pd_claims claims = read_block("little_endian", &is_ours);
    CHECK(is_ours);
    check_all_fields(&claims);
    pd_claims_done(&claims);
    claims = read_block("big_endian_with_exif_mark", &is_ours);
    CHECK(is_ours);
    check_all_fields(&claims);
    pd_claims_done(&claims);
}

static void every_tag_has_its_place(void)
{
    bool is_ours;
    pd_claims claims = read_block("all_tags", &is_ours);
    const pd_photo_meta *facts = &claims.facts;
    CHECK(is_ours && facts->iso == 102400); /* 65535 says: see below */
    CHECK(facts->flash == 25 && facts->white_balance == 1 && facts->rating == 3 && facts->focal35_mm == 52);
    CHECK(strcmp(claims.times[PD_WHEN_TAKEN].subsec, "123") == 0);
    CHECK(has_text(&claims, PD_TEXT_ARTIST, "J\xc3\xb6rg") && has_text(&claims, PD_TEXT_COPYRIGHT, "All of it"));
    CHECK(has_text(&claims, PD_TEXT_SOFTWARE, "Firmware 1.0") && has_text(&claims, PD_TEXT_DESCRIPTION, "words"));
    CHECK(has_text(&claims, PD_TEXT_KEYWORD, "sea")); /* twice there, once here, with Köln after it */
    CHECK(claims.texts.len > 10 && memcmp(claims.texts.data, "\7", 1) != 0);
    pd_claims_done(&claims);
}

static void makers_notes_name_the_lens(void)
{
    bool is_ours;
    pd_claims claims = read_block("nikon_note", &is_ours);
    CHECK(is_ours && strcmp(claims.facts.lens, "18-55mm f/3.5-5.6") == 0);
    pd_claims_done(&claims);
    claims = read_block("olympus_note", &is_ours);
    CHECK(is_ours && strcmp(claims.facts.lens, "OLYMPUS M.17mm F1.8") == 0);
    pd_claims_done(&claims);
}

static void damage_costs_only_what_lies_there(void)
{
    bool is_ours;
    pd_claims claims = read_block("cut_in_the_middle", &is_ours);
    CHECK(is_ours && strcmp(claims.facts.make, "Maker") == 0 && isnan(claims.facts.gps_lat));
    pd_claims_done(&claims);
    claims = read_block("pointer_to_itself", &is_ours);
    CHECK(is_ours && !claims.times[PD_WHEN_TAKEN].text[0]);
    pd_claims_done(&claims);
    claims = read_block("count_wraps_around", &is_ours);
    CHECK(is_ours && !claims.facts.make[0] && isnan(claims.facts.exposure_s));
    pd_claims_done(&claims);
    claims = read_block("hostile_directory", &is_ours);
    CHECK(is_ours && !claims.facts.make[0] && !claims.facts.orientation);
    CHECK(strcmp(claims.facts.model, "\xc3\xbf\xc3\xbe\xc3\xbf") == 0); /* no UTF-8: Latin-1, then */
    pd_claims_done(&claims);
}

static void nonsense_is_nothing(void)
{
    bool is_ours;
    pd_claims claims = read_block("hostile_values", &is_ours);
    const pd_photo_meta *facts = &claims.facts;
    CHECK(is_ours && isnan(facts->exposure_s) && isnan(facts->fnumber) && isnan(facts->focal_mm) && !facts->iso);
    CHECK(isnan(facts->gps_lat) && isnan(facts->gps_lon) && isnan(facts->gps_alt));
    CHECK(!claims.times[PD_WHEN_TAKEN].text[0]);
    CHECK(has_text(&claims, PD_TEXT_DESCRIPTION, "a b [0m\nc\xc3\xbf"));
    pd_claims_done(&claims);
}

static void bigtiff_is_read(void)
{
    bool is_ours;
    pd_claims claims = read_block("bigtiff", &is_ours);
    CHECK(is_ours && claims.facts.orientation == 8);
    pd_claims_done(&claims);
}

static void the_oldest_canon_block_is_read(void)
{
    bool is_ours;
    pd_claims claims = read_block("canon_ciff", &is_ours);
    CHECK(!is_ours && strcmp(claims.facts.make, "Canon") == 0 && strcmp(claims.facts.model, "PowerShot") == 0);
    pd_claims_done(&claims);
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

static void times_of_xmp_are_understood(void)
{
    static const struct {
        const char *time, *want, *subsec;
    } cases[] = {
        { "2018-07-06T05:04:03.25+02:00", "2018-07-06T05:04:03+02:00", "25" },
        { "2018-07-06T05:04:03Z", "2018-07-06T05:04:03+00:00", "" },
        { "2018-07-06T05:04+02:00", "2018-07-06T05:04:00+02:00", "" },
        { "2018-07-06T05:04", "2018-07-06T05:04:00", "" },
        { "2018-07-06", "2018-07-06T00:00:00", "" },
        { "2018-07", "", "" },
        { "2018", "", "" },
        { "2018-02-30", "", "" },
        { "2018-07-06 or so", "", "" },
        { "0000-00-00T00:00:00", "", "" },
        { "", "", "" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        char text[32], subsec[PD_MEDIA_SUBSEC_BYTES];
        CHECK(pd_xmp_time_format(cases[i].time, text, subsec) == (cases[i].want[0] != '\0'));
        if (strcmp(text, cases[i].want) != 0 || strcmp(subsec, cases[i].subsec) != 0)
            fprintf(stderr, "'%s' becomes '%s' and '%s'\n", cases[i].time, text, subsec);
        CHECK(strcmp(text, cases[i].want) == 0 && strcmp(subsec, cases[i].subsec) == 0);
    }
}

static void ranges_of_lenses_are_written_short(void)
{
    static const struct {
        double lens[4];
        const char *want;
    } cases[] = {
        { { 18, 55, 3.5, 5.6 }, "18-55mm f/3.5-5.6" },
        { { 35, 35, 1.4, 1.4 }, "35mm f/1.4" },
        { { 6, 72, NAN, NAN }, "6-72mm" },
        { { 4.25, 4.25, 1.8, 1.8 }, "4.25mm f/1.8" },
        { { 0, 0, 0, 0 }, "" },
        { { NAN, 55, 3.5, 5.6 }, "" },
        { { INFINITY, 1e300, 1e300, 1 }, "" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        char text[96];
        pd_lens_format(cases[i].lens, text, sizeof text);
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
    RUN(every_tag_has_its_place);
    RUN(makers_notes_name_the_lens);
    RUN(damage_costs_only_what_lies_there);
    RUN(nonsense_is_nothing);
    RUN(bigtiff_is_read);
    RUN(the_oldest_canon_block_is_read);
    RUN(times_are_kept_only_when_they_exist);
    RUN(times_of_xmp_are_understood);
    RUN(ranges_of_lenses_are_written_short);
    RUN(texts_become_clean);
    return TEST_RESULT();
}
