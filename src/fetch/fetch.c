#include "fetch/fetch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "fetch/puller.h"
#include "fetch/tower.h"

enum {
    ROUNDS_MAX = 4,          /* questions for the list, when what comes is not what the list says */
    FIRST_BYTES = 256 << 10, /* of the weights: nearly always the whole header */
    CHECK_BYTES = 1 << 20,
};

static const int64_t save_ns = PD_NS_PER_S;

static pd_piece *weights_of(const pd_puller *puller)
{
    pd_piece *found = NULL;
    for (size_t i = 0; i < puller->record.n; i++)
        if (puller->record.pieces[i].file.is_weights) {
            if (found)
                return NULL; /* shards */
            found = &puller->record.pieces[i];
        }
    return found;
}

static void tell(pd_puller *puller, bool now)
{
    const pd_piece *weights = weights_of(puller);
    const pd_report report = { .phase = puller->phase,
                               .done = puller->done,
                               .total = puller->total,
                               .revision = puller->record.commit,
                               .sha256 = weights ? weights->file.sha256 : "",
                               .vision_ready = puller->vision_ready,
                               .vision_bytes = puller->vision_bytes };
    pd_talk_tell(&puller->talk, &report, now);
}

/* How much of it is not here. */
static int64_t missing_bytes(const pd_spans *here, const pd_spans *wanted)
{
    int64_t bytes = 0;
    pd_span gap;
    for (size_t i = 0; i < wanted->n; i++)
        for (pd_span rest = wanted->items[i]; pd_spans_gap(here, rest, &gap); rest.begin = gap.end)
            bytes += gap.end - gap.begin;
    return bytes;
}

/* Whatever the order in which bytes come: before the tower of a server that knows no ranges, for one. True: it is here
 * now, and was not before. */
static bool look_at_tower(pd_puller *puller)
{
    const pd_piece *weights = weights_of(puller);
    if (puller->vision_ready || !weights || !puller->tower.n)
        return false;
    const int64_t missing = missing_bytes(&weights->here, &puller->tower);
    puller->vision_bytes = puller->done + missing;
    puller->vision_ready = missing == 0;
    return puller->vision_ready;
}

pd_status pd_puller_tick(pd_puller *puller, bool now, pd_error *err)
{
    now |= look_at_tower(puller);
    const int64_t now_ns = pd_clock_ns();
    if (now || now_ns - puller->saved_ns >= save_ns || puller->done - puller->saved_done >= PD_FETCH_SAVE_BYTES) {
        PD_TRY(pd_record_write(&puller->record, puller->place.part, false, err));
        puller->saved_ns = now_ns;
        puller->saved_done = puller->done;
    }
    tell(puller, now);
    return PD_OK;
}

/* A piece of no bytes has no answer to wait for: the file is made all the same. */
static pd_status fetch_all(pd_puller *puller, pd_piece *piece, pd_error *err)
{
    return pd_puller_fetch(puller, piece, (pd_span){ 0, piece->file.size }, err);
}

/* What cannot be used is refused before gigabytes of it are here. */
static pd_status check_config(pd_puller *puller, pd_error *err)
{
    char *path = pd_path_join(puller->place.part, "config.json");
    if (!path)
        return pd_error_set_nomem(err);
    pd_buf text;
    pd_buf_init(&text, 0);
    pd_json *config = NULL;
    pd_status status = pd_file_read(path, (size_t)PD_LISTING_SMALL_BYTES_MAX, &text, err);
    if (status == PD_OK && pd_json_parse(&config, text.data, text.len, NULL) != PD_OK)
        status = pd_error_set(err, PD_ERR_FORMAT, "config.json of %s is no JSON", puller->request.repository);
    pd_str architecture = pd_str_of("");
    pd_hub_kind kind = PD_HUB_CAPTIONS;
    (void)pd_json_read_string(pd_json_at(pd_json_get(config, "architectures"), 0), &architecture);
    if (status == PD_OK && !pd_fetch_kind(architecture, &kind))
        status = pd_error_set(err, PD_ERR_UNSUPPORTED,
                              "%s is of a kind that is not known here ('%.*s'): CLIPModel is one for searching, "
                              "BlipForConditionalGeneration one for captions",
                              puller->request.repository, (int)(architecture.len < 80 ? architecture.len : 80),
                              architecture.ptr);
    puller->is_for_search = kind == PD_HUB_SEARCH;
    pd_json_free(&config);
    pd_buf_done(&text);
    pd_mem_free(path);
    return status;
}

