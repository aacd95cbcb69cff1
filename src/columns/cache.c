/* cache.c: the columns as a file: an image of the blocks in memory (docs/formats.md), mapped privately as it is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "columns/columns_private.h"

static const char magic[8] = { 'P', 'D', 'c', 'o', 'l', 's', '\r', '\n' };

enum {
    VERSION = 1,
    HEADER_BYTES = 4096,
    ALIGNMENT = 64,
    N_SECTIONS = PD_FIELDS_N + 2 + 3 * PD_DICT_COUNT,
    /* Of a long section every 32nd page is checked: opening must not read all of it. A hole that a power cut leaves is
     * longer than that. */
    PAGE = 4096,
    PAGE_STEP = 32,
    WHOLE_BYTES_MAX = 1 << 20,
};

typedef struct dict_size {
    uint64_t n, text_len;
} dict_size;

/* As it stands in the file. Where a section lies follows from the numbers, so that nothing can point astray. */
typedef struct header {
    char magic[8];
    uint32_t version, n_sections;
    uint8_t identity[PD_STORE_IDENTITY_BYTES];
    int64_t catalogue_version;
    uint64_t n, capacity, names_len, names_capacity, n_places;
    dict_size dicts[PD_DICT_COUNT];
    uint64_t file_bytes;
    uint64_t checks[N_SECTIONS];
    uint64_t check; /* of all bytes before */
} header;

_Static_assert(sizeof(header) <= HEADER_BYTES, "the header has its page");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is mapped as it is: little-endian");

typedef struct section {
    uint64_t at, used, room;
} section;

/* Invertible steps, as the vector file's; four words at a time are four times as fast. */
static uint64_t check_bytes(uint64_t seed, const uint8_t *bytes, size_t len)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t lanes[4] = { seed, seed ^ 1, seed ^ 2, len }, words[4];
    size_t i = 0;
    for (; i + sizeof words <= len; i += sizeof words) {
        memcpy(words, bytes + i, sizeof words);
        for (unsigned lane = 0; lane < 4; lane++) {
            lanes[lane] = (lanes[lane] ^ words[lane]) * factor;
            lanes[lane] ^= lanes[lane] >> 32;
        }
    }
    memset(words, 0, sizeof words);
    if (i < len)
        memcpy(words, bytes + i, len - i);
    uint64_t sum = 0;
    for (unsigned lane = 0; lane < 4; lane++) {
        sum = (sum ^ lanes[lane] ^ words[lane]) * factor;
        sum ^= sum >> 29;
    }
    return sum;
}

static uint64_t check_section(const uint8_t *bytes, size_t len)
{
    if (len <= WHOLE_BYTES_MAX)
        return check_bytes(len, bytes, len);
    uint64_t sum = len;
    for (size_t at = 0; at + PAGE < len; at += (size_t)PAGE * PAGE_STEP)
        sum = check_bytes(sum, bytes + at, PAGE);
    return check_bytes(sum, bytes + len - PAGE, PAGE);
}

