#include "hub/hub.h"

#include <strings.h>
#include <string.h>

#define MB INT64_C(1000000)

/* Where revisions and sizes come from: nothing on the hub could be asked while this was written. Commits are those that
 * published programs pin (and that exist for that reason): B/32 is the conversion to safetensors of refs/pr/15; those
 * of B/16 and BLIP base are main, of which published code says that it may hold pytorch_model.bin alone: that is read
 * too. For TinyCLIP 61M no commit was found: its `main` is what is fetched, and pull.json then says which commit that
 * was. Sizes to the byte are those of published programs (B/32, BLIP large); the others are counted from the number of
 * parameters, and rounded to a million. The hub's own list is what counts when a model is fetched.
 *
 * picture_ms and dial are 0 but for what was measured here (models/tiny/README.md, SPEED.md): no weights of the others
 * were ever on this machine. */
static const pd_hub_entry entries[] = {
    {
        .key = "tiny",
        .name = "Tiny",
        .kind = PD_HUB_SEARCH,
        .licence = "research and personal use (THIRD_PARTY.md)",
        .languages = "English",
        .text = "Comes with the program. Very fast; finds everyday things and scenes, and is often wrong on details.",
        .picture_ms = 4,
        .dial = 2,
    },
    {
        .key = "tiny-caption",
        .name = "Tiny captions",
        .kind = PD_HUB_CAPTIONS,
        .licence = "research and personal use (THIRD_PARTY.md)",
        .languages = "English",
        .text = "Comes with the program. Writes a short sentence for a picture, over the image tower of Tiny.",
    },
    {
        .key = "openai--clip-vit-base-patch32",
        .name = "CLIP B/32",
        .repository = "openai/clip-vit-base-patch32",
        .revision = "b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text =
            "The classic: understands sentences and details far better than Tiny, and is still quick to learn with.",
        .bytes = 605157884 + 4 * MB,
    },
    {
        .key = "openai--clip-vit-base-patch16",
        .name = "CLIP B/16",
        .repository = "openai/clip-vit-base-patch16",
        .revision = "57c216476eefef5ab752ec549e440a49ae4ae5f3",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "Sees smaller things than CLIP B/32; learning takes about four times as long.",
        .bytes = 602 * MB,
    },
    {
        .key = "openai--clip-vit-large-patch14",
        .name = "CLIP L/14",
        .repository = "openai/clip-vit-large-patch14",
        .revision = "32bd64288804d66eefd0ccbe215aa642df71cc41",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "The large one of OpenAI's: for patience, or a fast machine.",
        .bytes = 1714 * MB,
    },
    {
        .key = "laion--CLIP-ViT-B-32-laion2B-s34B-b79K",
        .name = "LAION B/32",
        .repository = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        .revision = "1a25a446712ba5ee05982a381eed697ef9b435cf",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "As quick as CLIP B/32, trained on two thousand million open pictures.",
        .bytes = 609 * MB,
    },
    {
        .key = "laion--CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        .name = "DataComp B/32",
        .repository = "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        .revision = "f0e2ffa09cbadab3db6a261ec1ec56407ce42912",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "As quick as CLIP B/32, trained on pictures that were chosen with more care.",
        .bytes = 609 * MB,
    },
    {
        .key = "wkcn--TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
        .name = "TinyCLIP 8M",
        .repository = "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
        .revision = "a2a8c6eaa2549ad66eb7c31b85022bf58273a26c",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "A small CLIP: a short download for a slow line or a small disk.",
        .bytes = 98 * MB,
    },
    {
        .key = "wkcn--TinyCLIP-ViT-40M-32-Text-19M-LAION400M",
        .name = "TinyCLIP 40M",
        .repository = "wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M",
        .revision = "95ec8197b3f2fe7f747865c61ca556cf0768b2f7",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "Half of CLIP B/32, learned from it: quicker, and nearly as good at everyday things.",
        .bytes = 341 * MB,
    },
    {
        .key = "wkcn--TinyCLIP-ViT-61M-32-Text-29M-LAION400M",
        .name = "TinyCLIP 61M",
        .repository = "wkcn/TinyCLIP-ViT-61M-32-Text-29M-LAION400M",
        .revision = "main",
        .kind = PD_HUB_SEARCH,
        .licence = "MIT",
        .languages = "English",
        .text = "Three quarters of CLIP B/32, learned from it.",
        .bytes = 465 * MB,
    },
    {
        .key = "Salesforce--blip-image-captioning-base",
        .name = "BLIP base",
        .repository = "Salesforce/blip-image-captioning-base",
        .revision = "82a37760796d32b1411fe092ab5d4e227313294b",
        .kind = PD_HUB_CAPTIONS,
        .licence = "BSD-3-Clause",
        .languages = "English",
        .text = "Writes better sentences than the one that ships; a picture takes seconds.",
        .bytes = 991 * MB,
    },
    {
        .key = "Salesforce--blip-image-captioning-large",
        .name = "BLIP large",
        .repository = "Salesforce/blip-image-captioning-large",
        .revision = "353689b859fcf0523410b1806dace5fb46ecdf41",
        .kind = PD_HUB_CAPTIONS,
        .licence = "BSD-3-Clause",
        .languages = "English",
        .text = "Writes the best sentences here, slowly.",
        .bytes = 1879014680 + 1 * MB,
    },
};

const pd_hub_entry *pd_hub_catalogue(size_t *ret_n)
{
    *ret_n = PD_COUNT_OF(entries);
    return entries;
}

const pd_hub_entry *pd_hub_find(const char *text)
{
    for (size_t i = 0; i < PD_COUNT_OF(entries); i++) {
        const pd_hub_entry *entry = &entries[i];
        if (strcmp(text, entry->key) == 0 || strcasecmp(text, entry->name) == 0 ||
            (entry->repository && strcmp(text, entry->repository) == 0))
            return entry;
    }
    return NULL;
}
