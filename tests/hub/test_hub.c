/* What is known of models, how they are named, what lies in a folder, and what the other program may say. */
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "hub/report.h"
#include "test.h"

static void every_row_of_the_catalogue_is_whole(void)
{
    size_t n;
    const pd_hub_entry *entries = pd_hub_catalogue(&n);
    CHECK(n >= 10);
    for (size_t i = 0; i < n; i++) {
        const pd_hub_entry *entry = &entries[i];
        pd_hub_reference reference;
        CHECK(entry->name && entry->licence && entry->languages && strlen(entry->text) > 30);
        CHECK(pd_hub_find(entry->key) == entry && pd_hub_find(entry->name) == entry);
        CHECK(pd_hub_reference_parse(entry->key, &reference, NULL) == PD_OK && strcmp(reference.key, entry->key) == 0);
        CHECK(!entry->repository == !entry->revision && !entry->repository == !entry->bytes);
        if (!entry->repository)
            continue;
        /* the key follows from the repository: who names it by its repository means the same folder */
        char text[PD_HUB_KEY_BYTES];
        (void)snprintf(text, sizeof text, "%s@%s", entry->repository, entry->revision);
        CHECK(pd_hub_reference_parse(text, &reference, NULL) == PD_OK);
        CHECK(strcmp(reference.key, entry->key) == 0 && strcmp(reference.repository, entry->repository) == 0);
        CHECK(strlen(entry->revision) == 40 || strcmp(entry->revision, "main") == 0);
    }
    CHECK(strcmp(entries[0].key, "tiny") == 0 && !pd_hub_find("nothing"));
}

static void references_are_read_or_refused(void)
{
    static const struct {
        const char *text, *key, *repository, *revision;
    } good[] = {
        { "owner/name", "owner--name", "owner/name", "main" },
        { "owner/name@v1.0", "owner--name", "owner/name", "v1.0" },
        { "owner/name@refs/pr/15", "owner--name", "owner/name", "refs/pr/15" },
        { "owner--name", "owner--name", "owner/name", "main" },
        { "a/b--c", "a--b--c", "a/b--c", "main" },
        { "clip b/32", "openai--clip-vit-base-patch32", "openai/clip-vit-base-patch32",
          "b33cedfd0df4e43b8238760678fcc89e1a0d38b3" },
        { "openai/clip-vit-base-patch32@main", "openai--clip-vit-base-patch32", "openai/clip-vit-base-patch32",
          "main" },
        { "tiny", "tiny", "", "" },
    };
    static const char *const bad[] = { "",     "name",  "/name",   "owner/",      "a/b/c",       "../etc",
                                       "a/..", "a/b@",  "a/b@../", "a/b@x//y",    "a/b@x/",      "a b/c",
                                       "-a/b", "a/b\n", "a/\xc3",  "https://a/b", "a/name.part", "a/b@-x" };
    for (size_t i = 0; i < PD_COUNT_OF(good); i++) {
        pd_hub_reference reference;
        CHECK(pd_hub_reference_parse(good[i].text, &reference, NULL) == PD_OK);
        CHECK(strcmp(reference.key, good[i].key) == 0 && strcmp(reference.repository, good[i].repository) == 0);
        CHECK(strcmp(reference.revision, good[i].revision) == 0);
    }
    for (size_t i = 0; i < PD_COUNT_OF(bad); i++) {
        pd_hub_reference reference;
        pd_error error = { 0 };
        CHECK(pd_hub_reference_parse(bad[i], &reference, &error) == PD_ERR_USAGE && strlen(error.message) > 25);
    }
    char longest[600];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[90] = '/';
    pd_hub_reference reference;
    CHECK(pd_hub_reference_parse(longest, &reference, NULL) == PD_ERR_USAGE);
}

