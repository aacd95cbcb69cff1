/* bench_columns.c [ROWS...] [--no-catalogue]: the columns of 1,000,000 photos (or so many), made from rows of chance
 * with believable distributions, always the same. Per size: filling, memory, every kind of filter, counts, windows and
 * whole orders, file written and opened; without --no-catalogue also the same photos in a catalogue of its own (no
 * pictures; 1.4 KB of temporary files a photo, and minutes), and what opening from that takes. Prints CSV (bench.h),
 * times of the thread's own clock. */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "bench.h"
#include "columns/columns_private.h"
#include "store/store.h"

#define ROUNDS 15

static char dir[] = "/tmp/pd-bench-columns-XXXXXX";
static char catalogue[64], cache[64];

static void must(pd_status status, const char *what)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, pd_status_name(status));
    exit(1);
}

static uint64_t mix(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return n ^ n >> 31;
}

/* Number `what` of photo n, 0 .. below - 1; small ones are more frequent when `skewed`. */
static uint32_t pick(uint64_t n, uint32_t what, uint32_t below, bool skewed)
{
    const double x = (double)(mix(n * 64 + what) >> 11) / 9007199254740992.0;
    return (uint32_t)((skewed ? x * x * x : x) * below);
}

typedef struct photo {
    pd_photo_row row;
    char path[128], time[24], camera[32], lens[40];
} photo;

/* A roll of some 150 pictures is of one day, one camera and one folder. */
static void fill_photo(photo *p, uint64_t n)
{
    static const char *const makes[] = { "Canon", "NIKON CORPORATION", "Apple", "SONY", "FUJIFILM", "Panasonic" };
    static const double stops[] = { 1.8, 2, 2.8, 3.5, 4, 5.6, 8, 11 };
    const uint64_t roll = n / 150;
    const uint32_t camera = pick(roll, 0, 150, true), day = (uint32_t)(roll * 7300 / 6667 % 7300);
    const uint32_t year = 2005 + day / 365, month = 1 + day % 365 / 31, of_month = 1 + day % 28;
    *p = (photo){ .row = { .id = (int64_t)n + 1, .content = (int64_t)n + 1, .root_id = 1 } };
    snprintf(p->path, sizeof p->path, "/home/someone/Pictures/%u/%u-%02u-%02u %u/%s%04u.%s", year, year, month,
             of_month, (unsigned)roll % 100, camera % 3 ? "IMG_" : "DSC0", (unsigned)(n % 10000),
             camera % 7 ? "JPG" : "CR2");
    snprintf(p->time, sizeof p->time, "%04u-%02u-%02uT%02u:%02u:%02u", year, month, of_month, 8 + pick(n, 1, 12, false),
             pick(n, 2, 60, false), pick(n, 3, 60, false));
    snprintf(p->camera, sizeof p->camera, "Model %u", camera);
    snprintf(p->lens, sizeof p->lens, "EF%u-%umm f/%u", 10 + camera % 20, 50 + pick(n, 4, 10, true), 2 + camera % 3);
    p->row.path = p->path;
    p->row.sort_time = p->time;
    p->row.is_dated = pick(n, 5, 20, false) != 0;
    p->row.bytes = 500000 + pick(n, 6, 8000000, true);
    p->row.type = camera % 7 ? pick(n, 7, 10, false) ? "jpeg" : "heif" : "raw";
    p->row.make = makes[camera % PD_COUNT_OF(makes)];
    p->row.camera = p->camera;
    p->row.lens = camera % 4 ? p->lens : "";
    p->row.width = pick(n, 8, 4, false) ? 4000 : 3000;
    p->row.height = 7000 - p->row.width;
    p->row.iso = 100U << pick(n, 9, 7, true);
    p->row.exposure_s = 1.0 / (1 << (2 + pick(n, 10, 9, false)));
    p->row.fnumber = stops[pick(n, 11, 8, false)];
    p->row.focal_mm = 18 + pick(n, 12, 180, true);
    p->row.flash = (int)pick(n, 13, 3, false) - 1;
    p->row.lat = pick(roll, 14, 3, false) ? (double)NAN
                                          : 35 + pick(roll, 15, 20000, true) / 1000.0 + pick(n, 16, 9, false) / 1e3;
    p->row.lon = isnan(p->row.lat) ? (double)NAN : -10 + pick(roll, 17, 40000, true) / 1000.0;
    p->row.rating = (int)pick(n, 18, 6, true);
    p->row.marks = (pd_photo_marks){ .is_rated = p->row.rating > 0,
                                     .favorite = pick(n, 19, 50, false) == 0,
                                     .has_tag = pick(n, 20, 5, false) == 0 };
    p->row.look = (pd_look){ .sharpness = 20, .n_colours = 2 + pick(n, 21, 4, false) };
    for (uint32_t i = 0; i < p->row.look.n_colours; i++) {
        const uint64_t colour = mix(n * 64 + 30 + i);
        p->row.look.colours[i] = (pd_look_colour){ (uint8_t)colour, (uint8_t)(colour >> 8), (uint8_t)(colour >> 16),
                                                   (uint8_t)(50 / (i + 1)) };
    }
}

