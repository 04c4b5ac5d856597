/* Maps a small file of an image and tries to see what lies behind it: prints what it finds, page by page. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void caught(int signo)
{
    siglongjmp(back, signo);
}

static void look(const char *name, const unsigned char *at)
{
    int signo = sigsetjmp(back, 1);
    if (signo) {
        printf("%s: %s\n", name, signo == SIGBUS ? "SIGBUS" : "SIGSEGV");
        return;
    }
    int used = 0;
    for (int i = 0; i < 4096; i++)
        used += at[i] != 0;
    printf("%s: %d bytes that are not zero\n", name, used);
}

int main(int argc, char **argv)
{
    signal(SIGBUS, caught);
    signal(SIGSEGV, caught);
    int fd = open(argv[argc - 1], O_RDONLY);
    unsigned char *map = mmap(0, 3 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    printf("%.5s\n", map);
    look("first", map);
    look("second", map + 4096);
    map = mremap(map, 3 * 4096, 64 * 4096, MREMAP_MAYMOVE);
    if (map == MAP_FAILED)
        printf("mremap refused\n");
    else
        look("grown", map + 40 * 4096);
    unsigned char *later = mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
    if (later == MAP_FAILED)
        printf("offset refused\n");
    else
        look("offset", later);
    printf("shared %d\n", mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    return 0;
}
