/* docs/search.md is true: every field has its row, and every example is read as the page says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "query_reading.h"
#include "test.h"

#define CELLS_MAX 4
#define CELL_BYTES 256

/* The cells of a row of a table, without "`" around them; "\|" is '|'. Returns their number, 0: not a row. */
static size_t read_cells(const char *line, char cells[CELLS_MAX][CELL_BYTES])
{
    size_t n = 0, len = 0;
    if (*line != '|')
        return 0;
    for (const char *p = line + 1; *p && n < CELLS_MAX; p++) {
        if (*p == '|' && p[-1] != '\\') {
            while (len && cells[n][len - 1] == ' ')
                len--;
            cells[n++][len] = '\0';
            len = 0;
        } else if (len + 1 < CELL_BYTES && *p != '`' && !(*p == ' ' && !len) && !(*p == '\\' && p[1] == '|')) {
            cells[n][len++] = *p;
        }
    }
    return n;
}

static FILE *open_page(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/search.md", getenv("PD_SOURCE"));
    return fopen(path, "r");
}

static void every_example_is_read_as_the_page_says(void)
{
    FILE *page = open_page();
    REQUIRE(page);
    char line[1024], cells[CELLS_MAX][CELL_BYTES];
    size_t n_examples = 0;
    while (fgets(line, sizeof line, page)) {
        const size_t n = read_cells(line, cells);
        const bool is_field = n == 4 && line[2] == '`';
        if (!is_field && !(n == 2 && line[2] == '`'))
            continue;
        CHECK(is_field ? reads_as(cells[1], cells[2]) : reads_as(cells[0], cells[1]));
        n_examples++;
    }
    CHECK(n_examples >= PD_FIELD_COUNT + 20);
    (void)fclose(page);
}

static void every_field_has_its_row_in_order(void)
{
    FILE *page = open_page();
    REQUIRE(page);
    char line[1024], cells[CELLS_MAX][CELL_BYTES], name[64], alias[64];
    int field = 0;
    while (fgets(line, sizeof line, page)) {
        if (read_cells(line, cells) != 4 || line[2] != '`')
            continue;
        REQUIRE(field < PD_FIELD_COUNT);
        const pd_field_info *info = pd_field_info_of((pd_field)field++);
        snprintf(name, sizeof name, "%s:", info->name);
        CHECK(strcmp(cells[0], name) == 0 && strncmp(cells[1], name, strlen(name)) == 0);
        snprintf(alias, sizeof alias, "also `%s:`", info->alias);
        CHECK(!info->alias[0] || strstr(line, alias));
    }
    CHECK(field == PD_FIELD_COUNT);
    (void)fclose(page);
}

int main(void)
{
    RUN(every_example_is_read_as_the_page_says);
    RUN(every_field_has_its_row_in_order);
    return TEST_RESULT();
}