static pd_status read_part(const pd_puller *puller, const pd_piece *piece, pd_span span, void *ret_data, pd_error *err)
{
    char *path = pd_path_join(puller->place.part, piece->file.name);
    if (!path)
        return pd_error_set_nomem(err);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const size_t len = (size_t)(span.end - span.begin);
    const bool good = fd >= 0 && pread(fd, ret_data, len, (off_t)span.begin) == (ssize_t)len;
    if (fd >= 0)
        close(fd);
    pd_mem_free(path);
    return good ? PD_OK : pd_error_set(err, PD_ERR_IO, "cannot read what was fetched of %s", piece->file.name);
}

/* The header of the weights, and from it where the image tower lies. */
static pd_status find_tower(pd_puller *puller, pd_piece *piece, pd_error *err)
{
    uint8_t length[PD_TOWER_LENGTH_BYTES];
    int64_t header_end;
    PD_TRY(pd_puller_fetch(puller, piece,
                           (pd_span){ 0, piece->file.size < FIRST_BYTES ? piece->file.size : FIRST_BYTES }, err));
    if (piece->file.size < PD_TOWER_LENGTH_BYTES)
        return pd_tower_header_end((const uint8_t[PD_TOWER_LENGTH_BYTES]){ 0 }, piece->file.size, &header_end, err);
    PD_TRY(read_part(puller, piece, (pd_span){ 0, PD_TOWER_LENGTH_BYTES }, length, err));
    PD_TRY(pd_tower_header_end(length, piece->file.size, &header_end, err));
    PD_TRY(pd_puller_fetch(puller, piece, (pd_span){ 0, header_end }, err));
    char *header = pd_mem_alloc((size_t)header_end, 1);
    if (!header)
        return pd_error_set_nomem(err);
    pd_spans tower = { 0 };
    pd_status status = read_part(puller, piece, (pd_span){ PD_TOWER_LENGTH_BYTES, header_end }, header, err);
    if (status == PD_OK)
        status = pd_tower_find(header, header_end, piece->file.size, &tower, err);
    pd_mem_free(header);
    if (status == PD_OK && pd_spans_bytes(&tower) <= header_end)
        pd_spans_done(&tower); /* no tower of that name in it */
    pd_spans_done(&puller->tower);
    puller->tower = tower;
    return status;
}

/* The order is the point: a folder can be learned while the words still arrive. */
static pd_status fetch_tower(pd_puller *puller, pd_error *err)
{
    pd_piece *piece = weights_of(puller);
    if (!puller->is_for_search || !piece || strcmp(piece->file.name, "model.safetensors") != 0 ||
        !piece->file.sha256[0])
        return PD_OK;
    puller->phase = PD_PULL_VISION;
    const pd_status status = find_tower(puller, piece, err);
    if (status == PD_ERR_FORMAT)
        pd_puller_forget(puller, piece); /* if it was the way and not the file, the next pull finds it better */
    PD_TRY(status);
    for (size_t i = 0; i < puller->tower.n; i++)
        PD_TRY(pd_puller_fetch(puller, piece, puller->tower.items[i], err));
    return PD_OK;
}

static pd_status fetch_pieces(pd_puller *puller, pd_error *err)
{
    pd_record *record = &puller->record;
    puller->phase = PD_PULL_SMALL;
    for (size_t i = 0; i < record->n; i++)
        if (!record->pieces[i].file.is_weights) {
            PD_TRY(fetch_all(puller, &record->pieces[i], err));
            if (strcmp(record->pieces[i].file.name, "config.json") == 0)
                PD_TRY(check_config(puller, err));
        }
    PD_TRY(fetch_tower(puller, err));
    puller->phase = PD_PULL_REST;
    for (size_t i = 0; i < record->n; i++)
        if (record->pieces[i].file.is_weights)
            PD_TRY(fetch_all(puller, &record->pieces[i], err));
    return PD_OK;
}

