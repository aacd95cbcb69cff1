/* Every field of the grammar over photos of chance, each answer against a predicate over the rows. */
#include "columns_fixture.h"

#include <strings.h>

enum { N = 3000 };

static fixture f;
static photo *photos;
static pd_columns *columns;

typedef bool (*predicate)(const photo *p);

static const char *name_of(const photo *p) { return strrchr(p->path, '/') + 1; }

static bool holds(const char *text, const char *part) { return strcasestr(text, part) != NULL; }

static bool has_make(const photo *p, const char *part)
{
    return holds(p->row.make, part) || holds(p->row.camera, part);
}

static bool is_canon(const photo *p) { return has_make(p, "canon"); }
static bool is_no_canon(const photo *p) { return !is_canon(p); }
static bool is_canon_or_apple(const photo *p) { return is_canon(p) || has_make(p, "apple"); }
static bool is_cafe(const photo *p) { return has_make(p, "Café"); }
static bool is_d70(const photo *p) { return has_make(p, "D70") && !has_make(p, "D700"); }
static bool is_d70_alone(const photo *p) { return strcmp(p->row.camera, "NIKON D70") == 0; }
static bool is_corporation(const photo *p) { return has_make(p, "nikon corporation"); }
static bool is_eos_r(const photo *p) { return strcmp(p->row.camera, "EOS R") == 0; }
static bool is_iphone(const photo *p) { return strcmp(p->row.camera, "iPhone 6") == 0; }
static bool is_nowhere(const photo *p) { return !p; }
static bool is_50mm(const photo *p) { return holds(p->row.lens, "EF50mm"); }
static bool has_mm(const photo *p) { return holds(p->row.lens, "mm"); }

static bool is_iso_800(const photo *p) { return p->row.iso >= 800; }
static bool is_iso_low(const photo *p) { return p->row.iso && p->row.iso < 400; }
static bool is_iso_not_low(const photo *p) { return !is_iso_low(p); }
static bool is_iso_some(const photo *p) { return p->row.iso == 100 || (p->row.iso >= 400 && p->row.iso <= 800); }
static bool is_f_28(const photo *p) { return fabs(p->row.fnumber - 2.8) < 0.01; }
static bool is_f_below_28(const photo *p) { return p->row.fnumber < 2.7; }
static bool is_f_upto_28(const photo *p) { return p->row.fnumber < 2.9; }
static bool is_f_above_28(const photo *p) { return p->row.fnumber > 2.9; }
static bool is_f_mid(const photo *p) { return p->row.fnumber > 2.7 && p->row.fnumber < 5.7; }
static bool is_focal_50(const photo *p) { return fabs(p->row.focal_mm - 50) < 0.1; }
static bool is_focal_zoom(const photo *p) { return p->row.focal_mm >= 24 && p->row.focal_mm <= 70; }
static bool is_60th(const photo *p) { return fabs(p->row.exposure_s - 1.0 / 60) < 1e-4; }
static bool is_60th_or_less(const photo *p) { return p->row.exposure_s < 0.0168; }
static bool is_longer(const photo *p) { return p->row.exposure_s > 0.0168; }
static bool is_half(const photo *p) { return p->row.exposure_s == 0.5 || p->row.exposure_s > 29; }
static bool is_flash(const photo *p) { return p->row.flash == 1; }
static bool is_no_flash(const photo *p) { return p->row.flash == 0; }
static bool is_not_flash(const photo *p) { return p->row.flash != 1; }

static bool is_time(const photo *p, const char *from, const char *to)
{
    return p->row.sort_time[0] && strcmp(p->row.sort_time, from) >= 0 && strcmp(p->row.sort_time, to) < 0;
}
static bool is_2019(const photo *p) { return is_time(p, "2019", "2020"); }
static bool is_not_2019(const photo *p) { return !is_2019(p); }
static bool is_summer(const photo *p) { return is_time(p, "2019-06", "2019-09"); }
static bool is_after_2019(const photo *p) { return is_time(p, "2020", "3"); }
static bool is_until_2019(const photo *p) { return is_time(p, "0", "2020"); }
static bool is_day(const photo *p) { return is_time(p, "2018-03-05", "2018-03-06"); }
static bool is_july(const photo *p) { return p->row.sort_time[0] && memcmp(p->time + 5, "07", 2) == 0; }
static bool is_winter(const photo *p)
{
    const long month = p->row.sort_time[0] ? strtol(p->time + 5, NULL, 10) : 0;
    return month == 11 || month == 12 || month == 1 || month == 2;
}
static bool is_no_winter(const photo *p) { return !is_winter(p); }

