/* library_early.c: what was learned with a model before all of it was here.
 *
 * It is kept under the id that the model will have, and nobody has checked the bytes that it was made with: they may
 * turn out to be wrong much later, in another process, after this one was killed. So the catalogue has a note, the
 * setting "early NAME", from before the first picture is learned until the image tower is here as it was promised: the
 * id, and a digest of the tower that was used. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "library/library_parts.h"

#define NOTE_NAME_BYTES (PD_HUB_KEY_BYTES + 16)

typedef struct note {
    char name[NOTE_NAME_BYTES]; /* of the setting */
    char *text;                 /* "<id> <digest>"; NULL: there is none */
} note;

static void name_note(char ret_name[NOTE_NAME_BYTES], const char *model)
{
    (void)snprintf(ret_name, NOTE_NAME_BYTES, "early %.*s", PD_HUB_KEY_BYTES, pd_library_short_name(model));
}

static pd_status ask_note(pd_store *store, void *user, pd_error *err)
{
    note *n = user;
    return pd_store_setting_get(store, n->name, &n->text, err);
}

static pd_status read_note(pd_library *library, const char *model, note *ret_note, pd_error *err)
{
    *ret_note = (note){ .text = NULL };
    name_note(ret_note->name, model);
    return pd_library_ask_store(library, ask_note, ret_note, err);
}

static pd_status put_note(pd_library *library, const note *n, const char *text, pd_error *err)
{
    pd_store *store = NULL;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_setting_put(store, n->name, text, err);
    pd_library_end_writing(library);
    return status;
}

/* The note goes last: whoever is stopped in between begins again. */
static pd_status forget(pd_library *library, const note *n, pd_error *err)
{
    char id[PD_SHA256_TEXT_BYTES];
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(n->text, " "), n->text);
    PD_TRY(pd_library_forget_learned(library, id, err));
    return put_note(library, n, NULL, err);
}

static pd_status begin(pd_library *library, const note *n, const pd_library_choice *choice, pd_error *err)
{
    char digest[PD_SHA256_TEXT_BYTES], text[2 * PD_SHA256_TEXT_BYTES];
    PD_TRY(pd_model_hash_vision(choice->dir, digest, err));
    (void)snprintf(text, sizeof text, "%s %s", choice->id, digest);
    if (n->text && strcmp(n->text, text) != 0)
        PD_TRY(forget(library, n, err));
    return put_note(library, n, text, err);
}

pd_status pd_library_early_begin(pd_library *library, const pd_library_choice *choice, pd_error *err)
{
    note n;
    pd_status status = read_note(library, choice->name, &n, err);
    if (status == PD_OK)
        status = begin(library, &n, choice, err);
    pd_mem_free(n.text);
    return status;
}

static pd_status judge(pd_library *library, const note *n, const char *dir, pd_error *err)
{
    char digest[PD_SHA256_TEXT_BYTES];
    PD_TRY(pd_model_hash_vision(dir, digest, err));
    const char *used = strchr(n->text, ' ');
    if (!used || strcmp(used + 1, digest) != 0)
        return forget(library, n, err);
    (void)!put_note(library, n, NULL, NULL); /* a catalogue that cannot be written can be searched all the same */
    return PD_OK;
}

pd_status pd_library_early_judge(pd_library *library, const char *model, const char *dir, pd_error *err)
{
    note n;
    if (!dir || pd_library_is_arriving(dir))
        return PD_OK;
    pd_status status = read_note(library, model, &n, err);
    if (status == PD_OK && n.text)
        status = judge(library, &n, dir, err);
    pd_mem_free(n.text);
    return status;
}

pd_status pd_library_early_revoke(pd_library *library, const char *model, pd_error *err)
{
    note n;
    pd_status status = read_note(library, model, &n, err);
    if (status == PD_OK && n.text)
        status = forget(library, &n, err);
    pd_mem_free(n.text);
    return status;
}

pd_status pd_library_early_look(pd_store *store, const char *model, bool *ret_early, pd_error *err)
{
    note n = { .text = NULL };
    name_note(n.name, model);
    PD_TRY(ask_note(store, &n, err));
    *ret_early = n.text != NULL;
    pd_mem_free(n.text);
    return PD_OK;
}
