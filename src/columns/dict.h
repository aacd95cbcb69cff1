/* dict.h: a dictionary: every distinct text once, and a code for it. Code 0 is the empty text: absent.
 *
 * An entry is its bytes: what is shown, a NUL, and what else it is found by (may be empty), and a NUL. Entries may have
 * a parent, which is older. One writer, or any number of readers. */
#ifndef PD_COLUMNS_DICT_H
#define PD_COLUMNS_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_dict {
    char *text;
    size_t text_len, text_capacity;
    uint32_t *at;     /* [n] where an entry begins */
    uint32_t *parent; /* [n] 0: none */
    size_t n, capacity;
    uint32_t *table; /* code, 0 is free; NULL until something is added */
    size_t n_table;
    uint32_t last; /* what was added last, new or not: neighbours are alike */
} pd_dict;

PD_MUST_USE pd_status pd_dict_init(pd_dict *dict); /* with entry 0; NOMEM */
void pd_dict_done(pd_dict *dict);

/* The code of an entry, which is added when it is new. LIMIT when its texts outgrow 4 GiB. */
PD_MUST_USE pd_status pd_dict_add(pd_dict *dict, const char *shown, size_t shown_len, const char *sought,
                                  uint32_t parent, uint32_t *ret_code);

/* The entry that was added last, when it is this one; else 0. */
uint32_t pd_dict_again(const pd_dict *dict, const char *shown, size_t shown_len, const char *sought);

/* "" for a code that does not exist. */
const char *pd_dict_shown(const pd_dict *dict, uint32_t code);
const char *pd_dict_sought(const pd_dict *dict, uint32_t code);

/* Whether texts, places and parents from a file are what the functions above rely on. */
bool pd_dict_is_sound(const pd_dict *dict);

#endif