static bool is_below(const photo *p, const char *folder) { return strncmp(p->path, folder, strlen(folder)) == 0; }
static bool is_in_pictures(const photo *p) { return is_below(p, "/home/me/Pictures/"); }
static bool is_in_2019(const photo *p) { return is_below(p, "/home/me/Pictures/2019/") || is_below(p, "/data/hol"); }
static bool is_in_holidays(const photo *p) { return is_below(p, "/data/holidays/2019/"); }
static bool is_in_ubung(const photo *p) { return is_below(p, "/data/Ü"); }
static bool is_in_data(const photo *p) { return is_below(p, "/data/"); }
static bool is_png_name(const photo *p) { return holds(name_of(p), ".png"); }
static bool is_img(const photo *p) { return holds(name_of(p), "img_"); }
static bool is_img_one(const photo *p) { return strlen(name_of(p)) == 12 && holds(name_of(p), "img_1"); }
static bool is_opening(const photo *p) { return holds(name_of(p), "ffnung"); }
static bool is_raw(const photo *p) { return strcmp(p->row.type, "raw") == 0; }
static bool is_raw_or_heic(const photo *p) { return is_raw(p) || strcmp(p->row.type, "heif") == 0; }
static bool is_big(const photo *p) { return p->row.bytes > 5000000; }
static bool is_small(const photo *p) { return p->row.bytes <= 1000000; }
static bool is_wide(const photo *p) { return p->row.width >= 1500; }
static bool is_low(const photo *p) { return p->row.height > 0 && p->row.height < 1500; }
static double ratio_of(const photo *p) { return p->row.height ? (double)p->row.width / p->row.height : 0; }
static bool is_landscape(const photo *p) { return ratio_of(p) > 1.03; }
static bool is_portrait(const photo *p) { return ratio_of(p) > 0 && ratio_of(p) < 1 / 1.03; }
static bool is_square(const photo *p) { return ratio_of(p) >= 1 / 1.03 && ratio_of(p) <= 1.03; }
static bool is_not_square(const photo *p) { return !is_square(p); }

static bool is_rated_4(const photo *p) { return p->row.rating >= 4; }
static bool is_rated_0(const photo *p) { return p->row.rating == 0; }
static bool is_favorite(const photo *p) { return p->row.marks.favorite; }
static bool is_no_favorite(const photo *p) { return !p->row.marks.favorite; }
static bool has_gps(const photo *p) { return !isnan(p->row.lat); }
static bool has_no_gps(const photo *p) { return isnan(p->row.lat); }
static bool has_date(const photo *p) { return p->row.is_dated; }
static bool has_tag_or_album(const photo *p) { return p->row.marks.has_tag || p->row.marks.has_album; }
static bool has_caption(const photo *p) { return p->row.marks.has_caption; }
static bool has_rating(const photo *p) { return p->row.marks.is_rated; }

/* Another formula than the columns'. */
static bool is_near(const photo *p, double lat, double lon, double km)
{
    const double r = 3.14159265358979323846 / 180, a = p->row.lat * r, b = lat * r, d = (p->row.lon - lon) * r;
    return !isnan(d) && acos(fmin(1, sin(a) * sin(b) + cos(a) * cos(b) * cos(d))) * 6371 <= km;
}
static bool is_near_paris(const photo *p) { return is_near(p, 48.85, 2.35, 10); }
static bool is_not_near_paris(const photo *p) { return !is_near_paris(p); }
static bool is_near_date_line(const photo *p) { return is_near(p, 10, 179.5, 2000); }
static bool is_near_pole(const photo *p) { return is_near(p, 88, 0, 1500); }

