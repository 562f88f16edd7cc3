/* Records what a process does to the files of one folder, in one order: preloaded, for the model of a disk.
 *
 * A record: op, five 64-bit numbers (inode, offset, size, flags, length of the data), two names, the data.
 * Ops: O opened (flags: 1 made, 2 emptied), W written, T cut to a size, S flushed, F a flush that failed (what was not
 * flushed is gone), D a folder flushed, R renamed, L linked, U unlinked, C a descriptor of a database, its log or its
 * index closed by something else than SQLite while a connection to it lives.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int labeler_fail_flush = 0; /* the flush of a project's file that fails, counted from 1; 0: none */
int labeler_flushes = 0;    /* flushes of a project's files so far */

static pthread_mutex_t order = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static const char *root = NULL;
static int out = -1;

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("LABELER_RECORD_LOG");
    root = getenv("LABELER_RECORD_ROOT");
    if (log && root) out = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_inside(const char *path) { return out >= 0 && path && !strncmp(path, root, strlen(root)); }

static int name_of(int fd, char *path) {
    char link[64];
    ssize_t n;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    path[n < 0 ? 0 : n] = 0;
    return n > 0 && is_inside(path);
}

static void whole(const char *path, char *into) { /* relative names as absolute ones, without looking at links */
    if (path[0] == '/') { snprintf(into, PATH_MAX, "%s", path); return; }
    if (!getcwd(into, PATH_MAX)) into[0] = 0;
    size_t n = strlen(into);
    snprintf(into + n, PATH_MAX - n, "/%s", path);
}

static void record(char op, int64_t ino, int64_t at, int64_t size, int64_t flags, const char *one, const char *two,
                   const void *data, int64_t n) {
    int64_t numbers[5] = {ino, at, size, flags, n};
    uint16_t lengths[2] = {(uint16_t)strlen(one), (uint16_t)strlen(two)};
    char head[1 + sizeof numbers + sizeof lengths];
    head[0] = op;
    memcpy(head + 1, numbers, sizeof numbers);
    memcpy(head + 1 + sizeof numbers, lengths, sizeof lengths);
    syscall(SYS_write, out, head, sizeof head);
    syscall(SYS_write, out, one, lengths[0]);
    syscall(SYS_write, out, two, lengths[1]);
    if (n) syscall(SYS_write, out, data, n);
}

static int64_t ino_of(int fd) { struct stat s; return fstat(fd, &s) ? -1 : (int64_t)s.st_ino; }

/* databases that SQLite has open, by name: how many descriptors */
static struct { char name[PATH_MAX]; int open; } live[64];

static int is_sqlite(const void *caller) {
    Dl_info who;
    return dladdr(caller, &who) && who.dli_fname && strstr(who.dli_fname, "sqlite");
}

static int *alive(const char *name, int add) { /* of the database that a file belongs to; NULL: it belongs to none */
    const char *end = strstr(name, ".labeler.db");
    if (!end) return NULL;
    size_t n = (size_t)(end - name) + strlen(".labeler.db");
    if (name[n] && strcmp(name + n, "-wal") && strcmp(name + n, "-shm")) return NULL;
    for (int i = 0; i < 64; i++) {
        if (live[i].open && strlen(live[i].name) == n && !strncmp(live[i].name, name, n)) return &live[i].open;
    }
    for (int i = 0; add && i < 64; i++) {
        if (!live[i].open) { snprintf(live[i].name, PATH_MAX, "%.*s", (int)n, name); return &live[i].open; }
    }
    return NULL;
}

static int opened(int fd, int flags, int existed, const void *caller) {
    char name[PATH_MAX];
    int saved = errno, *count;
    if (fd >= 0 && name_of(fd, name)) {
        if (!existed || (flags & O_TRUNC))
            record('O', ino_of(fd), 0, 0, (existed ? 0 : 1) | (flags & O_TRUNC ? 2 : 0), name, "", NULL, 0);
        size_t n = strlen(name);
        if (n > 11 && !strcmp(name + n - 11, ".labeler.db") && is_sqlite(caller) && (count = alive(name, 1))) ++*count;
    }
    errno = saved;
    return fd;
}

