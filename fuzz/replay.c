/* replay.c: main() of a fuzz target where libFuzzer is not linked in: every file of the named corpus folders runs once.
 *
 * Each input lies at the end of a page that is followed by an unreadable one, so that reading one byte too far crashes
 * in every build. A folder without a file fails: an empty corpus proves nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the whole file so that its last byte is the last readable one; `ret_map_bytes` are to be unmapped. */
static uint8_t *map_before_guard(FILE *file, size_t size, void **ret_map, size_t *ret_map_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t readable = (size + page - 1) / page * page;
    uint8_t *map = mmap(NULL, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    uint8_t *data = map + readable - size;
    if (mprotect(map + readable, page, PROT_NONE) != 0 || fread(data, 1, size, file) != size) {
        munmap(map, readable + page);
        return NULL;
    }
    *ret_map = map;
    *ret_map_bytes = readable + page;
    return data;
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    const size_t size = (size_t)ftell(file);
    rewind(file);
    void *map = NULL;
    size_t map_bytes = 0;
    const uint8_t *data = map_before_guard(file, size, &map, &map_bytes);
    fclose(file);
    if (!data) {
        perror(path);
        return 1;
    }
    LLVMFuzzerTestOneInput(data, size);
    munmap(map, map_bytes);
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        perror(folder);
        return 1;
    }
    int failed = 0;
    unsigned n_files = 0;
    for (const struct dirent *entry; !failed && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        fprintf(stderr, "%s\n", path); /* the last line names the culprit of a crash */
        failed = replay_file(path);
        n_files++;
    }
    closedir(dir);
    printf("%s: %u inputs replayed\n", folder, n_files);
    return failed || n_files == 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i]);
    return failed;
}
