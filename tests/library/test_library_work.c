/* What the user does, keeps, carries elsewhere and copies, through the library, with every allocation failing once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "library_fixture.h"

enum { PICTURES = 4, TRIES_MAX = 4000 };

static pd_library *learn_scene(void)
{
    if (!scene_begin())
        return NULL;
    bool made = true;
    for (unsigned i = 0; i < PICTURES; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%u/picture.bmp", i);
        made &= scene_picture(name, i) && scene_touch(name, 1000000000 + i);
    }
    return made ? learn_all(PICTURES) : NULL;
}

static int64_t id_of(pd_library *library, unsigned i)
{
    char name[64];
    pd_photo photo = { 0 };
    (void)snprintf(name, sizeof name, "photos/%u/picture.bmp", i);
    CHECK(pd_library_show(library, scene_path(name), &photo, NULL, NULL) == PD_OK);
    return photo.id;
}

static pd_status tag(pd_library *library, const char *text, int64_t id, pd_step *ret_step)
{
    const pd_edit edit = { .kind = PD_EDIT_TAG, .text = text, .photos = &id, .n_photos = 1 };
    return pd_library_edit(library, &edit, ret_step, NULL);
}

static bool count_album(void *user, const pd_album *album)
{
    *(int64_t *)user += 1 + album->n_photos;
    return true;
}

static bool count_saved(void *user, const pd_saved *saved)
{
    *(int64_t *)user += (int64_t)strlen(saved->query);
    return true;
}

static void a_library_that_is_not_there_has_no_work(void)
{
    REQUIRE(scene_begin());
    pd_library *library = open_library();
    REQUIRE(library);
    int64_t n = 0;
    pd_step step = { 0 };
    pd_buf buf;
    pd_work_counts counts;
    pd_buf_init(&buf, PD_LIBRARY_WORK_BYTES_MAX);
    CHECK(pd_library_albums(library, count_album, &n, NULL) == PD_OK && n == 0);
    CHECK(pd_library_saved(library, count_saved, &n, NULL) == PD_OK && n == 0);
    CHECK(pd_library_history(library, 10, count_saved, &n, NULL) == PD_OK && n == 0);
    CHECK(pd_library_undo_next(library, &step, NULL) == PD_OK && step.number == 0 && !step.sentence);
    CHECK(pd_library_work_export(library, &buf, &counts, NULL) == PD_OK && counts.edits == 0);
    pd_json *json = NULL;
    CHECK(pd_json_parse(&json, buf.data, buf.len, NULL) == PD_OK && pd_json_count(pd_json_get(json, "edits")) == 0);
    pd_json_free(&json);
    pd_buf_done(&buf);
    CHECK(!pd_file_exists(pd_library_dir(library)));
    CHECK(pd_library_saved_put(library, "a", "dog", NULL) == PD_OK); /* begins one */
    CHECK(pd_library_saved(library, count_saved, &n, NULL) == PD_OK && n == 3);
    CHECK(pd_library_undo(library, 0, &step, NULL) == PD_ERR_NO_MATCH);
    pd_library_close(&library);
}

static void a_step_says_what_it_was(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    const int64_t id = id_of(library, 0);
    pd_step step = { 0 }, next = { 0 };
    CHECK(tag(library, "beach", id, &step) == PD_OK);
    CHECK(step.number > 0 && step.photos == 1 && strcmp(step.sentence, "tag 'beach' of 1 photo") == 0);
    CHECK(pd_library_undo_next(library, &next, NULL) == PD_OK && next.number == step.number);
    pd_step_done(&next);
    const int64_t number = step.number;
    pd_step_done(&step);
    CHECK(tag(library, "beach", id, &step) == PD_OK && step.number == 0 && step.photos == 0 && !step.sentence);
    CHECK(pd_library_album_make(library, "Italy", &step, NULL) == PD_OK && step.sentence);
    pd_step_done(&step);
    CHECK(pd_library_undo(library, number, &step, NULL) == PD_ERR_NO_MATCH); /* not the newest */
    CHECK(pd_library_undo(library, 0, &step, NULL) == PD_OK && step.number > number);
    pd_step_done(&step);
    CHECK(pd_library_undo(library, number, &step, NULL) == PD_OK && step.number == number);
    pd_step_done(&step);
    pd_library_close(&library);
}

