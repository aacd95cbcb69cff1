/* stmt.c: every SQL statement that is used again and again, prepared once a connection. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "store/schema.h"
#include "store/store_private.h"

/* ?5: content, ?4: the file's time. */
#define SORT_TIME                                                        \
    "coalesce((SELECT substr(taken, 1, 19) FROM content WHERE id = ?5)," \
    " strftime('%Y-%m-%dT%H:%M:%S', ?4 / 1000000000, 'unixepoch', 'localtime'))"

#define MODEL_SETTING "model:" /* and a name: the id of the model that it means */

/* In the order of read_photo (photos.c). The texts come as a block of base/texts.h, NUL after each. */
#define NEW_FACTS                                                                                   \
    "c.subsec, c.focal35_mm, c.flash, c.white_balance, c.rating, c.reader, c.sharpness, c.colours," \
    " (SELECT group_concat(char(kind) || text || char(0), '') FROM (SELECT kind, text"              \
    " FROM content_text WHERE content_id = p.content_id ORDER BY kind, position))"
/* Before schema 3. */
#define NO_NEW_FACTS "NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL"
#define SELECT_PHOTO SELECT_PHOTO_WITH(NEW_FACTS)
#define SELECT_OLD_PHOTO SELECT_PHOTO_WITH(NO_NEW_FACTS)
#define SELECT_PHOTO_WITH(facts)                                                                         \
    "SELECT p.id, p.content_id, p.path, p.bytes, p.mtime_ns, p.error_status, p.error,"                   \
    " c.sha256, c.type, c.width, c.height, c.pages, c.orientation, c.taken, c.taken_source,"             \
    " c.make, c.camera, c.lens, c.iso, c.exposure_s, c.fnumber, c.focal_mm,"                             \
    " c.gps_lat, c.gps_lon, c.gps_alt, c.phash,"                                                         \
    " m.name, strftime('%Y-%m-%dT%H:%M:%SZ', e.learned_at, 'unixepoch'), " facts                         \
    " FROM photo p LEFT JOIN content c ON c.id = p.content_id"                                           \
    " LEFT JOIN embedding e ON e.seq = (SELECT max(seq) FROM embedding WHERE content_id = p.content_id)" \
    " LEFT JOIN model m ON m.id = e.model_id "

#define ROW_FACTS                                                                                           \
    "p.content_id, p.root_id, p.path, p.sort_time, p.bytes, c.taken IS NOT NULL, c.type, c.make, c.camera," \
    " c.lens, c.width, c.height, c.iso, c.exposure_s, c.fnumber, c.focal_mm, c.gps_lat, c.gps_lon"

#define PHOTO_WITHOUT_WORK                                   \
    "(SELECT max(p.id) FROM photo p WHERE p.content_id = ?1" \
    " AND NOT EXISTS (SELECT 1 FROM work x WHERE x.photo_id = p.id)"
#define PICTURE_OF_WORK "iif(p.id IS NULL, w.sha256, c.sha256), coalesce(p.path, w.path)"

#define GROUP_AFTER(where)                                                           \
    "SELECT tag_source, caption_source, root_id FROM photo INDEXED BY photo_machine" \
    " WHERE content_id IS NOT NULL AND " where " ORDER BY tag_source, caption_source, root_id LIMIT 1"

/* Of photo ?1: who (pd_said_by), text, doubtful. The first row counts; of a file's texts the last one does (said.c). */
#define SELECT_CAPTION_BY(order)                                                                                 \
    "SELECT 1, caption, 0 FROM work WHERE photo_id = ?1 AND caption IS NOT NULL"                                 \
    " UNION ALL SELECT 3, text, doubtful FROM (SELECT m.text, m.doubtful FROM photo p"                           \
    " JOIN machine_text m ON m.content_id = p.content_id AND m.kind = 2 WHERE p.id = ?1 ORDER BY m." order       \
    " LIMIT 1) UNION ALL SELECT 2, text, 0 FROM (SELECT t.text FROM photo p JOIN content_text t"                 \
    " ON t.content_id = p.content_id AND t.kind IN (1, 2) WHERE p.id = ?1 ORDER BY t.kind DESC, t.position DESC" \
    " LIMIT 1)"

