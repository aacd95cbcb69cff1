#include "cli/hits.h"

#include <inttypes.h>
#include <string.h>

#include "cli/human.h"

enum { TIME_COLUMNS = 16 }; /* "2003-05-24 15:01" */

static void write_csv(pd_out *out, const pd_hits *hits)
{
    pd_out_text(out, "id,path,score,match,taken,width,height\n");
    for (size_t i = 0; i < hits->n; i++) {
        const pd_hit *hit = &hits->items[i];
        pd_outf(out, "%" PRId64 ",", hit->id);
        pd_out_csv_field(out, hit->path);
        pd_outf(out, ",%.6f,,%s,%" PRIu32 ",%" PRIu32 "\n", hit->score, hit->taken, hit->width, hit->height);
    }
}

static void write_text(pd_out *out, const pd_hits *hits)
{
    int rank_columns = 1;
    for (size_t n = hits->n; n >= 10; n /= 10)
        rank_columns++;
    for (size_t i = 0; i < hits->n; i++) {
        const pd_hit *hit = &hits->items[i];
        pd_buf time;
        pd_buf_init(&time, sizeof hit->taken + 8);
        pd_human_time(&time, hit->taken);
        pd_outf(out, "%*zu  %6.3f  %-*.*s  ", rank_columns, i + 1, hit->score, TIME_COLUMNS, TIME_COLUMNS,
                time.len ? time.data : "-");
        pd_buf_done(&time);
        pd_out_printable(out, hit->path);
        pd_out_text(out, "\n");
    }
}

void pd_hits_write(pd_out *out, const pd_hits_answer *answer, pd_hits_form form)
{
    const pd_hits *hits = answer->hits;
    switch (form) {
    case PD_HITS_TEXT: write_text(out, hits); return;
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
