#include "decoder/xmp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>

#include "base/attr.h"
#include "base/mem.h"
#include "decoder/exif_text.h"

enum {
    DEPTH_MAX = 64,
    NAME_BYTES_MAX = 256,
};

/* A namespace and a local name are told apart by a space, which neither can hold. */
#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
#define NS_DC "http://purl.org/dc/elements/1.1/ "
#define NS_XMP "http://ns.adobe.com/xap/1.0/ "
#define NS_NOTE "http://ns.adobe.com/xmp/note/ "
#define NS_PHOTOSHOP "http://ns.adobe.com/photoshop/1.0/ "
#define NS_LIGHTROOM "http://ns.adobe.com/lightroom/1.0/ "
#define NS_DIGIKAM "http://www.digikam.org/ns/1.0/ "
#define NS_TIFF "http://ns.adobe.com/tiff/1.0/ "
#define NS_EXIF "http://ns.adobe.com/exif/1.0/ "
#define NS_EXIF_EX "http://cipa.jp/exif/1.0/ "
#define NS_AUX "http://ns.adobe.com/exif/1.0/aux/ "
#define NS_REGIONS "http://www.metadataworkinggroup.com/schemas/regions/ "
#define NS_IPTC_EXT "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ "
#define NS_MS_REGION "http://ns.microsoft.com/photo/1.2/t/Region# "

typedef struct packet packet;

/* What is done with the value of a property. */
typedef struct xmp_rule {
    const char *name;
    void (*take)(packet *p, const struct xmp_rule *rule, char *text); /* NULL: structure only */
    uint16_t at;     /* a field's place in pd_photo_meta; a kind of text; a pd_when */
    uint16_t bytes;  /* of a text field */
    double real_max; /* of a number */
} xmp_rule;

typedef struct region {
    bool is_open;
    unsigned depth; /* of the list's element that holds it */
    char name[NAME_BYTES_MAX], type[32];
} region;

struct packet {
    pd_claims *claims;
    XML_Parser parser;
    unsigned depth;
    const xmp_rule *rules[DEPTH_MAX + 1]; /* of the open elements; NULL: of no interest; [0]: none */
    bool has_children[DEPTH_MAX + 1];
    bool has_rdf;
    char *text; /* characters of the innermost element, PD_TEXTS_TEXT_BYTES_MAX */
    size_t text_bytes;
    double lat, lon, alt;
    bool is_below_sea;
    region region;
};

/* "1/250", "2.8"; NAN for anything else. */
static double read_ratio(const char *text)
{
    char *end;
    const double above = strtod(text, &end);
    if (end == text)
        return NAN;
    if (*end != '/')
        return above;
    const double below = strtod(end + 1, NULL);
    return below > 0 ? above / below : NAN;
}

/* "43,28.0702N", "43,28,4N", perhaps "43.4678": signed degrees. */
static double read_degrees(const char *text)
{
    double degrees = 0, part = 1;
    for (int i = 0; i < 3; i++, part *= 60) {
        char *end;
        const double value = strtod(text, &end);
        if (end == text || !(value >= 0 || i == 0))
            return NAN;
        degrees += value / part;
        text = end;
        if (*text != ',')
            break;
        text++;
    }
    const bool is_negative = *text == 'S' || *text == 'W' || *text == 's' || *text == 'w';
    return is_negative ? -degrees : degrees;
}

static void set_text(char *field, size_t size, const char *text)
{
    if (!field[0])
        pd_text_clean((const uint8_t *)text, strlen(text), field, size);
}

static void take_words(packet *p, const xmp_rule *rule, char *text)
{
    pd_claims_add(p->claims, (pd_text_kind)rule->at, text, strlen(text));
}

static void take_path(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    pd_claims_add(p->claims, PD_TEXT_KEYWORD_PATH, text, strlen(text));
}

/* One level of "a/b/c" is written "a|b|c" here. */
static void take_slashed_path(packet *p, const xmp_rule *rule, char *text)
{
    for (char *c = text; (c = strchr(c, '/')) != NULL; c++)
        *c = '|';
    take_path(p, rule, text);
}

static void take_region_name(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    if (p->region.is_open)
        set_text(p->region.name, sizeof p->region.name, text);
}

static void take_region_type(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    if (p->region.is_open)
        set_text(p->region.type, sizeof p->region.type, text);
}

static void take_extension(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    set_text(p->claims->extension, sizeof p->claims->extension, text);
}

static void take_chars(packet *p, const xmp_rule *rule, char *text)
{
    set_text((char *)&p->claims->facts + rule->at, rule->bytes, text);
}

static void take_real(packet *p, const xmp_rule *rule, char *text)
{
    double *field = (double *)(void *)((char *)&p->claims->facts + rule->at);
    const double value = read_ratio(text);
    if (isnan(*field) && value > 0 && value <= rule->real_max)
        *field = value;
}

static void take_iso(packet *p, const xmp_rule *rule, char *text)
{
    const double iso = read_ratio(text);
    if (!p->claims->facts.iso && iso >= 1 && iso <= rule->real_max)
        p->claims->facts.iso = (uint32_t)iso;
}

