#include "decoder/sniff.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "decoder/bytes.h"
#include "decoder/tiff.h"

enum {
    BRANDS_MAX = 64,     /* brands of a ftyp box that are looked at */
    SUBDIRECTORIES = 16, /* of the first directory of a TIFF file that are looked at */
};

enum {
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_SUBDIRECTORIES = 330,
    TAG_DNG_VERSION = 50706,
};

/* What the directories of a TIFF file say about its being raw. */
typedef struct raw_signs {
    bool is_raw;
    uint64_t subdirectories[SUBDIRECTORIES];
    size_t n;
} raw_signs;

static void note_raw_sign(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    /* colour filter arrays, linear DNG; codings of Sony, Samsung, Nikon, Kodak, Pentax */
    static const uint32_t photometrics[] = { 32803, 34892 }, codings[] = { 32767, 32770, 32772, 34713, 65000, 65535 };
    raw_signs *signs = user;
    uint64_t value = 0;
    if (entry->tag == TAG_DNG_VERSION)
        signs->is_raw = true;
    for (uint64_t i = 0; entry->tag == TAG_SUBDIRECTORIES && signs->n < SUBDIRECTORIES; i++)
        if (!pd_tiff_whole(tiff, entry, i, &signs->subdirectories[signs->n++]))
            break;
    if ((entry->tag != TAG_PHOTOMETRIC && entry->tag != TAG_COMPRESSION) || !pd_tiff_whole(tiff, entry, 0, &value))
        return;
    for (size_t i = 0; entry->tag == TAG_PHOTOMETRIC && i < PD_COUNT_OF(photometrics); i++)
        signs->is_raw |= value == photometrics[i];
    for (size_t i = 0; entry->tag == TAG_COMPRESSION && i < PD_COUNT_OF(codings); i++)
        signs->is_raw |= value == codings[i];
}

static pd_image_type sniff_tiff(const uint8_t *data, size_t len)
{
    pd_tiff tiff;
    uint64_t first;
    raw_signs signs = { .is_raw = len >= 10 && memcmp(data + 8, "CR", 2) == 0 }; /* Canon's mark */
    if (!pd_tiff_open(data, len, &tiff, &first))
        return PD_IMAGE_TIFF;
    pd_tiff_walk(&tiff, first, note_raw_sign, &signs);
    const size_t n = signs.n;
    for (size_t i = 0; i < n && !signs.is_raw; i++)
        pd_tiff_walk(&tiff, signs.subdirectories[i], note_raw_sign, &signs);
    return signs.is_raw ? PD_IMAGE_RAW : PD_IMAGE_TIFF;
}

static bool has_at(const uint8_t *data, size_t len, size_t offset, const char *bytes, size_t n)
{
    return offset + n <= len && memcmp(data + offset, bytes, n) == 0;
}

static bool is_one_of(const uint8_t *brand, const char brands[][5], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(brand, brands[i], 4) == 0)
            return true;
    return false;
}

/* ISO base media: the major brand decides when it names a codec; generic ones ("mif1") leave it to the others. */
static pd_image_type sniff_brands(const uint8_t *data, size_t len)
{
    if (memcmp(data + 8, "crx ", 4) == 0) /* Canon's CR3 */
        return PD_IMAGE_RAW;
    static const char avif[][5] = { "avif", "avis" };
    static const char heif[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm",
                                    "hevs", "mif1", "mif2", "msf1", "avci", "avcs", "MiHE" };
    size_t box = pd_be32(data);
    box = box > len ? len : box;
    pd_image_type found = PD_IMAGE_UNKNOWN;
    const size_t end = box > 16 + 4 * BRANDS_MAX ? 16 + 4 * BRANDS_MAX : box;
    for (size_t i = 8; i + 4 <= end; i += i == 8 ? 8 : 4) { /* major brand, its version, then the compatible ones */
        if (is_one_of(data + i, avif, PD_COUNT_OF(avif)))
            return PD_IMAGE_AVIF;
        if (is_one_of(data + i, heif, PD_COUNT_OF(heif))) {
            if (memcmp(data + i, "mif1", 4) != 0 && memcmp(data + i, "msf1", 4) != 0 &&
                memcmp(data + i, "mif2", 4) != 0)
                return PD_IMAGE_HEIF;
            found = PD_IMAGE_HEIF;
        }
    }
    return found;
}

