/* Bytes of a file from the hub to their place on disk. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "fetch/ask.h"

/* What one answer is doing. */
typedef struct transfer {
    pd_puller *puller;
    pd_piece *piece;
    int fd;
    pd_span asked;
    int64_t at, end; /* where the next byte goes; where the answer ends */
    int64_t taken;   /* bytes */
    int *n_tries;
    bool has_changed; /* another content than that of the list, or than what is here already */
    bool says_more;   /* than was asked for */
    pd_status failed; /* of our own side */
    pd_error error;
} transfer;

/* Other bytes than the list spoke of, or than those that are here. */
static bool is_other(const transfer *t, const pd_response *response)
{
    const pd_piece *piece = t->piece;
    const bool in_part = response->code == 206;
    const int64_t total = in_part ? response->range_total : response->length;
    if ((total >= 0 && total != piece->file.size) || (in_part && response->range_begin != t->asked.begin))
        return true;
    /* The hub's own word on the content wins over the tag of whichever server sends the bytes today. */
    if (piece->file.sha256[0] && pd_is_sha256_text(response->linked_etag))
        return strcmp(piece->file.sha256, response->linked_etag) != 0;
    return piece->here.n && piece->etag[0] && response->etag[0] && strcmp(piece->etag, response->etag) != 0;
}

static bool begin_bytes(void *user, const pd_response *response)
{
    transfer *t = user;
    t->has_changed = is_other(t, response);
    if (t->has_changed)
        return false;
    const bool in_part = response->code == 206;
    memcpy(t->piece->etag, response->etag, sizeof t->piece->etag);
    t->at = in_part ? t->asked.begin : 0; /* a server that refuses ranges sends all of it, whatever was asked for */
    t->end = in_part ? t->asked.end : t->piece->file.size;
    return true;
}

static bool fail(transfer *t, pd_status status)
{
    t->failed = status;
    return false;
}

static bool write_bytes(transfer *t, const char *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = pwrite(t->fd, data + done, len - done, (off_t)(t->at + (int64_t)done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
            return fail(t, pd_error_set(&t->error, PD_ERR_FULL,
                                        "no space left on the device: what is here of %s is kept; make room in %s and "
                                        "pull again",
                                        t->puller->request.repository, t->puller->place.models));
        if (n < 0)
            return fail(t, pd_error_set_errno(&t->error, errno, "cannot write '%s'", t->piece->file.name));
        done += (size_t)n;
    }
    return true;
}

static bool take_bytes(void *user, const void *data, size_t len)
{
    transfer *t = user;
    const size_t room = (size_t)(t->end - t->at);
    t->says_more = len > room;
    len = len > room ? room : len;
    if (!write_bytes(t, data, len))
        return false;
    const int64_t before = pd_spans_bytes(&t->piece->here);
    const pd_status status = pd_spans_add(&t->piece->here, (pd_span){ t->at, t->at + (int64_t)len }, &t->error);
    if (status != PD_OK)
        return fail(t, status);
    t->puller->done += pd_spans_bytes(&t->piece->here) - before;
    t->at += (int64_t)len;
    t->taken += (int64_t)len;
    if (t->taken >= PD_FETCH_PROGRESS_BYTES)
        *t->n_tries = 0;
    const pd_status ticked = pd_puller_tick(t->puller, false, &t->error);
    if (ticked != PD_OK)
        return fail(t, ticked);
    return !t->says_more;
}

void pd_puller_forget(pd_puller *puller, pd_piece *piece)
{
    puller->done -= pd_spans_bytes(&piece->here);
    pd_spans_done(&piece->here);
    piece->etag[0] = '\0';
}

/* One answer. *ret_again: nothing came of it yet. */
static pd_status fetch_some(pd_puller *puller, transfer *t, const char *url, pd_error *err)
{
    const pd_piece *piece = t->piece;
    const pd_get get = { .url = url,
                         .range = t->asked,
                         .if_range = piece->here.n ? piece->etag : NULL,
                         .begin = begin_bytes,
                         .take = take_bytes,
                         .user = t };
    pd_response response;
    bool again = false;
    PD_TRY(pd_ask(puller, &get, t->n_tries, &response, &again, err));
    if (t->failed != PD_OK)
        return pd_error_hand_on(err, &t->error);
    if (t->has_changed || (!again && response.code == 416))
        return PD_ERR_BUSY;
    if (t->taken > 0)
        *t->n_tries = 0;
    else if (!again && !pd_ask_wait(puller, t->n_tries))
        return pd_talk_is_cancelled(&puller->talk)
                   ? pd_error_set(err, PD_ERR_CANCELLED, "cancelled; what is here is kept")
                   : pd_error_set(err, PD_ERR_NETWORK, "%s sends nothing of %s; what is here is kept, pull again later",
                                  pd_wire_host(puller->wire), piece->file.name);
    return PD_OK;
}

/* The file at its full length, with holes. */
static pd_status open_piece(const pd_puller *puller, const pd_piece *piece, int *ret_fd, pd_error *err)
{
    char *path = pd_path_join(puller->place.part, piece->file.name);
    if (!path)
        return pd_error_set_nomem(err);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    pd_status status = PD_OK;
    if (fd < 0 || ftruncate(fd, (off_t)piece->file.size) != 0)
        status = pd_error_set_errno(err, errno, "cannot create '%s'", path);
    pd_mem_free(path);
    if (status == PD_OK)
        *ret_fd = fd;
    else if (fd >= 0)
        close(fd);
    return status;
}

pd_status pd_puller_fetch(pd_puller *puller, pd_piece *piece, pd_span span, pd_error *err)
{
    int fd;
    pd_buf url;
    pd_buf_init(&url, 0);
    PD_TRY(open_piece(puller, piece, &fd, err));
    pd_status status = pd_puller_append_url(puller, &url, piece->file.name, err);
    int n_tries = 0;
    pd_span gap;
    while (status == PD_OK && pd_spans_gap(&piece->here, span, &gap)) {
        transfer t = { .puller = puller, .piece = piece, .fd = fd, .asked = gap, .n_tries = &n_tries };
        status = fetch_some(puller, &t, url.data, err);
    }
    pd_buf_done(&url);
    close(fd);
    if (status == PD_ERR_BUSY)
        pd_puller_forget(puller, piece);
    return status == PD_OK ? pd_puller_tick(puller, true, err) : status;
}
