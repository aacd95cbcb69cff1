#include "token/html_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "token/windows1252.h"

typedef struct entity {
    const char *name; /* without '&' */
    uint32_t first, second;
} entity;

#include "token/html_entities.h"

enum {
    NAME_MAX_LEN = 33, /* HTML: 32 characters and the semicolon */
    WHOLE_NAME_MAX = 24
};

static int compare_name(const void *name, const void *row) { return strcmp(name, ((const entity *)row)->name); }

static const entity *find_entity(const char *name)
{
    return bsearch(name, entities, PD_COUNT_OF(entities), sizeof *entities, compare_name);
}

static void push_entity(const entity *found, pd_codes *ret_plain)
{
    pd_codes_push(ret_plain, found->first);
    if (found->second)
        pd_codes_push(ret_plain, found->second);
}

static bool is_digit(uint32_t code) { return code >= '0' && code <= '9'; }

static int hex_digit(uint32_t code)
{
    if (is_digit(code))
        return (int)(code - '0');
    return (code | 0x20) >= 'a' && (code | 0x20) <= 'f' && code < 0x80 ? (int)((code | 0x20) - 'a' + 10) : -1;
}

static bool is_invalid_code(uint32_t code)
{
    return (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
           (code >= 0x7F && code <= 0x9F) || (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

/* What a number stands for in HTML: the standard's table maps 0x80 .. 0x9F as Windows-1252. Nothing for controls. */
static void push_number(uint32_t number, pd_codes *ret_plain)
{
    if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
        pd_codes_push(ret_plain, 0xFFFD);
    else if (number >= 0x80 && number <= 0x9F)
        pd_codes_push(ret_plain, pd_windows1252_decode(number));
    else if (!is_invalid_code(number))
        pd_codes_push(ret_plain, number);
}

/* A number at `at`, which is behind "&#". Returns the codes used (0: none); the semicolon is not among them. */
static size_t read_number(const pd_codes *text, size_t at, uint32_t *ret_number)
{
    const size_t start = at;
    const bool hex = at < text->len && (text->data[at] | 0x20) == 'x';
    const size_t digits = at + hex;
    uint32_t number = 0;
    for (at = digits; at < text->len; at++) {
        const int digit = hex_digit(text->data[at]);
        if (digit < 0 || (!hex && digit > 9))
            break;
        number = number * (hex ? 16 : 10) + (uint32_t)digit;
        if (number > 0x10FFFF)
            number = 0x110000;
    }
    *ret_number = number;
    return at == digits ? 0 : at - start;
}

/* Copies the name at `at` as far as one can go; other than ASCII ends no name here but makes it one nobody knows. */
static size_t read_name(const pd_codes *text, size_t at, char ret_name[NAME_MAX_LEN + 1])
{
    size_t n = 0;
    while (n < NAME_MAX_LEN - 1 && at + n < text->len && text->data[at + n] > 0 &&
           !memchr("\t\n\f <&#;", text->data[at + n] < 0x80 ? (int)text->data[at + n] : 'a', 8)) {
        ret_name[n] = text->data[at + n] < 0x80 ? (char)text->data[at + n] : '\x7f';
        n++;
    }
    if (n > 0 && at + n < text->len && text->data[at + n] == ';')
        ret_name[n++] = ';';
    ret_name[n] = '\0';
    return n;
}

/* The longest known name that `name` begins with. Cuts `name`; returns what is left of its length, or 0. */
static size_t cut_to_known(char *name, size_t len, const entity **ret_found)
{
    for (; len > 1; len--) {
        name[len] = '\0';
        *ret_found = find_entity(name);
        if (*ret_found)
            return len;
    }
    return 0;
}

/* A reference at `at`, which is behind '&'. Returns the codes used, 0 when there is none. */
static size_t unescape_one(const pd_codes *text, size_t at, pd_codes *ret_plain)
{
    if (at < text->len && text->data[at] == '#') {
        uint32_t number;
        size_t used = read_number(text, at + 1, &number);
        if (used == 0)
            return 0;
        used++;
        push_number(number, ret_plain);
        return used + (at + used < text->len && text->data[at + used] == ';');
    }
    char name[NAME_MAX_LEN + 1];
    const entity *found;
    const size_t used = cut_to_known(name, read_name(text, at, name), &found);
    if (used > 0)
        push_entity(found, ret_plain);
    return used;
}

void pd_html_unescape(const pd_codes *text, pd_codes *ret_plain)
{
    for (size_t i = 0; i < text->len;) {
        const size_t used = text->data[i] == '&' ? unescape_one(text, i + 1, ret_plain) : 0;
        if (used == 0)
            pd_codes_push(ret_plain, text->data[i]);
        i += 1 + used;
    }
}

static bool is_alphanumeric(uint32_t code)
{
    return is_digit(code) || (code < 0x80 && (code | 0x20) >= 'a' && (code | 0x20) <= 'z');
}

/* The same for whole references. One that means ';' is left, as the reference leaves it. */
static size_t unescape_one_whole(const pd_codes *text, size_t at, pd_codes *ret_plain)
{
    const bool numeric = at < text->len && text->data[at] == '#';
    const size_t first = at + numeric;
    char name[WHOLE_NAME_MAX + 3] = "^"; /* in front: the mark of the all-capitals forms */
    size_t n = 0;
    while (n < WHOLE_NAME_MAX && first + n < text->len && is_alphanumeric(text->data[first + n])) {
        name[1 + n] = (char)text->data[first + n];
        n++;
    }
    if (n == 0 || first + n == text->len || text->data[first + n] != ';')
        return 0;
    name[1 + n] = ';';
    name[2 + n] = '\0';
    if (numeric) {
        uint32_t number;
        if (read_number(text, first, &number) != n || number == ';')
            return 0;
        push_number(number, ret_plain);
        return 1 + n + 1;
    }
    const entity *found = find_entity(name + 1);
    if (!found)
        found = find_entity(name);
    if (!found)
        return 0;
    push_entity(found, ret_plain);
    return n + 1;
}

void pd_html_unescape_whole(const pd_codes *text, pd_codes *ret_plain)
{
    for (size_t i = 0; i < text->len;) {
        const size_t used = text->data[i] == '&' ? unescape_one_whole(text, i + 1, ret_plain) : 0;
        if (used == 0)
            pd_codes_push(ret_plain, text->data[i]);
        i += 1 + used;
    }
}
