#include "store/schema.h"

#include "base/attr.h"

/* The counters n_photos, n_errors and n_embeddings are kept by triggers, so that totals of a million photos cost
 * nothing and cannot differ from the rows. Triggers must also see rows that a REPLACE deletes: every connection that
 * writes sets recursive_triggers.
 *
 * sort_time is the camera's wall clock, or the file's time as local wall clock: what a person sorts by. */
#define FILE_TIME(ns) "strftime('%Y-%m-%dT%H:%M:%S', " ns " / 1000000000, 'unixepoch', 'localtime')"

static const char version_1[] =
    "CREATE TABLE root ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " path BLOB NOT NULL UNIQUE,"
    " offline INTEGER NOT NULL DEFAULT 0,"
    " n_photos INTEGER NOT NULL DEFAULT 0,"
    " n_errors INTEGER NOT NULL DEFAULT 0"
    ");"
    "CREATE TABLE model ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " dim INTEGER NOT NULL,"
    " n_embeddings INTEGER NOT NULL DEFAULT 0,"
    " n_photos INTEGER NOT NULL DEFAULT 0"
    ");"
    "CREATE TABLE content ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " sha256 BLOB NOT NULL UNIQUE,"
    " type TEXT, width INTEGER, height INTEGER, pages INTEGER, orientation INTEGER,"
    " taken TEXT, taken_source TEXT, make TEXT, camera TEXT, lens TEXT,"
    " iso INTEGER, exposure_s REAL, fnumber REAL, focal_mm REAL,"
    " gps_lat REAL, gps_lon REAL, gps_alt REAL,"
    " phash INTEGER"
    ");"
    "CREATE TABLE photo ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " root_id INTEGER NOT NULL REFERENCES root(id),"
    " path BLOB NOT NULL UNIQUE,"
    " bytes INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL,"
    " content_id INTEGER REFERENCES content(id),"
    " sort_time TEXT,"
    " error_status INTEGER NOT NULL DEFAULT 0,"
    " error TEXT"
    ");"
    "CREATE INDEX photo_root ON photo(root_id);"
    "CREATE INDEX photo_content ON photo(content_id);"
    "CREATE INDEX photo_error ON photo(root_id) WHERE error_status <> 0;"
    "CREATE TABLE embedding ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " content_id INTEGER NOT NULL REFERENCES content(id),"
    " model_id INTEGER NOT NULL REFERENCES model(id),"
    " learned_at INTEGER NOT NULL DEFAULT (unixepoch()),"
    " vec BLOB NOT NULL,"
    " UNIQUE (content_id, model_id)"
    ");"
    "CREATE INDEX embedding_model ON embedding(model_id);"

    "CREATE TRIGGER photo_added AFTER INSERT ON photo BEGIN"
    " UPDATE root SET n_photos = n_photos + 1, n_errors = n_errors + (new.error_status <> 0) WHERE id = new.root_id;"
    " UPDATE model SET n_photos = n_photos + 1"
    "  WHERE id IN (SELECT model_id FROM embedding WHERE content_id = new.content_id);"
    "END;"
    "CREATE TRIGGER photo_removed AFTER DELETE ON photo BEGIN"
    " UPDATE root SET n_photos = n_photos - 1, n_errors = n_errors - (old.error_status <> 0) WHERE id = old.root_id;"
    " UPDATE model SET n_photos = n_photos - 1"
    "  WHERE id IN (SELECT model_id FROM embedding WHERE content_id = old.content_id);"
    "END;"
    "CREATE TRIGGER photo_changed AFTER UPDATE OF root_id, content_id, error_status ON photo"
    " WHEN old.root_id <> new.root_id OR old.content_id IS NOT new.content_id"
    "  OR (old.error_status <> 0) <> (new.error_status <> 0) "
    "BEGIN"
    " UPDATE root SET n_photos = n_photos - 1, n_errors = n_errors - (old.error_status <> 0) WHERE id = old.root_id;"
    " UPDATE root SET n_photos = n_photos + 1, n_errors = n_errors + (new.error_status <> 0) WHERE id = new.root_id;"
    " UPDATE model SET n_photos = n_photos - 1"
    "  WHERE id IN (SELECT model_id FROM embedding WHERE content_id = old.content_id);"
    " UPDATE model SET n_photos = n_photos + 1"
    "  WHERE id IN (SELECT model_id FROM embedding WHERE content_id = new.content_id);"
    "END;"
    "CREATE TRIGGER embedding_added AFTER INSERT ON embedding BEGIN"
    " UPDATE model SET n_embeddings = n_embeddings + 1,"
    "  n_photos = n_photos + (SELECT count(*) FROM photo WHERE content_id = new.content_id) WHERE id = new.model_id;"
    "END;"
    "CREATE TRIGGER embedding_removed AFTER DELETE ON embedding BEGIN"
    " UPDATE model SET n_embeddings = n_embeddings - 1,"
    "  n_photos = n_photos - (SELECT count(*) FROM photo WHERE content_id = old.content_id) WHERE id = old.model_id;"
    "END;"
    "CREATE TRIGGER content_retimed AFTER UPDATE OF taken ON content WHEN old.taken IS NOT new.taken BEGIN"
    " UPDATE photo SET sort_time = coalesce(substr(new.taken, 1, 19), " FILE_TIME(
        "mtime_ns") ")"
                    "  WHERE content_id = new.id;"
                    "END;";