static pd_status hash_piece(pd_puller *puller, const pd_piece *piece, char ret_text[PD_SHA256_TEXT_BYTES],
                            pd_error *err)
{
    uint8_t *space = pd_mem_alloc(CHECK_BYTES, 1), digest[PD_SHA256_BYTES];
    if (!space)
        return pd_error_set_nomem(err);
    pd_sha256 sha;
    pd_sha256_init(&sha);
    pd_status status = PD_OK;
    for (int64_t at = 0; status == PD_OK && at < piece->file.size;) {
        const int64_t left = piece->file.size - at, step = left < CHECK_BYTES ? left : CHECK_BYTES;
        status = read_part(puller, piece, (pd_span){ at, at + step }, space, err);
        if (status == PD_OK)
            pd_sha256_update(&sha, space, (size_t)step);
        at += step;
        tell(puller, false);
        if (status == PD_OK && pd_talk_is_cancelled(&puller->talk))
            status = pd_error_set(err, PD_ERR_CANCELLED, "cancelled; what is here is kept");
    }
    pd_mem_free(space);
    pd_sha256_finish(&sha, digest);
    pd_sha256_format(digest, ret_text);
    return status;
}

/* PD_ERR_BUSY: a piece is not what was promised, and is not here any more. */
static pd_status check_pieces(pd_puller *puller, pd_error *err)
{
    pd_status verdict = PD_OK;
    puller->phase = PD_PULL_CHECK;
    tell(puller, true);
    for (size_t i = 0; i < puller->record.n; i++) {
        pd_piece *piece = &puller->record.pieces[i];
        char found[PD_SHA256_TEXT_BYTES];
        PD_TRY(hash_piece(puller, piece, found, err));
        piece->is_checked = !piece->file.sha256[0] || strcmp(found, piece->file.sha256) == 0;
        if (piece->is_checked) {
            memcpy(piece->file.sha256, found, sizeof found);
            continue;
        }
        pd_puller_forget(puller, piece);
        puller->vision_ready = false;
        verdict = PD_ERR_BUSY;
    }
    return verdict;
}

/* The folder with the final name is of that commit, and whole: what was asked for is here already. */
static pd_status look_at_final(pd_puller *puller, const pd_listing *listing, pd_error *err)
{
    pd_record old;
    PD_TRY(pd_record_open(&old, puller->place.final, puller->request.repository, puller->request.revision, err));
    puller->is_here = strcmp(old.commit, listing->commit) == 0 && old.n == listing->n;
    for (size_t i = 0; i < old.n; i++)
        puller->is_here = puller->is_here && pd_record_has_file(&old.pieces[i], puller->place.final);
    pd_record_done(&old);
    return PD_OK;
}

static pd_status ask_for_list(pd_puller *puller, pd_error *err)
{
    pd_listing listing = { 0 };
    puller->phase = PD_PULL_LIST;
    tell(puller, true);
    PD_TRY(pd_puller_list(puller, &listing, err));
    pd_status status = pd_record_adopt(&puller->record, &listing, err);
    if (status == PD_OK)
        status = look_at_final(puller, &listing, err);
    pd_listing_done(&listing);
    if (puller->is_here)
        return status;
    for (size_t i = 0; status == PD_OK && i < puller->record.n; i++)
        if (puller->record.pieces[i].file.size < 0)
            status = pd_puller_measure(puller, &puller->record.pieces[i], err);
    PD_TRY(status);
    puller->done = pd_record_here(&puller->record);
    puller->total = pd_record_total(&puller->record);
    puller->vision_ready = false;
    puller->vision_bytes = 0;
    PD_TRY(pd_place_check_room(&puller->place, puller->total - puller->done, err));
    return pd_puller_tick(puller, true, err);
}

static pd_status explain_unstable(const pd_puller *puller, pd_error *err)
{
    for (size_t i = 0; i < puller->record.n; i++)
        if (!puller->record.pieces[i].is_checked && puller->phase == PD_PULL_CHECK)
            return pd_error_set(err, PD_ERR_CORRUPT,
                                "%s is not what the hub promises (its SHA-256 is another): it was not kept; pull again "
                                "later, or another revision",
                                puller->record.pieces[i].file.name);
    return pd_error_set(err, PD_ERR_NETWORK,
                        "%s sends other files than its list says, again and again; pull again later",
                        pd_wire_host(puller->wire));
}