/* What the columns keep of colours is tested by itself; here, that the right ones are looked at. */
static bool has_colour(const photo *p, uint8_t red, uint8_t green, uint8_t blue)
{
    const pd_shade wanted = pd_shade_of(&columns->shade_table, red, green, blue);
    bool has = false;
    for (uint32_t i = 0; i < p->row.look.n_colours; i++) {
        const pd_look_colour *c = &p->row.look.colours[i];
        has |=
            c->share >= 10 && pd_shade_is_near(pd_shade_of(&columns->shade_table, c->red, c->green, c->blue), wanted);
    }
    return has;
}
static bool is_bluish(const photo *p) { return has_colour(p, 0x33, 0x66, 0x99); }
static bool is_bluish_or_black(const photo *p) { return is_bluish(p) || has_colour(p, 1, 2, 1); }
static bool is_not_bluish(const photo *p) { return !is_bluish(p); }
static bool has_colours(const photo *p)
{
    uint16_t named;
    (void)pd_shades_of(&columns->shade_table, &p->row.look, &named);
    return named & PD_NAMED_COLOURED;
}

static bool is_canon_in_2019(const photo *p) { return is_canon(p) && is_2019(p) && !is_rated_4(p); }
static bool is_any(const photo *p) { return p != NULL; }

static const struct {
    const char *text;
    predicate holds;
} table[] = {
    { "camera:canon", is_canon },
    { "-camera:canon", is_no_canon },
    { "camera:canon,apple", is_canon_or_apple },
    { "camera:cafe", is_cafe },
    { "camera:ÉLAN", is_cafe },
    { "camera:d70", is_d70 },
    { "camera:\"nikon d70\"", is_d70_alone },
    { "camera:\"NIKON CORPORATION\"", is_corporation },
    { "camera:\"canon eos r\"", is_eos_r },
    { "camera:\"iphone 6\"", NULL },
    { "camera:\"apple iphone 6\"", is_iphone },
    { "camera:leica", is_nowhere },
    { "lens:50mm", is_50mm },
    { "lens:mm", has_mm },
    { "iso:>=800", is_iso_800 },
    { "iso:<400", is_iso_low },
    { "-iso:<400", is_iso_not_low },
    { "iso:100,400..800", is_iso_some },
    { "f:2.8", is_f_28 },
    { "f:<2.8", is_f_below_28 },
    { "f:<=2.8", is_f_upto_28 },
    { "f:>2.8", is_f_above_28 },
    { "f:2.8..5.6", is_f_mid },
    { "focal:50", is_focal_50 },
    { "focal:24..70", is_focal_zoom },
    { "exposure:1/60", is_60th },
    { "exposure:<=1/60", is_60th_or_less },
    { "exposure:>1/60", is_longer },
    { "exposure:1/2,30", is_half },
    { "flash:yes", is_flash },
    { "flash:no", is_no_flash },
    { "-flash:yes", is_not_flash },
    { "date:2019", is_2019 },
    { "year:2019", is_2019 },
    { "-date:2019", is_not_2019 },
    { "date:2019-06..2019-08", is_summer },
    { "date:>2019", is_after_2019 },
    { "date:..2019", is_until_2019 },
    { "date:2018-03-05", is_day },
    { "month:7", is_july },
    { "month:nov..feb", is_winter },
    { "-month:nov..feb", is_no_winter },
    { "in:pictures", is_in_pictures },
    { "in:PICTURES/", is_in_pictures },
    { "in:2019", is_in_2019 },
    { "in:holidays/2019", is_in_holidays },
    { "in:pic", is_nowhere },
    { "in:/data", is_in_data },
    { "in:/dat", is_nowhere },
    { "in:/", is_any },
    { "in:ubung", is_in_ubung },
    { "in:data/ubung", is_in_ubung },
    { "name:*.png", is_png_name },
    { "name:img_", is_img },
    { "name:IMG_1???.*", is_img_one },
    { "name:offnung", is_opening },
    { "type:raw", is_raw },
    { "type:raw,heic", is_raw_or_heic },
    { "size:>5mb", is_big },
    { "size:<=1mb", is_small },
    { "width:>=1500", is_wide },
    { "height:<1500", is_low },
    { "orientation:landscape", is_landscape },
    { "orientation:portrait", is_portrait },
    { "orientation:square", is_square },
    { "-orientation:square", is_not_square },
    { "rating:>=4", is_rated_4 },
    { "rating:0", is_rated_0 },
    { "favorite:yes", is_favorite },
    { "favorite:no", is_no_favorite },
    { "has:gps", has_gps },
    { "-has:gps", has_no_gps },
    { "has:date", has_date },
    { "has:tag,album", has_tag_or_album },
    { "has:caption", has_caption },
    { "has:rating", has_rating },
    { "near:48.85,2.35,10km", is_near_paris },
    { "-near:48.85,2.35", is_not_near_paris },
    { "near:10,179.5,2000km", is_near_date_line },
    { "near:88,0,1500km", is_near_pole },
    { "color:#369", is_bluish },
    { "color:#336699,#010201", is_bluish_or_black },
    { "-color:#369", is_not_bluish },
    { "gray:no", has_colours },
    { "camera:canon date:2019 -rating:>=4", is_canon_in_2019 },
    { "", is_any },
    { "a dog on the beach sort:name", is_any },
};

