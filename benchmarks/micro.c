/* Small costs, one line each: "name nanoseconds". Every figure is the best of several rounds, so that one busy moment does not count. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int file, pipes[2];
static char block[65536];
static volatile int signals;
static volatile unsigned long sink;

static void handler(int sig) { signals++; (void)sig; }
static void *thread(void *argument) { return argument; }

static void getppid_call(void) { syscall(SYS_getppid); }
static void clock_vdso(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); }
static void pread_4k(void) { if (pread(file, block, 4096, 0) != 4096) abort(); }
static void pread_64k(void) { if (pread(file, block, 65536, 0) != 65536) abort(); }
static void pwrite_4k(void) { if (pwrite(file, block, 4096, 0) != 4096) abort(); }
static void stat_call(void) { struct stat s; if (stat("bench-file", &s)) abort(); }
static void stat_missing(void) { struct stat s; if (!stat("/usr/lib/none", &s)) abort(); }
static void open_close(void) { int fd = open("bench-file", O_RDONLY); if (fd < 0) abort(); close(fd); }
static void pipe_write_read(void) { char c = 0; if (write(pipes[1], &c, 1) != 1 || read(pipes[0], &c, 1) != 1) abort(); }
static void mmap_touch_munmap(void) {
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
    munmap(p, 4096);
}
static void mmap_file(void) {
    volatile char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    sink += p[0];
    munmap((void *)p, 4096);
}
static void page_faults_256m(void) {
    size_t size = 256u << 20;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < size; i += 4096) p[i] = 1;
    munmap(p, size);
}
static void cpu(void) { for (unsigned long i = 0; i < 20000000; i++) sink = sink * 31 + i; }
static void fork_wait(void) { pid_t pid = fork(); if (pid == 0) _exit(0); waitpid(pid, NULL, 0); }
static void vfork_exec_wait(void) {
    pid_t pid = vfork();
    if (pid == 0) { execl("/bin/true", "true", (char *)0); _exit(1); }
    waitpid(pid, NULL, 0);
}
static void pthread_create_join(void) { pthread_t t; pthread_create(&t, NULL, thread, NULL); pthread_join(t, NULL); }
static void signal_to_self(void) { int before = signals; kill(getpid(), SIGUSR1); if (signals == before) abort(); }

/* There and back between two processes, each asleep in sigsuspend. */
static pid_t echo;
static sigset_t waiting;
static void start_echo(void) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &waiting);
    pid_t parent = getpid();
    echo = fork();
    if (echo) return;
    for (;;) { sigsuspend(&waiting); kill(parent, SIGUSR1); }
}
static void signal_round_trip(void) { kill(echo, SIGUSR1); sigsuspend(&waiting); }
static void stop_echo(void) { kill(echo, SIGKILL); waitpid(echo, NULL, 0); sigprocmask(SIG_SETMASK, &waiting, NULL); }

static const struct { const char *name; void (*body)(void); int count; } rows[] = {
    {"getppid", getppid_call, 5000}, {"clock_gettime", clock_vdso, 20000}, {"pread_4k", pread_4k, 1000}, {"pread_64k", pread_64k, 300},
    {"pwrite_4k", pwrite_4k, 1000}, {"stat", stat_call, 1000}, {"stat_missing", stat_missing, 1000}, {"open_close", open_close, 300},
    {"pipe_write_read", pipe_write_read, 1000}, {"mmap_touch_munmap", mmap_touch_munmap, 2000}, {"mmap_file", mmap_file, 200},
    {"page_faults_256m", page_faults_256m, 1}, {"cpu", cpu, 1}, {"fork_wait", fork_wait, 30}, {"vfork_exec_wait", vfork_exec_wait, 20},
    {"pthread_create_join", pthread_create_join, 100}, {"signal_to_self", signal_to_self, 300}, {"signal_round_trip", signal_round_trip, 300},
};

int main(int argc, char **argv) {
    signal(SIGUSR1, handler);
    file = open("bench-file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || pipe(pipes) || write(file, block, sizeof block) != sizeof block) { perror("set-up"); return 1; }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (argc > 1) {
            int wanted = 0;
            for (int k = 1; k < argc; k++) wanted |= !strcmp(argv[k], rows[i].name);
            if (!wanted) continue;
        }
        double best = 1e18;
        if (rows[i].body == signal_round_trip) start_echo();
        for (int round = 0; round < ROUNDS; round++) {
            double start = now();
            for (int k = 0; k < rows[i].count; k++) rows[i].body();
            double each = (now() - start) / rows[i].count;
            if (each < best) best = each;
        }
        if (rows[i].body == signal_round_trip) stop_echo();
        printf("%s %.0f\n", rows[i].name, best);
        fflush(stdout);
    }
    return 0;
}
