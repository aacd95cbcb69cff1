#include "annotate/phases.h"
#include "annotate/worklist.h"
#include "base/half.h"
#include "base/mem.h"

typedef struct tagging {
    pd_phase_parts *parts;
    pd_tagger *tagger;
    pd_machine_query query;
    size_t dim;
    uint16_t *half;   /* [dim] */
    float *embedding; /* [dim] */
    pd_worklist *list;
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
    t->embedding = pd_mem_alloc(t->dim, sizeof *t->embedding);
    if (!t->half || !t->embedding)
        return pd_error_set_nomem(err);
    int64_t todo = 0;
    PD_TRY(pd_worklist_begin(t->list, t->parts->store, &t->query, &todo, err));
    if (todo > 0)
        pd_slate_enter(t->parts->slate, false, todo);
    return PD_OK;
}

static pd_status tag_content(tagging *t, int64_t content, pd_slate_counts *counts, pd_error *err)
{
    pd_status status = pd_store_embedding_get(t->parts->store, content, t->query.model, t->half, t->dim, err);
    counts->done++;
    if (status == PD_ERR_NO_MATCH) /* it went since the list was made */
        return PD_OK;
    PD_TRY(status);
    for (size_t i = 0; i < t->dim; i++)
        t->embedding[i] = pd_half_to_float(t->half[i]);
    pd_tagged tags[PD_TAGS_MAX];
    pd_machine_text texts[PD_TAGS_MAX];
    const size_t n = pd_tagger_tag(t->tagger, t->embedding, tags);
    for (size_t i = 0; i < n; i++)
        texts[i] = (pd_machine_text){ .text = tags[i].word, .score = tags[i].score, .doubtful = tags[i].doubtful };
    const pd_machine_about about = { .content = content, .kind = PD_MACHINE_TAG, .source = t->query.source };
    status = pd_store_machine_put(t->parts->store, &about, texts, n, err);
    counts->tagged += status == PD_OK;
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

/* One transaction of what comes next. *ret_n 0: there is nothing left. */
static pd_status tag_batch(tagging *t, int64_t *ret_contents, size_t *ret_n, pd_slate_counts *ret_counts, pd_error *err)
{
    bool any = true;
    *ret_n = 0;
    while (*ret_n < PD_PHASE_TAGS_BATCH) {
        PD_TRY(pd_worklist_next(t->list, t->parts->slate, &ret_contents[*ret_n], &any, err));
        if (!any)
            break;
        ++*ret_n;
    }
    if (*ret_n == 0)
        return PD_OK;
    PD_TRY(pd_phase_begin(t->parts, err));
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < *ret_n; i++)
        status = tag_content(t, ret_contents[i], ret_counts, err);
    if (status == PD_OK)
        status = pd_store_commit(t->parts->store, err);
    if (status != PD_OK)
        pd_store_rollback(t->parts->store);
    return status;
}

static pd_status tag_all(tagging *t, int64_t *ret_n, pd_error *err)
{
    int64_t contents[PD_PHASE_TAGS_BATCH];
    while (pd_slate_may_begin(t->parts->slate)) {
        size_t n = 0;
        pd_slate_counts counts = { 0 };
        PD_TRY(tag_batch(t, contents, &n, &counts, err));
        if (n == 0)
            return PD_OK;
        for (size_t i = 0; i < n; i++)
            pd_worklist_done(t->list, contents[i]);
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
    pd_mem_free(t.embedding);
    return status;
}
