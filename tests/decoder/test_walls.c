/* The walls around a decoder, each tried from inside. Every deed is done three times, by a process started as decoders
 * are: behind the one wall it is about (which must hold, alone), behind all of them (likewise), and without any, where
 * it must succeed: a deed that cannot be done anyway would prove nothing. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "media/media.h"
#include "media/process.h"
#include "test.h"

static const char *breaker_path, *decoder_path;
static char folder[] = "/tmp/pd-walls-XXXXXX";
static char secret_path[64], new_path[64], port[16], address[32];
static const char *const nothing = "";
static char secret[16] = "secret";

typedef struct wall_case {
    const char *deed, *word;
    uint32_t wall;    /* the one that must hold alone */
    const char *says; /* part of the answer, or of the sentence that the program writes about the death */
} wall_case;

#define KILLED "may not do"

static const wall_case cases[] = {
    { "open", secret_path, PD_WALL_SYSCALLS, "EACCES" },
    { "open", secret_path, PD_WALL_FILES, "EACCES" },
    { "open", "/dev/zero", PD_WALL_SYSCALLS, "EACCES" },
    { "openat2", secret_path, PD_WALL_SYSCALLS, "EACCES" },
    { "openat2", secret_path, PD_WALL_FILES, "EACCES" },
    { "create", new_path, PD_WALL_SYSCALLS, "EACCES" },
    { "create", new_path, PD_WALL_FILES, "EACCES" },
    { "stat", secret_path, PD_WALL_SYSCALLS, "EACCES" },
    { "unlink", new_path, PD_WALL_SYSCALLS, KILLED },
    { "unlink", new_path, PD_WALL_FILES, "EACCES" },
    { "mkdir", new_path, PD_WALL_SYSCALLS, KILLED },
    { "mkdir", new_path, PD_WALL_FILES, "EACCES" },
    { "parent-mem", nothing, PD_WALL_SYSCALLS, "EACCES" },
    { "parent-mem", nothing, PD_WALL_FILES, "EACCES" },
    { "parent-readv", address, PD_WALL_SYSCALLS, KILLED },
    { "ptrace", nothing, PD_WALL_SYSCALLS, KILLED },
    { "kill", nothing, PD_WALL_SYSCALLS, KILLED },
    { "kill", nothing, PD_WALL_SIGNALS, "EPERM" },
    { "tgkill", nothing, PD_WALL_SYSCALLS, KILLED },
    { "pidfd", nothing, PD_WALL_SYSCALLS, KILLED },
    { "socket", nothing, PD_WALL_SYSCALLS, KILLED },
    { "unix-socket", nothing, PD_WALL_SYSCALLS, KILLED },
    { "connect", port, PD_WALL_SYSCALLS, KILLED },
    { "connect", port, PD_WALL_NETWORK, "EACCES" },
    { "sendto", nothing, PD_WALL_SYSCALLS, KILLED },
    { "pass-fd", nothing, PD_WALL_SYSCALLS, KILLED },
    { "exec", "/bin/true", PD_WALL_SYSCALLS, KILLED },
    { "exec", "/bin/true", PD_WALL_FILES, "EACCES" },
    { "clone", nothing, PD_WALL_SYSCALLS, KILLED },
    { "clone3", nothing, PD_WALL_SYSCALLS, "ENOSYS" },
#ifdef __x86_64__
    { "fork", nothing, PD_WALL_SYSCALLS, KILLED },
    { "int80", nothing, PD_WALL_SYSCALLS, KILLED },
    { "x32", nothing, PD_WALL_SYSCALLS, KILLED },
#endif
    { "map-code", nothing, PD_WALL_SYSCALLS, KILLED },
    { "map-slot-code", nothing, PD_WALL_SYSCALLS, KILLED },
    { "mprotect-code", nothing, PD_WALL_SYSCALLS, KILLED },
    { "memory", nothing, PD_WALL_MEMORY, "ENOMEM" },
    { "all-memory", nothing, PD_WALL_MEMORY | PD_WALL_PRIVILEGES, "ENOMEM" },
    { "burn", nothing, PD_WALL_LIMITS, "longer than" },
    { "core", nothing, PD_WALL_LIMITS | PD_WALL_PRIVILEGES, "EPERM" },
    { "core", nothing, PD_WALL_SYSCALLS, "EPERM" },
    { "dumpable", nothing, PD_WALL_PRIVILEGES, "EACCES" },
    { "capability", nothing, PD_WALL_PRIVILEGES, "" },
    { "descriptors", nothing, PD_WALL_LIMITS, "EMFILE" },
    { "write", new_path, PD_WALL_LIMITS, "EFBIG" },
    { "write-slot", nothing, PD_WALL_SYSCALLS, "EBADF" },
    { "unlisted", nothing, PD_WALL_SYSCALLS, "ENOSYS" },
    { "io_uring", nothing, PD_WALL_SYSCALLS, KILLED },
    { "memfd", nothing, PD_WALL_SYSCALLS, KILLED },
    { "unshare", nothing, PD_WALL_SYSCALLS, KILLED },
    { "keyctl", nothing, PD_WALL_SYSCALLS, KILLED },
};