#define OPEN(NAME)                                                                        \
    int NAME(const char *path, int flags, ...) {                                          \
        REAL(NAME);                                                                       \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        pthread_mutex_lock(&order);                                                       \
        struct stat s; int existed = !stat(path, &s);                                     \
        int fd = opened(real(path, flags, mode), flags, existed, __builtin_return_address(0));                   \
        pthread_mutex_unlock(&order);                                                     \
        return fd;                                                                        \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(NAME)                                                                      \
    int NAME(int dir, const char *path, int flags, ...) {                                 \
        REAL(NAME);                                                                       \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        pthread_mutex_lock(&order);                                                       \
        struct stat s; int existed = !fstatat(dir, path, &s, 0);                          \
        int fd = opened(real(dir, path, flags, mode), flags, existed, __builtin_return_address(0));              \
        pthread_mutex_unlock(&order);                                                     \
        return fd;                                                                        \
    }
OPENAT(openat)
OPENAT(openat64)

static void written(int fd, const void *data, ssize_t n, int64_t at) {
    char name[PATH_MAX];
    int saved = errno;
    if (n > 0 && name_of(fd, name)) record('W', ino_of(fd), at, n, 0, name, "", data, n);
    errno = saved;
}

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    pthread_mutex_lock(&order);
    off_t at = out < 0 ? 0 : lseek(fd, 0, SEEK_CUR);
    ssize_t done = real(fd, data, n);
    if (done > 0 && (fcntl(fd, F_GETFL) & O_APPEND)) at = lseek(fd, 0, SEEK_CUR) - done;
    written(fd, data, done, at);
    pthread_mutex_unlock(&order);
    return done;
}
#define PWRITE(NAME, OFF)                                                                 \
    ssize_t NAME(int fd, const void *data, size_t n, OFF at) {                            \
        REAL(NAME);                                                                       \
        pthread_mutex_lock(&order);                                                       \
        ssize_t done = real(fd, data, n, at);                                             \
        written(fd, data, done, at);                                                      \
        pthread_mutex_unlock(&order);                                                     \
        return done;                                                                      \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define CUT(NAME, OFF)                                                                    \
    int NAME(int fd, OFF size) {                                                          \
        REAL(NAME);                                                                       \
        char name[PATH_MAX];                                                              \
        pthread_mutex_lock(&order);                                                       \
        int done = real(fd, size);                                                        \
        if (!done && name_of(fd, name)) record('T', ino_of(fd), 0, size, 0, name, "", NULL, 0); \
        pthread_mutex_unlock(&order);                                                     \
        return done;                                                                      \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

#define FLUSH(NAME)                                                                       \
    int NAME(int fd) {                                                                    \
        REAL(NAME);                                                                       \
        char name[PATH_MAX];                                                              \
        struct stat s;                                                                    \
        pthread_mutex_lock(&order);                                                       \
        int inside = name_of(fd, name) && !fstat(fd, &s), done = 0;                       \
        int is_folder = inside && S_ISDIR(s.st_mode);                                     \
        if (inside && !is_folder && strstr(name, ".labeler.db") && ++labeler_flushes == labeler_fail_flush) { \
            record('F', ino_of(fd), 0, 0, 0, name, "", NULL, 0);                          \
            errno = EIO;                                                                  \
            done = -1;                                                                    \
        } else if (!inside) {                                                             \
            done = real(fd);                                                              \
        } else {                                                                          \
            record(is_folder ? 'D' : 'S', ino_of(fd), 0, 0, 0, name, "", NULL, 0);        \
        }                                                                                 \
        pthread_mutex_unlock(&order);                                                     \
        return done;                                                                      \
    }
FLUSH(fsync)
FLUSH(fdatasync)

static int two_names(char op, int done, const char *from, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    int saved = errno;
    if (!done && out >= 0) {
        whole(from, one);
        whole(to, two);
        if (is_inside(one) || is_inside(two)) record(op, 0, 0, 0, 0, one, two, NULL, 0);
    }
    errno = saved;
    return done;
}
#define MOVE(NAME, OP, ARGS, CALL)                                                        \
    int NAME ARGS {                                                                       \
        REAL(NAME);                                                                       \
        pthread_mutex_lock(&order);                                                       \
        int done = two_names(OP, real CALL, from, to);                                    \
        pthread_mutex_unlock(&order);                                                     \
        return done;                                                                      \
    }
MOVE(rename, 'R', (const char *from, const char *to), (from, to))
MOVE(renameat, 'R', (int a, const char *from, int b, const char *to), (a, from, b, to))
MOVE(link, 'L', (const char *from, const char *to), (from, to))
MOVE(linkat, 'L', (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))

int unlink(const char *path) {
    REAL(unlink);
    char name[PATH_MAX];
    pthread_mutex_lock(&order);
    int done = real(path);
    if (!done && out >= 0) {
        whole(path, name);
        if (is_inside(name)) record('U', 0, 0, 0, 0, name, "", NULL, 0);
    }
    pthread_mutex_unlock(&order);
    return done;
}

int close(int fd) {
    REAL(close);
    char name[PATH_MAX];
    if (out < 0 || fd == out) return real(fd);
    pthread_mutex_lock(&order);
    int *count = name_of(fd, name) ? alive(name, 0) : NULL;
    if (count && !is_sqlite(__builtin_return_address(0)))
        record('C', ino_of(fd), 0, 0, 0, name, "", NULL, 0);
    else if (count && !strcmp(name + strlen(name) - 11, ".labeler.db"))
        --*count;
    int done = real(fd);
    pthread_mutex_unlock(&order);
    return done;
}