static size_t count_wrong(const pd_slots *slots, predicate want, bool want_gone)
{
    size_t wrong = 0;
    int64_t count = 0;
    for (size_t i = 0; i < N; i++) {
        const uint32_t slot = pd_columns_slot(columns, photos[i].row.id);
        const bool found = slot != UINT32_MAX && pd_slots_has(slots, slot);
        wrong += found != (want(&photos[i]) && !(want_gone && photos[i].row.gone));
        count += found;
    }
    return wrong + (count != slots->count);
}

static void every_field_finds_what_its_predicate_says(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(table); i++) {
        if (!table[i].holds)
            continue;
        pd_slots slots = find(columns, f.store, table[i].text);
        const size_t wrong = count_wrong(&slots, table[i].holds, true);
        if (wrong || (slots.count == 0) != (table[i].holds == is_nowhere))
            fprintf(stderr, "%s: %zu wrong, %lld found\n", table[i].text, wrong, (long long)slots.count);
        CHECK(wrong == 0 && (slots.count == 0) == (table[i].holds == is_nowhere));
        pd_slots_done(&slots);
    }
}

/* Photos go, come back, and change; their slots stay. */
static void changes_are_taken_in(void)
{
    uint32_t seed = 777;
    const uint32_t slot = pd_columns_slot(columns, photos[17].row.id);
    const size_t n = pd_columns_n(columns);
    for (size_t i = 0; i < N; i += 3) {
        if (i % 2)
            fill_photo(&photos[i], photos[i].row.id, &seed);
        photos[i].row.gone = i % 2 == 0;
        CHECK(pd_columns_put(columns, &photos[i].row, NULL) == PD_OK);
    }
    CHECK(pd_columns_n(columns) == n && pd_columns_count(columns) == N - N / 6);
    CHECK(pd_columns_slot(columns, photos[17].row.id) == slot && pd_columns_photo(columns, slot) == photos[17].row.id);
    CHECK(pd_columns_slot(columns, photos[0].row.id) == UINT32_MAX && pd_columns_photo(columns, 0) == 0 &&
          pd_columns_contents(columns)[0] == 0);
    every_field_finds_what_its_predicate_says();
    for (size_t i = 0; i < N; i += 6) {
        photos[i].row.gone = false;
        CHECK(pd_columns_put(columns, &photos[i].row, NULL) == PD_OK);
    }
    const pd_photo_row unknown = { .id = 424242, .gone = true };
    CHECK(pd_columns_put(columns, &unknown, NULL) == PD_OK);
    CHECK(pd_columns_n(columns) == n && pd_columns_count(columns) == N);
    every_field_finds_what_its_predicate_says();
}