static uint64_t put_section(section *s, uint64_t at, uint64_t used, uint64_t room)
{
    *s = (section){ at, used, room };
    return (at + room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Where everything lies; returns where the file ends. The numbers must have been looked at. */
static uint64_t lay_out(const header *h, section sections[N_SECTIONS])
{
    uint64_t at = HEADER_BYTES;
    size_t s = 0;
    for (size_t i = 0; i < PD_FIELDS_N; i++, s++)
        at = put_section(&sections[s], at, h->n * pd_field_sizes[i], h->capacity * pd_field_sizes[i]);
    at = put_section(&sections[s++], at, h->names_len, h->names_capacity);
    at = put_section(&sections[s++], at, h->n_places * sizeof(uint32_t), h->n_places * sizeof(uint32_t));
    for (size_t i = 0; i < PD_DICT_COUNT; i++) {
        const uint64_t codes = h->dicts[i].n * sizeof(uint32_t);
        at = put_section(&sections[s++], at, h->dicts[i].text_len, h->dicts[i].text_len);
        at = put_section(&sections[s++], at, codes, codes);
        at = put_section(&sections[s++], at, codes, codes);
    }
    return at;
}

static bool has_sense(const header *h)
{
    const uint64_t names_max = (uint64_t)UINT32_MAX * 2;
    if (h->n > h->capacity || h->capacity > 2 * (uint64_t)PD_COLUMNS_PHOTOS_MAX || h->capacity % 64 ||
        h->names_len > UINT32_MAX || h->names_len + PD_COLUMNS_NAMES_PAD > h->names_capacity ||
        h->names_capacity > names_max || h->n_places < h->n || h->n_places > 4 * (uint64_t)PD_COLUMNS_PHOTOS_MAX ||
        h->catalogue_version < 0)
        return false;
    for (size_t i = 0; i < PD_DICT_COUNT; i++)
        if (h->dicts[i].n < 1 || h->dicts[i].n > UINT32_MAX || h->dicts[i].text_len > UINT32_MAX)
            return false;
    return true;
}

static pd_status read_header(const uint8_t *bytes, size_t len, header *ret_header, section sections[N_SECTIONS],
                             pd_error *err)
{
    if (len < HEADER_BYTES)
        return pd_error_set(err, PD_ERR_CORRUPT, "it was cut: %zu bytes", len);
    memcpy(ret_header, bytes, sizeof *ret_header);
    if (memcmp(ret_header->magic, magic, sizeof magic) != 0)
        return pd_error_set(err, PD_ERR_CORRUPT, "it is no file of columns");
    if (ret_header->version != VERSION || ret_header->n_sections != N_SECTIONS)
        return pd_error_set(err, PD_ERR_CORRUPT, "it has another version");
    if (!has_sense(ret_header) || lay_out(ret_header, sections) != ret_header->file_bytes)
        return pd_error_set(err, PD_ERR_CORRUPT, "its header makes no sense");
    if (ret_header->file_bytes != len)
        return pd_error_set(err, PD_ERR_CORRUPT, "it was cut: %zu bytes", len);
    return PD_OK;
}

static pd_status copy_dict(pd_dict *dict, const uint8_t *bytes, const section sections[3], pd_error *err)
{
    dict->text = pd_mem_dup(bytes + sections[0].at, (size_t)sections[0].used);
    dict->at = pd_mem_dup(bytes + sections[1].at, (size_t)sections[1].used);
    dict->parent = pd_mem_dup(bytes + sections[2].at, (size_t)sections[2].used);
    dict->text_len = dict->text_capacity = (size_t)sections[0].used;
    dict->n = dict->capacity = (size_t)sections[1].used / sizeof *dict->at;
    if (!dict->text || !dict->at || !dict->parent)
        return pd_error_set_nomem(err);
    return pd_dict_is_sound(dict) ? PD_OK : pd_error_set(err, PD_ERR_CORRUPT, "a dictionary in it is damaged");
}

/* Which photos are there is kept in their facts. */
static pd_status read_live(pd_columns *columns, pd_error *err)
{
    columns->live = pd_mem_alloc(columns->capacity / 64, sizeof *columns->live);
    if (!columns->live)
        return pd_error_set_nomem(err);
    for (size_t slot = 0; slot < columns->n; slot++) {
        const uint64_t live = columns->f.facts[slot] & PD_FACT_LIVE;
        columns->live[slot / 64] |= live << (slot % 64);
        columns->count += (int64_t)live;
    }
    return PD_OK;
}

static bool is_whole(const uint8_t *map, const header *h, const section sections[N_SECTIONS])
{
    if (check_bytes(0, map, offsetof(header, check)) != h->check)
        return false;
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (check_section(map + sections[i].at, (size_t)sections[i].used) != h->checks[i])
            return false;
    return true;
}

pd_status pd_columns_adopt(pd_columns *columns, uint8_t *map, size_t len, bool checked, pd_error *err)
{
    header h;
    section sections[N_SECTIONS];
    columns->map = map;
    columns->map_len = len;
    PD_TRY(read_header(map, len, &h, sections, err));
    if (checked && !is_whole(map, &h, sections))
        return pd_error_set(err, PD_ERR_CORRUPT, "it is damaged");
    memcpy(columns->identity, h.identity, sizeof h.identity);
    columns->version = h.catalogue_version;
    columns->n = (size_t)h.n;
    columns->capacity = (size_t)h.capacity;
    columns->names_len = (size_t)h.names_len;
    columns->names_capacity = (size_t)h.names_capacity;
    columns->n_places = (size_t)h.n_places;
    for (size_t i = 0; i < PD_FIELDS_N; i++)
        columns->at[i] = map + sections[i].at;
    columns->names = (char *)map + sections[PD_FIELDS_N].at;
    columns->places = (uint32_t *)(void *)(map + sections[PD_FIELDS_N + 1].at);
    if (columns->names_len && columns->names[columns->names_len - 1])
        return pd_error_set(err, PD_ERR_CORRUPT, "its names have no end");
    for (size_t i = 0; i < PD_DICT_COUNT; i++)
        PD_TRY(copy_dict(&columns->dicts[i], map, sections + PD_FIELDS_N + 2 + 3 * i, err));
    return read_live(columns, err);
}

static pd_status map_file(const char *path, uint8_t **ret_map, size_t *ret_len, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    struct stat st;
    void *map = MAP_FAILED;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    const int sys_errno = errno;
    close(fd);
    if (map == MAP_FAILED)
        return pd_error_set_errno(err, sys_errno, "cannot map '%s'", path);
    *ret_map = map;
    *ret_len = (size_t)st.st_size;
    return PD_OK;
}

pd_status pd_columns_load(pd_columns *columns, const char *path, pd_error *err)
{
    uint8_t *map;
    size_t len;
    PD_TRY(map_file(path, &map, &len, err));
    const pd_status status = pd_columns_adopt(columns, map, len, true, err);
    if (status != PD_OK)
        pd_error_prefix(err, "the file '%s' cannot be used", path);
    return status;
}

static void point_at_blocks(const pd_columns *columns, const void *blocks[N_SECTIONS])
{
    size_t s = 0;
    for (size_t i = 0; i < PD_FIELDS_N; i++)
        blocks[s++] = columns->at[i];
    blocks[s++] = columns->names;
    blocks[s++] = columns->places;
    for (size_t i = 0; i < PD_DICT_COUNT; i++) {
        blocks[s++] = columns->dicts[i].text;
        blocks[s++] = columns->dicts[i].at;
        blocks[s++] = columns->dicts[i].parent;
    }
}

static header describe(const pd_columns *columns)
{
    header h = {
        .version = VERSION,
        .n_sections = N_SECTIONS,
        .catalogue_version = columns->version,
        .n = columns->n,
        .capacity = columns->capacity,
        .names_len = columns->names_len,
        .names_capacity = columns->names_capacity,
        .n_places = columns->n_places,
    };
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.identity, columns->identity, sizeof h.identity);
    for (size_t i = 0; i < PD_DICT_COUNT; i++)
        h.dicts[i] = (dict_size){ columns->dicts[i].n, columns->dicts[i].text_len };
    return h;
}

/* What is only room is a hole of the file. */
pd_status pd_columns_save(const pd_columns *columns, const char *path, pd_error *err)
{
    section sections[N_SECTIONS];
    const void *blocks[N_SECTIONS];
    pd_file_part parts[N_SECTIONS + 1];
    uint8_t page[HEADER_BYTES] = { 0 };
    header h = describe(columns);
    h.file_bytes = lay_out(&h, sections);
    point_at_blocks(columns, blocks);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        h.checks[i] = check_section(blocks[i], (size_t)sections[i].used);
        parts[i + 1] = (pd_file_part){ blocks[i], (size_t)sections[i].used, (size_t)sections[i].at };
    }
    memcpy(page, &h, sizeof h);
    h.check = check_bytes(0, page, offsetof(header, check));
    memcpy(page, &h, sizeof h);
    parts[0] = (pd_file_part){ page, sizeof page, 0 };
    return pd_file_replace_parts(path, parts, N_SECTIONS + 1, (size_t)h.file_bytes, err);
}