/* Browsing: a window of all photos that were decoded, by time or by name, costs the window and not the catalogue. */
static const char version_2[] = "CREATE INDEX photo_time ON photo(sort_time) WHERE content_id IS NOT NULL;"
                                "CREATE INDEX photo_name ON photo(" PD_SCHEMA_NAME ") WHERE content_id IS NOT NULL;";

/* What people and programs wrote about a picture: `kind` is a pd_text_kind (base/texts.h). `reader` is the version of
 * the readers of metadata that filled a row (0: those of schema 1 and 2, which knew EXIF only). */
static const char version_3[] = "ALTER TABLE content ADD COLUMN subsec TEXT;"
                                "ALTER TABLE content ADD COLUMN focal35_mm REAL;"
                                "ALTER TABLE content ADD COLUMN flash INTEGER;"
                                "ALTER TABLE content ADD COLUMN white_balance INTEGER;"
                                "ALTER TABLE content ADD COLUMN rating INTEGER;"
                                "ALTER TABLE content ADD COLUMN reader INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE content ADD COLUMN sharpness REAL;"
                                "ALTER TABLE content ADD COLUMN colours BLOB;"
                                "ALTER TABLE photo ADD COLUMN sidecar_ns INTEGER NOT NULL DEFAULT 0;"
                                "CREATE TABLE content_text ("
                                " content_id INTEGER NOT NULL REFERENCES content(id),"
                                " kind INTEGER NOT NULL,"
                                " position INTEGER NOT NULL,"
                                " text TEXT NOT NULL,"
                                " PRIMARY KEY (content_id, kind, position)"
                                ") WITHOUT ROWID;";

/* The user's work, and what words and filters look at.
 *
 * `work` is what the user did for one photo. It hangs on the photo by photo_id. When the photo's row goes, it is kept
 * with the SHA-256 of the content (and the path), and the next photo with that content takes it: the one at the same
 * path first, else the oldest work. What came by an import for a picture that nobody knew may also be found by its
 * path, and so may work for a file that was never read.
 *
 * `photo_fts`, `name_fts`, `label` with `photo_label`, and `photo_change` are made from all the other tables, by doc.c,
 * within the transaction that changes those. A photo that is deleted takes its own along by trigger, since a REPLACE
 * deletes too. photo_change.version grows with every change: a REPLACE gives a row the next one. */
#define KEPT_FOR_IT                                                               \
    "(SELECT id FROM (SELECT id, path FROM work WHERE photo_id IS NULL"           \
    "  AND sha256 = (SELECT sha256 FROM content WHERE id = new.content_id)"       \
    " UNION SELECT id, path FROM work WHERE photo_id IS NULL AND path = new.path" \
    "  AND (imported OR sha256 IS NULL)) ORDER BY path = new.path DESC, id LIMIT 1)"
