#include "columns/dict.h"

#include <string.h>

#include "base/mem.h"

static uint64_t hash_bytes(const char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 32;
}

const char *pd_dict_shown(const pd_dict *dict, uint32_t code)
{
    return code < dict->n ? dict->text + dict->at[code] : "";
}

const char *pd_dict_sought(const pd_dict *dict, uint32_t code)
{
    const char *shown = pd_dict_shown(dict, code);
    return code < dict->n ? shown + strlen(shown) + 1 : "";
}

static size_t entry_len(const pd_dict *dict, uint32_t code)
{
    const size_t end = code + 1 < dict->n ? dict->at[code + 1] : dict->text_len;
    return end - dict->at[code];
}

static void insert_code(pd_dict *dict, uint32_t code)
{
    size_t i = hash_bytes(dict->text + dict->at[code], entry_len(dict, code)) % dict->n_table;
    while (dict->table[i])
        i = i + 1 < dict->n_table ? i + 1 : 0;
    dict->table[i] = code;
}

/* Also after a dictionary came from a file, which holds no table. */
static pd_status grow_table(pd_dict *dict)
{
    if (dict->table && dict->n + 1 <= dict->n_table / 4 * 3)
        return PD_OK;
    const size_t n_table = 2 * dict->n + 64;
    uint32_t *table = pd_mem_alloc(n_table, sizeof *table);
    if (!table)
        return PD_ERR_NOMEM;
    pd_mem_free(dict->table);
    dict->table = table;
    dict->n_table = n_table;
    for (uint32_t code = 1; code < dict->n; code++)
        insert_code(dict, code);
    return PD_OK;
}

static pd_status grow_entries(pd_dict *dict)
{
    if (dict->n < dict->capacity)
        return PD_OK;
    const size_t capacity = 2 * dict->capacity + 16;
    uint32_t *at = pd_mem_realloc(dict->at, capacity, sizeof *at);
    if (!at)
        return PD_ERR_NOMEM;
    dict->at = at;
    uint32_t *parent = pd_mem_realloc(dict->parent, capacity, sizeof *parent);
    if (!parent)
        return PD_ERR_NOMEM;
    dict->parent = parent;
    dict->capacity = capacity;
    return PD_OK;
}

static pd_status grow_text(pd_dict *dict, size_t len)
{
    if (len > UINT32_MAX - dict->text_len)
        return PD_ERR_LIMIT;
    if (dict->text_len + len <= dict->text_capacity)
        return PD_OK;
    const size_t capacity = dict->text_capacity + dict->text_capacity / 2 + len + 64;
    char *text = pd_mem_realloc(dict->text, capacity, 1);
    if (!text)
        return PD_ERR_NOMEM;
    dict->text = text;
    dict->text_capacity = capacity;
    return PD_OK;
}

/* Room for the entry must be there. */
static void append_entry(pd_dict *dict, const char *shown, size_t shown_len, const char *sought, uint32_t parent)
{
    dict->at[dict->n] = (uint32_t)dict->text_len;
    dict->parent[dict->n] = parent;
    memcpy(dict->text + dict->text_len, shown, shown_len);
    dict->text[dict->text_len + shown_len] = '\0';
    memcpy(dict->text + dict->text_len + shown_len + 1, sought, strlen(sought) + 1);
    dict->text_len += shown_len + strlen(sought) + 2;
    dict->n++;
}

pd_status pd_dict_init(pd_dict *dict)
{
    *dict = (pd_dict){ 0 };
    PD_TRY(grow_entries(dict));
    PD_TRY(grow_text(dict, 2));
    append_entry(dict, "", 0, "", 0);
    return PD_OK;
}

void pd_dict_done(pd_dict *dict)
{
    pd_mem_free(dict->text);
    pd_mem_free(dict->at);
    pd_mem_free(dict->parent);
    pd_mem_free(dict->table);
    *dict = (pd_dict){ 0 };
}

uint32_t pd_dict_again(const pd_dict *dict, const char *shown, size_t shown_len, const char *sought)
{
    const char *last = pd_dict_shown(dict, dict->last);
    return strncmp(last, shown, shown_len) == 0 && !last[shown_len] && strcmp(last + shown_len + 1, sought) == 0
               ? dict->last
               : 0;
}

/* The new entry is written behind the others, where it can be compared, and counts only when it is not known. */
pd_status pd_dict_add(pd_dict *dict, const char *shown, size_t shown_len, const char *sought, uint32_t parent,
                      uint32_t *ret_code)
{
    if (shown_len == 0) {
        *ret_code = 0;
        return PD_OK;
    }
    const uint32_t again = pd_dict_again(dict, shown, shown_len, sought);
    if (again) {
        *ret_code = again;
        return PD_OK;
    }
    const size_t len = shown_len + strlen(sought) + 2;
    PD_TRY(grow_entries(dict));
    PD_TRY(grow_text(dict, len));
    PD_TRY(grow_table(dict));
    append_entry(dict, shown, shown_len, sought, parent);
    const uint32_t code = (uint32_t)dict->n - 1;
    const char *entry = dict->text + dict->at[code];
    size_t i = hash_bytes(entry, len) % dict->n_table;
    for (; dict->table[i]; i = i + 1 < dict->n_table ? i + 1 : 0) {
        const uint32_t known = dict->table[i];
        if (entry_len(dict, known) == len && memcmp(dict->text + dict->at[known], entry, len) == 0) {
            dict->n--;
            dict->text_len -= len;
            *ret_code = dict->last = known;
            return PD_OK;
        }
    }
    dict->table[i] = code;
    *ret_code = dict->last = code;
    return PD_OK;
}

/* Shown and sought both end, and nothing comes after them. */
static bool is_entry(const char *shown, size_t len)
{
    const char *nul = memchr(shown, '\0', len), *last = shown + len - 1;
    return nul && nul < last && memchr(nul + 1, '\0', (size_t)(last - nul)) == last;
}

bool pd_dict_is_sound(const pd_dict *dict)
{
    if (dict->n == 0 || dict->at[0] != 0)
        return false;
    for (uint32_t code = 0; code < dict->n; code++) {
        const size_t end = code + 1 < dict->n ? dict->at[code + 1] : dict->text_len;
        if (dict->at[code] >= end || end > dict->text_len || dict->parent[code] > (code ? code - 1 : 0))
            return false;
        if (!is_entry(dict->text + dict->at[code], end - dict->at[code]))
            return false;
    }
    return dict->text[0] == '\0';
}
