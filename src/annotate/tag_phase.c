#include "annotate/phases.h"
#include "annotate/worklist.h"
#include "base/half.h"
#include "base/mem.h"

typedef struct tagging {
    pd_phase_parts *parts;
    pd_tagger *tagger;
    pd_machine_query query;
    pd_worklist *list;
    size_t dim;
    uint16_t *half; /* [dim] */

    /* the batch at hand */
    size_t n;
    int64_t contents[PD_PHASE_TAGS_BATCH];
    float *embeddings; /* [PD_PHASE_TAGS_BATCH, dim] */
    pd_tagged *tags;   /* [PD_PHASE_TAGS_BATCH, PD_TAGS_MAX] */
    size_t counts[PD_PHASE_TAGS_BATCH];
} tagging;

/* The model's number in the catalogue and its length; NO_MATCH: nothing was learned with it. */
static pd_status find_model(tagging *t, pd_error *err)
{
    const pd_annotation_options *options = t->parts->options;
    pd_lease lease = { 0 };
    PD_TRY(pd_residency_borrow(options->residency, options->model_dir, PD_PART_VISION, &t->parts->slate->cancelled,
                               &lease, err));
    t->dim = pd_model_dim(lease.model);
    const pd_status status = pd_store_model_find(t->parts->store, pd_model_id(lease.model), &t->query.model, err);
    pd_residency_return(options->residency, &lease);
    return status;
}

static pd_status prepare(tagging *t, pd_error *err)
{
    const pd_annotation_options *options = t->parts->options;
    PD_TRY(find_model(t, err));
    PD_TRY(pd_tagger_open(&t->tagger, options->residency, options->model_dir, options->cache_dir,
                          &t->parts->slate->cancelled, err));
    t->query.kind = PD_MACHINE_TAG;
    t->query.source = pd_tagger_source(t->tagger);
    t->half = pd_mem_alloc(t->dim, sizeof *t->half);
    t->embeddings = pd_mem_alloc(PD_PHASE_TAGS_BATCH * t->dim, sizeof *t->embeddings);
    t->tags = pd_mem_alloc((size_t)PD_PHASE_TAGS_BATCH * PD_TAGS_MAX, sizeof *t->tags);
    if (!t->half || !t->embeddings || !t->tags)
        return pd_error_set_nomem(err);
    int64_t todo = 0;
    PD_TRY(pd_worklist_begin(t->list, t->parts->store, &t->query, &todo, err));
    if (todo > 0)
        pd_slate_enter(t->parts->slate, false, todo);
    return PD_OK;
}

/* Takes the next contents and their embeddings; t->n 0: there is nothing left. */
static pd_status take_batch(tagging *t, pd_error *err)
{
    bool any = true;
    t->n = 0;
    while (t->n < PD_PHASE_TAGS_BATCH) {
        int64_t content;
        PD_TRY(pd_worklist_next(t->list, t->parts->slate, &content, &any, err));
        if (!any)
            break;
        const pd_status status = pd_store_embedding_get(t->parts->store, content, t->query.model, t->half, t->dim, err);
        if (status == PD_ERR_NO_MATCH) /* it went since the list was made */
            continue;
        PD_TRY(status);
        for (size_t i = 0; i < t->dim; i++)
            t->embeddings[t->n * t->dim + i] = pd_half_to_float(t->half[i]);
        t->contents[t->n++] = content;
    }
    return PD_OK;
}

static pd_status put_tags(const tagging *t, size_t at, pd_slate_counts *counts, pd_error *err)
{
    pd_machine_text texts[PD_TAGS_MAX];
    const pd_tagged *tags = t->tags + at * PD_TAGS_MAX;
    for (size_t i = 0; i < t->counts[at]; i++)
        texts[i] = (pd_machine_text){ .text = tags[i].word, .score = tags[i].score, .doubtful = tags[i].doubtful };
    const pd_machine_about about = { .content = t->contents[at], .kind = PD_MACHINE_TAG, .source = t->query.source };
    const pd_status status = pd_store_machine_put(t->parts->store, &about, texts, t->counts[at], err);
    counts->done++;
    counts->tagged += status == PD_OK;
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

/* One transaction. */
static pd_status write_batch(const tagging *t, pd_slate_counts *counts, pd_error *err)
{
    PD_TRY(pd_phase_begin(t->parts, err));
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < t->n; i++)
        status = put_tags(t, i, counts, err);
    if (status == PD_OK)
        status = pd_store_commit(t->parts->store, err);
    if (status != PD_OK)
        pd_store_rollback(t->parts->store);
    return status;
}

static pd_status tag_all(tagging *t, int64_t *ret_n, pd_error *err)
{
    while (pd_slate_may_begin(t->parts->slate)) {
        pd_slate_counts counts = { 0 };
        PD_TRY(take_batch(t, err));
        if (t->n == 0)
            return PD_OK;
        PD_TRY(pd_tagger_tag_all(t->tagger, t->embeddings, t->n, t->tags, t->counts, err));
        PD_TRY(write_batch(t, &counts, err));
        for (size_t i = 0; i < t->n; i++)
            pd_worklist_done(t->list, t->contents[i]);
        *ret_n += counts.tagged;
        pd_slate_add(t->parts->slate, &counts);
    }
    return PD_OK;
}

pd_status pd_phase_tags(pd_phase_parts *parts, int64_t *ret_n, pd_error *err)
{
    tagging t = { .parts = parts, .list = pd_mem_alloc(1, sizeof *t.list) };
    pd_status status = t.list ? prepare(&t, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = tag_all(&t, ret_n, err);
    else if (status == PD_ERR_NO_MATCH)
        status = PD_OK;
    pd_mem_free(t.list);
    pd_tagger_close(&t.tagger);
    pd_mem_free(t.half);
    pd_mem_free(t.embeddings);
    pd_mem_free(t.tags);
    return status;
}