static const char version_4[] =
    "CREATE TABLE work ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " photo_id INTEGER UNIQUE,"
    " sha256 BLOB, path BLOB,"
    " imported INTEGER NOT NULL DEFAULT 0,"
    " rating INTEGER,"
    " favorite INTEGER NOT NULL DEFAULT 0,"
    " caption TEXT"
    ");"
    "CREATE INDEX work_kept ON work(sha256) WHERE photo_id IS NULL;"
    "CREATE INDEX work_kept_path ON work(path) WHERE photo_id IS NULL;"
    "CREATE TABLE work_tag ("
    " work_id INTEGER NOT NULL REFERENCES work(id),"
    " folded TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " given INTEGER NOT NULL,"
    " PRIMARY KEY (work_id, folded)"
    ") WITHOUT ROWID;"
    "CREATE TABLE album ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " folded TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL"
    ");"
    "CREATE TABLE album_work ("
    " album_id INTEGER NOT NULL REFERENCES album(id),"
    " work_id INTEGER NOT NULL REFERENCES work(id),"
    " position INTEGER NOT NULL,"
    " PRIMARY KEY (work_id, album_id)"
    ") WITHOUT ROWID;"
    "CREATE INDEX album_position ON album_work(album_id, position);"
    "CREATE TABLE machine_text ("
    " content_id INTEGER NOT NULL REFERENCES content(id),"
    " kind INTEGER NOT NULL,"
    " source TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " score REAL,"
    " doubtful INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (content_id, kind, source, text)"
    ") WITHOUT ROWID;"

    "CREATE TABLE step ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at INTEGER NOT NULL DEFAULT (unixepoch()),"
    " sentence TEXT NOT NULL,"
    " n INTEGER NOT NULL DEFAULT 0"
    ");"
    "CREATE TABLE step_undo ("
    " step_id INTEGER NOT NULL,"
    " position INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " work_id INTEGER,"
    " album_id INTEGER,"
    " number INTEGER,"
    " key TEXT,"
    " text TEXT,"
    " PRIMARY KEY (step_id, position)"
    ") WITHOUT ROWID;"
    "CREATE TABLE saved (name TEXT PRIMARY KEY, query TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " query TEXT NOT NULL UNIQUE,"
    " at INTEGER NOT NULL"
    ");";

/* The second half: what is made from everything else. */
#define PHOTO_GONE                                                                                               \
    "CREATE TRIGGER photo_gone AFTER DELETE ON photo BEGIN"                                                      \
    " UPDATE work SET photo_id = NULL, path = old.path,"                                                         \
    "  sha256 = (SELECT sha256 FROM content WHERE id = old.content_id) WHERE photo_id = old.id;"                 \
    " DELETE FROM photo_label WHERE photo_id = old.id;"                                                          \
    " DELETE FROM photo_fts WHERE rowid = old.id;"                                                               \
    " DELETE FROM name_fts WHERE rowid = old.id;"                                                                \
    " INSERT OR REPLACE INTO photo_change (photo_id) SELECT photo_id FROM photo_change WHERE photo_id = old.id;" \
    "END;"
static const char version_4_made[] =
    "CREATE TABLE identity (bytes BLOB NOT NULL);" /* whose caches are whose */
    "INSERT INTO identity VALUES (randomblob(16));"
    "CREATE VIRTUAL TABLE photo_fts USING fts5(name, folder, caption, title, tag, person, camera, other,"
    " tokenize = 'unicode61 remove_diacritics 2');"
    "CREATE VIRTUAL TABLE name_fts USING fts5(name, tokenize = 'trigram');"
    "CREATE TABLE label ("
    " id INTEGER PRIMARY KEY,"
    " place INTEGER NOT NULL,"
    " folded TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " n_photos INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE (place, folded)"
    ");"
    "CREATE TABLE photo_label ("
    " label_id INTEGER NOT NULL,"
    " photo_id INTEGER NOT NULL,"
    " PRIMARY KEY (label_id, photo_id)"
    ") WITHOUT ROWID;"
    "CREATE INDEX photo_label_photo ON photo_label(photo_id);"
    "CREATE TABLE photo_change ("
    " version INTEGER PRIMARY KEY AUTOINCREMENT,"
    " photo_id INTEGER NOT NULL UNIQUE,"
    " rating INTEGER NOT NULL DEFAULT 0,"
    " marks INTEGER NOT NULL DEFAULT 0"
    ");"

    "CREATE TRIGGER label_given AFTER INSERT ON photo_label BEGIN"
    " UPDATE label SET n_photos = n_photos + 1 WHERE id = new.label_id;"
    "END;"
    "CREATE TRIGGER label_taken AFTER DELETE ON photo_label BEGIN"
    " UPDATE label SET n_photos = n_photos - 1 WHERE id = old.label_id;"
    " DELETE FROM label WHERE id = old.label_id AND n_photos = 0;"
    "END;" PHOTO_GONE
    "CREATE TRIGGER photo_came AFTER INSERT ON photo WHEN EXISTS (SELECT 1 FROM work WHERE photo_id IS NULL) BEGIN"
    " UPDATE work SET photo_id = new.id WHERE id = " KEPT_FOR_IT ";"
    "END;"
    "CREATE TRIGGER photo_read AFTER UPDATE OF content_id ON photo"
    " WHEN new.content_id IS NOT old.content_id AND EXISTS (SELECT 1 FROM work WHERE photo_id IS NULL)"
    "  AND NOT EXISTS (SELECT 1 FROM work WHERE photo_id = new.id) "
    "BEGIN"
    " UPDATE work SET photo_id = new.id WHERE id = " KEPT_FOR_IT ";"
    "END;";

