/* Stands between a program and the C library (LD_PRELOAD) and makes the file system under one folder misbehave.
 *
 *   FAULT_DIR    absolute folder; calls on anything else pass through
 *   FAULT_MODE   record:TRACE       writes down every call that changes something, in order, with its bytes
 *                fail:N:COUNT:ERRNO calls number N to N+COUNT-1 fail (COUNT 0: all from N on); ERRNO "short": writes write half
 *                gate:FILE          calls that change something wait while FILE exists; FILE.waiting appears when one does
 *                slow:MS            synchronising takes so long
 *   FAULT_REFUSE numbers, as in 3,4: while recording, these synchronisations of a file fail with EIO, and what was not yet on the disk
 *                is forgotten: programs see it, and no later synchronisation brings it there
 *   FAULT_MARKS  a file: what the program writes there goes into the trace, to say what it was promised and when
 *   FAULT_COUNT  a file: at exit, how many calls there were, and the names of those that failed
 *   FAULT_CLOCK  a file with a number: seconds that the wall clock is wrong by, now
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 65536
#define REAL(name) ((__typeof__(&name))real(#name))

enum { NONE, RECORD, FAIL, GATE, SLOW } mode;
enum { OTHERS, WATCHED, MARKS };
static char dir[4096], gate[4096], waiting[4200], failed[256];
static size_t dir_length;
static const char *marks, *clock_file, *count_file, *refuse;
static long first, count, calls, slow_ms, syncs;
static int error, is_short, trace = -1, ready;
static unsigned char kind_of[MAX_FD];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* System calls of our own, which are not counted. */
static int raw_open(const char *path, int flags) { return syscall(SYS_openat, AT_FDCWD, path, flags, 0644); }
static void raw_write(int fd, const void *bytes, size_t length) {
    if (syscall(SYS_write, fd, bytes, length) != (long)length) abort();
}
static int exists(const char *path) { return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0; }