static void a_hub_is_named_without_who_asks(void)
{
    static const struct {
        const char *endpoint, *name;
    } rows[] = {
        { NULL, "huggingface.co" },
        { "", "huggingface.co" },
        { "https://hub.example", "hub.example" },
        { "http://127.0.0.1:8080/", "127.0.0.1:8080" },
        { "https://me:sec@ret@hub.example/a@b/", "hub.example/a@b" },
        { "hub\x01\xc3.example", "hub??.example" },
        { "https://", "" },
    };
    char name[PD_HUB_NAME_BYTES], longest[2 * PD_HUB_NAME_BYTES];
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        pd_hub_name(rows[i].endpoint, name);
        CHECK(strcmp(name, rows[i].name) == 0);
    }
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    pd_hub_name(longest, name);
    CHECK(strlen(name) == PD_HUB_NAME_BYTES - 1);
}

static void reports_are_read_with_distrust(void)
{
    static const char good[] = "{\"phase\":\"vision\",\"done\":5,\"total\":9,\"revision\":\"abc\",\"sha256\":\"\","
                               "\"vision_ready\":true,\"vision_bytes\":5}";
    static const char last[] =
        "{\"phase\":\"rest\",\"done\":0,\"total\":0,\"revision\":\"\",\"sha256\":\"\",\"vision_"
        "ready\":false,\"vision_bytes\":0,\"outcome\":\"full\",\"message\":\"no room\",\"dir\":\"/x\"}";
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"phase\":\"what\",\"done\":1,\"total\":2}",
        "{\"phase\":\"rest\",\"done\":-1,\"total\":2}",
        "{\"phase\":\"rest\",\"done\":3,\"total\":2}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2,\"vision_bytes\":-1}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2,\"vision_bytes\":3}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":0,\"vision_bytes\":1}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2,\"vision_bytes\":0,\"sha256\":\"xyz\"}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2,\"vision_bytes\":0,\"outcome\":\"splendid\"}",
        "{\"phase\":\"rest\",\"done\":1,\"total\":2,\"vision_bytes\":0,\"outcome\":7}",
    };
    pd_fetch_report report;
    CHECK(pd_fetch_report_parse(&report, good, sizeof good - 1, NULL) == PD_OK);
    CHECK(report.phase == PD_PULL_VISION && report.done == 5 && report.total == 9 && report.vision_ready);
    CHECK(report.vision_bytes == 5);
    CHECK(!report.is_last && strcmp(report.revision, "abc") == 0);
    CHECK(pd_fetch_report_parse(&report, last, sizeof last - 1, NULL) == PD_OK);
    CHECK(report.is_last && report.outcome == PD_ERR_FULL && strcmp(report.message, "no room") == 0);
    for (size_t i = 0; i < PD_COUNT_OF(bad); i++)
        CHECK(pd_fetch_report_parse(&report, bad[i], strlen(bad[i]), NULL) == PD_ERR_FORMAT);
}

static char folder[] = "/tmp/pd-hub-XXXXXX";

static void make_file(const char *name, const char *text)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    CHECK(pd_dir_make(path, NULL) == PD_OK);
    *slash = '/';
    CHECK(pd_file_replace(path, text, strlen(text), false, NULL) == PD_OK);
}

typedef struct seen {
    char text[2000];
    int n;
} seen;

static bool note(void *user, const pd_hub_installed *installed)
{
    seen *s = user;
    const size_t len = strlen(s->text);
    (void)snprintf(s->text + len, sizeof s->text - len, "%s|%s|%s|%d|%d;", installed->key, installed->repository,
                   installed->revision, installed->kind == PD_HUB_CAPTIONS, installed->complete);
    s->n++;
    return installed->bytes > 0;
}

static void fill_folder(void)
{
    make_file("b--blip/config.json", "{\"architectures\":[\"BlipForConditionalGeneration\"]}");
    make_file("b--blip/pull.json", "{\"repository\":\"b/blip\",\"revision\":\"123\",\"complete\":true}");
    make_file("a--clip.part/config.json", "{\"architectures\":[\"CLIPModel\"]}");
    make_file("a--clip.part/pull.json", "{\"repository\":\"a/clip\",\"revision\":\"9\"}");
    make_file("mine/config.json", "{\"architectures\":[\"CLIPModel\"]}");
    make_file("nothing/readme.txt", "no model");
    make_file("gone.part.old/config.json", "{}");
    make_file("damaged/config.json", "{}");
    make_file("damaged/pull.json", "][");
}