/* Settings, and what machines write. `machine_text` is what counts of it; nobody had filled the one of version 4.
 *
 * content.tag_source and caption_source say which source wrote a content's tags and caption last, also when it found
 * nothing to write or could not: 0, none yet. A photo carries those of its content, by trigger, so that one index gives
 * what a source has not written yet, newest photo first, without looking at what is done: see machine.c. */
#define SOURCES_OF_CONTENT                                                                  \
    "tag_source = coalesce((SELECT tag_source FROM content WHERE id = new.content_id), 0)," \
    " caption_source = coalesce((SELECT caption_source FROM content WHERE id = new.content_id), 0)"
static const char version_5[] =
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "DROP TABLE machine_text;"
    "CREATE TABLE machine_source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE machine_text ("
    " content_id INTEGER NOT NULL REFERENCES content(id),"
    " kind INTEGER NOT NULL,"
    " position INTEGER NOT NULL,"
    " source_id INTEGER NOT NULL,"
    " text TEXT NOT NULL,"
    " score REAL,"
    " doubtful INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (content_id, kind, position)"
    ") WITHOUT ROWID;"
    "ALTER TABLE content ADD COLUMN tag_source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE content ADD COLUMN caption_source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE photo ADD COLUMN tag_source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE photo ADD COLUMN caption_source INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX photo_machine ON photo(tag_source, caption_source, root_id, sort_time, content_id)"
    " WHERE content_id IS NOT NULL;"

    "CREATE TRIGGER content_written AFTER UPDATE OF tag_source, caption_source ON content BEGIN"
    " UPDATE photo SET tag_source = new.tag_source, caption_source = new.caption_source WHERE content_id = new.id;"
    "END;"
    "CREATE TRIGGER photo_came_written AFTER INSERT ON photo"
    " WHEN EXISTS (SELECT 1 FROM content WHERE id = new.content_id AND (tag_source OR caption_source)) BEGIN"
    " UPDATE photo SET " SOURCES_OF_CONTENT " WHERE id = new.id;"
    "END;"
    "CREATE TRIGGER photo_read_written AFTER UPDATE OF content_id ON photo"
    " WHEN new.content_id IS NOT old.content_id BEGIN"
    " UPDATE photo SET " SOURCES_OF_CONTENT " WHERE id = new.id;"
    "END;";

/* What machines wrote has columns of its own in the full text, and so has what is doubtful. FTS5 cannot add any: it is
 * copied. */
static const char version_5_words[] =
    "DROP TRIGGER photo_gone;"
    "CREATE VIRTUAL TABLE new_fts USING fts5(name, folder, caption, title, tag, person, camera, other,"
    " machine_caption, machine_tag, doubtful_caption, doubtful_tag, tokenize = 'unicode61 remove_diacritics 2');"
    "INSERT INTO new_fts (rowid, name, folder, caption, title, tag, person, camera, other)"
    " SELECT rowid, name, folder, caption, title, tag, person, camera, other FROM photo_fts;"
    "DROP TABLE photo_fts;"
    "ALTER TABLE new_fts RENAME TO photo_fts;" PHOTO_GONE;

const char *const pd_schema_steps[][PD_SCHEMA_STEP_PARTS] = {
    { version_1 }, { version_2 }, { version_3 }, { version_4, version_4_made }, { version_5, version_5_words }
};
const size_t pd_schema_n_steps = PD_COUNT_OF(pd_schema_steps);