static const char *const statements[PD_STMT_COUNT] = {
    [PD_STMT_BEGIN_READ] = "BEGIN",
    [PD_STMT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [PD_STMT_COMMIT] = "COMMIT",
    [PD_STMT_ROLLBACK] = "ROLLBACK",

    [PD_STMT_ROOT_ADD] = "INSERT INTO root (path) VALUES (?1) ON CONFLICT (path) DO UPDATE SET path = path "
                         "RETURNING id",
    [PD_STMT_ROOT_MOVE] = "UPDATE root SET path = ?2, offline = 0 WHERE id = ?1",
    [PD_STMT_ROOT_SET_OFFLINE] = "UPDATE root SET offline = ?2 WHERE id = ?1",
    [PD_STMT_ROOTS] = "SELECT id, path, offline, n_photos FROM root ORDER BY id",

    [PD_STMT_MODEL_ADD] = "INSERT INTO model (model_id, name, dim) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT (model_id) DO UPDATE SET name = excluded.name RETURNING id, dim",
    [PD_STMT_MODEL_FIND] = "SELECT id FROM model WHERE model_id = ?1",

    [PD_STMT_MODEL_CALL] = "INSERT OR REPLACE INTO setting (name, value) VALUES ('" MODEL_SETTING "' || ?1, ?2)",
    [PD_STMT_MODEL_NAMED] = "SELECT CASE WHEN EXISTS (SELECT 1 FROM setting WHERE name = '" MODEL_SETTING "' || ?1)"
                            " THEN (SELECT m.id FROM setting s JOIN model m ON m.model_id = s.value"
                            " WHERE s.name = '" MODEL_SETTING "' || ?1)"
                            " ELSE (SELECT max(id) FROM model WHERE name = ?2) END",

    [PD_STMT_MODEL_GET] = "SELECT model_id, n_embeddings * dim * 2 FROM model WHERE id = ?1",

    [PD_STMT_MODEL_FORGET] = "DELETE FROM embedding WHERE model_id = (SELECT id FROM model WHERE model_id = ?1)",

    [PD_STMT_CONTENT_PUT] = "INSERT INTO content (sha256, type, width, height, pages, orientation, taken,"
                            " taken_source, make, camera, lens, iso, exposure_s, fnumber, focal_mm,"
                            " gps_lat, gps_lon, gps_alt, phash, subsec, focal35_mm, flash, white_balance, rating,"
                            " reader, sharpness, colours)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
                            " ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)"
                            " ON CONFLICT (sha256) DO UPDATE SET type = excluded.type, width = excluded.width,"
                            " height = excluded.height, pages = excluded.pages, orientation = excluded.orientation,"
                            " taken = excluded.taken, taken_source = excluded.taken_source, make = excluded.make,"
                            " camera = excluded.camera, lens = excluded.lens, iso = excluded.iso,"
                            " exposure_s = excluded.exposure_s, fnumber = excluded.fnumber,"
                            " focal_mm = excluded.focal_mm, gps_lat = excluded.gps_lat, gps_lon = excluded.gps_lon,"
                            " gps_alt = excluded.gps_alt, phash = coalesce(excluded.phash, phash),"
                            " subsec = excluded.subsec, focal35_mm = excluded.focal35_mm, flash = excluded.flash,"
                            " white_balance = excluded.white_balance, rating = excluded.rating,"
                            " reader = excluded.reader, sharpness = coalesce(excluded.sharpness, sharpness),"
                            " colours = coalesce(excluded.colours, colours)"
                            " RETURNING id",
    [PD_STMT_TEXTS_FORGET] = "DELETE FROM content_text WHERE content_id = ?1",
    [PD_STMT_TEXT_PUT] = "INSERT INTO content_text (content_id, kind, position, text) VALUES (?1, ?2, ?3, ?4)",
    [PD_STMT_CONTENT_FIND] = "SELECT id, EXISTS (SELECT 1 FROM embedding WHERE content_id = content.id"
                             " AND model_id = ?2) FROM content WHERE sha256 = ?1",

    [PD_STMT_PHOTO_STATES] = "SELECT id, path, bytes, mtime_ns, content_id, EXISTS (SELECT 1 FROM embedding e"
                             " WHERE e.content_id = photo.content_id AND e.model_id = ?2), error_status <> 0,"
                             " sidecar_ns, (SELECT reader FROM content WHERE content.id = photo.content_id)"
                             " FROM photo WHERE root_id = ?1 ORDER BY id",
    [PD_STMT_PHOTO_PUT] = "INSERT INTO photo (root_id, path, bytes, mtime_ns, content_id, error_status, error,"
                          " sort_time, sidecar_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, " SORT_TIME ", ?8)"
                          " ON CONFLICT (path) DO UPDATE SET root_id = excluded.root_id, bytes = excluded.bytes,"
                          " mtime_ns = excluded.mtime_ns, content_id = excluded.content_id,"
                          " error_status = excluded.error_status, error = excluded.error,"
                          " sort_time = excluded.sort_time, sidecar_ns = excluded.sidecar_ns RETURNING id",
    [PD_STMT_PHOTO_MOVE] = "UPDATE OR REPLACE photo SET root_id = ?1, path = ?2, bytes = ?3, mtime_ns = ?4,"
                           " content_id = ?5, sort_time = " SORT_TIME ", sidecar_ns = ?7 WHERE id = ?6 RETURNING id",
    [PD_STMT_PHOTO_REMOVE] = "DELETE FROM photo WHERE id = ?1",
    [PD_STMT_PHOTO_BY_ID] = SELECT_PHOTO "WHERE p.id = ?1",
    [PD_STMT_PHOTO_BY_PATH] = SELECT_PHOTO "WHERE p.path = ?1",
    [PD_STMT_PHOTOS_OF_CONTENT] = SELECT_PHOTO "WHERE p.content_id = ?1 ORDER BY p.id",
    [PD_STMT_ERRORS] = "SELECT path, error_status, error FROM photo INDEXED BY photo_error WHERE error_status <> 0"
                       " ORDER BY path",
    [PD_STMT_ERRORS_OF_ROOT] = "SELECT path, error_status, error FROM photo INDEXED BY photo_error"
                               " WHERE root_id = ?1 AND error_status <> 0 ORDER BY path",

    [PD_STMT_EMBEDDING_SAME] = "SELECT seq FROM embedding WHERE content_id = ?1 AND model_id = ?2 AND vec = ?3",
    [PD_STMT_EMBEDDING_PUT] = "INSERT OR REPLACE INTO embedding (content_id, model_id, vec) VALUES (?1, ?2, ?3)"
                              " RETURNING seq",
    [PD_STMT_EMBEDDING_GET] = "SELECT vec FROM embedding WHERE content_id = ?1 AND model_id = ?2",
    [PD_STMT_EMBEDDINGS] = "SELECT seq, content_id, vec FROM embedding WHERE model_id = ?1 AND seq > ?2"
                           " ORDER BY seq",
    [PD_STMT_EMBEDDING_EXTENT] = "SELECT n_embeddings, (SELECT max(seq) FROM embedding WHERE model_id = ?1)"
                                 " FROM model WHERE id = ?1",
    [PD_STMT_MODEL_LACKS] = "SELECT 1 FROM embedding e WHERE e.model_id = ?2 AND NOT EXISTS (SELECT 1 FROM embedding"
                            " WHERE content_id = e.content_id AND model_id = ?1) AND EXISTS (SELECT 1 FROM photo"
                            " WHERE content_id = e.content_id AND error_status = 0) LIMIT 1",
    [PD_STMT_TOTALS] = "SELECT total(n_photos), coalesce((SELECT n_photos FROM model WHERE id = ?1), 0),"
                       " total(n_errors), total(n_photos * (offline <> 0)) FROM root",

    /* an index of version 2 serves each; a catalogue of version 1 is sorted */
    [PD_STMT_BROWSE_OLDEST] = "SELECT id FROM photo WHERE content_id IS NOT NULL ORDER BY sort_time, id"
                              " LIMIT ?1 OFFSET ?2",
    [PD_STMT_BROWSE_NEWEST] = "SELECT id FROM photo WHERE content_id IS NOT NULL ORDER BY sort_time DESC, id DESC"
                              " LIMIT ?1 OFFSET ?2",
    [PD_STMT_BROWSE_NAME] = "SELECT id FROM photo WHERE content_id IS NOT NULL ORDER BY " PD_SCHEMA_NAME ", id"
                            " LIMIT ?1 OFFSET ?2",
    [PD_STMT_BROWSE_TOTAL] = "SELECT count(*) FROM photo WHERE content_id IS NOT NULL",

    [PD_STMT_SAID_PHOTO] = "SELECT p.path, r.path, p.content_id, c.make, c.camera, c.rating, w.id, w.rating,"
                           " w.favorite, w.caption FROM photo p JOIN root r ON r.id = p.root_id"
                           " LEFT JOIN content c ON c.id = p.content_id LEFT JOIN work w ON w.photo_id = p.id"
                           " WHERE p.id = ?1",
    [PD_STMT_SAID_FILE] = "SELECT kind, text FROM content_text WHERE content_id = ?1 ORDER BY kind, position",
    [PD_STMT_SAID_MACHINE] = "SELECT kind, text, score, doubtful FROM machine_text WHERE content_id = ?1"
                             " ORDER BY kind, position",
    [PD_STMT_SAID_TAGS] = "SELECT given, name FROM work_tag WHERE work_id = ?1",
    [PD_STMT_SAID_ALBUMS] = "SELECT 1, a.name FROM album_work i JOIN album a ON a.id = i.album_id WHERE i.work_id = ?1",
    [PD_STMT_SAID_CAPTION] = SELECT_CAPTION_BY("position"),

    [PD_STMT_PHOTO_IDS_OF_CONTENT] = "SELECT id FROM photo WHERE content_id = ?1",
    [PD_STMT_PHOTO_IDS] = "SELECT id FROM photo ORDER BY id",
    [PD_STMT_DOC_GET] = "SELECT name, folder, caption, title, tag, person, camera, other, machine_caption,"
                        " machine_tag, doubtful_caption, doubtful_tag FROM photo_fts WHERE rowid = ?1",
    [PD_STMT_DOC_PUT] = "INSERT OR REPLACE INTO photo_fts (rowid, name, folder, caption, title, tag, person, camera,"
                        " other, machine_caption, machine_tag, doubtful_caption, doubtful_tag)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [PD_STMT_DOC_REMOVE] = "DELETE FROM photo_fts WHERE rowid = ?1",
    [PD_STMT_NAME_PUT] = "INSERT OR REPLACE INTO name_fts (rowid, name) VALUES (?1, ?2)",
    [PD_STMT_NAME_REMOVE] = "DELETE FROM name_fts WHERE rowid = ?1",
    [PD_STMT_LABELS_OF_PHOTO] = "SELECT l.id, l.place, l.folded FROM photo_label p JOIN label l ON l.id = p.label_id"
                                " WHERE p.photo_id = ?1",
    [PD_STMT_LABEL_MAKE] = "INSERT INTO label (place, folded, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [PD_STMT_LABEL_GIVE] = "INSERT OR IGNORE INTO photo_label (label_id, photo_id)"
                           " SELECT id, ?3 FROM label WHERE place = ?1 AND folded = ?2",
    [PD_STMT_LABEL_TAKE] = "DELETE FROM photo_label WHERE label_id = ?1 AND photo_id = ?2",
    [PD_STMT_CHANGE_PUT] = "INSERT OR REPLACE INTO photo_change (photo_id, rating, marks) VALUES (?1, ?2, ?3)",
    [PD_STMT_CHANGE_GONE] = "INSERT OR REPLACE INTO photo_change (photo_id) SELECT photo_id FROM photo_change"
                            " WHERE photo_id = ?1",

    [PD_STMT_VERSION] = "SELECT max(version) FROM photo_change",
    [PD_STMT_IDENTITY] = "SELECT bytes FROM identity",
    [PD_STMT_ROWS] = "SELECT n.version, n.photo_id, n.rating, n.marks, " ROW_FACTS ", c.flash, c.sharpness, c.colours"
                     " FROM photo_change n LEFT JOIN photo p ON p.id = n.photo_id"
                     " LEFT JOIN content c ON c.id = p.content_id WHERE n.version > ?1 ORDER BY n.version",
    [PD_STMT_WORDS_DOC] = "SELECT rowid FROM photo_fts WHERE photo_fts MATCH ?1 ORDER BY rowid",
    [PD_STMT_WORDS_RANKED] = "SELECT rowid, -bm25(photo_fts, 1, 1, 2, 2, 3, 3, 0.5, 0.5, 1, 1, 0.4, 0.4) AS score"
                             " FROM photo_fts WHERE photo_fts MATCH ?1 ORDER BY score DESC, rowid LIMIT ?2",
    [PD_STMT_WORDS_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM photo_fts WHERE photo_fts MATCH ?1 LIMIT ?2)",
    [PD_STMT_WORDS_NAME] = "SELECT rowid FROM name_fts WHERE name_fts MATCH ?1 ORDER BY rowid",
    [PD_STMT_LABEL_PHOTOS] = "SELECT photo_id FROM photo_label WHERE label_id = (SELECT id FROM label"
                             " WHERE place = ?1 AND folded = ?2)",
    [PD_STMT_LABEL_PHOTOS_LIKE] = "SELECT DISTINCT photo_id FROM photo_label WHERE label_id IN (SELECT id FROM label"
                                  " WHERE place = ?1 AND folded GLOB ?2)",
    [PD_STMT_LABEL_VALUES] = "SELECT name, n_photos FROM label WHERE place = ?1 AND folded >= ?2 AND folded < ?3"
                             " ORDER BY n_photos DESC, folded",
    [PD_STMT_LABEL_HAS] = "SELECT count(*) FROM photo_label WHERE photo_id = ?3 AND label_id ="
                          " (SELECT id FROM label WHERE place = ?1 AND folded = ?2)",

    [PD_STMT_LABEL_RENAME] = "UPDATE label SET folded = ?2, name = ?3 WHERE place = 2 AND folded = ?1",
    [PD_STMT_CHANGE_ALBUM] = "INSERT OR REPLACE INTO photo_change (photo_id, rating, marks)"
                             " SELECT c.photo_id, c.rating, c.marks FROM album_work m JOIN work w ON w.id = m.work_id"
                             " JOIN photo_change c ON c.photo_id = w.photo_id WHERE m.album_id = ?1",
    [PD_STMT_PHOTO_OF_WORK] = "SELECT photo_id FROM work WHERE id = ?1",
    [PD_STMT_WORK_OF_PHOTO] = "SELECT p.id, w.id FROM photo p LEFT JOIN work w ON w.photo_id = p.id WHERE p.id = ?1",
    [PD_STMT_WORK_MAKE] = "INSERT INTO work (photo_id) VALUES (?1) RETURNING id",

    /* journal.c: ?1 work, ?2 album, ?3 number, ?4 key, ?5 text. Read: number (NULL: absent), key, text */
    [PD_STMT_RATING_READ] = "SELECT rating, NULL, NULL FROM work WHERE id = ?1",
    [PD_STMT_RATING_PUT] = "UPDATE work SET rating = ?3 WHERE id = ?1",
    [PD_STMT_RATING_REMOVE] = "UPDATE work SET rating = NULL WHERE id = ?1",
    [PD_STMT_FAVORITE_READ] = "SELECT nullif(favorite, 0), NULL, NULL FROM work WHERE id = ?1",
    [PD_STMT_FAVORITE_PUT] = "UPDATE work SET favorite = 1 WHERE id = ?1",
    [PD_STMT_FAVORITE_REMOVE] = "UPDATE work SET favorite = 0 WHERE id = ?1",
    [PD_STMT_CAPTION_READ] = "SELECT iif(caption IS NULL, NULL, 0), NULL, caption FROM work WHERE id = ?1",
    [PD_STMT_CAPTION_PUT] = "UPDATE work SET caption = ?5 WHERE id = ?1",
    [PD_STMT_CAPTION_REMOVE] = "UPDATE work SET caption = NULL WHERE id = ?1",
    [PD_STMT_TAG_READ] = "SELECT given, folded, name FROM work_tag WHERE work_id = ?1 AND folded = ?4",
    [PD_STMT_TAG_PUT] = "INSERT OR REPLACE INTO work_tag (work_id, given, folded, name) VALUES (?1, ?3, ?4, ?5)",
    [PD_STMT_TAG_REMOVE] = "DELETE FROM work_tag WHERE work_id = ?1 AND folded = ?4",
    [PD_STMT_ALBUM_READ] = "SELECT 0, folded, name FROM album WHERE id = ?2",
    /* what is restored may find its name taken by an import: then it gets its number */
    [PD_STMT_ALBUM_PUT] = "INSERT INTO album (id, folded, name) SELECT ?2, ?4 || suffix, ?5 || suffix FROM (SELECT"
                          " iif(EXISTS (SELECT 1 FROM album WHERE folded = ?4 AND id <> ?2), ' ' || ?2, '') AS suffix)"
                          " WHERE true ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, name = excluded.name",
    [PD_STMT_ALBUM_REMOVE] = "DELETE FROM album WHERE id = ?2"
                             " AND NOT EXISTS (SELECT 1 FROM album_work WHERE album_id = ?2)",
    [PD_STMT_MEMBER_READ] = "SELECT position, NULL, NULL FROM album_work WHERE work_id = ?1 AND album_id = ?2",
    [PD_STMT_MEMBER_PUT] = "INSERT OR REPLACE INTO album_work (work_id, album_id, position) VALUES (?1, ?2, ?3)",
    [PD_STMT_MEMBER_REMOVE] = "DELETE FROM album_work WHERE work_id = ?1 AND album_id = ?2",

    [PD_STMT_STEP_BEGIN] = "INSERT INTO step (sentence) VALUES ('') RETURNING id",
    [PD_STMT_STEP_END] = "UPDATE step SET sentence = ?2, n = ?3 WHERE id = ?1",
    [PD_STMT_STEP_REMOVE] = "DELETE FROM step WHERE id = ?1",
    [PD_STMT_STEP_NEWEST] = "SELECT id, sentence FROM step ORDER BY id DESC LIMIT 1",
    [PD_STMT_STEPS_BEYOND] = "SELECT max(id) FROM (SELECT id, row_number() OVER newer AS k, sum(n) OVER newer AS total"
                             " FROM step WINDOW newer AS (ORDER BY id DESC)) WHERE k > 1 AND (k > ?1 OR total > ?2)",
    [PD_STMT_STEPS_FORGET] = "DELETE FROM step WHERE id <= ?1",
    [PD_STMT_UNDO_PUT] = "INSERT INTO step_undo (step_id, position, kind, work_id, album_id, number, key, text)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [PD_STMT_UNDO_OF_STEP] = "SELECT kind, work_id, album_id, number, key, text FROM step_undo WHERE step_id = ?1"
                             " ORDER BY position DESC",
    [PD_STMT_UNDO_REMOVE] = "DELETE FROM step_undo WHERE step_id = ?1",
    [PD_STMT_UNDO_FORGET] = "DELETE FROM step_undo WHERE step_id <= ?1",

    [PD_STMT_ALBUM_FIND] = "SELECT id, (SELECT max(position) FROM album_work WHERE album_id = album.id) FROM album"
                           " WHERE folded = ?1",
    [PD_STMT_ALBUM_NEXT] = "SELECT 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'album'), 0)",
    [PD_STMT_ALBUM_FIRST] = "SELECT work_id FROM album_work WHERE album_id = ?1 ORDER BY position LIMIT 1",
    [PD_STMT_ALBUMS] = "SELECT a.id, a.name, l.n_photos, (SELECT p.id FROM album_work m JOIN work w ON"
                       " w.id = m.work_id JOIN photo p ON p.id = w.photo_id WHERE m.album_id = a.id"
                       " AND p.content_id IS NOT NULL ORDER BY m.position LIMIT 1)"
                       " FROM album a LEFT JOIN label l ON l.place = 2 AND l.folded = a.folded ORDER BY a.folded",

    /* what is kept for a picture that is not here says so itself */
    [PD_STMT_EXPORT] = "SELECT w.id, w.rating, w.favorite, w.caption, " PICTURE_OF_WORK " FROM work w"
                       " LEFT JOIN photo p ON p.id = w.photo_id LEFT JOIN content c ON c.id = p.content_id"
                       " ORDER BY w.id",
    [PD_STMT_EXPORT_ALBUMS] = "SELECT a.name, " PICTURE_OF_WORK " FROM album a"
                              " LEFT JOIN album_work m ON m.album_id = a.id LEFT JOIN work w ON w.id = m.work_id"
                              " LEFT JOIN photo p ON p.id = w.photo_id LEFT JOIN content c ON c.id = p.content_id"
                              " ORDER BY a.id, m.position",
    [PD_STMT_PHOTOS_LIKE] =
        "WITH alike AS (SELECT p.id, (p.path = ?2) + (" PD_SCHEMA_NAME_OF("p.path") " = " PD_SCHEMA_NAME_OF(
            "?2") ") AS n"
                  " FROM content c JOIN photo p ON p.content_id = c.id WHERE c.sha256 = ?1)"
                  " SELECT id FROM alike WHERE n = (SELECT max(n) FROM alike)",
    [PD_STMT_PHOTO_AT] = "SELECT id FROM photo WHERE path = ?2",
    [PD_STMT_WORK_KEPT] = "SELECT id FROM work WHERE photo_id IS NULL AND path = ?2 AND sha256 IS ?1 LIMIT 1",
    [PD_STMT_WORK_KEEP] = "INSERT INTO work (sha256, path, imported) VALUES (?1, ?2, 1) RETURNING id",
    [PD_STMT_WORK_PART] = "UPDATE work SET photo_id = NULL, imported = 0,"
                          " path = (SELECT path FROM photo WHERE id = ?1),"
                          " sha256 = (SELECT sha256 FROM content WHERE id = ?2) WHERE photo_id = ?1",
    [PD_STMT_WORK_FOLLOW] =
        "UPDATE work SET photo_id = coalesce(" PHOTO_WITHOUT_WORK " AND p.id = ?2)," PHOTO_WITHOUT_WORK "))"
        " WHERE id = (SELECT min(id) FROM work INDEXED BY work_kept WHERE photo_id IS NULL"
        "  AND sha256 = (SELECT sha256 FROM content WHERE id = ?1))"
        " RETURNING photo_id",

    [PD_STMT_SAVED_PUT] = "INSERT OR REPLACE INTO saved (name, query, at) VALUES (?1, ?2, unixepoch())",
    [PD_STMT_SAVED_REMOVE] = "DELETE FROM saved WHERE name = ?1",
    [PD_STMT_SAVED] = "SELECT name, query, at FROM saved ORDER BY name",
    [PD_STMT_HISTORY_ADD] = "INSERT OR REPLACE INTO history (query, at) VALUES (?1, unixepoch())",
    [PD_STMT_HISTORY_FORGET] = "DELETE FROM history WHERE id <= (SELECT id FROM history ORDER BY id DESC"
                               " LIMIT 1 OFFSET ?1)",
    [PD_STMT_HISTORY_CLEAR] = "DELETE FROM history",
    [PD_STMT_HISTORY] = "SELECT '', query, at FROM history ORDER BY id DESC LIMIT ?1",

    [PD_STMT_SOURCE_FIND] = "SELECT id FROM machine_source WHERE name = ?1",
    [PD_STMT_SOURCE_MAKE] = "INSERT INTO machine_source (name) VALUES (?1) RETURNING id",
    [PD_STMT_MACHINE_FORGET] = "DELETE FROM machine_text WHERE content_id = ?1 AND kind = ?2",
    [PD_STMT_MACHINE_PUT] = "INSERT INTO machine_text (content_id, kind, position, source_id, text, score, doubtful)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [PD_STMT_MACHINE_TAGGED] = "UPDATE content SET tag_source = ?2 WHERE id = ?1 RETURNING id",
    [PD_STMT_MACHINE_CAPTIONED] = "UPDATE content SET caption_source = ?2 WHERE id = ?1 RETURNING id",
    /* the next group of the index after one; its root is there or not. A comparison of all three at once would walk
     * the rest of the group */
    [PD_STMT_MACHINE_GROUP] =
        "SELECT tag_source, caption_source, root_id, (SELECT offline FROM root"
        " WHERE id = root_id) FROM (SELECT * FROM (" GROUP_AFTER(
            "tag_source = ?1 AND caption_source = ?2 AND root_id > ?3") ") UNION ALL"
                                                                        " SELECT * FROM (" GROUP_AFTER(
                                                                            "tag_source = ?1 AND caption_source > "
                                                                            "?2") ") UNION ALL"
                                                                                  " SELECT * FROM (" GROUP_AFTER(
                                                                                      "tag_source > ?1") ")) LIMIT "
                                                                                                         "1",
    [PD_STMT_MACHINE_TODO] =
        "SELECT content_id, sort_time FROM photo INDEXED BY photo_machine"
        " WHERE content_id IS NOT NULL AND tag_source = ?1 AND caption_source = ?2 AND root_id = ?3"
        " AND (?4 = 0 OR EXISTS (SELECT 1 FROM embedding e WHERE e.content_id = photo.content_id"
        " AND e.model_id = ?4)) ORDER BY sort_time DESC, content_id DESC",
    [PD_STMT_MACHINE_LACKS] =
        "SELECT EXISTS (SELECT 1 FROM photo WHERE content_id = ?1"
        " AND (?3 = 0 OR CASE WHEN ?2 THEN tag_source ELSE caption_source END <> ?3)"
        " AND (?4 = 0 OR EXISTS (SELECT 1 FROM embedding e WHERE e.content_id = ?1 AND e.model_id = ?4)))",
    /* + : the index of the model alone would have to look at the rows */
    [PD_STMT_MACHINE_LEARNED] = "SELECT content_id FROM embedding WHERE content_id BETWEEN ?2 AND ?3"
                                " AND +model_id = ?1",
    [PD_STMT_CONTENT_LAST] = "SELECT coalesce(max(id), 0) FROM content",
    [PD_STMT_SETTING_GET] = "SELECT value FROM setting WHERE name = ?1",
    [PD_STMT_SETTING_PUT] = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)",
    [PD_STMT_SETTING_REMOVE] = "DELETE FROM setting WHERE name = ?1",
};