/* Edits of every kind, and the document of them. */
static bool make_work(pd_library *library, pd_buf *buf)
{
    const int64_t ids[] = { id_of(library, 0), id_of(library, 1) };
    const pd_edit edits[] = {
        { PD_EDIT_TAG, "beach", 0, ids, 2 },   { PD_EDIT_RATING, NULL, 4, ids, 1 },
        { PD_EDIT_FAVORITE, NULL, 1, ids, 1 }, { PD_EDIT_CAPTION, "a \"boat\"", 0, ids, 1 },
        { PD_EDIT_ALBUM, "Italy", 0, ids, 2 },
    };
    bool good = true;
    for (size_t i = 0; i < PD_COUNT_OF(edits); i++) {
        pd_step step = { 0 };
        good &= pd_library_edit(library, &edits[i], &step, NULL) == PD_OK && step.number > 0;
        pd_step_done(&step);
    }
    pd_work_counts counts;
    good &= pd_library_saved_put(library, "best", "rating:5", NULL) == PD_OK;
    return good && pd_library_work_export(library, buf, &counts, NULL) == PD_OK && counts.edits == 7;
}

static void work_that_is_none_is_refused_before_anything_changes(void)
{
    static const char *const broken[] = {
        "",
        "[]",
        "{\"program\":\"other\",\"work\":1,\"edits\":[],\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":0,\"edits\":[],\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":{},\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[{\"do\":\"tag\",\"photos\":[]}],\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[{\"do\":\"rating\",\"number\":6,\"photos\":[]}],"
        "\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[{\"do\":\"tag\",\"text\":\"a\\u0000b\",\"photos\":[]}],"
        "\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[{\"do\":\"tag\",\"text\":\"a\",\"photos\":[[\"\",\"\"]]"
        "}],\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[{\"do\":\"tag\",\"text\":\"a\",\"photos\":[[\"zz\",\"/"
        "x\"]]}],\"searches\":[]}",
        "{\"program\":\"pixel-detective\",\"work\":1,\"edits\":[],\"searches\":[{\"name\":\"x\"}]}",
    };
    REQUIRE(scene_begin());
    pd_library *library = open_library();
    REQUIRE(library);
    for (size_t i = 0; i < PD_COUNT_OF(broken); i++) {
        pd_work_counts counts = { .edits = -7 };
        pd_error err = { 0 };
        CHECK(pd_library_work_import(library, broken[i], strlen(broken[i]), &counts, &err) == PD_ERR_FORMAT);
        CHECK(counts.edits == -7 && err.message[0]);
    }
    CHECK(!pd_file_exists(pd_library_dir(library)));
    static const char newer[] = "{\"program\":\"pixel-detective\",\"work\":2}";
    pd_work_counts counts;
    CHECK(pd_library_work_import(library, newer, sizeof newer - 1, &counts, NULL) == PD_ERR_UNSUPPORTED);
    pd_library_close(&library);
}

static void work_waits_for_its_pictures_elsewhere(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    pd_buf buf, again;
    pd_buf_init(&buf, PD_LIBRARY_WORK_BYTES_MAX);
    pd_buf_init(&again, PD_LIBRARY_WORK_BYTES_MAX);
    REQUIRE(make_work(library, &buf));
    pd_library_close(&library);
    const pd_library_options elsewhere = options_of("other");
    pd_library *other = open_with(&elsewhere);
    pd_work_counts counts;
    CHECK(pd_library_work_import(other, buf.data, buf.len, &counts, NULL) == PD_OK);
    CHECK(counts.edits == 7 && counts.photos == 0 && counts.waiting == 7 && counts.searches == 1 && counts.albums == 1);
    CHECK(learn(other).outcome == PD_OK);
    pd_photo photo;
    pd_work work;
    CHECK(pd_library_show(other, scene_path("photos/0/picture.bmp"), &photo, &work, NULL) == PD_OK);
    CHECK(work.rating == 4 && work.favorite && strcmp(work.caption, "a \"boat\"") == 0 && work.n_tags == 1);
    CHECK(work.n_albums == 1 && strcmp(work.albums[0], "Italy") == 0);
    CHECK(strstr(photo.path, "photos/0/picture.bmp") && photo.facts.type && strcmp(photo.facts.type, "bmp") == 0);
    CHECK(pd_library_work_export(other, &again, &counts, NULL) == PD_OK && counts.edits == 7);
    CHECK(strcmp(strstr(again.data, "\"edits\""), strstr(buf.data, "\"edits\"")) == 0);
    pd_buf_done(&buf);
    pd_buf_done(&again);
    pd_library_close(&other);
}

static bool rename_picture(const char *from, const char *to)
{
    char old[4096];
    (void)snprintf(old, sizeof old, "%s", scene_path(from));
    return rename(old, scene_path(to)) == 0;
}

/* Whether what the user tagged there is this and nothing else; NULL: there is nothing. */
static bool has_tag_alone(pd_library *library, const char *path, const char *tag)
{
    pd_photo photo = { 0 };
    pd_work work = { 0 };
    if (pd_library_show(library, scene_path(path), &photo, &work, NULL) != PD_OK)
        return false;
    return tag ? work.n_tags == 1 && strcmp(work.tags[0].name, tag) == 0 : work.n_tags == 0;
}

static pd_library *learn_tagged_scene(void)
{
    static const char *const tags[] = { "zero", "one", "two" };
    pd_library *library = learn_scene();
    for (unsigned i = 0; library && i < PD_COUNT_OF(tags); i++) {
        pd_step step = { 0 };
        CHECK(tag(library, tags[i], id_of(library, i), &step) == PD_OK);
        pd_step_done(&step);
    }
    return library;
}

static void work_follows_pictures_that_change_names(void)
{
    pd_library *library = learn_tagged_scene();
    REQUIRE(library);
    REQUIRE(rename_picture("photos/0/picture.bmp", "other.bmp"));
    REQUIRE(rename_picture("photos/1/picture.bmp", "photos/0/picture.bmp"));
    REQUIRE(rename_picture("other.bmp", "photos/1/picture.bmp") && learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/0/picture.bmp", "one"));
    CHECK(has_tag_alone(library, "photos/1/picture.bmp", "zero"));
    CHECK(has_tag_alone(library, "photos/2/picture.bmp", "two"));
    /* all move up by one: the last has a new name, the first leaves one */
    REQUIRE(rename_picture("photos/3/picture.bmp", "photos/4.bmp"));
    REQUIRE(rename_picture("photos/2/picture.bmp", "photos/3/picture.bmp"));
    REQUIRE(rename_picture("photos/1/picture.bmp", "photos/2/picture.bmp"));
    REQUIRE(rename_picture("photos/0/picture.bmp", "photos/1/picture.bmp") && learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/1/picture.bmp", "one"));
    CHECK(has_tag_alone(library, "photos/2/picture.bmp", "zero"));
    CHECK(has_tag_alone(library, "photos/3/picture.bmp", "two"));
    CHECK(has_tag_alone(library, "photos/4.bmp", NULL));
    /* and down again, over the name of one that goes */
    REQUIRE(rename_picture("photos/3/picture.bmp", "photos/2/picture.bmp") && learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/2/picture.bmp", "two"));
    pd_library_close(&library);
}

static void work_follows_pictures_that_make_room_for_a_new_one(void)
{
    pd_library *library = learn_tagged_scene();
    REQUIRE(library);
    REQUIRE(rename_picture("photos/2/picture.bmp", "photos/3/picture.bmp"));
    REQUIRE(rename_picture("photos/1/picture.bmp", "photos/2/picture.bmp"));
    REQUIRE(rename_picture("photos/0/picture.bmp", "photos/1/picture.bmp"));
    REQUIRE(scene_picture("photos/0/picture.bmp", 100) && learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/0/picture.bmp", NULL));
    CHECK(has_tag_alone(library, "photos/1/picture.bmp", "zero"));
    CHECK(has_tag_alone(library, "photos/2/picture.bmp", "one"));
    CHECK(has_tag_alone(library, "photos/3/picture.bmp", "two"));
    pd_library_close(&library);
}

/* Two change names, and there is a copy of one for which nothing was done. */
static void work_goes_to_the_name_before_a_copy(void)
{
    pd_library *library = learn_tagged_scene();
    REQUIRE(library);
    REQUIRE(scene_picture("photos/a-copy.bmp", 0) && scene_picture("photos/z-copy.bmp", 1));
    REQUIRE(learn(library).outcome == PD_OK && rename_picture("photos/0/picture.bmp", "other.bmp"));
    REQUIRE(rename_picture("photos/1/picture.bmp", "photos/0/picture.bmp"));
    REQUIRE(rename_picture("other.bmp", "photos/1/picture.bmp") && learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/0/picture.bmp", "one"));
    CHECK(has_tag_alone(library, "photos/1/picture.bmp", "zero"));
    CHECK(has_tag_alone(library, "photos/a-copy.bmp", NULL) && has_tag_alone(library, "photos/z-copy.bmp", NULL));
    pd_library_close(&library);
}

static void work_goes_to_a_copy_that_was_found_before(void)
{
    pd_library *library = learn_tagged_scene();
    REQUIRE(library);
    REQUIRE(scene_folder("elsewhere"));
    REQUIRE(rename_picture("photos/1/picture.bmp", "elsewhere/one.bmp") &&
            learn_folder(library, "elsewhere").outcome == PD_OK);
    CHECK(has_tag_alone(library, "elsewhere/one.bmp", NULL)); /* nobody has looked whether the other is gone */
    REQUIRE(scene_picture("photos/copy.bmp", 2) && unlink(scene_path("photos/2/picture.bmp")) == 0);
    REQUIRE(learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "elsewhere/one.bmp", "one") && has_tag_alone(library, "photos/copy.bmp", "two"));
    pd_library_close(&library);
}

static void work_stays_with_a_picture_that_is_edited(void)
{
    pd_library *library = learn_tagged_scene();
    REQUIRE(library);
    /* the original is kept beside, under another name, then it is taken back */
    REQUIRE(scene_picture("photos/before.bmp", 0) && scene_picture("photos/0/picture.bmp", 100));
    REQUIRE(learn(library).outcome == PD_OK && has_tag_alone(library, "photos/0/picture.bmp", "zero"));
    CHECK(has_tag_alone(library, "photos/before.bmp", NULL));
    REQUIRE(scene_picture("photos/0/picture.bmp", 0) && scene_touch("photos/0/picture.bmp", 1500000000));
    REQUIRE(learn(library).outcome == PD_OK);
    CHECK(has_tag_alone(library, "photos/0/picture.bmp", "zero"));
    pd_library_close(&library);
}

static void without_memory_nothing_is_half_done(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    pd_buf document;
    pd_buf_init(&document, PD_LIBRARY_WORK_BYTES_MAX);
    REQUIRE(make_work(library, &document));
    const size_t live = pd_mem_live();
    size_t tries = 1;
    for (bool done = false; !done && tries < TRIES_MAX; tries++) {
        pd_buf buf;
        pd_step step = { 0 };
        pd_work_counts counts;
        pd_buf_init(&buf, PD_LIBRARY_WORK_BYTES_MAX);
        (void)pd_mem_fail_at(tries);
        pd_status status = pd_library_work_export(library, &buf, &counts, NULL);
        if (status == PD_OK)
            status = pd_library_work_import(library, document.data, document.len, &counts, NULL);
        if (status == PD_OK)
            status = pd_library_album_make(library, "Rome", &step, NULL);
        if (status == PD_OK) {
            pd_step_done(&step);
            status = pd_library_undo(library, 0, &step, NULL);
        }
        done = pd_mem_fail_at(0) < tries;
        CHECK((status == PD_OK) == done);
        CHECK(done || step.sentence == NULL);
        pd_step_done(&step);
        pd_buf_done(&buf);
        if (!done && tries % 50 == 0) /* what SQLite keeps may grow a little; what is ours may not */
            CHECK(pd_mem_live() <= live + 64);
        pd_step newest = { 0 };
        CHECK(pd_library_undo_next(library, &newest, NULL) == PD_OK);
        if (newest.sentence && strstr(newest.sentence, "Rome")) {
            pd_step_done(&newest);
            CHECK(pd_library_undo(library, 0, &newest, NULL) == PD_OK);
        }
        pd_step_done(&newest);
    }
    CHECK(tries > 20 && tries < TRIES_MAX);
    pd_buf_done(&document);
    pd_library_close(&library);
}

static bool stop_after(void *user, const pd_copies *so_far, size_t n)
{
    return so_far->copied < *(const int64_t *)user && n == PICTURES;
}

static void copies_are_whole_and_overwrite_nothing(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    int64_t ids[PICTURES];
    for (unsigned i = 0; i < PICTURES; i++)
        ids[i] = id_of(library, i);
    pd_copying what = { .ids = ids, .n = PICTURES, .folder = scene_path("out/new") };
    pd_copies copies = { 0 };
    CHECK(pd_library_copy(library, &what, &copies, NULL) == PD_OK);
    CHECK(copies.copied == PICTURES && copies.renamed == PICTURES - 1 && copies.failed == 0 && copies.bytes > 0);
    CHECK(pd_file_exists(scene_path("out/new/picture.bmp")) && pd_file_exists(scene_path("out/new/picture (4).bmp")));
    pd_buf from, to;
    struct stat st;
    pd_buf_init(&from, 1 << 22);
    pd_buf_init(&to, 1 << 22);
    CHECK(pd_file_read(scene_path("photos/1/picture.bmp"), 1 << 22, &from, NULL) == PD_OK);
    CHECK(pd_file_read(scene_path("out/new/picture (2).bmp"), 1 << 22, &to, NULL) == PD_OK);
    CHECK(from.len == to.len && memcmp(from.data, to.data, to.len) == 0);
    CHECK(stat(scene_path("out/new/picture (2).bmp"), &st) == 0 && st.st_mtim.tv_sec == 1000000001);
    pd_buf_done(&from);
    pd_buf_done(&to);
    int64_t limit = 2;
    what.progress = stop_after;
    what.user = &limit;
    CHECK(pd_library_copy(library, &what, &copies, NULL) == PD_ERR_CANCELLED && copies.copied == 2);
    CHECK(pd_file_exists(scene_path("out/new/picture (6).bmp")) &&
          !pd_file_exists(scene_path("out/new/picture (7).bmp")));
    what.progress = NULL;
    CHECK(unlink(scene_path("photos/0/picture.bmp")) == 0);
    ids[1] = 999999;
    CHECK(pd_library_copy(library, &what, &copies, NULL) == PD_OK && copies.copied == 2 && copies.failed == 2);
    CHECK(strstr(copies.first_failure, "photos/0/picture.bmp"));
    CHECK(scene_write("file", "x", 1));
    what.folder = scene_path("file");
    CHECK(pd_library_copy(library, &what, &copies, NULL) != PD_OK);
    pd_library_close(&library);
}

static void without_memory_no_copy_is_left_half(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    const int64_t id = id_of(library, 0);
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s", scene_path("out"));
    const pd_copying what = { .ids = &id, .n = 1, .folder = folder };
    size_t tries = 1;
    for (bool done = false; !done && tries < TRIES_MAX; tries++) {
        pd_copies copies = { 0 };
        (void)pd_mem_fail_at(tries);
        const pd_status status = pd_library_copy(library, &what, &copies, NULL);
        done = pd_mem_fail_at(0) < tries;
        CHECK((status == PD_OK && copies.copied == 1) == done);
    }
    CHECK(tries > 2 && tries < TRIES_MAX);
    CHECK(pd_file_exists(scene_path("out/picture.bmp")) && !pd_file_exists(scene_path("out/picture (2).bmp")));
    pd_library_close(&library);
}

static int64_t id_at(pd_library *library, const char *path)
{
    pd_photo photo = { 0 };
    return pd_library_show(library, scene_path(path), &photo, NULL, NULL) == PD_OK ? photo.id : -1;
}

static int64_t count_tagged(pd_library *library)
{
    pd_hits hits = { 0 };
    const pd_question question = { .text = "tag:mine", .n = 10 };
    const int64_t n = pd_library_find(library, &question, &hits, NULL) == PD_OK ? (int64_t)hits.n : -1;
    pd_hits_done(&hits);
    return n;
}

static bool has_files(pd_library *library, int64_t files)
{
    pd_library_status status = { 0 };
    return pd_library_status_get(library, &status, NULL) == PD_OK && status.files == files && status.offline == 0;
}

/* A root that was renamed, or a drive that is mounted elsewhere, with one picture less. */
static void a_folder_that_is_elsewhere_now_keeps_its_photos(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    const int64_t id = id_at(library, "photos/2/picture.bmp");
    pd_step step = { 0 };
    CHECK(tag(library, "mine", id, &step) == PD_OK);
    REQUIRE(rename(scene_path("photos"), scene_path("pictures")) == 0);
    pd_progress done = learn_folder(library, "pictures");
    CHECK(done.outcome == PD_OK && done.learned == 0 && done.unchanged == PICTURES && done.removed == 0);
    CHECK(has_files(library, PICTURES));
    CHECK(id_at(library, "pictures/2/picture.bmp") == id && id_at(library, "photos/2/picture.bmp") == -1);
    CHECK(count_tagged(library) == 1);

    REQUIRE(rename(scene_path("pictures"), scene_path("more/of/them")) != 0 && scene_folder("more/of"));
    REQUIRE(rename(scene_path("pictures"), scene_path("more/of/them")) == 0);
    REQUIRE(unlink(scene_path("more/of/them/0/picture.bmp")) == 0);
    done = learn_folder(library, "more/of/them");
    CHECK(done.learned == 0 && done.unchanged == PICTURES - 1 && done.removed == 1);
    CHECK(has_files(library, PICTURES - 1));
    CHECK(id_at(library, "more/of/them/2/picture.bmp") == id && count_tagged(library) == 1);
    pd_step_done(&step);
    pd_library_close(&library);
}

static void folders_in_a_folder_that_is_elsewhere_come_along(void)
{
    REQUIRE(scene_begin() && scene_picture("all/of/a.bmp", 1) && scene_picture("all/b.bmp", 2));
    pd_library *library = open_library();
    REQUIRE(library);
    pd_step step = { 0 };
    CHECK(learn_folder(library, "all/of").learned == 1 && learn_folder(library, "all").learned == 1);
    const int64_t inner = id_at(library, "all/of/a.bmp"), outer = id_at(library, "all/b.bmp");
    CHECK(tag(library, "mine", inner, &step) == PD_OK);
    REQUIRE(rename(scene_path("all"), scene_path("now")) == 0);
    CHECK(learn_folder(library, "now").unchanged == 2 && has_files(library, 2) && count_tagged(library) == 1);
    CHECK(id_at(library, "now/of/a.bmp") == inner && id_at(library, "now/b.bmp") == outer);
    pd_step_done(&step);
    pd_library_close(&library);
}

/* Part of it was found elsewhere first, as a folder of its own, and has work. */
static void what_is_known_in_the_new_place_is_not_overwritten(void)
{
    REQUIRE(scene_begin() && scene_picture("all/of/a.bmp", 1) && scene_picture("all/b.bmp", 2));
    pd_library *library = open_library();
    REQUIRE(library);
    pd_step step = { 0 };
    CHECK(learn_folder(library, "all").learned == 2);
    REQUIRE(rename(scene_path("all"), scene_path("now")) == 0);
    CHECK(learn_folder(library, "now/of").outcome == PD_OK);
    const int64_t id = id_at(library, "now/of/a.bmp");
    CHECK(tag(library, "mine", id, &step) == PD_OK);
    CHECK(learn_folder(library, "now").outcome == PD_OK);
    CHECK(id_at(library, "now/of/a.bmp") == id && count_tagged(library) == 1);
    pd_step_done(&step);
    pd_library_close(&library);
}

/* The same names and sizes do not make the same pictures, and half of them not the same folder. */
static void another_folder_takes_nobodys_place(void)
{
    pd_library *library = learn_scene();
    REQUIRE(library);
    pd_step step = { 0 };
    CHECK(tag(library, "mine", id_at(library, "photos/2/picture.bmp"), &step) == PD_OK);
    for (unsigned i = 0; i < PICTURES; i++) {
        char copy[64], others[64], half[64];
        (void)snprintf(copy, sizeof copy, "copy/%u/picture.bmp", i);
        (void)snprintf(others, sizeof others, "others/%u/picture.bmp", i);
        (void)snprintf(half, sizeof half, "half/%u/%s.bmp", i, i % 2 ? "picture" : "drawing");
        REQUIRE(scene_picture(copy, i) && scene_picture(others, 100 + i) && scene_picture(half, i));
    }
    CHECK(learn_folder(library, "copy").learned == 0 && has_files(library, 2 * PICTURES)); /* of one that is here */
    REQUIRE(rename(scene_path("photos"), scene_path("away")) == 0);
    CHECK(learn_folder(library, "others").learned == PICTURES);
    CHECK(has_files(library, 3 * PICTURES));
    CHECK(learn_folder(library, "half").outcome == PD_OK);
    CHECK(has_files(library, 4 * PICTURES));
    REQUIRE(rename(scene_path("away"), scene_path("photos")) == 0);
    CHECK(learn(library).unchanged == PICTURES);
    CHECK(has_files(library, 4 * PICTURES));
    pd_step_done(&step);
    pd_library_close(&library);
}

int main(void)
{
    find_program();
    RUN(a_library_that_is_not_there_has_no_work);
    RUN(a_step_says_what_it_was);
    RUN(work_that_is_none_is_refused_before_anything_changes);
    RUN(work_waits_for_its_pictures_elsewhere);
    RUN(work_follows_pictures_that_change_names);
    RUN(work_follows_pictures_that_make_room_for_a_new_one);
    RUN(work_goes_to_the_name_before_a_copy);
    RUN(work_goes_to_a_copy_that_was_found_before);
    RUN(work_stays_with_a_picture_that_is_edited);
    RUN(without_memory_nothing_is_half_done);
    RUN(copies_are_whole_and_overwrite_nothing);
    RUN(without_memory_no_copy_is_left_half);
    RUN(a_folder_that_is_elsewhere_now_keeps_its_photos);
    RUN(folders_in_a_folder_that_is_elsewhere_come_along);
    RUN(what_is_known_in_the_new_place_is_not_overwritten);
    RUN(another_folder_takes_nobodys_place);
    scene_end();
    return TEST_RESULT();
}
