/* Reads the metadata of every sample with a known answer through the real pool, writes down what is right, and compares
 * with the table that is committed: quality/metadata.csv.
 *
 *   check_metadata DIR LIST.jsonl TABLE.csv [write]  (the decoder's path is in PD_DECODER)
 *
 * The list has what exiftool finds in EXIF, IPTC and XMP proper. A value that the list does not have and we do is
 * `more`, and needs a reason here; a value that differs is `wrong`, and needs one too. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/media.h"

enum { VALUE_BYTES = 512 };

typedef struct exception {
    const char *file, *field; /* file NULL: any */
    const char *reason;
} exception;

/* clang-format off */
static const exception exceptions[] = {
    { "canon-powershot-a70.jpg", "iso", "in Canon's maker note: exiftool's composite ISO is 50 too" },
    { "canon-ixus-300.jpg", "iso", "in Canon's maker note: exiftool's composite ISO is 147.68" },
    { "canon-powershot-s40-2.jpg", "iso", "in Canon's maker note: exiftool's composite ISO is 100 too" },
    { "35-empty.jpg", "iso", "in Casio's maker note: exiftool's Casio:ISO is 50 too" },
    { "fujifilm-finepixs1pro-2.jpg", "iso", "the file says 0: that is no sensitivity" },
    { "canon-eos-rebel-t3i.jpg", "lens", "in Canon's maker note (LensModel)" },
    { "olympus-pen-e-p3.jpg", "lens", "in Olympus' maker note (LensModel)" },
    { "broken1.jpg", "lens", "in XMP (aux:Lens)" },
    { "furnacecreekinn2.jpg", "lens", "in XMP (aux:LensInfo)" },
    { "furnacecreekinn3.jpg", "lens", "in XMP (aux:LensInfo)" },
    { "nikon-d5000.jpg", "lens", "in XMP (aux:LensInfo)" },
    { "nikon-d5000.jpg", "gps_lat", "in XMP, where EXIF has the direction only" },
    { "nikon-d5000.jpg", "gps_lon", "in XMP, where EXIF has the direction only" },
    { "traveler-sx330z.jpg", "exposure_s", "from ShutterSpeedValue, where ExposureTime is missing" },
    { "traveler-sx330z.jpg", "fnumber", "from ApertureValue, where FNumber is missing" },
    { "fujifilm-ds-7-3.jpg", "exposure_s", "from ShutterSpeedValue, where ExposureTime is missing" },
    { "fujifilm-ds-7-3.jpg", "fnumber", "from ApertureValue, where FNumber is missing" },
    { "fujifilm-dx-5.jpg", "exposure_s", "from ShutterSpeedValue, where ExposureTime is missing" },
    { "fujifilm-dx-5.jpg", "fnumber", "from ApertureValue, where FNumber is missing" },
    { "fujifilm-mx1700.jpg", "exposure_s", "from ShutterSpeedValue, where ExposureTime is missing" },
    { NULL, "orientation", "the file says nothing: 1 means that nothing is turned" },
};
/* clang-format on */

typedef struct tally {
    unsigned files, right, more, wrong, unexplained;
} tally;

static const char *find_reason(const char *file, const char *field)
{
    for (size_t i = 0; i < PD_COUNT_OF(exceptions); i++)
        if ((!exceptions[i].file || strcmp(exceptions[i].file, file) == 0) && strcmp(exceptions[i].field, field) == 0)
            return exceptions[i].reason;
    return NULL;
}

/* The list's value as text: "" for null, blanks and times of zeros. */
static void read_golden(const pd_json *row, const char *key, char ret_text[VALUE_BYTES])
{
    const pd_json *value = pd_json_get(row, key);
    pd_str text;
    double number;
    ret_text[0] = '\0';
    if (pd_json_read_string(value, &text) && text.len < VALUE_BYTES)
        (void)snprintf(ret_text, VALUE_BYTES, "%.*s", (int)text.len, text.ptr);
    else if (pd_json_read_number(value, &number))
        (void)snprintf(ret_text, VALUE_BYTES, "%.10g", number);
    if (strspn(ret_text, " :") == strlen(ret_text) || strncmp(ret_text, "0000", 4) == 0)
        ret_text[0] = '\0';
}

static void write_number(char ret_text[VALUE_BYTES], double value)
{
    ret_text[0] = '\0';
    if (!isnan(value))
        (void)snprintf(ret_text, VALUE_BYTES, "%.10g", value);
}

/* All texts of a kind, as exiftool joins them. */
static void write_texts(char ret_text[VALUE_BYTES], pd_texts texts, pd_text_kind kind)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (const char *text = NULL; (text = pd_texts_next(texts, text));)
        if (pd_texts_kind(text) == kind && used < VALUE_BYTES)
            used += (size_t)snprintf(ret_text + used, VALUE_BYTES - used, "%s%s", used ? ", " : "", text);
}

/* "2004:11:26 12:05:19" from "2004-11-26T12:05:19+01:00", and the offset. */
static void write_time(const char *taken, char ret_time[VALUE_BYTES], char ret_offset[VALUE_BYTES])
{
    (void)snprintf(ret_time, VALUE_BYTES, "%.19s", taken);
    (void)snprintf(ret_offset, VALUE_BYTES, "%s", strlen(taken) > 19 ? taken + 19 : "");
    if (ret_time[0]) {
        ret_time[4] = ret_time[7] = ':';
        ret_time[10] = ' ';
    }
}

