/* Preloaded before the C library: fails the n-th call that writes to, extends or flushes a file of the project.
 * The process under test sets the three variables; calls are counted from then on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int labeler_fail_at = 0;      /* 0: nothing fails */
int labeler_fail_with = 0;    /* an errno */
int labeler_fail_for = 0;     /* so many calls from there on; 0: all of them */
int labeler_short = 0;        /* a write that fails has written half before */
int labeler_calls = 0;        /* calls seen so far */
static const char *mark = ".labeler.db";

static int fails(int fd) {
    char link[64], path[4096];
    ssize_t n;
    if (!labeler_fail_at) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (!strstr(path, mark) || strstr(path, ".lock")) return 0;
    labeler_calls++;
    if (labeler_calls < labeler_fail_at) return 0;
    return !labeler_fail_for || labeler_calls < labeler_fail_at + labeler_fail_for;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    if (fails(fd)) { if (labeler_short && n > 1) real(fd, data, n / 2); errno = labeler_fail_with; return -1; }
    return real(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    REAL(pwrite);
    if (fails(fd)) { if (labeler_short && n > 1) real(fd, data, n / 2, at); errno = labeler_fail_with; return -1; }
    return real(fd, data, n, at);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    REAL(pwrite64);
    if (fails(fd)) { if (labeler_short && n > 1) real(fd, data, n / 2, at); errno = labeler_fail_with; return -1; }
    return real(fd, data, n, at);
}
int fsync(int fd) {
    REAL(fsync);
    if (fails(fd)) { errno = labeler_fail_with; return -1; }
    return real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    if (fails(fd)) { errno = labeler_fail_with; return -1; }
    return real(fd);
}
int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    if (fails(fd)) { errno = labeler_fail_with; return -1; }
    return real(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    if (fails(fd)) { errno = labeler_fail_with; return -1; }
    return real(fd, size);
}