__attribute__((constructor)) static void begin(void) {
    const char *setting = getenv("FAULT_MODE"), *path = getenv("FAULT_DIR");
    marks = getenv("FAULT_MARKS");
    refuse = getenv("FAULT_REFUSE");
    clock_file = getenv("FAULT_CLOCK");
    count_file = getenv("FAULT_COUNT");
    /* Programs that this one starts are none of ours. */
    unsetenv("LD_PRELOAD");
    if (path) {
        snprintf(dir, sizeof dir, "%s", path);
        dir_length = strlen(dir);
    }
    if (setting && sscanf(setting, "record:%4095s", gate) == 1) {
        mode = RECORD;
        trace = raw_open(gate, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
        if (trace < 0) abort();
    } else if (setting && sscanf(setting, "fail:%ld:%ld:%d", &first, &count, &error) == 3) {
        mode = FAIL;
    } else if (setting && sscanf(setting, "fail:%ld:%ld:shor%1[t]", &first, &count, gate) == 3) {
        mode = FAIL;
        is_short = 1;
    } else if (setting && sscanf(setting, "gate:%4095s", gate) == 1) {
        mode = GATE;
        snprintf(waiting, sizeof waiting, "%s.waiting", gate);
    } else if (setting && sscanf(setting, "slow:%ld", &slow_ms) == 1) {
        mode = SLOW;
    } else if (setting) {
        abort();
    }
    ready = 1;
}

__attribute__((destructor)) static void end(void) {
    if (!count_file) return;
    char text[320];
    int length = snprintf(text, sizeof text, "%ld%s\n", calls, failed);
    int fd = raw_open(count_file, O_WRONLY | O_CREAT | O_TRUNC);
    raw_write(fd, text, length);
    syscall(SYS_close, fd);
}

static int is_under(const char *path) {
    return ready && dir_length && path && strncmp(path, dir, dir_length) == 0 &&
           (path[dir_length] == 0 || path[dir_length] == '/');
}
static int kind(int fd) { return ready && fd >= 0 && fd < MAX_FD ? kind_of[fd] : OTHERS; }

/* Counts a call on what is watched; whether it is to fail. */
static int fails(const char *name) {
    if (mode != FAIL) {
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
        return 0;
    }
    long n = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (n < first || (count && n >= first + count)) return 0;
    size_t length = strlen(failed);
    snprintf(failed + length, sizeof failed - length, " %s", name);
    errno = error;
    return !is_short;
}
static int is_cut(void) { return mode == FAIL && is_short && calls >= first && (!count || calls < first + count); }

/* Before a call that changes something. */
static void wait_at_gate(void) {
    if (mode != GATE || !exists(gate)) return;
    syscall(SYS_close, raw_open(waiting, O_WRONLY | O_CREAT));
    struct timespec pause = {0, 1000000};
    while (exists(gate)) nanosleep(&pause, NULL);
}

struct __attribute__((packed)) head {
    char op;
    uint64_t file, offset;
    uint32_t length, second;
};
/* One operation of the trace: what, on which file, where, and bytes or one or two paths. */
static void note(char op, uint64_t file, uint64_t offset, const void *bytes, size_t length, const char *second) {
    struct head head = {op, file, offset, length, second ? strlen(second) : 0};
    char *whole = malloc(sizeof head + length + head.second);
    if (!whole) abort();
    memcpy(whole, &head, sizeof head);
    memcpy(whole + sizeof head, bytes, length);
    if (second) memcpy(whole + sizeof head + length, second, head.second);
    raw_write(trace, whole, sizeof head + length + head.second);
    free(whole);
}
static void note_path(char op, const char *path, const char *second) { note(op, 0, 0, path, strlen(path), second); }
static uint64_t inode(int fd, uint64_t *size) {
    struct stat found;
    if (syscall(SYS_fstat, fd, &found)) abort();
    if (size) *size = found.st_size;
    return found.st_ino;
}
static void enter(void) { pthread_mutex_lock(&lock); }
static void leave(void) {
    int saved = errno;
    pthread_mutex_unlock(&lock);
    errno = saved;
}

static int opened(const char *path, int flags, mode_t permissions) {
    int is_marks = ready && marks && path && strcmp(path, marks) == 0;
    int watched = is_under(path);
    if (watched && fails("open")) return -1;
    if (watched && flags & (O_CREAT | O_TRUNC)) wait_at_gate();
    enter();
    int is_new = watched && mode == RECORD && flags & O_CREAT && !exists(path);
    int fd = syscall(SYS_openat, AT_FDCWD, path, flags, permissions);
    if (fd >= 0 && fd < MAX_FD) kind_of[fd] = is_marks ? MARKS : watched ? WATCHED : OTHERS;
    if (fd >= 0 && watched && mode == RECORD) {
        uint64_t file = inode(fd, NULL);
        if (is_new) note('C', file, 0, path, strlen(path), NULL);
        else if (flags & O_TRUNC) note('T', file, 0, "", 0, NULL);
    }
    leave();
    return fd;
}
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, permissions);
}
int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags | O_LARGEFILE, permissions);
}
int close(int fd) {
    if (fd >= 0 && fd < MAX_FD) kind_of[fd] = OTHERS;
    return REAL(close)(fd);
}

