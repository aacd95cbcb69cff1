/* picture_writer.c: one picture's words.
 *
 *     pixels -> image tower -> map -> captioner -> captions --text tower--> the one that fits the picture best -> doubt
 *                         \-> embedding -> tagger -> tags
 *
 * The image tower runs once where the captioner reads the search model's map (models/tiny-caption over models/tiny). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "annotate/annotate.h"
#include "annotate/doubt.h"
#include "base/mem.h"

#define SIDE_FACTOR 2 /* pixels asked for, in model inputs: what the resize needs to be faithful, as in learning */

struct pd_writer {
    pd_residency *residency;
    pd_lease search;  /* image tower of the search model, for tags; not borrowed where the captioner's is the same */
    pd_lease vision;  /* image tower whose space captions are compared in: the captioner's, else the search model's */
    pd_lease text;    /* text tower of the same */
    pd_lease reading; /* the captioner */
    pd_tagger *tagger;
    pd_caption_session *session;
    pd_caption_options how;
    pd_caption_advice advice;
    bool shares_map;      /* the captioner reads a map of `vision`'s tower, and hands its embedding out */
    bool is_search;       /* `vision` is the search model's */
    pd_caption *captions; /* [how.n_captions] */
    float *picture;       /* [PD_MODEL_DIM_MAX]: embedding of the picture in `vision`'s space */
    float *words;         /* [PD_MODEL_DIM_MAX]: of a caption */
    float *everyday;      /* [PD_EVERYDAY, dim]: of everyday things; NULL: the captioner says what is doubtful */
    uint32_t side;
};

static bool is_same_dir(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void need_side(pd_writer *writer, size_t model_side)
{
    const uint32_t side = (uint32_t)(SIDE_FACTOR * model_side);
    if (side > writer->side)
        writer->side = side;
}

/* What captions are measured against where their captioner does not say what is doubtful. */
static pd_status open_scale(pd_writer *writer, pd_error *err)
{
    const size_t dim = pd_model_dim(writer->vision.model);
    if (!isnan(writer->advice.doubt_cosine_below))
        return PD_OK;
    writer->everyday = pd_mem_alloc(PD_EVERYDAY * dim, sizeof *writer->everyday);
    if (!writer->everyday)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < PD_EVERYDAY; i++)
        PD_TRY(pd_session_embed_text(writer->text.session, pd_everyday[i], strlen(pd_everyday[i]),
                                     writer->everyday + i * dim, err));
    return PD_OK;
}

static pd_status open_captioner(pd_writer *writer, const pd_writer_options *options, pd_error *err)
{
    PD_TRY(pd_residency_borrow(writer->residency, options->captioner_dir, PD_PART_CAPTIONER, options->cancelled,
                               &writer->reading, err));
    const pd_captioner *captioner = writer->reading.captioner;
    const char *dir = pd_captioner_encoder_dir(captioner);
    writer->shares_map = dir != NULL;
    writer->is_search = !dir || is_same_dir(dir, options->model_dir);
    if (writer->is_search)
        dir = options->model_dir; /* by one name it is one mapping */
    PD_TRY(pd_residency_borrow(writer->residency, dir, PD_PART_VISION, options->cancelled, &writer->vision, err));
    PD_TRY(pd_residency_borrow(writer->residency, dir, PD_PART_TEXT, options->cancelled, &writer->text, err));
    PD_TRY(
        pd_caption_session_create(&writer->session, captioner, writer->shares_map ? writer->vision.model : NULL, err));
    pd_caption_options_init(captioner, &writer->how);
    pd_captioner_advice(captioner, &writer->advice);
    writer->how.n_captions = writer->how.n_beams;
    writer->captions = pd_mem_alloc(writer->how.n_captions, sizeof *writer->captions);
    if (!writer->captions)
        return pd_error_set_nomem(err);
    need_side(writer, pd_captioner_image_side(captioner));
    need_side(writer, pd_model_image_side(writer->vision.model));
    return open_scale(writer, err);
}

static pd_status open_tagger(pd_writer *writer, const pd_writer_options *options, pd_error *err)
{
    if (!writer->session || !writer->is_search) {
        PD_TRY(pd_residency_borrow(writer->residency, options->model_dir, PD_PART_VISION, options->cancelled,
                                   &writer->search, err));
        need_side(writer, pd_model_image_side(writer->search.model));
    }
    return pd_tagger_open(&writer->tagger, writer->residency, options->model_dir, options->cache_dir,
                          options->cancelled, err);
}

pd_status pd_writer_create(pd_writer **ret_writer, const pd_writer_options *options, pd_error *err)
{
    pd_writer *writer = pd_mem_alloc(1, sizeof *writer);
    if (!writer)
        return pd_error_set_nomem(err);
    writer->residency = options->residency;
    writer->picture = pd_mem_alloc(PD_MODEL_DIM_MAX, sizeof *writer->picture);
    writer->words = pd_mem_alloc(PD_MODEL_DIM_MAX, sizeof *writer->words);
    pd_status status = writer->picture && writer->words ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK && options->captioner_dir)
        status = open_captioner(writer, options, err);
    if (status == PD_OK && options->tags)
        status = open_tagger(writer, options, err);
    if (status == PD_OK)
        *ret_writer = writer;
    else
        pd_writer_free(&writer);
    return status;
}