static void a_field_can_be_passed_over(void)
{
    pd_query *query = NULL;
    pd_slots slots = { 0 };
    REQUIRE(pd_query_parse(&query, "camera:canon rating:>=4", 23, NULL) == PD_OK);
    CHECK(pd_columns_filter(columns, f.store, query, PD_FIELD_CAMERA, &slots, NULL) == PD_OK);
    CHECK(count_wrong(&slots, is_rated_4, true) == 0);
    pd_slots copy = { 0 };
    CHECK(pd_slots_copy(&slots, &copy, NULL) == PD_OK && copy.count == slots.count && copy.n == slots.n &&
          memcmp(copy.words, slots.words, (slots.n + 63) / 64 * 8) == 0);
    pd_slots_done(&copy);
    pd_slots_done(&slots);
    pd_query_free(&query);
}

static const photo *photo_at(uint32_t slot) { return &photos[pd_columns_photo(columns, slot) - 1]; }

static int64_t bytes_of(const photo *p) { return p->row.bytes < UINT32_MAX ? p->row.bytes : UINT32_MAX; }

static int compare_in(pd_order order, const photo *a, const photo *b)
{
    int by = 0;
    if (order == PD_ORDER_OLDEST || order == PD_ORDER_NEWEST)
        by = strcmp(a->row.sort_time, b->row.sort_time);
    else if (order == PD_ORDER_NAME || order == PD_ORDER_NAME_BACKWARDS)
        by = strcmp(name_of(a), name_of(b));
    else
        by = (bytes_of(a) > bytes_of(b)) - (bytes_of(a) < bytes_of(b));
    if (order == PD_ORDER_NEWEST || order == PD_ORDER_NAME_BACKWARDS || order == PD_ORDER_LARGEST)
        by = -by;
    return by ? by : (a->row.id > b->row.id) - (a->row.id < b->row.id);
}

static void check_order(const pd_slots *slots, pd_order order)
{
    static uint32_t all[N], some[N];
    size_t n = 0, n_some = 0;
    CHECK(pd_columns_order(columns, slots, &(pd_slot_window){ order, 0, N }, all, &n, NULL) == PD_OK);
    CHECK(n == (size_t)slots->count);
    size_t wrong = 0;
    for (size_t i = 1; i < n; i++)
        wrong += compare_in(order, photo_at(all[i - 1]), photo_at(all[i])) >= 0;
    CHECK(wrong == 0);
    for (size_t offset = 0; offset < n; offset += 1 + n / 7) {
        const size_t asked = offset ? 100 : 20;
        CHECK(pd_columns_order(columns, slots, &(pd_slot_window){ order, offset, asked }, some, &n_some, NULL) ==
              PD_OK);
        CHECK(n_some == (n - offset < asked ? n - offset : asked) && memcmp(some, all + offset, n_some * 4) == 0);
    }
    CHECK(pd_columns_order(columns, slots, &(pd_slot_window){ order, n, 5 }, some, &n_some, NULL) == PD_OK &&
          n_some == 0);
}

static void orders_are_whole_and_their_windows_agree(void)
{
    for (int order = PD_ORDER_OLDEST; order <= PD_ORDER_LARGEST; order++) {
        pd_slots slots = find(columns, f.store, "");
        check_order(&slots, (pd_order)order);
        pd_slots_done(&slots);
        slots = find(columns, f.store, "rating:4");
        check_order(&slots, (pd_order)order);
        pd_slots_done(&slots);
    }
}

static bool check_value(void *user, const pd_value_count *value)
{
    char text[400];
    pd_buf buf;
    pd_buf_init(&buf, 300);
    pd_query_quote(value->value, &buf);
    snprintf(text, sizeof text, "rating:>=1 %s:%s", pd_field_info_of(*(pd_field *)user)->name, buf.data);
    pd_slots slots = find(columns, f.store, text);
    const bool is_maker = strcmp(value->value, "Canon") == 0; /* one word: all that have it */
    if (slots.count != value->count && !is_maker)
        fprintf(stderr, "%s: %lld, counted %lld\n", text, (long long)slots.count, (long long)value->count);
    CHECK((slots.count == value->count) == !is_maker && value->count > 0);
    pd_slots_done(&slots);
    pd_buf_done(&buf);
    return true;
}

