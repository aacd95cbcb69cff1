/* lex.h: private to query: where one thing that was written ends and the next begins. Allocates nothing; linear. */
#ifndef PD_QUERY_LEX_H
#define PD_QUERY_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "query/query.h"

#define PD_WEIGHT_UNIT 10000 /* weights are counted in ten-thousandths: four decimals, and the same digits back */

typedef enum pd_unit_kind {
    PD_UNIT_BARE,   /* words as they are */
    PD_UNIT_WORD,   /* one word, marked with - or N* */
    PD_UNIT_GROUP,  /* (words), marked */
    PD_UNIT_QUOTED, /* "words", perhaps after - */
    PD_UNIT_FIELD,  /* field:value, perhaps marked */
} pd_unit_kind;

/* What may stand before a colon beside the fields. */
#define PD_NAME_LIKE PD_FIELD_COUNT
#define PD_NAME_SORT (PD_FIELD_COUNT + 1)

typedef struct pd_unit {
    pd_unit_kind kind;
    bool negated;
    bool is_unclosed;      /* FIELD: a quotation mark of the value has no partner */
    uint32_t weight;       /* in PD_WEIGHT_UNIT; 0: none is written */
    int name;              /* FIELD: a pd_field, PD_NAME_LIKE or PD_NAME_SORT */
    size_t begin, end;     /* all of it */
    size_t marked;         /* behind - and N* */
    size_t body, body_end; /* what is inside, or behind the colon */
} pd_unit;

typedef struct pd_lex {
    const char *text;
    size_t len, at;
    uint16_t partner[PD_QUERY_BYTES_MAX]; /* of an opening parenthesis the closing one; 0: none */
} pd_lex;

void pd_lex_init(pd_lex *lex, const char *text, size_t len); /* len <= PD_QUERY_BYTES_MAX */
/* False at the end. */
bool pd_lex_next(pd_lex *lex, pd_unit *ret_unit);

/* Bytes of the blank at the beginning of the text (spaces of all writings, control characters), 0: it is none. */
size_t pd_blank_len(const char *text, size_t len);
/* Bytes of all blanks at the end. */
size_t pd_blank_behind(const char *text, size_t len);
/* The name that ends in the colon at the beginning of the text: a pd_field or PD_NAME_; -1: none. *ret_len: with the
 * colon. */
int pd_name_at(const char *text, size_t len, size_t *ret_len);

/* Writes the text with every run of blanks as one space and none at the ends: never longer. Returns the bytes. */
size_t pd_text_tidy(const char *text, size_t len, char *ret_bytes);

#endif
