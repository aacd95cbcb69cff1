#include "decoder/meta.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "decoder/sources.h"
#include "decoder/xmp.h"

#define END PD_SOURCE_COUNT

static const pd_source camera_order[] = { PD_SOURCE_EXIF, PD_SOURCE_XMP, PD_SOURCE_SIDECAR, END };
static const pd_source place_order[] = { PD_SOURCE_SIDECAR, PD_SOURCE_EXIF, PD_SOURCE_XMP, END };
static const pd_source written_order[] = { PD_SOURCE_SIDECAR, PD_SOURCE_XMP,    PD_SOURCE_IPTC,
                                           PD_SOURCE_EXIF,    PD_SOURCE_FORMAT, END };
static const pd_source credit_order[] = { PD_SOURCE_SIDECAR, PD_SOURCE_EXIF,   PD_SOURCE_XMP,
                                          PD_SOURCE_IPTC,    PD_SOURCE_FORMAT, END };

static const struct {
    pd_source source;
    pd_when when;
} time_order[] = {
    { PD_SOURCE_SIDECAR, PD_WHEN_TAKEN }, { PD_SOURCE_EXIF, PD_WHEN_TAKEN }, { PD_SOURCE_XMP, PD_WHEN_TAKEN },
    { PD_SOURCE_EXIF, PD_WHEN_MADE },     { PD_SOURCE_XMP, PD_WHEN_MADE },   { PD_SOURCE_SIDECAR, PD_WHEN_MADE },
    { PD_SOURCE_EXIF, PD_WHEN_CHANGED },
};

static void choose_time(const pd_sources *sources, pd_photo_meta *meta)
{
    for (size_t i = 0; i < PD_COUNT_OF(time_order) && !meta->taken[0]; i++) {
        const pd_claimed_time *time = &sources->claims[time_order[i].source].times[time_order[i].when];
        if (!time->text[0])
            continue;
        memcpy(meta->taken, time->text, sizeof meta->taken);
        memcpy(meta->subsec, time->subsec, sizeof meta->subsec);
        (void)snprintf(meta->taken_source, sizeof meta->taken_source, "%s",
                       time_order[i].source == PD_SOURCE_EXIF ? "exif" : "xmp");
    }
}

static void choose_text(char *field, const char *text, size_t size)
{
    if (!field[0])
        memcpy(field, text, size);
}

static void choose_number(double *field, double value)
{
    if (isnan(*field))
        *field = value;
}

static void choose_whole(int32_t *field, int32_t value)
{
    if (*field == PD_MEDIA_ABSENT)
        *field = value;
}

static void choose_camera(const pd_sources *sources, pd_photo_meta *meta)
{
    for (const pd_source *source = camera_order; *source != END; source++) {
        const pd_photo_meta *facts = &sources->claims[*source].facts;
        choose_text(meta->make, facts->make, sizeof meta->make);
        choose_text(meta->model, facts->model, sizeof meta->model);
        choose_text(meta->lens, facts->lens, sizeof meta->lens);
        choose_number(&meta->exposure_s, facts->exposure_s);
        choose_number(&meta->fnumber, facts->fnumber);
        choose_number(&meta->focal_mm, facts->focal_mm);
        choose_number(&meta->focal35_mm, facts->focal35_mm);
        choose_whole(&meta->flash, facts->flash);
        choose_whole(&meta->white_balance, facts->white_balance);
        if (!meta->iso)
            meta->iso = facts->iso;
    }
    const uint32_t orientation = sources->claims[PD_SOURCE_EXIF].facts.orientation;
    meta->orientation = orientation ? orientation : 1;
}

static void choose_place(const pd_sources *sources, pd_photo_meta *meta)
{
    for (const pd_source *source = place_order; *source != END && isnan(meta->gps_lat); source++) {
        const pd_photo_meta *facts = &sources->claims[*source].facts;
        meta->gps_lat = facts->gps_lat;
        meta->gps_lon = facts->gps_lon;
    }
    for (const pd_source *source = place_order; *source != END; source++)
        choose_number(&meta->gps_alt, sources->claims[*source].facts.gps_alt);
    for (const pd_source *source = written_order; *source != END; source++)
        choose_whole(&meta->rating, sources->claims[*source].facts.rating);
}

static pd_texts view(const pd_claims *claims) { return (pd_texts){ claims->texts.data, claims->texts.len }; }

static void add_all(pd_claims *chosen, const pd_claims *claims, pd_text_kind kind)
{
    for (const char *text = NULL; (text = pd_texts_next(view(claims), text));)
        if (pd_texts_kind(text) == kind)
            pd_claims_add(chosen, kind, text, strlen(text));
}

/* Several authors become one text. */
static void add_joined(pd_claims *chosen, const pd_claims *claims, pd_text_kind kind)
{
    pd_buf joined;
    pd_buf_init(&joined, PD_TEXTS_TEXT_BYTES_MAX);
    for (const char *text = NULL; (text = pd_texts_next(view(claims), text)) && joined.status == PD_OK;) {
        if (pd_texts_kind(text) != kind)
            continue;
        (void)pd_buf_append_string(&joined, joined.len ? "; " : "");
        (void)pd_buf_append_string(&joined, text);
    }
    if (joined.status == PD_ERR_NOMEM)
        chosen->texts.status = PD_ERR_NOMEM;
    else if (joined.len)
        pd_claims_add(chosen, kind, joined.data, joined.len);
    pd_buf_done(&joined);
}

