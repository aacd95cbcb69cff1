/* photo.c: everything that is known about one photo. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/attr.h"

static const char *text_or_null(const char *text) { return text && *text ? text : NULL; }

static pd_status set_count(pd_json *json, const char *key, uint32_t value)
{
    return pd_json_set_take(json, key, value ? pd_json_int(value) : pd_json_null());
}

/* 0 and NAN both mean that the file does not say. */
static pd_status set_measure(pd_json *json, const char *key, double value)
{
    return pd_json_set_take(json, key, isfinite(value) && value > 0 ? pd_json_number(value) : pd_json_null());
}

static pd_json *place_json(const pd_content *facts)
{
    if (!isfinite(facts->gps_lat) || !isfinite(facts->gps_lon))
        return pd_json_null();
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_number(json, "lat", facts->gps_lat);
    failed |= pd_json_set_number(json, "lon", facts->gps_lon);
    failed |= pd_json_set_number(json, "alt", facts->gps_alt);
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_json *learned_json(const pd_photo *photo)
{
    if (!photo->learned_model)
        return pd_json_null();
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "model", photo->learned_model);
    failed |= pd_json_set_text(json, "at", photo->learned_at);
    if (failed)
        pd_json_free(&json);
    return json;
}

static bool set_hashes(pd_json *json, const pd_photo *photo)
{
    char sha256[PD_SHA256_TEXT_BYTES], phash[17];
    pd_sha256_format(photo->facts.sha256, sha256);
    (void)snprintf(phash, sizeof phash, "%016" PRIx64, photo->facts.phash);
    const bool failed = pd_json_set_text(json, "sha256", photo->content ? sha256 : NULL) != PD_OK;
    return pd_json_set_text(json, "phash", photo->content && photo->facts.has_phash ? phash : NULL) != PD_OK || failed;
}

static pd_json *list_json(pd_texts texts, pd_text_kind kind)
{
    bool failed = false;
    pd_json *json = pd_json_array();
    for (const char *text = NULL; (text = pd_texts_next(texts, text));)
        if (pd_texts_kind(text) == kind)
            failed |= pd_json_append_take(json, pd_json_string(text, strlen(text)));
    if (failed)
        pd_json_free(&json);
    return json;
}

static bool set_words(pd_json *json, pd_texts texts)
{
    static const struct {
        const char *key;
        pd_text_kind kind;
    } fields[] = { { "title", PD_TEXT_TITLE },       { "description", PD_TEXT_DESCRIPTION },
                   { "artist", PD_TEXT_ARTIST },     { "copyright", PD_TEXT_COPYRIGHT },
                   { "software", PD_TEXT_SOFTWARE }, { "label", PD_TEXT_LABEL },
                   { "keywords", PD_TEXT_KEYWORD },  { "keyword_paths", PD_TEXT_KEYWORD_PATH },
                   { "persons", PD_TEXT_PERSON } };
    bool failed = false;
    for (size_t i = 0; i < PD_COUNT_OF(fields); i++)
        failed |= pd_text_kind_is_list(fields[i].kind)
                      ? pd_json_set_take(json, fields[i].key, list_json(texts, fields[i].kind))
                      : pd_json_set_text(json, fields[i].key, pd_texts_find(texts, fields[i].kind));
    return failed;
}

static bool set_shot(pd_json *json, const pd_content *facts)
{
    bool failed = false;
    const pd_shot *shot = &facts->shot;
    failed |= set_measure(json, "focal35_mm", shot->focal35_mm);
    failed |= pd_json_set_take(json, "flash",
                               shot->flash == PD_STORE_ABSENT ? pd_json_null() : pd_json_bool(shot->flash & 1));
    failed |= pd_json_set_text(json, "white_balance",
                               shot->white_balance == PD_STORE_ABSENT ? NULL
                               : shot->white_balance                  ? "manual"
                                                                      : "auto");
    return failed;
}

static pd_json *colours_json(const pd_look *look)
{
    bool failed = false;
    pd_json *json = pd_json_array();
    for (uint32_t i = 0; i < look->n_colours; i++) {
        char text[8];
        const pd_look_colour *from = look->colours + i;
        pd_json *colour = pd_json_object();
        (void)snprintf(text, sizeof text, "#%02x%02x%02x", from->red, from->green, from->blue);
        failed |= pd_json_set_text(colour, "rgb", text) != PD_OK;
        failed |= pd_json_set_int(colour, "share", from->share) != PD_OK;
        failed |= pd_json_append_take(json, colour) != PD_OK;
    }
    if (failed)
        pd_json_free(&json);
    return json;
}

static bool set_look(pd_json *json, const pd_photo *photo)
{
    const bool is_known = photo->content && photo->facts.has_phash;
    const pd_look look = is_known ? photo->facts.look : (pd_look){ .sharpness = NAN };
    bool failed =
        set_measure(json, "sharpness", isnan(look.sharpness) ? (double)NAN : round((double)look.sharpness * 10) / 10);
    failed |= pd_json_set_take(json, "colours", colours_json(&look)) != PD_OK;
    return failed;
}

