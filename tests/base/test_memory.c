/* mem.h, arena.h, buf.h */
#include "test.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

static void products_that_overflow_are_no_memory(void)
{
    volatile size_t huge = SIZE_MAX;
    CHECK(pd_mem_alloc(huge, 2) == NULL);
    CHECK(pd_mem_alloc(huge / 2 + 1, 2) == NULL);
    CHECK(pd_mem_realloc(NULL, huge, huge) == NULL);
    CHECK(pd_mem_alloc_aligned(64, huge) == NULL);
    CHECK(pd_mem_dup_text("x", huge) == NULL);
}

static void memory_is_zeroed_counted_and_aligned(void)
{
    const size_t live = pd_mem_live();
    unsigned char *a = pd_mem_alloc(100, 3);
    void *nothing = pd_mem_alloc(0, 8), *aligned = pd_mem_alloc_aligned(4096, 1);
    REQUIRE(a && nothing && aligned);
    for (size_t i = 0; i < 300; i++)
        CHECK(a[i] == 0);
    CHECK((uintptr_t)aligned % 4096 == 0);
    CHECK(pd_mem_live() == live + 3);
    a = pd_mem_realloc(a, 1000, 1);
    CHECK(pd_mem_live() == live + 3);
    char *text = pd_mem_dup_text("hello", 4);
    CHECK(text && strcmp(text, "hell") == 0);
    pd_mem_free(text);
    pd_mem_free(a);
    pd_mem_free(nothing);
    pd_mem_free(aligned);
    pd_mem_free(NULL);
    CHECK(pd_mem_live() == live);
}

static void the_nth_allocation_fails_once(void)
{
    (void)pd_mem_fail_at(2);
    void *first = pd_mem_alloc(1, 1), *second = pd_mem_alloc(1, 1), *third = pd_mem_alloc(1, 1);
    CHECK(first && !second && third);
    CHECK(pd_mem_fail_at(0) == 3);
    pd_mem_free(first);
    pd_mem_free(third);
}

static void an_arena_hands_out_aligned_blocks(void)
{
    pd_arena arena;
    const size_t size = pd_arena_need(3, 1) + pd_arena_need(10, 8);
    CHECK(pd_arena_need(3, 1) == 64 && pd_arena_need(10, 8) == 128 && pd_arena_need(0, 8) == 0);
    REQUIRE(pd_arena_init(&arena, size) == PD_OK);
    char *a = pd_arena_take(&arena, 3, 1);
    const size_t mark = arena.used;
    char *b = pd_arena_take(&arena, 10, 8);
    CHECK((uintptr_t)a % PD_ARENA_ALIGNMENT == 0 && (uintptr_t)b % PD_ARENA_ALIGNMENT == 0 && b == a + 64);
    CHECK(arena.used == size);
    pd_arena_rewind(&arena, mark);
    CHECK(pd_arena_take(&arena, 10, 8) == b);
    pd_arena_done(&arena);
    (void)pd_mem_fail_at(1);
    CHECK(pd_arena_init(&arena, 64) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
}

static void a_buffer_stops_at_its_ceiling(void)
{
    pd_buf buf;
    pd_buf_init(&buf, 10);
    CHECK(pd_buf_append_string(&buf, "12345") == PD_OK);
    CHECK(pd_buf_append_string(&buf, "67890") == PD_OK);
    CHECK(pd_buf_append(&buf, "", 0) == PD_OK);
    CHECK(pd_buf_append_string(&buf, "x") == PD_ERR_LIMIT);
    CHECK(buf.len == 10 && strcmp(buf.data, "1234567890") == 0);
    CHECK(buf.status == PD_ERR_LIMIT);
    CHECK(pd_buf_append(&buf, "", 0) == PD_ERR_LIMIT); /* remembered */
    pd_buf_clear(&buf);
    CHECK(buf.status == PD_OK && buf.len == 0 && buf.data[0] == '\0');
    CHECK(pd_buf_appendf(&buf, "%05d|%s", 42, "abcd") == PD_OK && strcmp(buf.data, "00042|abcd") == 0);
    CHECK(pd_buf_appendf(&buf, "%d", 1) == PD_ERR_LIMIT && strcmp(buf.data, "00042|abcd") == 0);
    pd_buf_done(&buf);
    pd_buf_init(&buf, SIZE_MAX / 2);
    CHECK(pd_buf_append(&buf, "a", 1) == PD_OK);
    CHECK(pd_buf_reserve(&buf, SIZE_MAX) == PD_ERR_LIMIT); /* len + more wraps around */
    pd_buf_done(&buf);
}

static void a_buffer_without_memory_keeps_its_content(void)
{
    pd_buf buf;
    char large[1000] = { 0 };
    pd_buf_init(&buf, 1 << 20);
    CHECK(pd_buf_append_string(&buf, "kept") == PD_OK);
    (void)pd_mem_fail_at(1);
    CHECK(pd_buf_append(&buf, large, sizeof large) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
    CHECK(buf.len == 4 && strcmp(buf.data, "kept") == 0);
    CHECK(pd_buf_take(&buf) == NULL); /* after a failure nobody gets half a text */
    CHECK(buf.data == NULL && buf.len_max == 1 << 20);
    CHECK(pd_buf_append_string(&buf, "again") == PD_OK);
    char *text = pd_buf_take(&buf);
    CHECK(text && strcmp(text, "again") == 0);
    pd_mem_free(text);
    CHECK(pd_buf_take(&buf) == NULL);
    pd_buf_done(&buf);
}

int main(void)
{
    RUN(products_that_overflow_are_no_memory);
    RUN(memory_is_zeroed_counted_and_aligned);
    RUN(the_nth_allocation_fails_once);
    RUN(an_arena_hands_out_aligned_blocks);
    RUN(a_buffer_stops_at_its_ceiling);
    RUN(a_buffer_without_memory_keeps_its_content);
    return TEST_RESULT();
}
