/* The whole test library of the guest programs: one header, so that a program is one file.
 *
 * A program prints one line per observation and nothing that differs between two correct kernels (no pid, address,
 * time or inode number). The harness runs it natively first and then in the sandbox: both outputs must be equal, and
 * the exit status must be 0. EXPECT_* states what Linux does; SHOW prints what it does and lets the comparison judge.
 */
#ifndef GUESTLIB_CHECK_H
#define GUESTLIB_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK_MAX_TESTS 100
__attribute__((unused)) static struct { const char *name; void (*body)(void); } check_tests[CHECK_MAX_TESTS];
__attribute__((unused)) static int check_count, check_failures;
__attribute__((unused)) static const char *check_current = "main";

__attribute__((unused)) static void check_register(const char *name, void (*body)(void)) {
    if (check_count == CHECK_MAX_TESTS) abort();
    check_tests[check_count].name = name;
    check_tests[check_count++].body = body;
}

/* TEST(name) { body } : runs in the order of the file. */
#define TEST(name)                                                                             \
    static void name(void);                                                                    \
    __attribute__((constructor)) static void register_##name(void) { check_register(#name, name); } \
    static void name(void)

__attribute__((unused)) static const char *check_errno_name(int number) {
    const char *name = strerrorname_np(number);
    return name ? name : "E?";
}

__attribute__((unused)) static void check_line(int good, const char *text, long value, int error, int line, const char *wanted) {
    if (good) {
        printf("%s: %s: ok\n", check_current, text);
        return;
    }
    check_failures++;
    if (value == -1) printf("%s: %s: FAIL line %d: -1 %s, wanted %s\n", check_current, text, line, check_errno_name(error), wanted);
    else printf("%s: %s: FAIL line %d: %ld, wanted %s\n", check_current, text, line, value, wanted);
}

/* The call succeeds (anything but -1); gives its value. */
#define EXPECT_OK(expr) ({                                                                     \
    errno = 0; long v_ = (long)(expr); int e_ = errno;                                         \
    check_line(v_ != -1, #expr, v_, e_, __LINE__, "success"); errno = e_; v_; })

/* The call fails with exactly this errno. */
#define EXPECT_ERRNO(wanted, expr) ({                                                          \
    errno = 0; long v_ = (long)(expr); int e_ = errno;                                         \
    check_line(v_ == -1 && e_ == (wanted), #expr " -> " #wanted, v_, e_, __LINE__, #wanted); v_; })

#define EXPECT_EQ(wanted, expr) ({                                                             \
    long v_ = (long)(expr), w_ = (long)(wanted); int e_ = errno;                    \
    char t_[32]; snprintf(t_, sizeof t_, "%ld", w_);                                           \
    check_line(v_ == w_, #expr " == " #wanted, v_, e_, __LINE__, t_); v_; })

#define EXPECT_TRUE(expr) ({ int v_ = !!(expr); check_line(v_, #expr, v_, 0, __LINE__, "true"); v_; })

#define EXPECT_STR(wanted, expr) ({                                                            \
    const char *v_ = (expr), *w_ = (wanted); int ok_ = v_ && !strcmp(v_, w_);                  \
    check_line(ok_, #expr, 0, 0, __LINE__, w_);                                                \
    if (!ok_) { printf("    got \"%s\"\n", v_ ? v_ : "(null)"); }                              \
    ok_; })

/* Prints the value or the errno; the comparison with the native run judges it. */
#define SHOW(expr) ({                                                                          \
    errno = 0; long v_ = (long)(expr); int e_ = errno;                                         \
    if (v_ == -1 && e_) printf("%s: %s = -1 %s\n", check_current, #expr, check_errno_name(e_)); \
    else printf("%s: %s = %ld\n", check_current, #expr, v_);                                   \
    errno = e_; v_; })

#define SHOW_STR(expr) printf("%s: %s = \"%s\"\n", check_current, #expr, (expr))

/* Set-up that must work for the test to mean anything: ends the program otherwise. */
#define NEED(expr) ({                                                                          \
    errno = 0; long v_ = (long)(expr);                                                         \
    if (v_ == -1) { printf("%s: line %d: %s: %s\n", check_current, __LINE__, #expr, check_errno_name(errno)); _exit(99); } \
    v_; })

/* The bare call: -errno as the kernel returns it, all six registers as given. */
__attribute__((unused)) static long raw(long nr, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#define RAW0(nr) raw(nr, 0, 0, 0, 0, 0, 0)
#define RAW1(nr, a) raw(nr, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(nr, a, b) raw(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(nr, a, b, c) raw(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(nr, a, b, c, d) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW5(nr, a, b, c, d, e) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define RAW6(nr, a, b, c, d, e, f) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* A 32-bit argument with garbage above it, as compilers leave it there. */
#define GARBAGE(x) ((long)((uint64_t)(uint32_t)(x) | 0xdeadbeef00000000ull))
/* Addresses that no process owns. */
#define BAD_PTR ((void *)0x10)
#define KERNEL_PTR ((void *)0xffff800000000000ull)
#define NONCANONICAL_PTR ((void *)0x00dead0000000000ull)

/* A page without access, to put behind a buffer: reading or writing one byte too many faults. */
__attribute__((unused)) static char *guarded_page(void) {
    long page = sysconf(_SC_PAGESIZE);
    char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE)) _exit(98);
    return p;
}

/* Runs the block in a child and gives its pid; the child leaves with the number of its failures. */
#define CHILD(...) ({                                                                          \
    fflush(stdout); pid_t p_ = fork();                                                         \
    if (p_ == -1) { printf("fork: %s\n", check_errno_name(errno)); _exit(97); }                \
    if (p_ == 0) { check_failures = 0; __VA_ARGS__; fflush(stdout); _exit(check_failures); }   \
    p_; })

__attribute__((unused)) static int reap(pid_t pid) {
    int status = -1;
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {}
    return status;
}
#define EXPECT_EXIT(code, pid) ({ int s_ = reap(pid); EXPECT_TRUE(WIFEXITED(s_)); if (WEXITSTATUS(s_) != (code)) check_line(0, "exit status " #code, WEXITSTATUS(s_), 0, __LINE__, #code); })
#define EXPECT_KILLED(sig, pid) ({ int s_ = reap(pid); EXPECT_TRUE(WIFSIGNALED(s_)); EXPECT_EQ(sig, WTERMSIG(s_)); })

/* For programs that would harm a machine: ends them anywhere but in the sandbox, whose kernel version names it. */
__attribute__((unused)) static void only_in_a_sandbox(void) {
    struct utsname name;
    if (uname(&name) || !strstr(name.version, "sandboxctl")) {
        fputs("this program does harm outside a sandbox: not run\n", stderr);
        _exit(93);
    }
}

/* One-byte messages through a pipe: the only synchronisation between processes (no sleeps). */
__attribute__((unused)) static void tell(int fd) { if (write(fd, "x", 1) != 1) _exit(96); }
__attribute__((unused)) static void await_byte(int fd) {
    char c;
    while (read(fd, &c, 1) == -1) if (errno != EINTR) _exit(95);
}

__attribute__((unused)) static int make_file(const char *path, const char *text) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) _exit(94);
    return fd;
}

#ifndef CHECK_NO_MAIN
int check_argc;
char **check_argv;
int main(int argc, char **argv) {
    check_argc = argc;
    check_argv = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    umask(022);
    for (int i = 0; i < check_count; i++) {
        check_current = check_tests[i].name;
        check_tests[i].body();
    }
    printf("%d tests, %d failures\n", check_count, check_failures);
    return check_failures ? 1 : 0;
}
#endif
#endif