static pd_status pull(pd_puller *puller, pd_error *err)
{
    pd_status status = PD_ERR_BUSY;
    for (int i = 0; i < ROUNDS_MAX && status == PD_ERR_BUSY; i++) {
        PD_TRY(ask_for_list(puller, err));
        if (puller->is_here)
            return pd_dir_remove(puller->place.part, err);
        status = fetch_pieces(puller, err);
        if (status == PD_OK)
            status = check_pieces(puller, err);
    }
    if (status == PD_ERR_BUSY)
        return explain_unstable(puller, err);
    PD_TRY(status);
    return pd_place_finish(&puller->place, &puller->record, err);
}

static pd_status prepare(pd_puller *puller, pd_error *err)
{
    pd_buf line;
    pd_buf_init(&line, PD_FETCH_LINE_BYTES_MAX);
    pd_status status = pd_talk_hear(&puller->talk, &line, err);
    if (status == PD_OK)
        status = pd_fetch_request_parse(&puller->request, line.data ? line.data : "", line.len, err);
    pd_buf_done(&line);
    PD_TRY(status);
    const pd_fetch_request *request = &puller->request;
    PD_TRY(pd_place_open(&puller->place, request->models_dir, request->key, err));
    PD_TRY(pd_record_open(&puller->record, puller->place.part, request->repository, request->revision, err));
    return PD_OK;
}

static bool is_cancelled(void *user) { return pd_talk_is_cancelled(user); }

static pd_status open_wire(pd_puller *puller, pd_trust trust, pd_error *err)
{
    const pd_wire_options options = { .endpoint = puller->request.endpoint,
                                      .token = puller->request.token,
                                      .stall_ms = puller->request.stall_ms,
                                      .connect_ms = puller->request.connect_ms,
                                      .trust = trust,
                                      .is_cancelled = is_cancelled,
                                      .user = &puller->talk };
    return pd_wire_create(&puller->wire, &options, err);
}

static void tell_end(pd_puller *puller, pd_status status, const pd_error *error)
{
    const pd_piece *weights = weights_of(puller);
    const char *dir = status == PD_OK ? puller->place.final : puller->place.part;
    if (status == PD_OK)
        puller->phase = PD_PULL_READY;
    const pd_report report = { .phase = puller->phase,
                               .done = puller->done,
                               .total = puller->total,
                               .revision = puller->record.commit,
                               .sha256 = weights ? weights->file.sha256 : "",
                               .vision_ready = puller->vision_ready,
                               .vision_bytes = puller->vision_bytes,
                               .is_last = true,
                               .outcome = status,
                               .message = status == PD_OK ? "" : error->message,
                               .dir = dir ? dir : "" };
    pd_talk_tell(&puller->talk, &report, true);
}

/* What can be gone on from; of what cannot be used nothing but its weights is worth that. */
static bool is_worth_keeping(const pd_puller *puller, pd_status status)
{
    int64_t weights = 0;
    for (size_t i = 0; i < puller->record.n; i++)
        if (puller->record.pieces[i].file.is_weights)
            weights += pd_spans_bytes(&puller->record.pieces[i].here);
    return status == PD_ERR_UNSUPPORTED ? weights > 0 : pd_record_here(&puller->record) > 0;
}

/* How far it came; that this cannot be written is not the worst then. Else nothing is left lying about. */
static void keep_what_is_here(const pd_puller *puller, pd_status status)
{
    if (!puller->place.part)
        return;
    if (is_worth_keeping(puller, status))
        (void)!pd_record_write(&puller->record, puller->place.part, false, NULL);
    else
        (void)!pd_dir_remove(puller->place.part, NULL);
}

int pd_fetch_serve(int in_fd, int out_fd, pd_trust trust)
{
    pd_error error = { 0 };
    pd_puller puller = { .talk = { .in_fd = in_fd, .out_fd = out_fd }, .place = { .lock_fd = -1 } };
    pd_status status = prepare(&puller, &error);
    if (status == PD_OK)
        status = open_wire(&puller, trust, &error);
    if (status == PD_OK)
        status = pull(&puller, &error);
    if (status != PD_OK)
        keep_what_is_here(&puller, status);
    tell_end(&puller, status, &error);
    pd_wire_free(&puller.wire);
    pd_spans_done(&puller.tower);
    pd_record_done(&puller.record);
    pd_place_done(&puller.place);
    return status == PD_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