/* For reading older catalogues; a newer one answers them too, should it be brought up to date meanwhile. */
typedef struct old_statement {
    pd_stmt id;
    int before; /* for versions below this one */
    const char *sql;
} old_statement;
static const old_statement old_statements[] = {
    { PD_STMT_SAID_MACHINE, PD_SCHEMA_MACHINE,
      "SELECT kind, text, score, doubtful FROM machine_text WHERE content_id = ?1 ORDER BY kind" },
    { PD_STMT_SAID_CAPTION, PD_SCHEMA_MACHINE, SELECT_CAPTION_BY("text") },
    { PD_STMT_PHOTO_BY_ID, PD_SCHEMA_TEXTS, SELECT_OLD_PHOTO "WHERE p.id = ?1" },
    { PD_STMT_PHOTO_BY_PATH, PD_SCHEMA_TEXTS, SELECT_OLD_PHOTO "WHERE p.path = ?1" },
    { PD_STMT_PHOTOS_OF_CONTENT, PD_SCHEMA_TEXTS, SELECT_OLD_PHOTO "WHERE p.content_id = ?1 ORDER BY p.id" },
    { PD_STMT_ROWS, PD_SCHEMA_TEXTS,
      "SELECT 0, p.id, 0, 0, " ROW_FACTS ", NULL, NULL, NULL FROM photo p JOIN content c ON c.id = p.content_id"
      " WHERE ?1 <= 0 ORDER BY p.id" },
    { PD_STMT_ROWS, PD_SCHEMA_WORK,
      "SELECT 0, p.id, max(0, coalesce(c.rating, 0)), coalesce(c.rating, 0) > 0, " ROW_FACTS ", c.flash, c.sharpness,"
      " c.colours FROM photo p JOIN content c ON c.id = p.content_id WHERE ?1 <= 0 ORDER BY p.id" },
    { PD_STMT_MODEL_NAMED, PD_SCHEMA_MACHINE, "SELECT max(id) FROM model WHERE name = ?2" },
};