static double resident_mb(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void print_value(size_t rows, const char *what, const char *unit, double value)
{
    char name[128];
    double at[1] = { value };
    const bench_values values = { at, 1 };
    snprintf(name, sizeof name, "columns,%zu,%s,%s", rows, what, unit);
    bench_print(name, &values);
}

static void print_times(size_t rows, const char *what, double times[ROUNDS])
{
    char name[256];
    const bench_values values = { times, ROUNDS };
    snprintf(name, sizeof name, "columns,%zu,%s,ms", rows, what);
    bench_print(name, &values);
}

static double cpu_ms_since(int64_t start) { return (double)(bench_cpu_ns() - start) / 1e6; }

static void time_filter(const pd_columns *columns, pd_store *store, const char *text, pd_slots *ret_slots)
{
    double times[ROUNDS];
    char name[128];
    pd_query *query = NULL;
    must(pd_query_parse(&query, text, strlen(text), NULL), "parse");
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = bench_cpu_ns();
        pd_slots_done(ret_slots);
        must(pd_columns_filter(columns, store, query, PD_FIELD_COUNT, ret_slots, NULL), text);
        times[i] = cpu_ms_since(start);
    }
    pd_query_free(&query);
    snprintf(name, sizeof name, "filter '%s' finds %lld", text, (long long)ret_slots->count);
    for (char *p = name; *p; p++)
        *p = *p == ',' ? ';' : *p;
    print_times(pd_columns_n(columns), name, times);
}

static bool count_visits(void *user, const pd_value_count *value)
{
    *(int64_t *)user += value->count;
    return true;
}

static void time_counts(const pd_columns *columns, pd_store *store, const pd_slots *slots, pd_field field)
{
    double times[ROUNDS];
    char name[64];
    int64_t sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = bench_cpu_ns();
        must(pd_columns_count_values(columns, store, slots, &(pd_value_question){ field, "", 20, count_visits, &sum },
                                     NULL),
             "count");
        times[i] = cpu_ms_since(start);
    }
    snprintf(name, sizeof name, "count %s", pd_field_info_of(field)->name);
    print_times(pd_columns_n(columns), name, times);
}

static void time_order(const pd_columns *columns, const pd_slots *slots, pd_order order, const char *what, size_t n)
{
    double times[ROUNDS];
    size_t n_there;
    uint32_t *at = pd_mem_alloc(n, sizeof *at);
    if (!at)
        must(PD_ERR_NOMEM, "order");
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = bench_cpu_ns();
        must(pd_columns_order(columns, slots, &(pd_slot_window){ order, 0, n }, at, &n_there, NULL), "order");
        times[i] = cpu_ms_since(start);
    }
    print_times(pd_columns_n(columns), what, times);
    pd_mem_free(at);
}

static void time_questions(const pd_columns *columns, pd_store *store)
{
    static const char *const texts[] = { "camera:canon",
                                         "lens:50mm",
                                         "iso:>=800",
                                         "f:2.8",
                                         "exposure:<=1/60",
                                         "date:2012-06..2012-08",
                                         "month:7",
                                         "in:2012",
                                         "type:raw",
                                         "size:>5mb",
                                         "rating:>=4",
                                         "favorite:yes",
                                         "orientation:portrait",
                                         "has:gps",
                                         "near:40,0,100km",
                                         "color:red",
                                         "color:#336699",
                                         "gray:yes",
                                         "name:1234",
                                         "name:*.cr2",
                                         "camera:canon date:2012 -rating:>=4" };
    static const pd_field fields[] = { PD_FIELD_CAMERA, PD_FIELD_LENS, PD_FIELD_YEAR,  PD_FIELD_IN,
                                       PD_FIELD_TYPE,   PD_FIELD_HAS,  PD_FIELD_COLOR, PD_FIELD_RATING };
    pd_slots slots = { 0 };
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++)
        time_filter(columns, store, texts[i], &slots);
    time_filter(columns, store, "", &slots);
    for (size_t i = 0; i < PD_COUNT_OF(fields); i++)
        time_counts(columns, store, &slots, fields[i]);
    time_order(columns, &slots, PD_ORDER_NEWEST, "first 100 by -date", 100);
    time_order(columns, &slots, PD_ORDER_OLDEST, "first 100 by date", 100);
    time_order(columns, &slots, PD_ORDER_NAME, "first 100 by name", 100);
    time_order(columns, &slots, PD_ORDER_LARGEST, "first 100 by -size", 100);
    time_order(columns, &slots, PD_ORDER_NEWEST, "all by -date", (size_t)slots.count);
    time_order(columns, &slots, PD_ORDER_NAME, "all by name", (size_t)slots.count);
    time_order(columns, &slots, PD_ORDER_LARGEST, "all by -size", (size_t)slots.count);
    pd_slots_done(&slots);
}

