/* Guest programs of the platform's contract suite: the first argument says which. Output is what the test compares. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STUB 0x7a0000000000UL

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

static void handle(int number, int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(number, &action, NULL);
}

static int blocked_read(int flags)
{
    char byte;
    handle(SIGUSR1, flags);
    ssize_t got = read(0, &byte, 1);
    printf("read %zd errno %d caught %d\n", got, got < 0 ? errno : 0, caught);
    return 0;
}

static int kill_self(void)
{
    handle(SIGUSR2, 0);
    int result = kill(getpid(), SIGUSR2);
    printf("kill %d caught %d\n", result, caught == SIGUSR2);
    return 0;
}

static int masked(void)
{
    sigset_t all, old, now;
    struct timespec second = {0, 20000000};
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, NULL, &old);
    handle(SIGUSR1, SA_RESTART);
    int result = ppoll(NULL, 0, &second, &all);
    int error = result < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("ppoll %d errno %d caught %d mask kept %d\n", result, error, caught != 0, memcmp(&old, &now, 8) == 0);
    return 0;
}

static void *exec_in_thread(void *argument)
{
    char **argv = argument;
    execv(argv[0], argv);
    printf("exec failed %d\n", errno);
    return NULL;
}

static void *sleep_for_ever(void *argument)
{
    pause();
    return argument;
}

static int thread_exec(char **argv)
{
    pthread_t one, two;
    pthread_create(&one, NULL, sleep_for_ever, NULL);
    pthread_create(&two, NULL, exec_in_thread, argv);
    pthread_join(two, NULL);
    return 1;
}

static int too_big(char *program)
{
    static char text[130000];
    char *argv[80];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 79; i++)
        argv[i] = text;
    argv[79] = NULL;
    int result = execv(program, argv);
    printf("exec %d errno %d\n", result, errno);
    fflush(stdout);
    char *small[] = {program, "echo", "after", NULL};
    execv(program, small);
    return 1;
}

static int memory(void)
{
    char *area = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 'a', 3 * 4096);
    mprotect(area + 4096, 4096, PROT_READ);
    munmap(area + 2 * 4096, 4096);
    syscall(1000, area);
    printf("%.4s %.4s\n", area, area + 4096);
    return 0;
}

static int foreign(void)
{
    long result;
    errno = 0;
    result = syscall(0x40000000 | SYS_getpid);
    printf("x32 %ld %d\n", result, errno);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    printf("i386 %ld\n", (long)(int)result);
    errno = 0;
    result = syscall(5000);
    printf("none %ld %d\n", result, errno);
    return 0;
}

/* Find a syscall instruction in the stub's code and call through it. */
static long through_stub(long number, long a, long b, long c, long d, long e, long f)
{
    unsigned char *code = (unsigned char *)STUB;
    long result;
    for (size_t i = 0xf0; i < 0xf00; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x05) {
            /* A copy in our own page at the stub's place has the same power: jump to a "syscall; ret" there. */
            munmap(code, 4096);
            code = mmap((void *)STUB, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            if (code == MAP_FAILED)
                return -1000;
            break;
        }
    memcpy((void *)(STUB + 0x100), "\x0f\x05\xc3", 3);
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("call *%[at]"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), [at] "b"(STUB + 0x100)
                     : "rcx", "r11", "memory");
    return result;
}

static int stub_abuse(int reserved)
{
    long shared = through_stub(SYS_mmap, 0, 4096, 3, MAP_SHARED, reserved, 0);
    long own = through_stub(SYS_mmap, 0, 4096, 1, MAP_PRIVATE, reserved, 0);
    long load = through_stub(SYS_mmap, 0, 4096, 1, MAP_PRIVATE, reserved + 1, 0);
    long closed = through_stub(SYS_close, reserved, 0, 0, 0, 0, 0);
    long list = through_stub(SYS_read, 0x13435442, STUB, 4096, 0, 0, 0);
    long open = through_stub(SYS_open, (long)"/etc/passwd", 0, 0, 0, 0, 0);
    printf("shared %ld own %ld load %ld closed %ld list %ld open %ld\n", shared, own, load, closed, list, open);
    return 0;
}

static int forbidden_clone(void)
{
    static const unsigned long flags[] = {0x00800000, 0x2000, 0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x8000, 0x1000};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        long pid = syscall(SYS_clone, flags[i] | SIGCHLD, 0, NULL, NULL, 0);
        if (pid == 0)
            _exit(0);
        printf("%lx %ld\n", flags[i], pid < 0 ? -(long)errno : pid);
    }
    return 0;
}