static bool is_same(const char *field, const char *golden, const char *ours)
{
    char *end_golden, *end_ours;
    const double want = strtod(golden, &end_golden), got = strtod(ours, &end_ours);
    const bool is_first_of_two = strcmp(field, "iso") == 0 && *end_golden == ' ';
    if (end_golden == golden || end_ours == ours || (*end_golden && !is_first_of_two) || *end_ours)
        return strcmp(golden, ours) == 0;
    return fabs(want - got) <= (strncmp(field, "gps", 3) == 0 ? 1e-6 : 1e-3 * fabs(want));
}

/* One line of the table, unless both say nothing. */
static void compare(const pd_json *row, const char *file, const char *field, const char *ours, tally *t, pd_buf *table)
{
    char golden[VALUE_BYTES];
    read_golden(row, field, golden);
    if (!golden[0] && !ours[0])
        return;
    const bool is_right = is_same(field, golden, ours);
    const char *verdict = is_right ? "right" : golden[0] ? "wrong" : "more";
    const char *reason = is_right ? "" : find_reason(file, field);
    *(is_right ? &t->right : golden[0] ? &t->wrong : &t->more) += 1;
    if (!reason) {
        t->unexplained++;
        printf("FAIL %s: %s is '%s', the list says '%s'\n", file, field, ours, golden);
    }
    (void)pd_buf_appendf(table, "%s,%s,\"%s\",\"%s\",%s,\"%s\"\n", file, field, golden, ours, verdict,
                         reason ? reason : "");
}

static void check_picture(const pd_json *row, const char *file, const pd_picture *picture, tally *t, pd_buf *table)
{
    const pd_photo_meta *meta = &picture->meta;
    char value[VALUE_BYTES], offset[VALUE_BYTES];
    compare(row, file, "make", meta->make, t, table);
    compare(row, file, "model", meta->model, t, table);
    compare(row, file, "lens", meta->lens, t, table);
    write_time(meta->taken_source[0] == 'e' ? meta->taken : "", value, offset);
    compare(row, file, "datetime_original", value, t, table);
    compare(row, file, "offset_time_original", offset, t, table);
    const struct {
        const char *field;
        double value;
    } numbers[] = { { "orientation", meta->orientation },
                    { "iso", meta->iso ? meta->iso : (double)NAN },
                    { "exposure_s", meta->exposure_s },
                    { "fnumber", meta->fnumber },
                    { "focal_mm", meta->focal_mm },
                    { "gps_lat", meta->gps_lat },
                    { "gps_lon", meta->gps_lon },
                    { "xmp_rating", meta->rating == PD_MEDIA_ABSENT ? (double)NAN : meta->rating } };
    for (size_t i = 0; i < PD_COUNT_OF(numbers); i++) {
        write_number(value, numbers[i].value);
        compare(row, file, numbers[i].field, value, t, table);
    }
    write_texts(value, picture->texts, PD_TEXT_KEYWORD);
    compare(row, file, "iptc_keywords", value, t, table);
    compare(row, file, "xmp_subject", value, t, table);
}

static void check_row(pd_media_pool *pool, const char *dir, const pd_json *row, tally *t, pd_buf *table)
{
    char name[VALUE_BYTES];
    read_golden(row, "file", name);
    char *path = pd_path_join(dir, name);
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const pd_media_request request = { .meta_only = true, .timeout_ms = 60000 }; /* sanitizers */
    pd_picture picture = { 0 };
    pd_error error;
    t->files++;
    if (pd_media_decode(pool, fd, &request, &picture, &error) == PD_OK) {
        check_picture(row, name, &picture, t, table);
    } else {
        printf("FAIL %s: %s\n", name, error.message);
        t->unexplained++;
    }
    pd_picture_release(&picture);
    (void)close(fd);
    pd_mem_free(path);
}

static bool is_as_committed(const char *path, const pd_buf *table)
{
    pd_buf committed;
    pd_buf_init(&committed, (size_t)16 << 20);
    const bool is_same_table = pd_file_read(path, (size_t)16 << 20, &committed, NULL) == PD_OK &&
                               committed.len == table->len && memcmp(committed.data, table->data, table->len) == 0;
    pd_buf_done(&committed);
    if (!is_same_table)
        printf("FAIL %s is not what comes out now: look at it, and write it again\n", path);
    return is_same_table;
}

static bool check_list(pd_media_pool *pool, const char *dir, char *list, tally *t, pd_buf *table)
{
    char *rest = NULL;
    for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        pd_json *row = NULL;
        if (pd_json_parse(&row, line, strlen(line), NULL) != PD_OK)
            return false;
        check_row(pool, dir, row, t, table);
        pd_json_free(&row);
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 4 || access(argv[2], R_OK) != 0) {
        printf("skipped: no list of samples\n");
        return 77;
    }
    pd_media_pool *pool = NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = getenv("PD_DECODER"), .n_processes = 1, .n_slots = 1 };
    pd_buf list, table;
    tally t = { 0 };
    pd_buf_init(&list, (size_t)16 << 20);
    pd_buf_init(&table, (size_t)16 << 20);
    (void)pd_buf_append_string(&table, "file,field,golden,ours,verdict,reason\n");
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK ||
        pd_file_read(argv[2], (size_t)16 << 20, &list, &error) != PD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    bool is_good = check_list(pool, argv[1], list.data, &t, &table) && table.status == PD_OK;
    if (argc > 4)
        is_good = pd_file_replace(argv[3], table.data, table.len, false, NULL) == PD_OK && is_good;
    else
        is_good = is_as_committed(argv[3], &table) && is_good;
    pd_media_pool_free(&pool);
    pd_buf_done(&list);
    pd_buf_done(&table);
    printf("%u files: %u values right, %u wrong, %u that the list does not have; %u without a reason\n", t.files,
           t.right, t.wrong, t.more, t.unexplained);
    return is_good && t.files && !t.unexplained ? 0 : 1;
}
