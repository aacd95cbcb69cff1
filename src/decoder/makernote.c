#include "decoder/makernote.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "decoder/exif_text.h"

#define ISO_MAX UINT64_C(100000000)

typedef struct canon_iso {
    double automatic, base; /* ShotInfo's two halves; NAN: not there */
    uint64_t camera;        /* CameraSettings' choice; 0: automatic, or not there */
} canon_iso;

typedef struct note_state {
    pd_makernote *note;
    canon_iso canon;
    bool is_inner; /* Olympus: inside the directory of equipment */
} note_state;

typedef void visitor(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry);

static void take_lens(const pd_tiff_entry *entry, pd_makernote *note)
{
    if (!pd_tiff_is_text(entry))
        return;
    pd_text_clean(entry->values, entry->bytes, note->lens, sizeof note->lens);
    for (const char *c = note->lens; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e) { /* not where the name was, then */
            note->lens[0] = '\0';
            return;
        }
}

static void take_iso(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i, pd_makernote *note)
{
    uint64_t value;
    if (pd_tiff_whole(tiff, entry, i, &value) && value > 0 && value <= ISO_MAX)
        note->iso = value;
}

/* Element i of an array of 16-bit numbers, as signed. */
static bool read_short(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i, int16_t *ret_value)
{
    if (entry->type != 3 && entry->type != 8)
        return false;
    const pd_tiff_entry as_unsigned = { .type = 3, .count = entry->count, .values = entry->values };
    uint64_t value;
    if (!pd_tiff_whole(tiff, &as_unsigned, i, &value))
        return false;
    *ret_value = (int16_t)value;
    return true;
}

static void visit_canon(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    note_state *state = user;
    int16_t value;
    switch (entry->tag) {
    case 0x0001: /* camera settings; 14 and 15 mean automatic */
        if (!read_short(tiff, entry, 16, &value))
            break;
        if (value & 0x4000)
            state->canon.camera = (uint64_t)(value & 0x3fff);
        else if (value >= 16 && value <= 19)
            state->canon.camera = UINT64_C(50) << (value - 16);
        break;
    case 0x0004: /* shot information: 1/32 of a stop */
        if (read_short(tiff, entry, 1, &value))
            state->canon.automatic = exp2(value / 32.0) * 100;
        if (read_short(tiff, entry, 2, &value))
            state->canon.base = exp2(value / 32.0) * 100 / 32;
        break;
    case 0x0095: take_lens(entry, state->note); break;
    default: break;
    }
}

static void decide_canon_iso(note_state *state)
{
    const double product = round(state->canon.automatic * state->canon.base / 100);
    if (state->canon.camera)
        state->note->iso = state->canon.camera;
    else if (product > 0 && product <= (double)ISO_MAX)
        state->note->iso = (uint64_t)product;
}

static void visit_nikon(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    pd_makernote *note = ((note_state *)user)->note;
    if (entry->tag == 0x0002)
        take_iso(tiff, entry, 1, note);
    if (entry->tag != 0x0084)
        return;
    double lens[4];
    for (uint64_t i = 0; i < 4; i++)
        lens[i] = pd_tiff_real(tiff, entry, i);
    pd_lens_format(lens, note->lens, sizeof note->lens);
}

static void visit_olympus(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    note_state *state = user;
    if (state->is_inner) {
        if (entry->tag == 0x0203)
            take_lens(entry, state->note);
        return;
    }
    if (entry->tag != 0x2010)
        return;
    uint64_t offset = (uint64_t)(entry->values - tiff->data); /* older models: the directory itself is the value */
    (void)pd_tiff_whole(tiff, entry, 0, &offset);
    state->is_inner = true;
    pd_tiff_walk(tiff, offset, visit_olympus, state);
    state->is_inner = false;
}

static void visit_panasonic(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    (void)tiff;
    if (entry->tag == 0x0051)
        take_lens(entry, ((note_state *)user)->note);
}

/* Two decimal digits a byte. */
static double read_decimal(const uint8_t *bytes, size_t n)
{
    double value = 0;
    for (size_t i = 0; i < n; i++)
        value = 100 * value + 10 * (bytes[i] >> 4) + (bytes[i] & 15);
    return value;
}

