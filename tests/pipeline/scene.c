#include "scene.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { ROOT_BYTES = 64 };

static char root[ROOT_BYTES];
static const char *kept; /* below root; NULL: nothing */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void remove_tree(char dir[ROOT_BYTES])
{
    if (dir[0])
        (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    dir[0] = '\0';
}

void scene_end(void) { remove_tree(root); }

void scene_keep(const char *name) { kept = name; }

/* From where it was in the scene before, which may have none. */
static bool take_kept(const char *old)
{
    return access(old, F_OK) != 0 || (scene_folder(kept) && rename(old, scene_path(kept)) == 0);
}

bool scene_begin(void)
{
    char before[ROOT_BYTES], old[4096];
    memcpy(before, root, sizeof root);
    snprintf(old, sizeof old, "%s", kept && root[0] ? scene_path(kept) : "");
    snprintf(root, sizeof root, "/tmp/pd-scene-XXXXXX");
    const bool is_made = mkdtemp(root) != NULL;
    if (!is_made)
        root[0] = '\0';
    const bool is_begun = is_made && (!old[0] || take_kept(old));
    remove_tree(before);
    return is_begun;
}

const char *scene_path(const char *name)
{
    static char paths[8][4096];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

bool scene_folder(const char *name) { return pd_dir_make(scene_path(name), NULL) == PD_OK; }

bool scene_write(const char *name, const void *data, size_t len)
{
    const char *slash = strrchr(name, '/');
    char folder[4096] = "";
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    return (!slash || scene_folder(folder)) && pd_file_replace(scene_path(name), data, len, false, NULL) == PD_OK;
}

static void put_le(uint8_t *at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* BMP with a 40 byte header, 24 bits a pixel, rows packed (the width is a multiple of 4). */
bool scene_picture(const char *name, unsigned seed)
{
    enum { W = 32, H = 24, HEAD = 54, BYTES = HEAD + W * H * 3 };
    static uint8_t bmp[BYTES];
    memset(bmp, 0, HEAD);
    memcpy(bmp, "BM", 2);
    put_le(bmp + 2, BYTES, 4);
    put_le(bmp + 10, HEAD, 4);
    put_le(bmp + 14, 40, 4);
    put_le(bmp + 18, W, 4);
    put_le(bmp + 22, H, 4);
    put_le(bmp + 26, 1, 2);
    put_le(bmp + 28, 24, 2);
    put_le(bmp + 34, W * H * 3, 4);
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = HEAD; i < BYTES; i++) {
        state = state * 1664525u + 1013904223u;
        bmp[i] = (uint8_t)(i / 97 * (seed % 7 + 1) + (state >> 27));
    }
    put_le(bmp + HEAD, seed, 4);
    return scene_write(name, bmp, sizeof bmp);
}

bool scene_touch(const char *name, int64_t unix_s)
{
    const struct timespec times[2] = { { .tv_sec = unix_s }, { .tv_sec = unix_s } };
    return utimensat(AT_FDCWD, scene_path(name), times, AT_SYMLINK_NOFOLLOW) == 0;
}

int64_t scene_photo_id(const char *catalogue, const char *path)
{
    pd_store *store = NULL;
    pd_photo photo;
    int64_t id = -1;
    if (pd_store_open(&store, catalogue, PD_STORE_READ, NULL) == PD_OK &&
        pd_store_photo_by_path(store, path, &photo, NULL) == PD_OK)
        id = photo.id;
    pd_store_close(&store);
    return id;
}

bool scene_photo_error(const char *catalogue, const char *path, pd_status *ret_why, char ret_sentence[512])
{
    pd_store *store = NULL;
    pd_photo photo;
    const bool found = pd_store_open(&store, catalogue, PD_STORE_READ, NULL) == PD_OK &&
                       pd_store_photo_by_path(store, path, &photo, NULL) == PD_OK && photo.error;
    if (found) {
        *ret_why = photo.error_status;
        snprintf(ret_sentence, 512, "%s", photo.error);
    }
    pd_store_close(&store);
    return found;
}

bool scene_embeddings(const char *catalogue, const char *model_id, int64_t *ret_count, int64_t *ret_last_seq)
{
    pd_store *store = NULL;
    int64_t model = 0;
    const bool told = pd_store_open(&store, catalogue, PD_STORE_READ, NULL) == PD_OK &&
                      pd_store_model_find(store, model_id, &model, NULL) == PD_OK &&
                      pd_store_embedding_extent(store, model, ret_count, ret_last_seq, NULL) == PD_OK;
    pd_store_close(&store);
    return told;
}
