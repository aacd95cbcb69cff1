/* Colours as people name them: what is in photos, not what is in palettes. */
#include <string.h>

#include "columns_fixture.h"

static pd_shade_table table;

static bool goes_as(uint32_t rgb, const char *word)
{
    const pd_shade shade = pd_shade_of(&table, (uint8_t)(rgb >> 16), (uint8_t)(rgb >> 8), (uint8_t)rgb);
    const uint16_t names = pd_shade_names(shade);
    for (unsigned name = 0; name < PD_SHADE_COUNT; name++)
        if (strcmp(pd_shade_word((pd_shade_name)name), word) == 0)
            return names >> name & 1;
    return false;
}

/* Means of areas in photos, as the decoder finds them. */
static void what_people_would_say(void)
{
    static const struct {
        uint32_t rgb;
        const char *word;
    } said[] = {
        { 0xD61F1F, "red" },    { 0x7A1418, "red" },    { 0xB03A32, "red" },    { 0xF08018, "orange" },
        { 0xD9742B, "orange" }, { 0xF6E030, "yellow" }, { 0xE5C84A, "yellow" }, { 0x2E8B30, "green" },
        { 0x4A5D23, "green" },  { 0x5F7A3A, "green" },  { 0x20D8F0, "cyan" },   { 0x2FA5A8, "cyan" },
        { 0x2050D0, "blue" },   { 0x87B4EB, "blue" },   { 0x4682C8, "blue" },   { 0x14203C, "blue" },
        { 0x782890, "purple" }, { 0x6A4C93, "purple" }, { 0xF59AC0, "pink" },   { 0xE8709A, "pink" },
        { 0x704828, "brown" },  { 0x5A4030, "brown" },  { 0x000000, "black" },  { 0x101214, "black" },
        { 0x808080, "gray" },   { 0x6E7072, "gray" },   { 0xFFFFFF, "white" },  { 0xF2F1EE, "white" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(said); i++) {
        if (!goes_as(said[i].rgb, said[i].word))
            fprintf(stderr, "%06x is not %s\n", said[i].rgb, said[i].word);
        CHECK(goes_as(said[i].rgb, said[i].word));
    }
}

static void what_people_would_not_say(void)
{
    static const struct {
        uint32_t rgb;
        const char *word;
    } not_said[] = {
        { 0xDCAA8C, "red" },   { 0xDCAA8C, "orange" }, { 0xC8A080, "red" },    { 0x704828, "red" },
        { 0x87B4EB, "gray" },  { 0x808080, "blue" },   { 0xF2F1EE, "yellow" }, { 0x4A5D23, "yellow" },
        { 0xE5C84A, "green" }, { 0x14203C, "gray" },   { 0xFFFFFF, "gray" },   { 0x101214, "gray" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(not_said); i++) {
        if (goes_as(not_said[i].rgb, not_said[i].word))
            fprintf(stderr, "%06x is %s\n", not_said[i].rgb, not_said[i].word);
        CHECK(!goes_as(not_said[i].rgb, not_said[i].word));
    }
}

static bool is_near(uint32_t x, uint32_t y)
{
    return pd_shade_is_near(pd_shade_of(&table, (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x),
                            pd_shade_of(&table, (uint8_t)(y >> 16), (uint8_t)(y >> 8), (uint8_t)y));
}

static void a_colour_by_number_is_it_and_what_looks_like_it(void)
{
    CHECK(is_near(0x336699, 0x336699) && is_near(0x336699, 0x3C6C9C) && is_near(0x336699, 0x27517B) &&
          is_near(0x336699, 0x4A7DB0));
    CHECK(!is_near(0x336699, 0x339966) && !is_near(0x336699, 0x663399) && !is_near(0x336699, 0x87B4EB) &&
          !is_near(0x336699, 0x666666) && !is_near(0xD61F1F, 0xDCAA8C));
}

static pd_shades shades_of(const pd_look_colour *colours, uint32_t n, uint16_t *ret_named)
{
    pd_look look = { .n_colours = n };
    memcpy(look.colours, colours, n * sizeof *colours);
    return pd_shades_of(&table, &look, ret_named);
}

static void a_detail_is_no_colour_of_the_picture_but_it_is_not_gray(void)
{
    const pd_look_colour wall[] = { { 0x90, 0x90, 0x90, 80 }, { 0xD6, 0x1F, 0x1F, 9 } };
    uint16_t named;
    pd_shades shades = shades_of(wall, 2, &named);
    CHECK(shades.n == 1 && named == (PD_NAMED_KNOWN | PD_NAMED_COLOURED | 1 << PD_SHADE_GRAY));
    shades = shades_of(wall, 1, &named);
    CHECK(shades.n == 1 && named == (PD_NAMED_KNOWN | 1 << PD_SHADE_GRAY));
    const pd_look_colour scan[] = { { 0x28, 0x28, 0x29, 50 },
                                    { 0xE4, 0xE1, 0xDC, 40 } }; /* paper is never quite white */
    shades = shades_of(scan, 2, &named);
    CHECK(shades.n == 2 && !(named & PD_NAMED_COLOURED));
    const pd_look_colour sepia[] = { { 0x70, 0x58, 0x40, 50 }, { 0xD8, 0xC4, 0xA0, 40 } };
    shades = shades_of(sepia, 2, &named);
    CHECK(shades.n == 2 && named & PD_NAMED_COLOURED);
    shades = shades_of(wall, 0, &named);
    CHECK(shades.n == 0 && named == 0);
}

/* Every one of the words is one that the grammar knows, and its own colour goes under it. */
static void the_grammar_knows_the_words(void)
{
    for (unsigned name = 0; name < PD_SHADE_COUNT; name++) {
        char text[32];
        size_t n;
        pd_query *query = NULL;
        const int len = snprintf(text, sizeof text, "color:%s", pd_shade_word((pd_shade_name)name));
        REQUIRE(pd_query_parse(&query, text, (size_t)len, NULL) == PD_OK);
        const pd_query_part *part = pd_query_parts(query, &n);
        REQUIRE(n == 1 && part->kind == PD_PART_FILTER);
        const pd_query_value *v = part->values;
        CHECK(goes_as((uint32_t)v->red << 16 | (uint32_t)v->green << 8 | v->blue, pd_shade_word((pd_shade_name)name)));
        pd_query_free(&query);
    }
}

int main(void)
{
    pd_shade_table_init(&table);
    RUN(what_people_would_say);
    RUN(what_people_would_not_say);
    RUN(a_colour_by_number_is_it_and_what_looks_like_it);
    RUN(a_detail_is_no_colour_of_the_picture_but_it_is_not_gray);
    RUN(the_grammar_knows_the_words);
    return TEST_RESULT();
}
