/* Whole files of every kind, as a picture and as a sidecar: boxes, chunks, segments, and the choice between sources. */
#include <stddef.h>
#include <stdint.h>

#include "decoder/meta.h"
#include "photo_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_once(const pd_meta_input *input)
{
    pd_photo_meta meta;
    pd_buf texts;
    pd_buf_init(&texts, PD_TEXTS_BYTES_MAX);
    if (pd_meta_read(input, &meta, &texts) != PD_OK)
        abort();
    check_facts(&meta);
    if (meta.orientation < 1 || !pd_texts_are_sound((pd_texts){ texts.data, texts.len }))
        abort();
    pd_buf_done(&texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    read_once(&(pd_meta_input){ .data = data, .len = size });
    read_once(&(pd_meta_input){ .data = nothing, .len = 0, .sidecar = data, .sidecar_bytes = size });
    return 0;
}
