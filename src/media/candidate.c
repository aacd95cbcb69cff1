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
    /* raw files of cameras */
    { "dng", true },
    { "cr2", true },
    { "cr3", true },
    { "crw", true },
    { "nef", true },
    { "nrw", true },
    { "arw", true },
    { "srf", true },
    { "sr2", true },
    { "rw2", true },
    { "rwl", true },
    { "raw", true },
    { "orf", true },
    { "raf", true },
    { "pef", true },
    { "srw", true },
    { "x3f", true },
    { "3fr", true },
    { "fff", true },
    { "iiq", true },
    { "erf", true },
    { "kdc", true },
    { "dcr", true },
    { "mef", true },
    { "mos", true },
    { "mrw", true },
    { "gpr", true },
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