static void choose_single(const pd_sources *sources, pd_text_kind kind, pd_claims *chosen)
{
    const bool is_credit = kind == PD_TEXT_ARTIST || kind == PD_TEXT_COPYRIGHT || kind == PD_TEXT_SOFTWARE;
    for (const pd_source *source = is_credit ? credit_order : written_order; *source != END; source++) {
        const pd_claims *claims = &sources->claims[*source];
        if (!pd_claims_has(claims, kind))
            continue;
        add_joined(chosen, claims, kind);
        return;
    }
}

/* `decides`: the kinds of which one is enough for the sidecar to be the only one heard. */
static void choose_list(const pd_sources *sources, pd_text_kind kind, const pd_text_kind decides[2], pd_claims *chosen)
{
    const pd_claims *sidecar = &sources->claims[PD_SOURCE_SIDECAR];
    const bool is_sidecar = pd_claims_has(sidecar, decides[0]) || pd_claims_has(sidecar, decides[1]);
    for (const pd_source *source = written_order; *source != END; source++)
        if ((*source == PD_SOURCE_SIDECAR) == is_sidecar)
            add_all(chosen, &sources->claims[*source], kind);
}

/* Where only paths are written, the last level of each is the word. */
static void add_leaves(pd_claims *chosen)
{
    pd_buf paths;
    pd_buf_init(&paths, PD_TEXTS_BYTES_MAX);
    if (pd_claims_has(chosen, PD_TEXT_KEYWORD) || !pd_claims_has(chosen, PD_TEXT_KEYWORD_PATH))
        return;
    (void)pd_buf_append(&paths, chosen->texts.data, chosen->texts.len); /* adding to a list moves it */
    if (paths.status != PD_OK)
        chosen->texts.status = paths.status;
    for (const char *text = NULL;
         paths.status == PD_OK && (text = pd_texts_next((pd_texts){ paths.data, paths.len }, text));) {
        const char *leaf = strrchr(text, '|');
        if (pd_texts_kind(text) == PD_TEXT_KEYWORD_PATH)
            pd_claims_add(chosen, PD_TEXT_KEYWORD, leaf ? leaf + 1 : text, strlen(leaf ? leaf + 1 : text));
    }
    pd_buf_done(&paths);
}

/* In order of kind, which claims need not keep. */
static pd_status put_texts(const pd_claims *chosen, pd_buf *ret_texts)
{
    for (unsigned kind = 1; kind < PD_TEXT_KIND_END; kind++)
        for (const char *text = NULL; (text = pd_texts_next(view(chosen), text));)
            if (pd_texts_kind(text) == kind)
                PD_TRY(pd_texts_append(ret_texts, (pd_text_kind)kind, text, strlen(text)));
    return chosen->texts.status == PD_ERR_NOMEM ? PD_ERR_NOMEM : PD_OK;
}

static pd_status choose_texts(const pd_sources *sources, pd_buf *ret_texts)
{
    static const pd_text_kind words[2] = { PD_TEXT_KEYWORD, PD_TEXT_KEYWORD_PATH };
    static const pd_text_kind persons[2] = { PD_TEXT_PERSON, PD_TEXT_PERSON };
    pd_claims chosen;
    pd_claims_init(&chosen);
    for (unsigned kind = 1; kind < PD_TEXT_KIND_END; kind++)
        if (!pd_text_kind_is_list((pd_text_kind)kind))
            choose_single(sources, (pd_text_kind)kind, &chosen);
    choose_list(sources, PD_TEXT_KEYWORD, words, &chosen);
    choose_list(sources, PD_TEXT_KEYWORD_PATH, words, &chosen);
    choose_list(sources, PD_TEXT_PERSON, persons, &chosen);
    add_leaves(&chosen);
    const pd_status status = put_texts(&chosen, ret_texts);
    pd_claims_done(&chosen);
    return status;
}

pd_status pd_meta_read(const pd_meta_input *input, pd_photo_meta *ret_meta, pd_buf *ret_texts)
{
    pd_sources sources;
    pd_status status = PD_OK;
    pd_claims none;
    pd_claims_init(&none);
    for (int i = 0; i < PD_SOURCE_COUNT; i++)
        pd_claims_init(&sources.claims[i]);
    pd_sources_read(input->data, input->len, &sources);
    if (input->sidecar)
        (void)pd_xmp_read(input->sidecar, input->sidecar_bytes, &sources.claims[PD_SOURCE_SIDECAR]);
    for (int i = 0; i < PD_SOURCE_COUNT; i++)
        if (sources.claims[i].texts.status == PD_ERR_NOMEM)
            status = PD_ERR_NOMEM;
    pd_photo_meta meta = none.facts;
    choose_time(&sources, &meta);
    choose_camera(&sources, &meta);
    choose_place(&sources, &meta);
    if (status == PD_OK)
        status = choose_texts(&sources, ret_texts);
    for (int i = 0; i < PD_SOURCE_COUNT; i++)
        pd_claims_done(&sources.claims[i]);
    if (status == PD_OK)
        *ret_meta = meta;
    return status;
}