/* "BM" alone begins too many other files: the size of the second header must be one that exists. */
static bool is_bmp(const uint8_t *data, size_t len)
{
    static const uint8_t header_bytes[] = { 12, 16, 40, 52, 56, 64, 108, 124 };
    if (!has_at(data, len, 0, "BM", 2) || len < 26 || data[15] || data[16] || data[17])
        return false;
    return memchr(header_bytes, data[14], sizeof header_bytes) != NULL;
}

pd_image_type pd_sniff_type(const uint8_t *data, size_t len)
{
    static const struct {
        const char *bytes;
        uint8_t n;
        pd_image_type type;
    } magics[] = {
        { "\xFF\xD8\xFF", 3, PD_IMAGE_JPEG },
        { "\x89PNG\r\n\x1A\n", 8, PD_IMAGE_PNG },
        { "GIF87a", 6, PD_IMAGE_GIF },
        { "GIF89a", 6, PD_IMAGE_GIF },
        { "II*\0", 4, PD_IMAGE_TIFF },
        { "MM\0*", 4, PD_IMAGE_TIFF },
        { "II+\0", 4, PD_IMAGE_TIFF }, /* BigTIFF */
        { "MM\0+", 4, PD_IMAGE_TIFF },
        { "\xFF\x0A", 2, PD_IMAGE_JXL },
        { "\0\0\0\x0CJXL \r\n\x87\n", 12, PD_IMAGE_JXL },
        { "\0\0\0\x0CjP  \r\n\x87\n", 12, PD_IMAGE_JP2 },
        { "\xFF\x4F\xFF\x51", 4, PD_IMAGE_JP2 }, /* a bare codestream */
        { "IIRO", 4, PD_IMAGE_RAW },             /* Olympus */
        { "IIRS", 4, PD_IMAGE_RAW },
        { "MMOR", 4, PD_IMAGE_RAW },
        { "IIU\0", 4, PD_IMAGE_RAW }, /* Panasonic */
        { "FUJIFILMCCD-RAW", 15, PD_IMAGE_RAW },
        { "II\x1A\0\0\0HEAPCCDR", 14, PD_IMAGE_RAW }, /* Canon, until 2004 */
        { "\0MRM", 4, PD_IMAGE_RAW },                 /* Minolta */
        { "FOVb", 4, PD_IMAGE_RAW },                  /* Sigma */
    };
    for (size_t i = 0; i < PD_COUNT_OF(magics); i++)
        if (has_at(data, len, 0, magics[i].bytes, magics[i].n))
            return magics[i].type == PD_IMAGE_TIFF ? sniff_tiff(data, len) : magics[i].type;
    if (has_at(data, len, 0, "RIFF", 4) && has_at(data, len, 8, "WEBP", 4))
        return PD_IMAGE_WEBP;
    if (len >= 16 && has_at(data, len, 4, "ftyp", 4))
        return sniff_brands(data, len);
    return is_bmp(data, len) ? PD_IMAGE_BMP : PD_IMAGE_UNKNOWN;
}

const char *pd_image_type_name(pd_image_type type)
{
    static const char *const names[PD_IMAGE_TYPE_COUNT] = { "",     "jpeg", "png",  "webp", "gif", "bmp",
                                                            "tiff", "heif", "avif", "jxl",  "jp2", "raw" };
    return names[type];
}

const char *pd_sniff_other(const uint8_t *data, size_t len)
{
    static const struct {
        const char *bytes;
        uint8_t offset, n;
        const char *what;
    } others[] = {
        { "PK\x03\x04", 0, 4, "a ZIP archive or an office document" },
        { "%PDF-", 0, 5, "a PDF document" },
        { "<svg", 0, 4, "an SVG drawing" },
        { "<?xml", 0, 5, "an XML document" },
        { "<html", 0, 5, "a web page" },
        { "<!DOCTYPE", 0, 9, "a web page" },
        { "8BPS", 0, 4, "a Photoshop document" },
        { "ftyp", 4, 4, "a video" },
        { "RIFF", 0, 4, "a sound or a video" },
        { "\x1A\x45\xDF\xA3", 0, 4, "a video" },
        { "\x7F"
          "ELF",
          0, 4, "a program" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(others); i++)
        if (has_at(data, len, others[i].offset, others[i].bytes, others[i].n))
            return others[i].what;
    return NULL;
}