static pd_media_pool *create_pool(const char *path)
{
    pd_media_pool *pool = NULL;
    if (pd_media_pool_create(&pool, &(pd_media_options){ .decoder_path = path, .n_processes = 1, .n_slots = 1 },
                             NULL) != PD_OK)
        abort();
    return pool;
}

/* What the wall breaker answers to a text, or what the program says about its death. */
static void tell(pd_media_pool *pool, const char *text, pd_error *ret_answer)
{
    const int fd = memfd_create("text", MFD_CLOEXEC);
    const pd_media_request request = { .timeout_ms = 600000 }; /* a busy machine takes a while to burn seconds */
    pd_picture picture = { 0 };
    if (fd < 0 || pd_fd_write_all(fd, text, strlen(text)) != PD_OK ||
        pd_media_decode(pool, fd, &request, &picture, ret_answer) == PD_OK)
        abort();
    (void)close(fd);
}

/* Does a deed behind `walls`. *ret_stand: those that really stand. */
static void try_deed(uint32_t walls, const char *deed, const char *word, uint32_t *ret_stand, pd_error *ret_answer)
{
    char text[200];
    pd_media_pool *pool = create_pool(breaker_path);
    (void)snprintf(text, sizeof text, "enter %u", walls);
    tell(pool, text, ret_answer);
    *ret_stand = 0;
    if (strncmp(ret_answer->message, "entered ", 8) == 0) {
        *ret_stand = (uint32_t)strtoul(ret_answer->message + 8, NULL, 10);
        (void)snprintf(text, sizeof text, "%s %s", deed, word);
        tell(pool, text, ret_answer);
    }
    pd_media_pool_free(&pool);
}

static bool has_crossed(const pd_error *answer)
{
    return strcmp(answer->message, "crossed") == 0 || strstr(answer->message, "exit status 0"); /* of /bin/true */
}

/* A kernel without the calls of 32-bit programs answers one with a fault, walls or not; a sanitizer makes that an exit.
 */
static bool is_impossible(const wall_case *c, const pd_error *answer)
{
    const bool fault =
        strstr(answer->message, "signal 11") || (TEST_SANITIZED && strstr(answer->message, "exit status"));
    return fault && strcmp(c->deed, "int80") == 0;
}

/* For the deeds that remove or make this. */
static void restore_new_path(const char *deed)
{
    (void)rmdir(new_path);
    (void)unlink(new_path);
    if (strcmp(deed, "unlink") == 0)
        (void)close(open(new_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void check_held(const wall_case *c, uint32_t walls)
{
    uint32_t stand;
    pd_error answer;
    restore_new_path(c->deed);
    try_deed(walls, c->deed, c->word, &stand, &answer);
    if ((stand & c->wall) != c->wall) {
        printf("     (%s: wall %u does not stand in this build or on this system)\n", c->deed, c->wall);
        return;
    }
    const bool held =
        !has_crossed(&answer) && (walls != c->wall || strstr(answer.message, c->says) || is_impossible(c, &answer));
    CHECK(held);
    if (!held)
        fprintf(stderr, "%s behind wall %u of %u: %s\n", c->deed, c->wall, walls, answer.message);
}

static void every_wall_holds_alone(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++)
        check_held(&cases[i], cases[i].wall);
    CHECK(PD_COUNT_OF(cases) > 40);
}

static void every_wall_holds_among_the_others(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++)
        check_held(&cases[i], PD_WALLS_ALL);
    CHECK(PD_COUNT_OF(cases) > 40);
}

/* Some may be refused by the system even so: to users who are not root, in a container. */
static void without_walls_each_deed_is_done(void)
{
    unsigned n_crossed = 0;
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        uint32_t stand;
        pd_error answer;
        restore_new_path(cases[i].deed);
        try_deed(0, cases[i].deed, cases[i].word, &stand, &answer);
        CHECK(stand == 0 && answer.status != PD_ERR_TIMEOUT && !strstr(answer.message, KILLED));
        n_crossed += has_crossed(&answer) || is_impossible(&cases[i], &answer);
        if (!has_crossed(&answer))
            printf("     (%s: not even without walls: %s)\n", cases[i].deed, answer.message);
    }
    CHECK(n_crossed > PD_COUNT_OF(cases) / 2);
    CHECK(geteuid() != 0 || n_crossed == PD_COUNT_OF(cases));
}

static void what_decoding_needs_still_works(void)
{
    static const char *const needed[] = { "nothing", "thread" };
    for (size_t i = 0; i < PD_COUNT_OF(needed); i++) {
        uint32_t stand;
        pd_error answer;
        try_deed(PD_WALLS_ALL, needed[i], "", &stand, &answer);
        CHECK(has_crossed(&answer));
    }
    uint32_t stand;
    pd_error answer;
    try_deed(PD_WALLS_ALL, "abort", "", &stand, &answer);
    CHECK(strstr(answer.message, "signal 6")); /* a fault is told from an attempt to get out */
}