static void time_file(pd_columns *columns, size_t n_rows)
{
    double times[ROUNDS];
    int64_t start = pd_clock_ns();
    must(pd_columns_save(columns, cache, NULL), "save");
    print_value(n_rows, "file written", "ms", bench_ms_since(start));
    for (int i = 0; i < ROUNDS; i++) {
        pd_columns mapped = { 0 };
        start = bench_cpu_ns();
        must(pd_columns_load(&mapped, cache, NULL), "load");
        times[i] = cpu_ms_since(start);
        pd_columns_clear(&mapped);
    }
    print_times(n_rows, "file opened", times);
}

static void measure(size_t n_rows, pd_store *store)
{
    pd_columns *columns = NULL;
    must(pd_columns_open(&columns, store, NULL, NULL), "open");
    const double before = resident_mb();
    must(pd_columns_reserve(columns, n_rows, 14 * n_rows), "memory"); /* as opening from a catalogue does */
    int64_t filling = 0;
    for (size_t n = 0; n < n_rows; n++) {
        photo p;
        fill_photo(&p, n);
        const int64_t start = bench_cpu_ns();
        must(pd_columns_put(columns, &p.row, NULL), "put");
        filling += bench_cpu_ns() - start;
    }
    print_value(n_rows, "memory", "MB", resident_mb() - before);
    print_value(n_rows, "filled from rows (with the clock)", "ms", (double)filling / 1e6);
    time_questions(columns, store);
    time_file(columns, n_rows);
    pd_columns_close(&columns);
}

static void store_photo(pd_store *store, int64_t root, const photo *p)
{
    pd_content c = { .type = p->row.type,
                     .width = p->row.width,
                     .height = p->row.height,
                     .pages = 1,
                     .orientation = 1,
                     .taken = p->row.sort_time,
                     .taken_source = "exif",
                     .make = p->row.make,
                     .camera = p->row.camera,
                     .lens = p->row.lens,
                     .iso = p->row.iso,
                     .exposure_s = p->row.exposure_s,
                     .fnumber = p->row.fnumber,
                     .focal_mm = p->row.focal_mm,
                     .gps_lat = p->row.lat,
                     .gps_lon = p->row.lon,
                     .gps_alt = (double)NAN,
                     .shot = { (double)NAN, p->row.flash, PD_STORE_ABSENT, "" },
                     .rating = p->row.rating,
                     .has_phash = true,
                     .look = p->row.look };
    memcpy(c.sha256, &p->row.id, sizeof p->row.id);
    pd_photo_file file = { .root_id = root, .path = p->path, .bytes = p->row.bytes, .mtime_ns = 1 };
    int64_t id;
    must(pd_store_content_put(store, &c, &file.content, NULL), "content");
    must(pd_store_photo_put(store, &file, &id, NULL), "photo");
}

static void measure_catalogue(size_t n_rows, pd_store *store)
{
    int64_t root;
    must(pd_store_root_add(store, "/home/someone", &root, NULL), "root");
    for (size_t n = 0; n < n_rows; n++) {
        photo p;
        if (n % 10000 == 0)
            must(pd_store_begin(store, NULL), "begin");
        fill_photo(&p, n);
        store_photo(store, root, &p);
        if (n % 10000 == 9999 || n + 1 == n_rows)
            must(pd_store_commit(store, NULL), "commit");
    }
    pd_columns *columns = NULL;
    const double before = resident_mb();
    int64_t start = bench_cpu_ns();
    must(pd_columns_open(&columns, store, NULL, NULL), "open");
    print_value(n_rows, "memory with SQLite's", "MB", resident_mb() - before);
    print_value(n_rows, "opened from the catalogue", "ms", cpu_ms_since(start));
    pd_columns_close(&columns);
    must(pd_columns_open(&columns, store, cache, NULL), "open");
    pd_columns_close(&columns);
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        start = bench_cpu_ns();
        must(pd_columns_open(&columns, store, cache, NULL), "open");
        times[i] = cpu_ms_since(start);
        pd_columns_close(&columns);
    }
    print_times(n_rows, "opened from the file beside the catalogue", times);
}

static void remove_files(void)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < PD_COUNT_OF(ends); i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", catalogue, ends[i]);
        (void)unlink(name);
    }
    (void)unlink(cache);
}

int main(int argc, char **argv)
{
    bool with_catalogue = true;
    size_t sizes[8], n_sizes = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--no-catalogue") == 0)
            with_catalogue = false;
        else if (n_sizes < PD_COUNT_OF(sizes))
            sizes[n_sizes++] = strtoul(argv[i], NULL, 10);
    if (!n_sizes)
        sizes[n_sizes++] = 1000000;
    if (!mkdtemp(dir))
        must(PD_ERR_IO, dir);
    snprintf(catalogue, sizeof catalogue, "%s/catalogue.sqlite", dir);
    snprintf(cache, sizeof cache, "%s/columns", dir);
    puts(BENCH_COLUMNS);
    for (size_t i = 0; i < n_sizes; i++) {
        pd_store *store = NULL;
        must(pd_store_open(&store, catalogue, PD_STORE_WRITE, NULL), "catalogue");
        measure(sizes[i], store);
        if (with_catalogue)
            measure_catalogue(sizes[i], store);
        pd_store_close(&store);
        remove_files();
    }
    (void)rmdir(dir);
    return 0;
}
