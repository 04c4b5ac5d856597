/* A program that tries to get out or to take the sentry down. argv[1] names the attempt; 0 means the attempt was survived. */
#define CHECK_NO_MAIN
#include "check.h"
#include <linux/filter.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

static long int80(long nr, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static volatile long long junk[64];
static void *scribble(void *arg) {
    char *path = arg;
    for (;;) { strcpy(path, "/etc/passwd"); strcpy(path, "/tmp/innocent"); }
    return NULL;
}

/* Where the sentry writes what a thread installs, and programs that summon the tracer or a listener for everything. */
static void *scribble_filter(void *arg) {
    const unsigned verdicts[] = {0x7ff00001, 0x7ff00002, 0x7ff00003, 0x7ff00004, 0x7fc00000, 0x7fff0000, 0x00050000};
    for (unsigned i = 0;; i++) for (long slot = 0; slot < 8; slot++) {
        char *at = (char *)0x7a0000010000 + 0x220000 - 0x20000 - (8 - slot) * 0x8040;
        *(struct sock_fprog *)at = (struct sock_fprog){1, (struct sock_filter *)(at + 16)};
        *(struct sock_filter *)(at + 16) = (struct sock_filter){0x06, 0, 0, verdicts[i % 7]};
    }
    return NULL;
}
static void *scribble_code(void *arg) {
    for (unsigned i = 0;; i++) *(volatile unsigned short *)arg = i & 64 ? 0x050f : 0x9090;
    return NULL;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    only_in_a_sandbox();
    if (!strcmp(what, "x32")) {
        long pid = raw(0x40000000 | SYS_getpid, 0, 0, 0, 0, 0, 0), fd = raw(0x40000000 | SYS_open, (long)"/etc/passwd", 0, 0, 0, 0, 0);
        printf("getpid %ld open %ld\n", pid, fd);
        return pid == -ENOSYS && fd == -ENOSYS ? 0 : 1;
    }
    if (!strcmp(what, "i386")) {
        char *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        strcpy(low, "/etc/passwd");
        long pid = int80(20, 0, 0, 0), fd = int80(5, (long)low, 0, 0);
        printf("getpid %ld open %ld\n", pid, fd);
        return pid == -ENOSYS && fd == -ENOSYS ? 0 : 1;
    }
    if (!strcmp(what, "unmap-everything")) {
        raw(SYS_munmap, 0x10000, 0x7fffffff0000, 0, 0, 0, 0);
        return 1;
    }
    if (!strcmp(what, "wild-jumps")) {
        for (int i = 0; i < 40; i++) {
            pid_t pid = fork();
            if (pid == 0) { ((void (*)(void))(0x1000L * (i * 7919 % 100000)))(); _exit(0); }
            waitpid(pid, NULL, 0);
        }
        return 0;
    }
    if (!strcmp(what, "bad-stack")) {
        for (int i = 0; i < 10; i++) {
            pid_t pid = fork();
            if (pid == 0) { __asm__ volatile("mov %0, %%rsp; mov $39, %%eax; syscall; push %%rax; ret" ::"r"((long)i * 0x1001) : "rax", "memory"); __builtin_unreachable(); }
            waitpid(pid, NULL, 0);
        }
        return 0;
    }
    if (!strcmp(what, "random-calls")) {
        unsigned long seed = 12345;
        for (int i = 0; i < 3000; i++) {
            long a[7];
            for (int k = 0; k < 7; k++) { seed = seed * 6364136223846793005ul + 1442695040888963407ul; a[k] = seed >> ((seed >> 60) * 4); }
            long nr = a[0] & 511;
            if (nr == 335 || nr == 336) continue; /* uretprobe and uprobe pass every filter on new kernels and answer SIGILL */
            if (nr == SYS_exit || nr == SYS_exit_group || nr == SYS_pause || nr == SYS_rt_sigsuspend || nr == SYS_rt_sigreturn || nr == SYS_select || nr == SYS_poll
                || nr == SYS_vfork || nr == SYS_clone || nr == SYS_fork || nr == SYS_clone3 || nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill || nr == SYS_munmap
                || nr == SYS_mmap || nr == SYS_mprotect || nr == SYS_mremap || nr == SYS_brk || nr == SYS_nanosleep || nr == SYS_clock_nanosleep || nr == SYS_ppoll || nr == SYS_pselect6
                || nr == SYS_read || nr == SYS_futex || nr == SYS_wait4 || nr == SYS_arch_prctl || nr == SYS_madvise || nr == SYS_setrlimit || nr == SYS_prlimit64
                || nr == SYS_rt_sigtimedwait || nr == SYS_alarm || nr == SYS_setitimer || nr == SYS_ptrace || nr == SYS_readv || nr == SYS_flock || nr == SYS_rseq || nr == SYS_set_robust_list
                || nr == SYS_rt_sigqueueinfo || nr == SYS_rt_tgsigqueueinfo || nr == SYS_process_madvise || nr == SYS_shmat || nr == SYS_remap_file_pages || nr == SYS_rt_sigaction || nr == SYS_rt_sigprocmask
                || nr == SYS_waitid || nr == SYS_close || nr == SYS_close_range || nr == SYS_dup2 || nr == SYS_dup3 || nr == SYS_futex_waitv || nr == 454 || nr == 455 || nr == 456 || nr == SYS_sigaltstack) continue;
            for (int k = 1; k < 7; k++) if ((a[k] & 7) == 0) a[k] = (long)junk; else if ((a[k] & 7) == 1) a[k] &= 15;
            raw(nr, a[1], a[2], a[3], a[4], a[5], a[6]);
        }
        return 0;
    }
    if (!strcmp(what, "racing-path")) {
        static char path[64] = "/tmp/innocent";
        pthread_t t;
        pthread_create(&t, NULL, scribble, path);
        for (int i = 0; i < 300; i++) { int fd = open(path, O_RDONLY | O_CREAT, 0644); if (fd >= 0) close(fd); }
        return 0;
    }
    if (!strcmp(what, "racing-exec")) {
        static char path[64] = "/tmp/innocent";
        pthread_t t;
        pthread_create(&t, NULL, scribble, path);
        for (int i = 0; i < 30; i++) { pid_t pid = vfork(); if (pid == 0) { execl(path, "x", NULL); _exit(0); } waitpid(pid, NULL, 0); }
        return 0;
    }
    if (!strcmp(what, "racing-filter")) { /* another thread changes the filter while it is installed, and the instruction that installs it */
        for (int i = 0; i < 40; i++) {
            pid_t pid = fork();
            if (pid == 0) {
                pthread_t t;
                unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                static const unsigned char code[] = {0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3};
                struct sock_filter filter[] = {{0x06, 0, 0, 0x7fff0000}};
                struct sock_fprog program = {1, filter};
                memcpy(page, code, sizeof code);
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                pthread_create(&t, NULL, i & 1 ? scribble_code : scribble_filter, i & 1 ? page + 12 : NULL);
                for (int k = 0; k < 20; k++) {
                    ((long (*)(long, long, long, void *))page)(SYS_seccomp, 1, 0, &program);
                    getppid(); sched_yield(); syscall(SYS_clone, 0x20000000, 0, 0, 0, 0); open("/etc/passwd", O_RDONLY);
                }
                pid_t child = fork();
                if (child == 0) { execl("/bin/true", "true", NULL); _exit(0); }
                _exit(0);
            }
            for (int k = 0; k < 200 && waitpid(pid, NULL, WNOHANG) == 0; k++) usleep(2000);
            kill(pid, SIGKILL);
        }
        return 0;
    }
    if (!strcmp(what, "trace-me")) {
        long traced = ptrace(PTRACE_TRACEME, 0, 0, 0), attach = ptrace(PTRACE_ATTACH, 1, 0, 0), seize = ptrace(PTRACE_SEIZE, getppid(), 0, 0);
        printf("%d %d\n", attach == -1, seize == -1);
        (void)traced;
        return 0;
    }
    if (!strcmp(what, "reserved-descriptors")) {
        for (int fd = 1000; fd < 1100; fd++) {
            char c;
            if (read(fd, &c, 1) != -1 || errno != EBADF || write(fd, "x", 1) != -1 || errno != EBADF || raw(SYS_close, fd, 0, 0, 0, 0, 0) != -EBADF) return 1;
            if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED) return 2;
        }
        return 0;
    }
    if (!strcmp(what, "fork-bomb")) {
        int made = 0;
        for (int i = 0; i < 5000; i++) {
            pid_t pid = fork();
            if (pid == 0) { for (;;) pause(); }
            if (pid < 0) { printf("refused: %s\n", strerrorname_np(errno)); break; }
            made++;
        }
        signal(SIGTERM, SIG_IGN);
        return made >= 5000;
    }
    return 2;
}