static void visit_sony(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    (void)tiff;
    pd_makernote *note = ((note_state *)user)->note;
    if (entry->tag != 0xb02a || entry->bytes != 8)
        return;
    const uint8_t *spec = entry->values;
    const double lens[4] = { read_decimal(spec + 1, 2), read_decimal(spec + 3, 2), read_decimal(spec + 5, 1) / 10,
                             read_decimal(spec + 6, 1) / 10 };
    pd_lens_format(lens, note->lens, sizeof note->lens);
}

static void visit_casio(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    if (entry->tag == 0x0014 || entry->tag == 0x3014)
        take_iso(tiff, entry, 0, ((note_state *)user)->note);
}

typedef enum note_base { BASE_TIFF, BASE_NOTE, BASE_OWN_HEADER } note_base;

/* How a note begins, and where its directory is: offsets count from the TIFF header, from the note's own beginning
 * (with a mark of byte order two or four bytes before the directory), or from a TIFF header inside the note. */
typedef struct note_form {
    const char *start;
    size_t start_bytes;
    const char *make; /* for those without a start of their own */
    note_base base;
    size_t at, order_at;
    visitor *visit;
} note_form;

static const note_form forms[] = {
    { "Nikon\0\2", 7, NULL, BASE_OWN_HEADER, 10, 0, visit_nikon },
    { "OLYMPUS\0", 8, NULL, BASE_NOTE, 12, 8, visit_olympus },
    { "OM SYSTEM\0\0\0", 12, NULL, BASE_NOTE, 16, 12, visit_olympus },
    { "OLYMP\0", 6, NULL, BASE_TIFF, 8, 0, visit_olympus },
    { "Panasonic\0\0\0", 12, NULL, BASE_TIFF, 12, 0, visit_panasonic },
    { "SONY DSC \0\0\0", 12, NULL, BASE_TIFF, 12, 0, visit_sony },
    { "SONY CAM \0\0\0", 12, NULL, BASE_TIFF, 12, 0, visit_sony },
    { "QVC\0\0\0", 6, NULL, BASE_TIFF, 6, 0, visit_casio },
    { "", 0, "Canon", BASE_TIFF, 0, 0, visit_canon },
    { "", 0, "CASIO", BASE_TIFF, 0, 0, visit_casio },
    { "", 0, "SONY", BASE_TIFF, 0, 0, visit_sony },
};

static const note_form *find_form(const uint8_t *note, size_t len, const char *make)
{
    for (size_t i = 0; i < PD_COUNT_OF(forms); i++) {
        const note_form *form = &forms[i];
        if (form->make ? strncasecmp(make, form->make, strlen(form->make)) == 0
                       : len >= form->at + 8 && memcmp(note, form->start, form->start_bytes) == 0)
            return form;
    }
    return NULL;
}

void pd_makernote_read(const pd_tiff *tiff, const uint8_t *note, size_t len, const char *make, pd_makernote *ret_note)
{
    note_state state = { .note = ret_note, .canon = { .automatic = NAN, .base = NAN } };
    const note_form *form = find_form(note, len, make);
    if (!form)
        return;
    const size_t begin = (size_t)(note - tiff->data);
    pd_tiff base = *tiff;
    uint64_t directory = begin + form->at;
    if (form->base == BASE_NOTE) {
        base = (pd_tiff){ .data = note, .len = tiff->len - begin, .is_big_endian = note[form->order_at] == 'M' };
        directory = form->at;
    } else if (form->base == BASE_OWN_HEADER &&
               !pd_tiff_open(note + form->at, tiff->len - begin - form->at, &base, &directory)) {
        return;
    }
    /* Programs that rewrite EXIF may turn its byte order around and move the note, and leave the inside of it as it
     * was. A count of entries has a small byte and a zero; Canon's values follow their directory. */
    if (directory + 2 <= base.len && (base.data[directory] == 0) != (base.data[directory + 1] == 0))
        base.is_big_endian = base.data[directory] == 0;
    if (form->visit == visit_canon && pd_tiff_first_value(&base, directory))
        base.shift = (int64_t)(pd_tiff_end_of_directory(&base, directory) - pd_tiff_first_value(&base, directory));
    pd_tiff_walk(&base, directory, form->visit, &state);
    decide_canon_iso(&state);
}

void pd_makernote_read_canon(const pd_tiff *tiff, uint64_t offset, pd_makernote *ret_note)
{
    note_state state = { .note = ret_note, .canon = { .automatic = NAN, .base = NAN } };
    pd_tiff_walk(tiff, offset, visit_canon, &state);
    decide_canon_iso(&state);
}