void pd_writer_free(pd_writer **writer)
{
    pd_writer *w = *writer;
    if (!w)
        return;
    pd_tagger_close(&w->tagger);
    pd_caption_session_free(&w->session);
    pd_residency_return(w->residency, &w->reading);
    pd_residency_return(w->residency, &w->text);
    pd_residency_return(w->residency, &w->vision);
    pd_residency_return(w->residency, &w->search);
    pd_mem_free(w->captions);
    pd_mem_free(w->picture);
    pd_mem_free(w->words);
    pd_mem_free(w->everyday);
    pd_mem_free(w);
    *writer = NULL;
}

uint32_t pd_writer_side(const pd_writer *writer) { return writer->side; }

static float cosine(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

static pd_status compare(pd_writer *writer, const pd_caption *caption, float *ret_cosine, pd_error *err)
{
    PD_TRY(pd_session_embed_text(writer->text.session, caption->text, strlen(caption->text), writer->words, err));
    *ret_cosine = cosine(writer->picture, writer->words, pd_model_dim(writer->vision.model));
    return PD_OK;
}

static pd_doubt judge(const pd_writer *writer, const pd_caption *caption, float fit)
{
    const size_t dim = pd_model_dim(writer->vision.model);
    float cosines[PD_EVERYDAY];
    pd_doubt_scale scale = { NAN, NAN };
    for (size_t i = 0; i < PD_EVERYDAY && writer->everyday; i++)
        cosines[i] = cosine(writer->picture, writer->everyday + i * dim, dim);
    if (writer->everyday)
        pd_doubt_scale_find(cosines, PD_EVERYDAY, &scale);
    return pd_doubt_judge(caption, fit, &writer->advice, &scale);
}

/* Of the captions [n], n >= 1, the one that the beam and the comparison with the picture speak for. */
static pd_status choose_caption(pd_writer *writer, size_t n, pd_written *ret_written, pd_error *err)
{
    const float weight = isnan(writer->advice.rerank_weight) ? 0 : writer->advice.rerank_weight;
    const pd_caption *best = &writer->captions[0];
    float best_cosine = 0;
    PD_TRY(compare(writer, best, &best_cosine, err));
    for (size_t i = 1; i < n && weight > 0; i++) {
        const pd_caption *caption = &writer->captions[i];
        float fit = 0;
        PD_TRY(compare(writer, caption, &fit, err));
        const bool fits_better = caption->score + weight * fit > best->score + weight * best_cosine;
        if (caption->repeats == best->repeats ? !fits_better : caption->repeats)
            continue;
        best = caption;
        best_cosine = fit;
    }
    const pd_doubt doubt = judge(writer, best, best_cosine);
    (void)snprintf(ret_written->caption, sizeof ret_written->caption, "%s", best->text);
    ret_written->caption_score = doubt.score;
    ret_written->caption_cosine = best_cosine;
    ret_written->caption_likelihood = best->likelihood;
    ret_written->caption_doubtful = doubt.doubtful;
    return PD_OK;
}

static pd_status write_caption(pd_writer *writer, const pd_pixels *pixels, pd_written *ret_written, pd_error *err)
{
    pd_captions captions = { .list = writer->captions };
    PD_TRY(pd_caption_session_write(writer->session, pixels, &writer->how, &captions,
                                    writer->shares_map ? writer->picture : NULL, err));
    if (!writer->shares_map)
        PD_TRY(pd_session_embed_pixels(writer->vision.session, pixels, writer->picture, err));
    PD_TRY(choose_caption(writer, captions.n, ret_written, err));
    pd_caption_source(writer->reading.captioner, ret_written->caption_source);
    return PD_OK;
}

static void write_tags(const pd_writer *writer, pd_written *ret_written)
{
    pd_tagged tags[PD_TAGS_MAX];
    ret_written->n_tags = pd_tagger_tag(writer->tagger, writer->picture, tags);
    for (size_t i = 0; i < ret_written->n_tags; i++) {
        pd_written_tag *tag = &ret_written->tags[i];
        (void)snprintf(tag->word, sizeof tag->word, "%s", tags[i].word);
        tag->score = tags[i].score;
        tag->doubtful = tags[i].doubtful;
    }
    (void)snprintf(ret_written->tags_source, sizeof ret_written->tags_source, "%s", pd_tagger_source(writer->tagger));
}

pd_status pd_writer_write(pd_writer *writer, const pd_pixels *pixels, pd_written *ret_written, pd_error *err)
{
    pd_written written = { .caption_score = NAN, .caption_cosine = NAN, .caption_likelihood = NAN };
    if (writer->session)
        PD_TRY(write_caption(writer, pixels, &written, err));
    if (writer->tagger) {
        if (writer->search.session)
            PD_TRY(pd_session_embed_pixels(writer->search.session, pixels, writer->picture, err));
        write_tags(writer, &written);
    }
    *ret_written = written;
    return PD_OK;
}
