/* Calls on files with arguments from the edge: random, but the same for the same seed. argv: seed, directory to play in.
 * It prints nothing that matters; the sandbox must be alive afterwards, and fail no call by a bug of its own. */
#define CHECK_NO_MAIN
#include "check.h"
#include <sys/time.h>

static const int numbers[] = { /* files, mounts, xattrs, inotify, and reads and writes to go with them */
    2, 85, 257, 437, 4, 6, 5, 262, 332, 21, 269, 439, 78, 217, 83, 258, 84, 87, 263, 82, 264, 316, 86, 265, 88, 266, 89,
    267, 133, 259, 90, 91, 268, 452, 92, 93, 94, 260, 76, 77, 285, 280, 261, 235, 132, 80, 81, 79, 95, 161, 74, 75, 162,
    306, 277, 187, 221, 137, 138, 73, 191, 192, 193, 188, 189, 190, 194, 195, 196, 197, 198, 199, 326, 253, 294, 254,
    255, 165, 166, 0, 1, 17, 18, 8, 72, 32, 33, 292, 319, 40, 3
};
static const char *names[] = {
    "a", "b", "c", "a/b", "b/c", "a/b/c", ".", "..", "", "/", "a/", "./a", "/proc/self/fd/3", "/proc/self/exe", "/dev/null", "/etc/passwd",
    "user.x", "security.y", "/proc/self/fd", "/proc/self/cwd/a", "x/../a", "\xff\xfe", "/dev/fd/4", "/proc/self/mounts",
};
static const long edges[] = { 0, -1, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 1L << 63, 4096, 65536, 8, 16 };
static const long flags[] = { 0644, 0755, 0100, 0102, 01101, 020200000, 0200000, 0x1000, 0x100, 0x400, 10000000 };
#define COUNT(array) (long)(sizeof(array) / sizeof *(array))
#define PICK(array) array[rand() % COUNT(array)]

static void on_alarm(int signal) { (void)signal; }

int main(int argc, char **argv) {
    only_in_a_sandbox();
    if (argc < 3) return 2;
    srand(atoi(argv[1]));
    struct sigaction action = { .sa_handler = on_alarm }; /* ends calls that would wait for ever */
    sigaction(SIGALRM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    struct itimerval tick = { { 0, 20000 }, { 0, 20000 } };
    setitimer(ITIMER_REAL, &tick, NULL);
    char *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory + 32768, 4096, PROT_NONE);
    for (long i = 0; i < COUNT(names); i++) strcpy(memory + i * 64, names[i]);
    memset(memory + 8192, 'n', 5000);
    if (chdir(argv[2]) || (mkdir("play", 0755) && errno != EEXIST) || chdir("play")) return 3;
    for (int i = 0; i < 8000; i++) {
        long a[6];
        for (int k = 0; k < 6; k++) {
            switch (rand() % 9) {
            case 3: a[k] = rand() % 12; break;
            case 4: a[k] = AT_FDCWD; break;
            case 5: a[k] = PICK(edges); break;
            case 6: a[k] = 1L << (rand() % 40); break;
            case 7: a[k] = (long)(memory + 16384 + rand() % 16400); break;
            case 8: a[k] = rand() % 8 ? PICK(flags) : (long)(memory + (rand() % 2 ? 32768 : 8192)); break;
            default: a[k] = (long)(memory + rand() % COUNT(names) * 64);
            }
        }
        int nr = PICK(numbers), uses_output = (unsigned)a[0] < 3 || ((nr == SYS_dup2 || nr == SYS_dup3) && (unsigned)a[1] < 3);
        if (uses_output && (nr == SYS_write || nr == SYS_close || nr == SYS_dup2 || nr == SYS_dup3)) continue;
        if (nr == SYS_chroot) continue;
        raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (i % 500 == 0)
            for (int fd = 20; fd < 60; fd++) close(fd);
    }
    return 0;
}
