#include "cli/hits.h"

#include <math.h>
#include <string.h>

#include "cli/human.h"

enum { TIME_COLUMNS = 16 }; /* "2003-05-24 15:01" */

pd_hits_form pd_hits_form_chosen(const pd_options *options)
{
    static const struct {
        pd_option_id id;
        pd_hits_form form;
    } forms[] = {
        { PD_OPTION_JSON, PD_HITS_JSON },
        { PD_OPTION_JSONL, PD_HITS_JSONL },
        { PD_OPTION_CSV, PD_HITS_CSV },
        { PD_OPTION_NUL, PD_HITS_NUL },
    };
    for (size_t i = 0; i < PD_COUNT_OF(forms); i++)
        if (pd_options_given(options, forms[i].id))
            return forms[i].form;
    return PD_HITS_TEXT;
}

static void write_csv(pd_out *out, const pd_hits *hits)
{
    pd_answer_csv_head(&out->buf);
    for (size_t i = 0; i < hits->n; i++) {
        pd_answer_csv_hit(&out->buf, &hits->items[i]);
        pd_out_text(out, ""); /* in pieces */
    }
}

static void write_measure(pd_out *out, const pd_hit *hit)
{
    if (hit->match < 0)
        pd_out_text(out, "    -");
    else
        pd_outf(out, "  %3d", hit->match);
    if (isfinite(hit->score))
        pd_outf(out, "  %6.3f  ", (double)hit->score);
    else
        pd_out_text(out, "       -  ");
}

static void write_text(pd_out *out, const pd_hits *hits, size_t offset)
{
    int rank_columns = 1;
    for (size_t n = offset + hits->n; n >= 10; n /= 10)
        rank_columns++;
    for (size_t i = 0; i < hits->n; i++) {
        const pd_hit *hit = &hits->items[i];
        pd_buf time;
        pd_buf_init(&time, sizeof hit->taken + 8);
        pd_human_time(&time, hit->taken);
        if (hits->strong == (int64_t)(offset + i))
            pd_out_text(out, "-- weaker matches below --\n");
        pd_outf(out, "%*zu", rank_columns, offset + i + 1);
        write_measure(out, hit);
        pd_outf(out, "%-*.*s  ", TIME_COLUMNS, TIME_COLUMNS, time.len ? time.data : "-");
        pd_buf_done(&time);
        pd_out_printable(out, hit->path);
        pd_out_text(out, "\n");
    }
}

void pd_hits_write(pd_out *out, const pd_hits_answer *answer, pd_hits_form form, size_t offset)
{
    const pd_hits *hits = answer->hits;
    switch (form) {
    case PD_HITS_TEXT: write_text(out, hits, offset); return;
    case PD_HITS_JSON: pd_out_json_take(out, pd_answer_hits(answer), true); return;
    case PD_HITS_CSV: write_csv(out, hits); return;
    case PD_HITS_JSONL:
        for (size_t i = 0; i < hits->n; i++)
            pd_out_json_take(out, pd_answer_hit(&hits->items[i]), false);
        return;
    case PD_HITS_NUL:
        for (size_t i = 0; i < hits->n; i++)
            pd_out_bytes(out, hits->items[i].path, strlen(hits->items[i].path) + 1);
        return;
    }
}
