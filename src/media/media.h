/* media.h: pictures decoded in other processes.
 *
 * A pd_media_pool owns decoder processes (the executable pixel-detective-decoder). pd_media_decode hands an open,
 * read-only file descriptor to one of them and waits; what comes back lies in a slot of shared memory that the
 * pd_picture owns until it is released. A crash, a hang or a lie of a decoder costs that one call (PD_ERR_CRASHED,
 * PD_ERR_TIMEOUT, PD_ERR_FORMAT), and a fresh process takes its place. The pool is internally locked: as many threads
 * may decode as there are processes; more simply wait. Pictures may be released by any thread. */
#ifndef PD_MEDIA_MEDIA_H
#define PD_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/look.h"
#include "base/texts.h"

#define PD_MEDIA_THUMB_SIDE 320                        /* px, long side of the WebP thumbnail */
#define PD_MEDIA_RENDITION_SIDE_MAX 16384              /* px, long side of a JPEG made on demand */
#define PD_MEDIA_FILE_MS_MAX 10000                     /* wall time for one file */
#define PD_MEDIA_DECODER_BYTES_MAX ((uint64_t)1 << 30) /* address space a decoder may add for one file */
#define PD_MEDIA_PIXELS_MAX ((uint64_t)500 * 1000 * 1000)
#define PD_MEDIA_FILE_BYTES_MAX ((uint64_t)2 << 30)

#define PD_MEDIA_SIDECAR_BYTES_MAX ((uint64_t)4 << 20) /* an .xmp file beside a picture */

#define PD_MEDIA_SUBSEC_BYTES 16
#define PD_MEDIA_ABSENT INT32_MIN

/* Grows when the readers of metadata learn to find more: what an older one found is then found again. */
#define PD_MEDIA_READER_VERSION 1

/* What the metadata of a file, and of an .xmp file beside it, says; absent: "" / NAN / 0. Texts are valid UTF-8 without
 * control characters. */
typedef struct pd_photo_meta {
    char taken[32];                     /* "YYYY-MM-DDTHH:MM:SS" or with "+HH:MM", "" when none, zeros or nonsense */
    char taken_source[8];               /* "exif", "xmp" or "" */
    char subsec[PD_MEDIA_SUBSEC_BYTES]; /* digits after the point of `taken`'s seconds, "" when not said */
    char make[64], model[64], lens[96];
    uint32_t orientation;                 /* EXIF 1..8 as stored; 1 when absent */
    uint32_t iso;                         /* 0: unknown */
    int32_t flash;                        /* EXIF's bits, bit 0: it fired; PD_MEDIA_ABSENT */
    int32_t white_balance;                /* 0 automatic, 1 set by hand; PD_MEDIA_ABSENT */
    int32_t rating;                       /* 0 (none given) to 5, -1 rejected; PD_MEDIA_ABSENT */
    uint32_t unused;                      /* 0 */
    double exposure_s, fnumber, focal_mm; /* NAN: unknown */
    double focal35_mm;                    /* of a lens with the same view on 36 x 24 mm; NAN: unknown */
    double gps_lat, gps_lon, gps_alt;     /* signed degrees, metres; NAN: unknown */
} pd_photo_meta;

/* One decoded picture. Upright, sRGB, alpha flattened over white. */
typedef struct pd_picture {
    char type[8];           /* by content, lower case: jpeg png webp gif bmp tiff heif avif jxl jp2 raw */
    uint32_t width, height; /* upright display size of the whole picture */
    uint32_t pages;         /* > 1: animation or multi-page; the first was decoded */
    bool has_pixels;        /* false: metadata only, `pixels_error` says why (or a rendition was asked for) */
    char pixels_error[240];
    const uint8_t *pixels; /* [pixel_height, pixel_width, 3], rows packed; the whole picture, perhaps scaled down */
    uint32_t pixel_width, pixel_height; /* short side >= min(own short side, short_side_min of the request) */
    const uint8_t *thumb;               /* WebP file, or NULL when not asked for */
    size_t thumb_bytes;
    const uint8_t *rendition; /* JPEG file, sRGB, no metadata; NULL: not asked for, or `pixels_error` says why not */
    size_t rendition_bytes;
    uint64_t phash; /* 64-bit DCT hash of the upright picture */
    pd_look look;   /* its sharpness and colours; with pixels only */
    pd_photo_meta meta;
    pd_texts texts; /* owned: moves with the picture, or with whoever takes it out */
    void *slot;     /* private */
} pd_picture;