const char *pd_answer_said_by(pd_said_by by)
{
    static const char *const names[] = {
        [PD_SAID_USER] = "user", [PD_SAID_FILE] = "file", [PD_SAID_MACHINE] = "machine"
    };
    return by >= PD_SAID_USER && by <= PD_SAID_MACHINE ? names[by] : NULL;
}

static pd_json *score_json(float score)
{
    return isnan(score) ? pd_json_null() : pd_json_number(round((double)score * 1e4) / 1e4);
}

static pd_json *tags_json(const pd_work *work)
{
    bool failed = false;
    pd_json *json = pd_json_array();
    for (size_t i = 0; i < work->n_tags; i++) {
        pd_json *tag = pd_json_object();
        failed |= pd_json_set_text(tag, "name", work->tags[i].name) != PD_OK;
        failed |= pd_json_set_take(tag, "score", score_json(work->tags[i].score)) != PD_OK;
        failed |= pd_json_set_bool(tag, "doubtful", work->tags[i].doubtful) != PD_OK;
        failed |= pd_json_set_text(tag, "by", pd_answer_said_by(work->tags[i].by)) != PD_OK;
        failed |= pd_json_append_take(json, tag) != PD_OK;
    }
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_json *work_json(const pd_work *work)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *albums = pd_json_array();
    failed |= pd_json_set_int(json, "rating", work->rating);
    failed |= pd_json_set_text(json, "rating_by", pd_answer_said_by(work->rating_by));
    failed |= pd_json_set_bool(json, "favorite", work->favorite);
    failed |= pd_json_set_text(json, "caption", text_or_null(work->caption));
    failed |= pd_json_set_text(json, "caption_by", pd_answer_said_by(work->caption_by));
    failed |= pd_json_set_bool(json, "caption_doubtful", work->caption_doubtful);
    failed |= pd_json_set_take(json, "caption_score", score_json(work->caption_score));
    failed |= pd_json_set_text(json, "caption_machine", text_or_null(work->caption_machine));
    failed |= pd_json_set_take(json, "tags", tags_json(work));
    for (size_t i = 0; i < work->n_albums; i++)
        failed |= pd_json_append_take(albums, pd_json_string(work->albums[i], strlen(work->albums[i])));
    failed |= pd_json_set_take(json, "albums", albums);
    if (failed)
        pd_json_free(&json);
    return json;
}

/* The user's word, else the file's as it is: -1 is what the file calls rejected. */
static pd_json *rating_json(const pd_photo *photo, const pd_work *work)
{
    if (work->rating_by == PD_SAID_USER)
        return pd_json_int(work->rating);
    return !photo->content || photo->facts.rating == PD_STORE_ABSENT ? pd_json_null()
                                                                     : pd_json_int(photo->facts.rating);
}

pd_json *pd_answer_photo(const pd_photo *photo, const pd_work *work)
{
    const pd_content *facts = &photo->facts;
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "id", photo->id);
    failed |= pd_json_set_text(json, "path", photo->path);
    failed |= pd_json_set_int(json, "bytes", photo->bytes);
    failed |= pd_json_set_text(json, "type", text_or_null(facts->type));
    failed |= set_count(json, "width", facts->width);
    failed |= set_count(json, "height", facts->height);
    failed |= set_count(json, "orientation", facts->orientation);
    failed |= pd_json_set_text(json, "taken", text_or_null(facts->taken));
    failed |= pd_json_set_text(json, "subsec", text_or_null(facts->shot.subsec));
    failed |= pd_json_set_text(json, "taken_source", text_or_null(facts->taken_source));
    failed |= pd_json_set_text(json, "make", text_or_null(facts->make));
    failed |= pd_json_set_text(json, "model", text_or_null(facts->camera));
    failed |= pd_json_set_text(json, "lens", text_or_null(facts->lens));
    failed |= set_count(json, "iso", facts->iso);
    failed |= set_measure(json, "exposure_s", facts->exposure_s);
    failed |= set_measure(json, "fnumber", facts->fnumber);
    failed |= set_measure(json, "focal_mm", facts->focal_mm);
    failed |= set_shot(json, facts);
    failed |= pd_json_set_take(json, "gps", place_json(facts));
    failed |= set_words(json, facts->texts);
    failed |= pd_json_set_take(json, "rating", rating_json(photo, work));
    failed |= pd_json_set_text(json, "caption", text_or_null(work->caption));
    failed |= pd_json_set_take(json, "tags", tags_json(work));
    failed |= pd_json_set_take(json, "work", work_json(work));
    failed |= set_hashes(json, photo);
    failed |= set_look(json, photo);
    failed |= set_count(json, "pages", facts->pages);
    failed |= pd_json_set_take(json, "learned", learned_json(photo));
    failed |= pd_json_set_text(json, "error", photo->error);
    if (failed)
        pd_json_free(&json);
    return json;
}
