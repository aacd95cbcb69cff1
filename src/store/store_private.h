/* store_private.h: what the files of this room share: the connection and its prepared statements. */
#ifndef PD_STORE_STORE_PRIVATE_H
#define PD_STORE_STORE_PRIVATE_H

#include <sqlite3.h>

#include "base/buf.h"
#include "store/said.h"
#include "store/store.h"

/* One per statement; the SQL is in stmt.c. */
typedef enum pd_stmt {
    PD_STMT_BEGIN_READ,
    PD_STMT_BEGIN_WRITE,
    PD_STMT_COMMIT,
    PD_STMT_ROLLBACK,
    PD_STMT_ROOT_ADD,
    PD_STMT_ROOT_MOVE,
    PD_STMT_ROOT_SET_OFFLINE,
    PD_STMT_ROOTS,
    PD_STMT_MODEL_ADD,
    PD_STMT_MODEL_FIND,
    PD_STMT_MODEL_CALL,
    PD_STMT_MODEL_NAMED,
    PD_STMT_MODEL_GET,
    PD_STMT_MODEL_FORGET,
    PD_STMT_CONTENT_PUT,
    PD_STMT_TEXTS_FORGET,
    PD_STMT_TEXT_PUT,
    PD_STMT_CONTENT_FIND,
    PD_STMT_PHOTO_STATES,
    PD_STMT_PHOTO_PUT,
    PD_STMT_PHOTO_MOVE,
    PD_STMT_PHOTO_REMOVE,
    PD_STMT_PHOTO_BY_ID,
    PD_STMT_PHOTO_BY_PATH,
    PD_STMT_PHOTOS_OF_CONTENT,
    PD_STMT_ERRORS,
    PD_STMT_ERRORS_OF_ROOT,
    PD_STMT_EMBEDDING_SAME,
    PD_STMT_EMBEDDING_PUT,
    PD_STMT_EMBEDDING_GET,
    PD_STMT_EMBEDDINGS,
    PD_STMT_EMBEDDING_EXTENT,
    PD_STMT_MODEL_LACKS,
    PD_STMT_TOTALS,
    PD_STMT_BROWSE_OLDEST,
    PD_STMT_BROWSE_NEWEST,
    PD_STMT_BROWSE_NAME,
    PD_STMT_BROWSE_TOTAL,
    PD_STMT_SAID_PHOTO,
    PD_STMT_SAID_FILE,
    PD_STMT_SAID_MACHINE,
    PD_STMT_SAID_TAGS,
    PD_STMT_SAID_ALBUMS,
    PD_STMT_SAID_CAPTION,
    PD_STMT_PHOTO_IDS_OF_CONTENT,
    PD_STMT_PHOTO_IDS,
    PD_STMT_DOC_GET,
    PD_STMT_DOC_PUT,
    PD_STMT_DOC_REMOVE,
    PD_STMT_NAME_PUT,
    PD_STMT_NAME_REMOVE,
    PD_STMT_LABELS_OF_PHOTO,
    PD_STMT_LABEL_MAKE,
    PD_STMT_LABEL_GIVE,
    PD_STMT_LABEL_TAKE,
    PD_STMT_CHANGE_PUT,
    PD_STMT_CHANGE_GONE,
    PD_STMT_VERSION,
    PD_STMT_IDENTITY,
    PD_STMT_ROWS,
    PD_STMT_WORDS_DOC,
    PD_STMT_WORDS_RANKED,
    PD_STMT_WORDS_COUNT,
    PD_STMT_WORDS_NAME,
    PD_STMT_LABEL_PHOTOS,
    PD_STMT_LABEL_PHOTOS_LIKE,
    PD_STMT_LABEL_VALUES,
    PD_STMT_LABEL_HAS,
    PD_STMT_LABEL_RENAME,
    PD_STMT_CHANGE_ALBUM,
    PD_STMT_PHOTO_OF_WORK,
    PD_STMT_WORK_OF_PHOTO,
    PD_STMT_WORK_MAKE,
    PD_STMT_RATING_READ,
    PD_STMT_RATING_PUT,
    PD_STMT_RATING_REMOVE,
    PD_STMT_FAVORITE_READ,
    PD_STMT_FAVORITE_PUT,
    PD_STMT_FAVORITE_REMOVE,
    PD_STMT_CAPTION_READ,
    PD_STMT_CAPTION_PUT,
    PD_STMT_CAPTION_REMOVE,
    PD_STMT_TAG_READ,
    PD_STMT_TAG_PUT,
    PD_STMT_TAG_REMOVE,
    PD_STMT_ALBUM_READ,
    PD_STMT_ALBUM_PUT,
    PD_STMT_ALBUM_REMOVE,
    PD_STMT_MEMBER_READ,
    PD_STMT_MEMBER_PUT,
    PD_STMT_MEMBER_REMOVE,
    PD_STMT_STEP_BEGIN,
    PD_STMT_STEP_END,
    PD_STMT_STEP_REMOVE,
    PD_STMT_STEP_NEWEST,
    PD_STMT_STEPS_BEYOND,
    PD_STMT_STEPS_FORGET,
    PD_STMT_UNDO_PUT,
    PD_STMT_UNDO_OF_STEP,
    PD_STMT_UNDO_REMOVE,
    PD_STMT_UNDO_FORGET,
    PD_STMT_ALBUM_FIND,
    PD_STMT_ALBUM_NEXT,
    PD_STMT_ALBUM_FIRST,
    PD_STMT_ALBUMS,
    PD_STMT_EXPORT,
    PD_STMT_EXPORT_ALBUMS,
    PD_STMT_PHOTOS_LIKE,
    PD_STMT_PHOTO_AT,
    PD_STMT_WORK_KEPT,
    PD_STMT_WORK_KEEP,
    PD_STMT_WORK_PART,
    PD_STMT_WORK_FOLLOW,
    PD_STMT_SAVED_PUT,
    PD_STMT_SAVED_REMOVE,
    PD_STMT_SAVED,
    PD_STMT_HISTORY_ADD,
    PD_STMT_HISTORY_FORGET,
    PD_STMT_HISTORY_CLEAR,
    PD_STMT_HISTORY,
    PD_STMT_SOURCE_FIND,
    PD_STMT_SOURCE_MAKE,
    PD_STMT_MACHINE_FORGET,
    PD_STMT_MACHINE_PUT,
    PD_STMT_MACHINE_TAGGED,
    PD_STMT_MACHINE_CAPTIONED,
    PD_STMT_MACHINE_GROUP,
    PD_STMT_MACHINE_TODO,
    PD_STMT_MACHINE_LACKS,
    PD_STMT_MACHINE_LEARNED,
    PD_STMT_CONTENT_LAST,
    PD_STMT_SETTING_GET,
    PD_STMT_SETTING_PUT,
    PD_STMT_SETTING_REMOVE,
    PD_STMT_COUNT
} pd_stmt;