static void what_lies_in_a_folder_is_told(void)
{
    seen s = { "", 0 };
    pd_error error;
    fill_folder();
    CHECK(pd_hub_installed_visit(folder, note, &s, &error) == PD_OK);
    CHECK(strcmp(s.text, "a--clip|a/clip|9|0|0;b--blip|b/blip|123|1|1;damaged|||0|1;mine|||0|1;") == 0);
    seen none = { "", 0 };
    CHECK(pd_hub_installed_visit("/no/such/folder", note, &none, &error) == PD_OK && none.n == 0);
}

static void a_model_goes_as_a_whole(void)
{
    pd_error error;
    fill_folder();
    CHECK(pd_hub_remove(folder, "b--blip", &error) == PD_OK);
    CHECK(pd_hub_remove(folder, "b--blip", &error) == PD_ERR_NOT_FOUND && strstr(error.message, "b--blip"));
    CHECK(pd_hub_remove(folder, "../x", &error) == PD_ERR_USAGE && pd_hub_remove(folder, "", &error) == PD_ERR_USAGE);
    make_file("a--clip.part/pull.lock", "");
    char path[600];
    (void)snprintf(path, sizeof path, "%s/a--clip.part/pull.lock", folder);
    FILE *lock = fopen(path, "r+");
    REQUIRE(lock && flock(fileno(lock), LOCK_EX) == 0);
    CHECK(pd_hub_remove(folder, "a--clip", &error) == PD_ERR_BUSY && strstr(error.message, "fetched"));
    fclose(lock);
    CHECK(pd_hub_remove(folder, "a--clip", &error) == PD_OK);
    seen s = { "", 0 };
    CHECK(pd_hub_installed_visit(folder, note, &s, &error) == PD_OK);
    CHECK(strcmp(s.text, "damaged|||0|1;mine|||0|1;") == 0);
}

static void a_folder_goes_with_what_is_in_it(void)
{
    char path[600], outside[600];
    make_file("tree/a/b/c.txt", "x");
    make_file("outside/kept.txt", "x");
    (void)snprintf(path, sizeof path, "%s/tree/a/link", folder);
    (void)snprintf(outside, sizeof outside, "%s/outside", folder);
    CHECK(symlink(outside, path) == 0);
    (void)snprintf(path, sizeof path, "%s/tree", folder);
    CHECK(pd_dir_remove(path, NULL) == PD_OK && !pd_file_exists(path));
    CHECK(pd_dir_remove(path, NULL) == PD_OK);
    (void)snprintf(path, sizeof path, "%s/outside/kept.txt", folder);
    CHECK(pd_file_exists(path));
}

static void out_of_memory_is_survived(void)
{
    static const char line[] = "{\"phase\":\"vision\",\"done\":5,\"total\":9,\"vision_bytes\":7,\"sha256\":\"\"}";
    fill_folder();
    pd_status status = PD_ERR_NOMEM;
    size_t nth = 1;
    for (; status != PD_OK && nth < 2000; nth++) {
        const size_t live = pd_mem_live();
        seen s = { "", 0 };
        pd_fetch_report report;
        pd_mem_fail_at(nth);
        status = pd_hub_installed_visit(folder, note, &s, NULL);
        if (status == PD_OK)
            status = pd_fetch_report_parse(&report, line, sizeof line - 1, NULL);
        const size_t n_seen = pd_mem_fail_at(0);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        CHECK(pd_mem_live() == live);
        if (status == PD_OK && n_seen >= nth)
            status = PD_ERR_NOMEM; /* a failure inside that was tolerated: a record that could not be read */
    }
    CHECK(status == PD_OK && nth > 20);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    RUN(every_row_of_the_catalogue_is_whole);
    RUN(references_are_read_or_refused);
    RUN(a_hub_is_named_without_who_asks);
    RUN(reports_are_read_with_distrust);
    RUN(what_lies_in_a_folder_is_told);
    RUN(a_model_goes_as_a_whole);
    RUN(a_folder_goes_with_what_is_in_it);
    RUN(out_of_memory_is_survived);
    (void)!pd_dir_remove(folder, NULL);
    return TEST_RESULT();
}
