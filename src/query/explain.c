#include <string.h>

#include "query/fields.h"
#include "query/values.h"

/* "from 800", "above 800", "24 to 70", "2019": from the value as it was written. */
static void explain_range(const char *text, bool is_date, pd_buf *buf)
{
    static const char *const sides[2][5] = { { "", "below ", "up to ", "above ", "from " },
                                             { "", "before ", "until ", "after ", "from " } };
    pd_compare compare = pd_compare_read(&text);
    const char *dots = strstr(text, "..");
    if (dots == text && dots[2]) {
        compare = PD_COMPARE_UP_TO;
        text += 2;
        dots = NULL;
    }
    if (dots && !dots[2])
        compare = PD_COMPARE_FROM;
    (void)pd_buf_append_string(buf, sides[is_date][compare]);
    (void)pd_buf_append(buf, text, dots ? (size_t)(dots - text) : strlen(text));
    if (dots && dots[2])
        (void)pd_buf_appendf(buf, " to %s", dots + 2);
}

/* "within 10km of 48.85, 2.35" */
static void explain_place(const char *text, pd_buf *buf)
{
    const char *comma = strchr(text, ',');
    const char *second = comma ? strchr(comma + 1, ',') : NULL;
    if (!comma)
        return;
    const char *lon = comma + 1;
    const char *distance = second ? second + 1 : "10";
    const bool has_unit = strpbrk(distance, "km") != NULL;
    (void)pd_buf_appendf(buf, "within %s%s of %.*s, ", distance, has_unit ? "" : " km", (int)(comma - text), text);
    (void)pd_buf_append(buf, lon, second ? (size_t)(second - lon) : strlen(lon));
}

/* "after 2019" says by itself that it is about time. */
static bool has_label(const pd_query_part *part)
{
    if (part->value_kind == PD_VALUE_PLACE)
        return false;
    const bool is_date = part->field == PD_FIELD_DATE || part->field == PD_FIELD_YEAR;
    const char *first = part->values[0].words;
    const char *dots = strstr(first, "..");
    return !is_date || !(strchr("<>", *first) || (dots && (dots == first || !dots[2])));
}

static void explain_filter(const pd_query_part *part, pd_buf *buf)
{
    const bool is_date = part->field == PD_FIELD_DATE || part->field == PD_FIELD_YEAR;
    (void)pd_buf_append_string(buf, part->negated ? "not " : "");
    if (has_label(part))
        (void)pd_buf_appendf(buf, "%s: ", pd_field_row_of(part->field)->label);
    for (size_t i = 0; i < part->n_values; i++) {
        const char *words = part->values[i].words;
        if (i && words == part->values[i - 1].words && part->value_kind != PD_VALUE_WORDS)
            continue; /* months over the turn of the year */
        (void)pd_buf_append_string(buf, i ? " or " : "");
        if (part->value_kind == PD_VALUE_RANGE)
            explain_range(words, is_date, buf);
        else if (part->value_kind == PD_VALUE_PLACE)
            explain_place(words, buf);
        else if (part->value_kind == PD_VALUE_YES)
            (void)pd_buf_append_string(buf, part->values[i].code ? "yes" : "no");
        else
            (void)pd_buf_append_string(buf, words);
    }
}

static void explain_words(const pd_query_part *part, const char *towards, const char *away, pd_buf *buf)
{
    (void)pd_buf_appendf(buf, "%s: %s", part->negated ? away : towards, part->words);
    if (part->weight != 1)
        (void)pd_buf_appendf(buf, " (%.4g times)", part->weight);
}

void pd_query_explain(const pd_query_part *part, pd_buf *buf)
{
    static const char *const orders[] = {
        [PD_ORDER_NONE] = "",
        [PD_ORDER_SCORE] = "best match first",
        [PD_ORDER_OLDEST] = "oldest first",
        [PD_ORDER_NEWEST] = "newest first",
        [PD_ORDER_NAME] = "by name",
        [PD_ORDER_NAME_BACKWARDS] = "by name, backwards",
        [PD_ORDER_SMALLEST] = "smallest file first",
        [PD_ORDER_LARGEST] = "largest file first",
    };
    switch (part->kind) {
    case PD_PART_MEANING: explain_words(part, "looks like", "away from", buf); break;
    case PD_PART_LIKE: explain_words(part, "like the picture", "unlike the picture", buf); break;
    case PD_PART_EXACT:
        (void)pd_buf_appendf(buf, "%s \xE2\x80\x9C%s\xE2\x80\x9D", part->negated ? "does not say" : "says",
                             part->words);
        break;
    case PD_PART_FILTER: explain_filter(part, buf); break;
    case PD_PART_SORT: (void)pd_buf_append_string(buf, orders[part->order]); break;
    }
}