static void a_decoder_that_was_forgotten_ends_itself(void)
{
    uint32_t stand;
    pd_error answer;
    try_deed(PD_WALLS_ALL, "sleep", "", &stand, &answer);
    CHECK(answer.status == PD_ERR_TIMEOUT && strstr(answer.message, "longer than"));
}

static void nothing_of_the_user_s_environment_comes_along(void)
{
    static const char *const names[] = { "PATH", "HOME", "PD_SECRET", "LD_PRELOAD" };
    (void)setenv("PD_SECRET", "1", 1);
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        uint32_t stand;
        pd_error answer;
        try_deed(0, "environment", names[i], &stand, &answer);
        CHECK(strstr(answer.message, "refused"));
    }
    uint32_t stand;
    pd_error answer;
    try_deed(0, "environment", "VIPS_CONCURRENCY", &stand, &answer);
    CHECK(has_crossed(&answer)); /* the deed itself works */
}

/* The value behind a key in one of the files of /proc/PID. */
static bool has_line(pid_t pid, const char *file, const char *line)
{
    char path[64], text[8192] = { 0 };
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n > 0 && strstr(text, line))
        return true;
    fprintf(stderr, "%s does not hold '%s'\n", path, line);
    return false;
}

static unsigned count_descriptors(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    if (dir)
        (void)closedir(dir);
    return n;
}

/* What is true of the wall breaker must be so of the real decoder: all of it, with libvips inside. */
static void the_real_decoder_is_inside(void)
{
    const int leaked = open("/etc/passwd", O_RDONLY); /* not closed on exec */
    pd_process process;
    REQUIRE(pd_process_start(&process, decoder_path, NULL) == PD_OK);
    const uint32_t walls = process.walls;
    char text[200];
    pd_media_walls_describe(walls, text, sizeof text);
    printf("     (%s)\n", text);
    CHECK(has_line(process.pid, "status", "NoNewPrivs:\t1\n") && has_line(process.pid, "status", "Threads:\t1\n"));
    CHECK(!(walls & PD_WALL_SYSCALLS) || has_line(process.pid, "status", "Seccomp:\t2\n"));
    CHECK(!(walls & PD_WALL_PRIVILEGES) || has_line(process.pid, "status", "CapPrm:\t0000000000000000\n"));
    CHECK(has_line(process.pid, "limits", "Max core file size        0                    0 "));
    CHECK(has_line(process.pid, "limits", "Max file size             0                    0 "));
    CHECK(has_line(process.pid, "limits", "Max open files            16                   16 "));
    CHECK(count_descriptors(process.pid) == 5);
    char path[64], target[64] = { 0 };
    (void)snprintf(path, sizeof path, "/proc/%d/cwd", (int)process.pid);
    CHECK(readlink(path, target, sizeof target - 1) == 1 && target[0] == '/');
    (void)pd_process_end(&process);
    (void)close(leaked);
}

static void the_walls_have_a_sentence(void)
{
    char text[200];
    pd_media_walls_describe(PD_WALLS_ALL, text, sizeof text);
    CHECK(strcmp(text, "decoders work behind all 7 walls") == 0);
    pd_media_walls_describe(PD_WALLS_ALL & ~(uint32_t)(PD_WALL_SYSCALLS | PD_WALL_MEMORY), text, sizeof text);
    CHECK(strstr(text, ": system calls, memory") && !strstr(text, "files"));
    pd_media_walls_describe(0, text, sizeof text);
    CHECK(strstr(text, ": system calls, files, network, signals, privileges, limits, memory"));
    char small[8];
    pd_media_walls_describe(0, small, sizeof small);
    CHECK(strlen(small) == sizeof small - 1);
    pd_media_pool *pool = create_pool(breaker_path);
    CHECK(pd_media_walls(pool) == 0);
    pd_media_pool_free(&pool);
}

static int listen_here(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof own;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) != 0)
        abort();
    (void)snprintf(port, sizeof port, "%u", ntohs(own.sin_port));
    return fd;
}

int main(void)
{
    breaker_path = getenv("PD_WALL_BREAKER");
    decoder_path = getenv("PD_DECODER");
    if (!breaker_path || !decoder_path)
        SKIP_ALL("PD_WALL_BREAKER and PD_DECODER are not set");
    (void)signal(SIGURG, SIG_IGN);
    if (!mkdtemp(folder))
        abort();
    (void)snprintf(secret_path, sizeof secret_path, "%s/secret", folder);
    (void)snprintf(new_path, sizeof new_path, "%s/new", folder);
    (void)snprintf(address, sizeof address, "%lx", (unsigned long)(uintptr_t)secret);
    (void)close(open(secret_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const int listener = listen_here();
    RUN(every_wall_holds_alone);
    RUN(every_wall_holds_among_the_others);
    RUN(without_walls_each_deed_is_done);
    RUN(what_decoding_needs_still_works);
    RUN(a_decoder_that_was_forgotten_ends_itself);
    RUN(nothing_of_the_user_s_environment_comes_along);
    RUN(the_real_decoder_is_inside);
    RUN(the_walls_have_a_sentence);
    (void)close(listener);
    restore_new_path("");
    (void)unlink(secret_path);
    (void)rmdir(folder);
    return TEST_RESULT();
}
