/* scene.h: a folder of small pictures that a test makes up and takes away again. */
#ifndef PD_TEST_SCENE_H
#define PD_TEST_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* A fresh temporary directory; the one before is removed. False when the system gives none. */
bool scene_begin(void);
void scene_end(void);
/* From now on this folder of a scene is moved to the next one; NULL: none is. */
void scene_keep(const char *name);

/* "<scene>/<name>"; one of eight buffers that take turns. */
const char *scene_path(const char *name);

/* Files below the scene; folders are made. A picture is a BMP whose content follows from `seed`. */
bool scene_picture(const char *name, unsigned seed);
bool scene_write(const char *name, const void *data, size_t len);
bool scene_folder(const char *name);
/* Sets the time of a file: seconds since 1970. */
bool scene_touch(const char *name, int64_t unix_s);

/* Photos whose ids and errors a test wants: opened, asked, closed. -1: no such photo, or no catalogue. */
int64_t scene_photo_id(const char *catalogue, const char *path);
bool scene_photo_error(const char *catalogue, const char *path, pd_status *ret_why, char ret_sentence[512]);
/* Embeddings of the only model, and the number given to the last one. */
bool scene_embeddings(const char *catalogue, const char *model_id, int64_t *ret_count, int64_t *ret_last_seq);

#endif