typedef struct pd_media_request {
    uint32_t short_side_min; /* px: short side of the pixels wanted, e.g. twice the model's input */
    bool thumb;              /* make the WebP too */
    uint32_t rendition_side; /* px, 0: none; else make a JPEG of the whole picture with at most this long side, never
                                enlarged, in place of pixels, hash and thumbnail. > PD_MEDIA_RENDITION_SIDE_MAX:
                                PD_ERR_LIMIT */
    uint32_t timeout_ms;     /* 0: PD_MEDIA_FILE_MS_MAX */
    bool meta_only;          /* neither pixels nor thumbnail: has_pixels will be false */
    bool has_sidecar; /* sidecar_fd (read-only, stays the caller's) is an .xmp file that belongs to the picture */
    int sidecar_fd;
} pd_media_request;

typedef struct pd_media_options {
    const char *decoder_path; /* NULL: `pixel-detective-decoder` beside the running executable, or as installed */
    unsigned n_processes;     /* 1..64 */
    unsigned n_slots;         /* pictures that may be alive at once, >= n_processes */
} pd_media_options;

void pd_media_options_init(pd_media_options *ret_options); /* one process a CPU, three slots a process */

typedef struct pd_media_pool pd_media_pool;

/* Processes are started on first need, not here. */
PD_MUST_USE pd_status pd_media_pool_create(pd_media_pool **ret_pool, const pd_media_options *options, pd_error *err);
/* Ends the processes; no picture may be alive. */
void pd_media_pool_free(pd_media_pool **pool);

/* Decodes the file behind `fd` (read-only, seekable; stays the caller's). On PD_OK *ret_picture is released with
 * pd_picture_release. Waits while every slot is taken. The error sentence speaks of the picture without naming it: the
 * caller knows the name. FORMAT: not a picture or damaged beyond use; UNSUPPORTED; LIMIT; CRASHED; TIMEOUT; NOMEM; IO.
 */
PD_MUST_USE pd_status pd_media_decode(pd_media_pool *pool, int fd, const pd_media_request *request,
                                      pd_picture *ret_picture, pd_error *err);
void pd_picture_release(pd_picture *picture); /* safe for a zeroed picture; frees its texts; zeroes it */

/* What is said about a picture, put into the .xmp file beside it (decoder/xmp_merge.h tells how): parsed and written by
 * a decoder process, for a sidecar is foreign bytes too. fd: the sidecar (read-only, stays the caller's); -1: a new one
 * is begun. texts: TITLE, DESCRIPTION and KEYWORDs. *ret_xmp: the whole new document, [*ret_bytes], heap (pd_mem_free).
 * Errors as pd_media_decode, of the sidecar. */
typedef struct pd_sidecar_words {
    pd_texts texts;
    int32_t rating; /* -1..5; PD_MEDIA_ABSENT: nothing is said */
} pd_sidecar_words;
PD_MUST_USE pd_status pd_media_merge_sidecar(pd_media_pool *pool, int fd, const pd_sidecar_words *words, char **ret_xmp,
                                             size_t *ret_bytes, pd_error *err);

/* The walls around a decoder process (docs/sandbox.md). The kernel decides which of them there can be. */
typedef enum pd_wall {
    PD_WALL_SYSCALLS = 1,    /* a list of system calls (seccomp) */
    PD_WALL_FILES = 2,       /* no file is opened, made or removed (Landlock) */
    PD_WALL_NETWORK = 4,     /* no TCP connection (Landlock, Linux 6.7) */
    PD_WALL_SIGNALS = 8,     /* no signal to other processes (Landlock, Linux 6.12) */
    PD_WALL_PRIVILEGES = 16, /* no capability; the process cannot be looked into */
    PD_WALL_LIMITS = 32,     /* processor time, descriptors, nothing written, no core file */
    PD_WALL_MEMORY = 64,     /* address space */
} pd_wall;
#define PD_WALLS_ALL UINT32_C(127)

/* The walls of the decoder that was started last, as it says itself; 0 while none was started. */
uint32_t pd_media_walls(pd_media_pool *pool);

/* A sentence about them for a log: "decoders work behind all 7 walls", or which ones are missing. */
void pd_media_walls_describe(uint32_t walls, char *ret_text, size_t size);

/* Wakes every waiting pd_media_decode with PD_ERR_CANCELLED, ends the decoder processes, and refuses more work. */
void pd_media_pool_cancel(pd_media_pool *pool);

/* Candidates by file name: true for an extension that is learned (any case); *ret_skipped is set for extensions that
 * are known and not learned (svg pdf mp4 ...). Content decides later. */
bool pd_media_is_candidate(const char *name, bool *ret_skipped);

#endif
