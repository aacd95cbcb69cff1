/* pipe.h: what the program and pixel-detective-fetch say to each other. Both sides come from one build; the program
 * checks what it is told all the same, because the other side listens to strangers.
 *
 * Lines of JSON over two pipes, each an object, none longer than PD_FETCH_LINE_BYTES_MAX:
 *
 *   program -> fetch   one request, on standard input. What follows is not read; the end of the pipe cancels
 *   fetch -> program   reports, on standard output; the last one has "outcome"
 *
 *   request {"version":1,"endpoint","token":null|text,"repository","revision","key","models_dir"}
 *           and, for tests: "stall_ms" (silence after which a connection is given up), "connect_ms" (the longest
 *           wait for one), "retry_ms" (the first wait before a new try)
 *   report  {"phase":"small","done":N,"total":N,"revision":"<commit>","sha256":"<of the weights>"|"",
 *           "vision_ready":bool,"vision_bytes":N|0} and in the last one "outcome":"ok"|<name of a pd_status>,
 *           "message", "dir" */
#ifndef PD_HUB_PIPE_H
#define PD_HUB_PIPE_H

#include <string.h>

#include "base/str.h"
#include "hub/hub.h"

#define PD_FETCH_VERSION 1
#define PD_FETCH_LINE_BYTES_MAX ((size_t)64 << 10)
#define PD_FETCH_PROGRAM "pixel-detective-fetch"

/* Names on disk. */
#define PD_PULL_PART ".part"       /* behind the key, while it arrives */
#define PD_PULL_RECORD "pull.json" /* docs/formats.md */
#define PD_PULL_LOCK "pull.lock"   /* in the .part folder: held (flock) by who fetches into it */
#define PD_PULL_RECORD_BYTES_MAX ((size_t)4 << 20)

static inline const char *pd_fetch_phase_name(pd_pull_phase phase)
{
    static const char *const names[PD_PULL_PHASE_COUNT] = {
        [PD_PULL_LIST] = "list", [PD_PULL_SMALL] = "small", [PD_PULL_VISION] = "vision",
        [PD_PULL_REST] = "rest", [PD_PULL_CHECK] = "check", [PD_PULL_READY] = "ready",
    };
    return (unsigned)phase < PD_PULL_PHASE_COUNT ? names[phase] : "unknown";
}

/* What a model whose config.json says `architecture` is for; false: for nothing that this program does. */
static inline bool pd_fetch_kind(pd_str architecture, pd_hub_kind *ret_kind)
{
    static const struct {
        const char *architecture;
        pd_hub_kind kind;
    } known[] = {
        { "CLIPModel", PD_HUB_SEARCH },
        { "VisionTextDualEncoderModel", PD_HUB_SEARCH },
        { "BlipForConditionalGeneration", PD_HUB_CAPTIONS },
        { "VisionEncoderDecoderModel", PD_HUB_CAPTIONS },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (pd_str_equal(architecture, pd_str_of(known[i].architecture))) {
            *ret_kind = known[i].kind;
            return true;
        }
    return false;
}

/* A part of a name on the hub, which becomes a part of a path and of an address: letters, digits, '-', '_', '.', and it
 * begins with a letter, a digit or '_'. */
static inline bool pd_fetch_is_name(const char *text, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (len == 0 || len > 96 || text[0] == '-' || text[0] == '.')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!text[i] || !strchr(letters, text[i]))
            return false;
    return true;
}

#endif
