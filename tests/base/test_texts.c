#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/texts.h"
#include "test.h"

#define BLOCK(text)       \
    {                     \
        text, sizeof text \
    }

static void texts_are_walked_in_order(void)
{
    const pd_texts texts = BLOCK("\1A title\0\7robin\0\7sea");
    const char *text = pd_texts_next(texts, NULL);
    CHECK(strcmp(text, "A title") == 0 && pd_texts_kind(text) == PD_TEXT_TITLE);
    text = pd_texts_next(texts, text);
    CHECK(strcmp(text, "robin") == 0 && text == pd_texts_find(texts, PD_TEXT_KEYWORD));
    text = pd_texts_next(texts, text);
    CHECK(strcmp(text, "sea") == 0 && !pd_texts_next(texts, text));
    CHECK(!pd_texts_find(texts, PD_TEXT_PERSON) && !pd_texts_next((pd_texts){ 0 }, NULL));
}

static void every_broken_block_is_noticed(void)
{
    static const struct {
        pd_texts texts;
        bool is_sound;
    } cases[] = {
        { { NULL, 0 }, true },        { BLOCK("\1a"), true },      { BLOCK("\2a\nb\0\7c\0\7d"), true },
        { { "\1a", 2 }, false },                              /* no end */
        { { "\1", 1 }, false },       { BLOCK("\1"), false }, /* empty */
        { BLOCK("\0a"), false },                              /* no kind */
        { BLOCK("\12a"), false },                             /* a kind that is none */
        { BLOCK("\1a\0\1b"), false },                         /* two titles */
        { BLOCK("\7a\0\1b"), false },                         /* out of order */
        { BLOCK("\1a\nb"), false },                           /* a newline in a title */
        { BLOCK("\2a\rb"), false },   { BLOCK("\1a\x7f"), false }, { BLOCK("\1\xff"), false },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++)
        CHECK(pd_texts_are_sound(cases[i].texts) == cases[i].is_sound);
}

static void limits_are_kept(void)
{
    static char block[PD_TEXTS_BYTES_MAX + 2];
    memset(block, 'x', sizeof block);
    block[0] = PD_TEXT_KEYWORD;
    block[1 + PD_TEXTS_WORD_BYTES_MAX] = '\0';
    CHECK(pd_texts_are_sound((pd_texts){ block, 2 + PD_TEXTS_WORD_BYTES_MAX }));
    block[1 + PD_TEXTS_WORD_BYTES_MAX] = 'x';
    block[2 + PD_TEXTS_WORD_BYTES_MAX] = '\0';
    CHECK(!pd_texts_are_sound((pd_texts){ block, 3 + PD_TEXTS_WORD_BYTES_MAX }));
    for (size_t i = 0; i < sizeof block / 3; i++)
        memcpy(block + 3 * i, (char[]){ PD_TEXT_PERSON, 'a', '\0' }, 3);
    const size_t most = (size_t)3 * PD_TEXTS_OF_KIND_MAX;
    CHECK(pd_texts_are_sound((pd_texts){ block, most }) && !pd_texts_are_sound((pd_texts){ block, most + 3 }));
    CHECK(!pd_texts_are_sound((pd_texts){ block, PD_TEXTS_BYTES_MAX + 1 }));
}

static void a_record_is_appended_whole_or_not_at_all(void)
{
    pd_buf buf;
    pd_buf_init(&buf, 10);
    CHECK(pd_texts_append(&buf, PD_TEXT_TITLE, "abcdef", 6) == PD_OK && buf.len == 8);
    CHECK(pd_texts_append(&buf, PD_TEXT_KEYWORD, "a", 1) == PD_ERR_LIMIT && buf.len == 8);
    pd_buf_done(&buf);
    pd_buf_init(&buf, 100);
    (void)pd_mem_fail_at(1);
    CHECK(pd_texts_append(&buf, PD_TEXT_TITLE, "a", 1) == PD_ERR_NOMEM && buf.len == 0);
    (void)pd_mem_fail_at(0);
    pd_buf_done(&buf);
}

int main(void)
{
    RUN(texts_are_walked_in_order);
    RUN(every_broken_block_is_noticed);
    RUN(limits_are_kept);
    RUN(a_record_is_appended_whole_or_not_at_all);
    return TEST_RESULT();
}
