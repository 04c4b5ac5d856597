/* Runs cases of system calls, each in a child and a folder of its own, and prints what came of every call.
 *
 * usage: runner SECONDS < cases      SECONDS: after these a case counts as blocked
 * case ID                            begins a case
 * set OFFSET HEX                     bytes of the arena
 * NUMBER NAME ARG...                 a call; NAME's suffix: "*" prints only success, "#" also a hash of the bytes it returned
 * ARG: a number; @HEX: arena + HEX; +HEX: that far before the end of the arena, behind which nothing is mapped;
 *      =HEX: in a read-only page; $N: the result of the case's Nth call (from 0)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA = 1 << 16, STEPS = 64, ARGS = 6, LINE = 4096 };
struct step { long nr; char name[32]; int kind; char args[ARGS][24]; };
struct result { long value; int error; unsigned hash; };
struct shared { int done; struct result results[STEPS]; };

static char *arena, *constant;
static struct shared *shared;
static struct step steps[STEPS];
static int count, seconds;

static void prepare(void) {
    char *all = mmap((void *)0x200000000000, ARENA + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (all == MAP_FAILED) { perror("mmap"); exit(2); }
    arena = all + 4096;
    mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
    constant = mmap((void *)0x210000000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static long argument(const char *text) {
    switch (text[0]) {
    case 0: return 0;
    case '@': return (long)(arena + strtoul(text + 1, NULL, 16));
    case '+': return (long)(arena + ARENA - strtoul(text + 1, NULL, 16));
    case '=': return (long)(constant + strtoul(text + 1, NULL, 16));
    case '$': return shared->results[atoi(text + 1) % STEPS].value;
    default: return (long)strtoull(text, NULL, 0);
    }
}

static void child(void) {
    struct rlimit files = {64, 64}, size = {1 << 20, 1 << 20}, core = {0, 0};
    struct step list[STEPS];
    memcpy(list, steps, sizeof list);
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_FSIZE, &size);
    setrlimit(RLIMIT_CORE, &core);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0); dup2(null, 1); dup2(null, 2);
    if (null > 2) close(null);
    int fd = open("file", O_RDWR | O_CREAT, 0600); /* 3 */
    if (write(fd, "some text of a file\n", 20) != 20) _exit(3);
    lseek(fd, 0, SEEK_SET);
    alarm(seconds);
    for (int i = 0; i < count; i++) {
        struct step *s = &list[i];
        long a[ARGS];
        for (int k = 0; k < ARGS; k++) a[k] = argument(s->args[k]);
        errno = 0;
        long value = syscall(s->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        struct result *r = &shared->results[i];
        r->error = value == -1 ? errno : 0;
        if (s->kind == '#' && value > 0 && value <= ARENA && a[1] >= (long)arena && a[1] + value <= (long)(arena + ARENA)) {
            r->hash = 2166136261u;
            for (long k = 0; k < value; k++) r->hash = (r->hash ^ ((unsigned char *)a[1])[k]) * 16777619u;
        }
        r->value = value;
        shared->done = i + 1;
    }
    _exit(0);
}

static void run(const char *id) {
    char folder[64];
    if (!count) return;
    memset(shared, 0, sizeof *shared);
    snprintf(folder, sizeof folder, "c%s", id);
    if (mkdir(folder, 0700) || chdir(folder)) { perror(folder); exit(2); }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child();
    int status;
    waitpid(pid, &status, 0);
    if (chdir("..")) exit(2);
    printf("%s", id);
    for (int i = 0; i < shared->done; i++) {
        struct result *r = &shared->results[i];
        if (r->error) printf(" %s", strerrorname_np(r->error) ? strerrorname_np(r->error) : "E?");
        else if (steps[i].kind == '*') printf(" ok");
        else printf(" %ld", r->value);
        if (r->hash) printf("#%x", r->hash);
    }
    if (WIFSIGNALED(status)) printf(" killed:%d", WTERMSIG(status));
    else if (WEXITSTATUS(status)) printf(" exit:%d", WEXITSTATUS(status));
    printf("\n");
    memset(arena, 0, ARENA);
    count = 0;
}

int main(int argc, char **argv) {
    static char line[LINE], id[32] = "";
    setsid(); /* a group of its own: what a group is asked or told, its other members know as well */
    seconds = argc > 1 ? atoi(argv[1]) : 60;
    prepare();
    while (fgets(line, sizeof line, stdin)) {
        char *word = strtok(line, " \n");
        if (!word) continue;
        if (!strcmp(word, "case")) {
            run(id);
            snprintf(id, sizeof id, "%s", strtok(NULL, " \n"));
        } else if (!strcmp(word, "set")) {
            unsigned at = strtoul(strtok(NULL, " \n"), NULL, 16) % ARENA, byte;
            for (char *hex = strtok(NULL, " \n"); hex && sscanf(hex, "%2x", &byte) == 1 && at < ARENA; hex += 2) arena[at++] = byte;
        } else if (count < STEPS) {
            struct step *s = &steps[count++];
            memset(s, 0, sizeof *s);
            s->nr = atol(word);
            snprintf(s->name, sizeof s->name, "%s", strtok(NULL, " \n"));
            s->kind = s->name[strlen(s->name) - 1];
            for (int k = 0; k < ARGS && (word = strtok(NULL, " \n")); k++) snprintf(s->args[k], sizeof s->args[k], "%s", word);
        }
    }
    run(id);
    return 0;
}