struct pd_store {
    sqlite3 *db;
    char *path;
    pd_store_mode mode;
    int64_t wait_until_ns;              /* while it waits for a lock */
    int version;                        /* of the schema, when it was opened */
    sqlite3_stmt *stmts[PD_STMT_COUNT]; /* prepared at first use */
    pd_buf text;                        /* strings of the last pd_photo */
    uint16_t *half;                     /* aligned copy of the last embedding visited */
    size_t half_capacity;               /* elements */
    pd_said doc;                        /* of the photo that is being described anew */
    pd_said said;                       /* of the last pd_work ... */
    pd_tag *work_tags;
    const char **work_albums;
    pd_buf caption; /* the last pd_said_caption */
    pd_buf words;   /* of the question that is being asked */
};

/* Is it ours, and of a version that `mode` can work with? Writes nothing: somebody else's database, or a catalogue from
 * a newer program, stays as it is. */
PD_MUST_USE pd_status pd_store_check(pd_store *store, int64_t *ret_version, pd_error *err);
/* Sets the schema up or brings it up to date. */
PD_MUST_USE pd_status pd_store_migrate(pd_store *store, pd_error *err);
int pd_store_schema_version(void);

/* Turns the connection's last failure into a status and a sentence that begins with `doing`. */
PD_MUST_USE pd_status pd_store_fail(pd_store *store, const char *doing, pd_error *err);
/* Begins a transaction unless one is open; *ret_own: it did. leave: commits it, or rolls it back where status is no
 * PD_OK; returns status, else the commit's. */
PD_MUST_USE pd_status pd_store_enter(pd_store *store, bool *ret_own, pd_error *err);
PD_MUST_USE pd_status pd_store_leave(pd_store *store, bool own, pd_status status, pd_error *err);
PD_MUST_USE pd_status pd_store_exec(pd_store *store, const char *sql, const char *doing, pd_error *err);
PD_MUST_USE pd_status pd_store_pragma_int(pd_store *store, const char *sql, int64_t *ret_value, pd_error *err);

/* The statement, ready to be bound. Binding cannot fail: every value bound is a number, or bytes that stay where they
 * are (SQLITE_STATIC) until pd_stmt_reset. */
PD_MUST_USE pd_status pd_stmt_get(pd_store *store, pd_stmt id, sqlite3_stmt **ret_stmt, pd_error *err);
/* Next row; *ret_row false at the end. At the end, and after a failure, the statement is reset: what is bound goes. */
PD_MUST_USE pd_status pd_stmt_step(pd_store *store, sqlite3_stmt *stmt, bool *ret_row, pd_error *err);
/* Ends the statement's hold on the catalogue and forgets its bindings. */
void pd_stmt_reset(sqlite3_stmt *stmt);
/* Steps once and resets; *ret_value (may be NULL): the first column, untouched when there was no row. */
PD_MUST_USE pd_status pd_stmt_run(pd_store *store, sqlite3_stmt *stmt, int64_t *ret_value, pd_error *err);

void pd_stmt_bind_path(sqlite3_stmt *stmt, int at, const char *path); /* bytes, not text: need not be UTF-8 */
void pd_stmt_bind_text(sqlite3_stmt *stmt, int at, const char *text); /* "" and NULL: absent */
void pd_stmt_bind_count(sqlite3_stmt *stmt, int at, uint32_t value);  /* 0: absent */
const char *pd_stmt_text(sqlite3_stmt *stmt, int at);                 /* "" when absent; valid until the next step */
uint32_t pd_stmt_count(sqlite3_stmt *stmt, int at);                   /* 0 when absent */
double pd_stmt_number(sqlite3_stmt *stmt, int at);                    /* NAN when absent */
pd_look pd_stmt_look(sqlite3_stmt *stmt, int at);                     /* of two columns: sharpness, colours */
/* What an older catalogue, open for reading, has not: PD_ERR_UNSUPPORTED. */
PD_MUST_USE pd_status pd_store_need_work(pd_store *store, pd_error *err);
PD_MUST_USE pd_status pd_store_need_machine(pd_store *store, pd_error *err);
PD_MUST_USE pd_status pd_store_check_path(const char *path, pd_error *err);

#endif