/* What is counted is what is found when the value is asked for. */
static void counts_agree_with_filters(void)
{
    static const pd_field fields[] = { PD_FIELD_CAMERA,   PD_FIELD_LENS, PD_FIELD_YEAR,        PD_FIELD_MONTH,
                                       PD_FIELD_TYPE,     PD_FIELD_IN,   PD_FIELD_ORIENTATION, PD_FIELD_RATING,
                                       PD_FIELD_FAVORITE, PD_FIELD_HAS,  PD_FIELD_FLASH,       PD_FIELD_COLOR,
                                       PD_FIELD_GRAY };
    pd_slots slots = find(columns, f.store, "rating:>=1");
    for (size_t i = 0; i < PD_COUNT_OF(fields); i++) {
        pd_field field = fields[i];
        const unsigned before = test_checks;
        CHECK(pd_columns_count_values(columns, f.store, &slots,
                                      &(pd_value_question){ field, NULL, 1000, check_value, &field }, NULL) == PD_OK);
        if (field != PD_FIELD_GRAY)
            CHECK(test_checks > before + 2);
    }
    pd_slots_done(&slots);
}

typedef struct listing {
    char text[2000];
    int64_t last;
    bool ascends, descends;
} listing;

static bool list_value(void *user, const pd_value_count *value)
{
    listing *l = user;
    snprintf(l->text + strlen(l->text), sizeof l->text - strlen(l->text), "%s|", value->value);
    l->descends &= !l->last || value->count <= l->last;
    l->last = value->count;
    return true;
}

static listing list_values(pd_field field, const char *prefix, size_t n_max)
{
    listing l = { .descends = true };
    pd_slots slots = find(columns, f.store, "");
    CHECK(pd_columns_count_values(columns, f.store, &slots,
                                  &(pd_value_question){ field, prefix, n_max, list_value, &l }, NULL) == PD_OK);
    pd_slots_done(&slots);
    return l;
}

static void values_begin_as_typed_and_the_most_frequent_come_first(void)
{
    listing l = list_values(PD_FIELD_CAMERA, "d7", 100);
    CHECK(strlen(l.text) == 32 && strstr(l.text, "NIKON D70|") && strstr(l.text, "NIKON D700|") && l.descends);
    l = list_values(PD_FIELD_CAMERA, "ELAN", 100);
    CHECK(strcmp(l.text, "Café Élan 3|") == 0);
    l = list_values(PD_FIELD_CAMERA, "", 3);
    CHECK(l.descends && strchr(strchr(strchr(l.text, '|') + 1, '|') + 1, '|')[1] == '\0');
    l = list_values(PD_FIELD_YEAR, "201", 100);
    CHECK(strcmp(l.text, "2015|2016|2017|2018|2019|") == 0);
    l = list_values(PD_FIELD_MONTH, "1", 100);
    CHECK(strcmp(l.text, "1|10|11|12|") == 0);
    l = list_values(PD_FIELD_RATING, "", 100);
    CHECK(strcmp(l.text, "0|1|2|3|4|5|") == 0);
    /* "/", "/home" and "/home/me" hold nothing, "/home" and "/home/me" only what "/home/me/Pictures" does */
    l = list_values(PD_FIELD_IN, "", 100);
    CHECK(strstr(l.text, "/home/me/Pictures|") && !strstr(l.text, "/home|") && !strstr(l.text, "/home/me|") &&
          strstr(l.text, "/data|") && l.descends);
    l = list_values(PD_FIELD_IN, "hol", 100);
    CHECK(strlen(l.text) == 58 && strstr(l.text, "/home/me/Pictures/2019/Holidays|"));
    l = list_values(PD_FIELD_IN, "/data/u", 100);
    CHECK(strcmp(l.text, "/data/Übung|") == 0);
}

