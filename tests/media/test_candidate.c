#include "media/media.h"
#include "test.h"

static bool is_learned(const char *name)
{
    bool is_skipped = true;
    return pd_media_is_candidate(name, &is_skipped) && !is_skipped;
}

static bool is_skipped(const char *name)
{
    bool skipped = false;
    return !pd_media_is_candidate(name, &skipped) && skipped;
}

static void pictures_are_learned_whatever_the_case(void)
{
    CHECK(is_learned("a.jpg") && is_learned("A.JPG") && is_learned("x/y.z/photo.JpEg"));
    CHECK(is_learned("1.heic") && is_learned("1.HIF") && is_learned("1.png") && is_learned("1.tiff"));
    CHECK(is_learned("two.dots.webp") && is_learned("a.avif") && is_learned("a.jxl") && is_learned("a.jp2"));
    CHECK(is_learned("a.dng") && is_learned("a.CR2") && is_learned("a.cr3") && is_learned("a.NEF") &&
          is_learned("a.orf"));
}

static void known_others_are_skipped_by_name(void)
{
    CHECK(is_skipped("a.svg") && is_skipped("a.PDF") && is_skipped("a.mp4") && is_skipped("a.mov"));
}

static void the_rest_is_nobodys_business(void)
{
    static const char *const names[] = { "",      "jpg", ".jpg",      "dir.jpg/", "dir.jpg/file",
                                         "a.txt", "a.",  "a.jpg.zip", "a.jpgx" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool skipped = true;
        CHECK(!pd_media_is_candidate(names[i], &skipped) && !skipped);
    }
}

int main(void)
{
    RUN(pictures_are_learned_whatever_the_case);
    RUN(known_others_are_skipped_by_name);
    RUN(the_rest_is_nobodys_business);
    return TEST_RESULT();
}