static const char *find_sql(const pd_store *store, pd_stmt id)
{
    for (size_t i = 0; i < PD_COUNT_OF(old_statements); i++)
        if (old_statements[i].id == id && store->version < old_statements[i].before)
            return old_statements[i].sql;
    return statements[id];
}

pd_status pd_stmt_get(pd_store *store, pd_stmt id, sqlite3_stmt **ret_stmt, pd_error *err)
{
    sqlite3_stmt **slot = &store->stmts[id];
    if (!*slot &&
        sqlite3_prepare_v3(store->db, find_sql(store, id), -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return pd_store_fail(store, "cannot read the catalogue", err);
    *ret_stmt = *slot;
    return PD_OK;
}

pd_status pd_stmt_step(pd_store *store, sqlite3_stmt *stmt, bool *ret_row, pd_error *err)
{
    const int rc = sqlite3_step(stmt);
    *ret_row = rc == SQLITE_ROW;
    if (rc == SQLITE_DONE)
        pd_stmt_reset(stmt);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return PD_OK;
    const pd_status status =
        pd_store_fail(store, sqlite3_stmt_readonly(stmt) ? "cannot read the catalogue" : "cannot write the catalogue",
                      err);
    pd_stmt_reset(stmt);
    return status;
}

void pd_stmt_reset(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt); /* repeats the failure of the last step, which was seen there */
    (void)sqlite3_clear_bindings(stmt);
}

pd_status pd_stmt_run(pd_store *store, sqlite3_stmt *stmt, int64_t *ret_value, pd_error *err)
{
    bool row;
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    const int64_t value = row ? sqlite3_column_int64(stmt, 0) : 0;
    const bool had_row = row;
    if (row) /* a statement with RETURNING is done, and committed, only when stepped to its end */
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_stmt_reset(stmt);
    if (ret_value && had_row)
        *ret_value = value;
    return PD_OK;
}

void pd_stmt_bind_path(sqlite3_stmt *stmt, int at, const char *path)
{
    (void)sqlite3_bind_blob64(stmt, at, path, strlen(path), SQLITE_STATIC);
}

void pd_stmt_bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    if (text && *text)
        (void)sqlite3_bind_text64(stmt, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

void pd_stmt_bind_count(sqlite3_stmt *stmt, int at, uint32_t value)
{
    if (value)
        (void)sqlite3_bind_int64(stmt, at, value);
}

const char *pd_stmt_text(sqlite3_stmt *stmt, int at)
{
    const unsigned char *text = sqlite3_column_text(stmt, at);
    return text ? (const char *)text : "";
}

uint32_t pd_stmt_count(sqlite3_stmt *stmt, int at)
{
    const int64_t value = sqlite3_column_int64(stmt, at);
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

double pd_stmt_number(sqlite3_stmt *stmt, int at)
{
    return sqlite3_column_type(stmt, at) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(stmt, at);
}

pd_look pd_stmt_look(sqlite3_stmt *stmt, int at)
{
    pd_look look = { .sharpness = (float)pd_stmt_number(stmt, at) };
    const uint8_t *colours = sqlite3_column_blob(stmt, at + 1);
    const size_t n = (size_t)sqlite3_column_bytes(stmt, at + 1) / PD_SCHEMA_COLOUR_BYTES;
    for (; colours && look.n_colours < n && look.n_colours < PD_LOOK_COLOURS_MAX; colours += PD_SCHEMA_COLOUR_BYTES)
        look.colours[look.n_colours++] = (pd_look_colour){ colours[0], colours[1], colours[2], colours[3] };
    return look;
}

pd_status pd_store_check_path(const char *path, pd_error *err)
{
    const size_t len = strlen(path);
    if (len > PD_STORE_PATH_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the path '%.64s...' has %zu bytes, at most %d are allowed", path, len,
                            PD_STORE_PATH_BYTES_MAX);
    return PD_OK;
}