static void take_rating(packet *p, const xmp_rule *rule, char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end != text && value >= -1 && value <= rule->real_max && p->claims->facts.rating == PD_MEDIA_ABSENT)
        p->claims->facts.rating = (int32_t)lround(value);
}

static void take_time(packet *p, const xmp_rule *rule, char *text)
{
    pd_claimed_time *time = &p->claims->times[rule->at];
    if (!time->text[0])
        (void)pd_xmp_time_format(text, time->text, time->subsec);
}

static void take_lens_info(packet *p, const xmp_rule *rule, char *text)
{
    double lens[4] = { NAN, NAN, NAN, NAN };
    (void)rule;
    for (int i = 0; i < 4 && *text; i++) {
        lens[i] = read_ratio(text);
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    if (!p->claims->facts.lens[0])
        pd_lens_format(lens, p->claims->facts.lens, sizeof p->claims->facts.lens);
}

static void take_white_balance(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
        p->claims->facts.white_balance = text[0] - '0';
}

static void take_fired(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    p->claims->facts.flash = strcasecmp(text, "true") == 0;
}

static void take_latitude(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    p->lat = read_degrees(text);
}

static void take_longitude(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    p->lon = read_degrees(text);
}

static void take_altitude(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    p->alt = read_ratio(text);
}

static void take_altitude_ref(packet *p, const xmp_rule *rule, char *text)
{
    (void)rule;
    p->is_below_sea = strcmp(text, "1") == 0;
}

#define FIELD(field) (uint16_t) offsetof(pd_photo_meta, field)
#define CHARS(field) FIELD(field), (uint16_t)sizeof(((pd_photo_meta *)0)->field), 0

static const xmp_rule region_list = { NS_REGIONS "RegionList", NULL, 0, 0, 0 };

static const xmp_rule rules[] = {
    { NS_DC "title", take_words, PD_TEXT_TITLE, 0, 0 },
    { NS_DC "description", take_words, PD_TEXT_DESCRIPTION, 0, 0 },
    { NS_DC "creator", take_words, PD_TEXT_ARTIST, 0, 0 },
    { NS_DC "rights", take_words, PD_TEXT_COPYRIGHT, 0, 0 },
    { NS_DC "subject", take_words, PD_TEXT_KEYWORD, 0, 0 },
    { NS_XMP "Label", take_words, PD_TEXT_LABEL, 0, 0 },
    { NS_XMP "CreatorTool", take_words, PD_TEXT_SOFTWARE, 0, 0 },
    { NS_XMP "Rating", take_rating, 0, 0, 5 },
    { NS_XMP "CreateDate", take_time, PD_WHEN_MADE, 0, 0 },
    { NS_LIGHTROOM "hierarchicalSubject", take_path, 0, 0, 0 },
    { NS_DIGIKAM "TagsList", take_slashed_path, 0, 0, 0 },
    { NS_IPTC_EXT "PersonInImage", take_words, PD_TEXT_PERSON, 0, 0 },
    { NS_MS_REGION "PersonDisplayName", take_words, PD_TEXT_PERSON, 0, 0 },
    { NS_REGIONS "Name", take_region_name, 0, 0, 0 },
    { NS_REGIONS "Type", take_region_type, 0, 0, 0 },
    { NS_PHOTOSHOP "DateCreated", take_time, PD_WHEN_TAKEN, 0, 0 },
    { NS_EXIF "DateTimeOriginal", take_time, PD_WHEN_TAKEN, 0, 0 },
    { NS_TIFF "Make", take_chars, CHARS(make) },
    { NS_TIFF "Model", take_chars, CHARS(model) },
    { NS_EXIF_EX "LensModel", take_chars, CHARS(lens) },
    { NS_AUX "Lens", take_chars, CHARS(lens) },
    { NS_AUX "LensInfo", take_lens_info, 0, 0, 0 },
    { NS_EXIF "ISOSpeedRatings", take_iso, 0, 0, 1e8 },
    { NS_EXIF_EX "PhotographicSensitivity", take_iso, 0, 0, 1e8 },
    { NS_EXIF "ExposureTime", take_real, FIELD(exposure_s), 0, 1e6 },
    { NS_EXIF "FNumber", take_real, FIELD(fnumber), 0, 1e3 },
    { NS_EXIF "FocalLength", take_real, FIELD(focal_mm), 0, 1e6 },
    { NS_EXIF "FocalLengthIn35mmFilm", take_real, FIELD(focal35_mm), 0, 1e6 },
    { NS_EXIF "WhiteBalance", take_white_balance, 0, 0, 0 },
    { NS_EXIF "Fired", take_fired, 0, 0, 0 },
    { NS_EXIF "GPSLatitude", take_latitude, 0, 0, 0 },
    { NS_EXIF "GPSLongitude", take_longitude, 0, 0, 0 },
    { NS_EXIF "GPSAltitude", take_altitude, 0, 0, 0 },
    { NS_EXIF "GPSAltitudeRef", take_altitude_ref, 0, 0, 0 },
    { NS_NOTE "HasExtendedXMP", take_extension, 0, 0, 0 },
};

static const xmp_rule *find_rule(const char *name)
{
    if (strcmp(name, region_list.name) == 0)
        return &region_list;
    for (size_t i = 0; i < PD_COUNT_OF(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    packet *p = user;
    if (p->depth == DEPTH_MAX) {
        (void)XML_StopParser(p->parser, XML_FALSE);
        return;
    }
    const bool is_rdf = strncmp(name, NS_RDF, strlen(NS_RDF)) == 0;
    const xmp_rule *own = find_rule(name), *above = p->rules[p->depth];
    p->has_rdf |= is_rdf;
    p->has_children[p->depth++] = true;
    /* Bag, Seq, Alt, li and Description belong to the property around them. */
    p->rules[p->depth] = is_rdf ? above : own;
    p->has_children[p->depth] = false;
    p->text_bytes = 0;
    if (above == &region_list && strcmp(name, NS_RDF "li") == 0)
        p->region = (region){ .is_open = true, .depth = p->depth };
    for (size_t i = 0; attributes[i]; i += 2) {
        const xmp_rule *of_attribute = find_rule(attributes[i]);
        if (!of_attribute || !of_attribute->take || strlen(attributes[i + 1]) > PD_TEXTS_TEXT_BYTES_MAX)
            continue;
        memcpy(p->text, attributes[i + 1], strlen(attributes[i + 1]) + 1);
        of_attribute->take(p, of_attribute, p->text);
    }
}

static void close_region(packet *p)
{
    if (!p->region.type[0] || strcmp(p->region.type, "Face") == 0)
        pd_claims_add(p->claims, PD_TEXT_PERSON, p->region.name, strlen(p->region.name));
    p->region.is_open = false;
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    packet *p = user;
    (void)name;
    const xmp_rule *own = p->rules[p->depth];
    if (!p->has_children[p->depth] && p->text_bytes > 0 && own && own->take) {
        while (p->text_bytes > 0 && is_space(p->text[p->text_bytes - 1]))
            p->text_bytes--;
        p->text[p->text_bytes] = '\0';
        char *text = p->text;
        while (is_space(*text))
            text++;
        own->take(p, own, text);
    }
    if (p->region.is_open && p->region.depth == p->depth)
        close_region(p);
    p->text_bytes = 0;
    p->depth--;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int len)
{
    packet *p = user;
    const size_t left = PD_TEXTS_TEXT_BYTES_MAX - p->text_bytes, bytes = (size_t)len < left ? (size_t)len : left;
    memcpy(p->text + p->text_bytes, text, bytes);
    p->text_bytes += bytes;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                               int has_internal_subset)
{
    packet *p = user;
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    (void)XML_StopParser(p->parser, XML_FALSE);
}

static void *allocate(size_t size) { return pd_mem_alloc(size, 1); }
static void *reallocate(void *ptr, size_t size) { return pd_mem_realloc(ptr, size, 1); }

static void decide_place(packet *p)
{
    pd_photo_meta *facts = &p->claims->facts;
    if (isnan(facts->gps_lat))
        pd_claims_set_place(p->claims, p->lat, p->lon);
    if (isnan(facts->gps_alt) && fabs(p->alt) < 1e6)
        facts->gps_alt = p->is_below_sea ? -p->alt : p->alt;
}

bool pd_xmp_read(const uint8_t *data, size_t len, pd_claims *claims)
{
    static const XML_Memory_Handling_Suite memory = { allocate, reallocate, pd_mem_free };
    if (len > PD_XMP_BYTES_MAX)
        return false;
    while (len > 0 && data[len - 1] == '\0') /* padding */
        len--;
    packet p = { .claims = claims, .lat = NAN, .lon = NAN, .alt = NAN };
    p.text = pd_mem_alloc(PD_TEXTS_TEXT_BYTES_MAX + 1, 1);
    p.parser = p.text ? XML_ParserCreate_MM(NULL, &memory, " ") : NULL;
    if (p.parser) {
        XML_SetUserData(p.parser, &p);
        XML_SetElementHandler(p.parser, on_start, on_end);
        XML_SetCharacterDataHandler(p.parser, on_text);
        XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
        (void)XML_SetParamEntityParsing(p.parser, XML_PARAM_ENTITY_PARSING_NEVER);
        /* or expat asks the system for randomness, which the sandbox may refuse */
        (void)XML_SetHashSalt(p.parser, (unsigned long)(uintptr_t)p.text | 1);
        (void)XML_Parse(p.parser, (const char *)data, (int)len, XML_TRUE);
        if (XML_GetErrorCode(p.parser) == XML_ERROR_NO_MEMORY)
            claims->texts.status = PD_ERR_NOMEM;
        XML_ParserFree(p.parser);
        decide_place(&p);
    } else {
        claims->texts.status = PD_ERR_NOMEM;
    }
    pd_mem_free(p.text);
    return p.has_rdf;
}