static ssize_t written(int fd, const void *bytes, size_t length, off64_t at, int has_place) {
    int what = kind(fd);
    if (what == WATCHED) {
        if (fails("write")) return -1;
        wait_at_gate();
        if (is_cut() && length > 1) length /= 2;
    }
    enter();
    uint64_t size = 0, file = 0, offset = at;
    if (what == WATCHED && mode == RECORD) {
        file = inode(fd, &size);
        if (syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) offset = size;
        else if (!has_place) offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    }
    ssize_t n = has_place ? syscall(SYS_pwrite64, fd, bytes, length, at) : syscall(SYS_write, fd, bytes, length);
    if (n > 0 && mode == RECORD) {
        if (what == WATCHED) note('W', file, offset, bytes, n, NULL);
        if (what == MARKS) note('M', 0, 0, bytes, n, NULL);
    }
    leave();
    return n;
}
ssize_t write(int fd, const void *bytes, size_t length) { return written(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return written(fd, bytes, length, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return written(fd, bytes, length, at, 1); }

static int truncated(int fd, off64_t length) {
    if (kind(fd) != WATCHED) return syscall(SYS_ftruncate, fd, length);
    if (fails("ftruncate")) return -1;
    wait_at_gate();
    enter();
    int result = syscall(SYS_ftruncate, fd, length);
    if (!result && mode == RECORD) note('T', inode(fd, NULL), length, "", 0, NULL);
    leave();
    return result;
}
int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncated(fd, length); }

/* Whether the disk refuses to synchronise the file this time. */
static int refuses(int fd) {
    struct stat found;
    if (mode != RECORD || !refuse || syscall(SYS_fstat, fd, &found) || !S_ISREG(found.st_mode)) return 0;
    long n = __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
    for (const char *at = refuse; at && *at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (atol(at) == n) return 1;
    return 0;
}
static int synced(int fd, long call) {
    if (kind(fd) != WATCHED) return syscall(call, fd);
    if (fails("fsync")) return -1;
    wait_at_gate();
    if (mode == SLOW) {
        struct timespec pause = {slow_ms / 1000, slow_ms % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
    enter();
    int refused = refuses(fd);
    int result = refused ? -1 : syscall(call, fd);
    if (refused) note('X', inode(fd, NULL), 0, "", 0, NULL);
    if (!result && mode == RECORD) note('S', inode(fd, NULL), 0, "", 0, NULL);
    if (refused) errno = EIO;
    leave();
    return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    if (!is_under(to)) return syscall(SYS_rename, from, to);
    if (fails("rename")) return -1;
    wait_at_gate();
    enter();
    int result = syscall(SYS_rename, from, to);
    if (!result && mode == RECORD) note_path('R', from, to);
    leave();
    return result;
}
int unlink(const char *path) {
    if (!is_under(path)) return syscall(SYS_unlink, path);
    if (fails("unlink")) return -1;
    wait_at_gate();
    enter();
    int result = syscall(SYS_unlink, path);
    if (!result && mode == RECORD) note_path('U', path, NULL);
    leave();
    return result;
}
int mkdir(const char *path, mode_t permissions) {
    if (!is_under(path)) return syscall(SYS_mkdir, path, permissions);
    if (fails("mkdir")) return -1;
    wait_at_gate();
    enter();
    int result = syscall(SYS_mkdir, path, permissions);
    if (!result && mode == RECORD) {
        struct stat made;
        if (syscall(SYS_stat, path, &made)) abort();
        note('D', made.st_ino, 0, path, strlen(path), NULL);
    }
    leave();
    return result;
}

/* Calls that change nothing, and may fail all the same. */
ssize_t read(int fd, void *bytes, size_t length) {
    if (kind(fd) == WATCHED && fails("read")) return -1;
    return syscall(SYS_read, fd, bytes, length);
}
off64_t lseek64(int fd, off64_t at, int whence) {
    if (kind(fd) == WATCHED && fails("lseek")) return -1;
    return syscall(SYS_lseek, fd, at, whence);
}
int flock(int fd, int operation) {
    if (kind(fd) == WATCHED && fails("flock")) return -1;
    return syscall(SYS_flock, fd, operation);
}
int statx(int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    /* Libraries ask without a path whether the call is there; the header says that none does. */
    const char *volatile name = path;
    int watched = name && *name ? is_under(name) : kind(at) == WATCHED;
    if (watched && fails("stat")) return -1;
    return syscall(SYS_statx, at, path, flags, mask, out);
}
DIR *opendir(const char *path) {
    if (is_under(path) && fails("opendir")) return NULL;
    return REAL(opendir)(path);
}

int clock_gettime(clockid_t which, struct timespec *out) {
    int result = syscall(SYS_clock_gettime, which, out);
    if (!result && ready && clock_file && which == CLOCK_REALTIME) {
        char text[32] = {0};
        int fd = raw_open(clock_file, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (syscall(SYS_read, fd, text, sizeof text - 1) > 0) out->tv_sec += atol(text);
            syscall(SYS_close, fd);
        }
    }
    return result;
}