static pd_status use_columns(void)
{
    pd_query *query = NULL;
    pd_slots slots = { 0 };
    uint32_t some[200];
    size_t n = 0;
    static const char text[] = "camera:canon name:im*g near:48,2,900km in:data color:#336699 color:red";
    pd_status status = pd_query_parse(&query, text, sizeof text - 1, NULL);
    if (status == PD_OK)
        status = pd_columns_filter(columns, f.store, query, PD_FIELD_COUNT, &slots, NULL);
    CHECK((status == PD_OK) == (slots.words != NULL));
    pd_query_free(&query);
    pd_slots all = { columns->live, columns->n, columns->count };
    if (status == PD_OK)
        status = pd_columns_order(columns, &all, &(pd_slot_window){ PD_ORDER_NAME, 5, 200 }, some, &n, NULL);
    if (status == PD_OK)
        status = pd_columns_order(columns, &all, &(pd_slot_window){ PD_ORDER_NEWEST, 2000, 200 }, some, &n, NULL);
    listing l = { 0 };
    static const pd_field fields[] = { PD_FIELD_IN, PD_FIELD_YEAR, PD_FIELD_TAG };
    for (size_t i = 0; i < PD_COUNT_OF(fields) && status == PD_OK; i++)
        status = pd_columns_count_values(columns, f.store, &all,
                                         &(pd_value_question){ fields[i], "", 10, list_value, &l }, NULL);
    if (slots.words)
        pd_slots_done(&slots);
    return status;
}

static void running_out_of_memory_leaks_nothing(void)
{
    REQUIRE(use_columns() == PD_OK);
    const size_t live = pd_mem_live();
    pd_status status = PD_ERR_NOMEM;
    for (size_t nth = 1; status == PD_ERR_NOMEM; nth++) {
        (void)pd_mem_fail_at(nth);
        status = use_columns();
        (void)pd_mem_fail_at(0);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK);
}

static void filling_without_memory_can_be_done_again(void)
{
    const size_t live = pd_mem_live();
    pd_columns *filled = NULL;
    pd_status status = PD_ERR_NOMEM;
    for (size_t nth = 1; status == PD_ERR_NOMEM; nth++) {
        (void)pd_mem_fail_at(nth);
        status = pd_columns_open(&filled, f.store, NULL, NULL);
        for (size_t i = 0; i < 1500 && status == PD_OK; i++)
            status = pd_columns_put(filled, &photos[i].row, NULL);
        (void)pd_mem_fail_at(0);
        if (filled && status == PD_ERR_NOMEM) {
            bool ok = true;
            for (size_t i = 0; i < 1500; i++)
                ok &= pd_columns_put(filled, &photos[i].row, NULL) == PD_OK;
            CHECK(ok && pd_columns_count(filled) == 1500 && pd_columns_slot(filled, 1500) < 1500);
        }
        pd_columns_close(&filled);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK);
}

int main(void)
{
    uint32_t seed = 1;
    f = fixture_make();
    columns = columns_make(&f);
    photos = calloc(N, sizeof *photos);
    for (size_t i = 0; i < N; i++) {
        const size_t at = (i * 1009) % N; /* not in the order of ids */
        fill_photo(&photos[at], (int64_t)at + 1, &seed);
    }
    for (size_t i = 0; i < N; i++)
        if (pd_columns_put(columns, &photos[(i * 7) % N].row, NULL) != PD_OK)
            abort();
    RUN(every_field_finds_what_its_predicate_says);
    RUN(orders_are_whole_and_their_windows_agree);
    RUN(changes_are_taken_in);
    RUN(a_field_can_be_passed_over);
    RUN(orders_are_whole_and_their_windows_agree);
    RUN(counts_agree_with_filters);
    RUN(values_begin_as_typed_and_the_most_frequent_come_first);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(filling_without_memory_can_be_done_again);
    pd_columns_close(&columns);
    free(photos);
    fixture_remove(&f);
    return TEST_RESULT();
}
