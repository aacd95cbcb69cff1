#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "media/media.h"

typedef struct extension {
    char text[8];
    bool is_learned; /* false: known, and left out of the library */
} extension;

static const extension extensions[] = {
    { "jpg", true },
    { "jpeg", true },
    { "jpe", true },
    { "jfif", true },
    { "jif", true },
    { "mpo", true },
    { "png", true },
    { "apng", true },
    { "webp", true },
    { "gif", true },
    { "bmp", true },
    { "dib", true },
    { "tif", true },
    { "tiff", true },
    { "heic", true },
    { "heif", true },
    { "heics", true },
    { "heifs", true },
    { "hif", true },
    { "avif", true },
    { "avifs", true },
    { "avci", true },
    { "jxl", true },
    { "jp2", true },
    { "j2k", true },
    { "j2c", true },
    { "jpc", true },
    { "jpf", true },
    { "jpx", true },
    { "jpm", true },
    { "insp", true },
    /* drawings and documents */
    { "svg", false },
    { "svgz", false },
    { "pdf", false },
    { "eps", false },
    { "ai", false },
    { "psd", false },
    { "psb", false },
    { "xcf", false },
    { "kra", false },
    { "ico", false },
    { "cur", false },
    { "exr", false },
    { "hdr", false },
    { "tga", false },
    { "pcx", false },
    { "ppm", false },
    { "pgm", false },
    { "pbm", false },
    { "djvu", false },
    { "jxr", false },
    { "wdp", false },
    { "qoi", false },
    { "dds", false },
    /* raw files of cameras */
    { "dng", false },
    { "cr2", false },
    { "cr3", false },
    { "crw", false },
    { "nef", false },
    { "nrw", false },
    { "arw", false },
    { "srf", false },
    { "sr2", false },
    { "rw2", false },
    { "rwl", false },
    { "raw", false },
    { "orf", false },
    { "raf", false },
    { "pef", false },
    { "srw", false },
    { "x3f", false },
    { "3fr", false },
    { "fff", false },
    { "iiq", false },
    { "erf", false },
    { "kdc", false },
    { "dcr", false },
    { "mef", false },
    { "mos", false },
    { "mrw", false },
    { "gpr", false },
    /* videos */
    { "mp4", false },
    { "m4v", false },
    { "mov", false },
    { "avi", false },
    { "mkv", false },
    { "webm", false },
    { "mts", false },
    { "m2ts", false },
    { "3gp", false },
    { "3g2", false },
    { "wmv", false },
    { "mpg", false },
    { "mpeg", false },
    { "flv", false },
    { "ogv", false },
    { "insv", false },
};

bool pd_media_is_candidate(const char *name, bool *ret_skipped)
{
    *ret_skipped = false;
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    if (!dot || dot == base) /* ".jpg" is a hidden file without extension */
        return false;
    for (size_t i = 0; i < PD_COUNT_OF(extensions); i++)
        if (strcasecmp(dot + 1, extensions[i].text) == 0) {
            *ret_skipped = !extensions[i].is_learned;
            return extensions[i].is_learned;
        }
    return false;
}