static int bomb(void)
{
    int made = 0, error = 0;
    while (made < 1000) {
        pid_t pid = fork();
        if (pid == 0) {
            pause();
            _exit(0);
        }
        if (pid < 0) {
            error = errno;
            break;
        }
        made++;
    }
    printf("bomb %s errno %d\n", made < 200 ? "limited" : "free", error);
    return 0;
}

/* Children that die while they make children: births and deaths cross. */
static int storm(void)
{
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();
        if (pid == 0)
            for (;;)
                if (fork() == 0)
                    _exit(0);
        struct timespec moment = {0, (i % 7) * 300000};
        nanosleep(&moment, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    printf("storm over\n");
    return 0;
}

/* The path is overwritten while another thread executes (kernel-facts.md 13). */
static char racing_path[4096];

static void *overwrite(void *argument)
{
    for (;;) {
        strcpy(racing_path, argument);
        memset(racing_path, 0, 64);
    }
    return NULL;
}

static int race(char *program)
{
    for (int i = 0; i < 60; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            pthread_t thread;
            char *argv[] = {program, "echo", "stub", NULL};
            racing_path[0] = 0;
            pthread_create(&thread, NULL, overwrite, "/tmp/hostile");
            syscall(SYS_execveat, AT_FDCWD, program, argv, NULL, 0);
            for (;;)
                syscall(SYS_execve, racing_path, argv, NULL);
        }
        struct timespec moment = {0, 3000000};
        nanosleep(&moment, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    printf("race over\n");
    return 0;
}

static void *count_up(void *argument)
{
    for (int i = 0; i < 1000; i++)
        __atomic_fetch_add((int *)argument, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static int threads(void)
{
    pthread_t all[16];
    int count = 0;
    for (int i = 0; i < 16; i++)
        pthread_create(&all[i], NULL, count_up, &count);
    for (int i = 0; i < 16; i++)
        pthread_join(all[i], NULL);
    printf("count %d\n", count);
    return 0;
}

static int stops(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(5);
    }
    waitpid(pid, &status, WUNTRACED);
    printf("stopped %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    printf("exited %d\n", WEXITSTATUS(status));
    return 0;
}

static int children(void)
{
    int status;
    for (volatile int i = 0; i < 5; i++) {
        pid_t pid = i % 2 ? fork() : vfork();
        if (pid == 0)
            _exit(i);
        waitpid(pid, &status, 0);
        printf("%d ", WEXITSTATUS(status));
    }
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    waitpid(pid, &status, 0);
    printf("signal %d\n", WTERMSIG(status));
    return 0;
}

static int fault(void)
{
    *(volatile int *)8 = 1;
    return 0;
}

static int moved_break(void)
{
    char *low = sbrk(0), *data = (char *)&caught;
    printf("break %d grows %d\n", low > data && low < data + (1UL << 33), sbrk(4096) == low);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(what, "echo"))
        return printf("%s\n", argc > 2 ? argv[2] : "") < 0;
    if (!strcmp(what, "read"))
        return blocked_read(0);
    if (!strcmp(what, "restart"))
        return blocked_read(SA_RESTART);
    if (!strcmp(what, "kill"))
        return kill_self();
    if (!strcmp(what, "masked"))
        return masked();
    if (!strcmp(what, "thread-exec"))
        return thread_exec(argv + 2);
    if (!strcmp(what, "too-big"))
        return too_big(argv[0]);
    if (!strcmp(what, "memory"))
        return memory();
    if (!strcmp(what, "foreign"))
        return foreign();
    if (!strcmp(what, "stub"))
        return stub_abuse(atoi(argv[2]));
    if (!strcmp(what, "clone"))
        return forbidden_clone();
    if (!strcmp(what, "bomb"))
        return bomb();
    if (!strcmp(what, "storm"))
        return storm();
    if (!strcmp(what, "race"))
        return race(argv[0]);
    if (!strcmp(what, "threads"))
        return threads();
    if (!strcmp(what, "stops"))
        return stops();
    if (!strcmp(what, "children"))
        return children();
    if (!strcmp(what, "fault"))
        return fault();
    if (!strcmp(what, "break"))
        return moved_break();
    if (!strcmp(what, "pause"))
        return pause();
    return 9;
}
