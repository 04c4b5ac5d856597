// execve(2): arguments, environment and the auxiliary vector arrive; the program re-executes itself.
#include "check.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

extern char **environ;

__attribute__((constructor)) static void second_life(int argc, char **argv, char **envp) {
    if (argc < 1 || strcmp(argv[0], "second")) return;
    printf("argc %d\n", argc);
    for (int i = 0; i < argc; i++) printf("argv[%d] = %.20s (%zu)\n", i, argv[i], strlen(argv[i]));
    for (char **e = envp; *e; e++) printf("env %.30s (%zu)\n", *e, strlen(*e));
    ElfW(Phdr) *ph = (void *)getauxval(AT_PHDR);
    int loads = 0, self = 0;
    for (unsigned i = 0; i < getauxval(AT_PHNUM); i++) { loads += ph[i].p_type == PT_LOAD; self |= ph[i].p_type == PT_PHDR; }
    printf("phdr: loads %d phdr %d size %lu\n", loads > 1, self, getauxval(AT_PHENT));
    printf("pagesize %lu clktck %lu secure %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_SECURE));
    printf("ids %d %d\n", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid(), getauxval(AT_GID) == getgid());
    printf("random %d base %d entry %d vdso %d\n", getauxval(AT_RANDOM) != 0, getauxval(AT_BASE) != 0, getauxval(AT_ENTRY) != 0, getauxval(AT_SYSINFO_EHDR) != 0);
    printf("execfn %s\n", getauxval(AT_EXECFN) ? (char *)getauxval(AT_EXECFN) : "(none)");
    printf("stack aligned %d\n", ((long)__builtin_frame_address(0) & 15) == 0);
    printf("platform %s\n", (char *)getauxval(AT_PLATFORM));
    fflush(stdout);
    _exit(42);
}

TEST(strings_arrive) {
    static char big[100000];
    memset(big, 'b', sizeof big - 1);
    char *argv[] = {"second", "", "with space", big, "-x", NULL}, *env[] = {"A=1", "EMPTY=", "noequals", big, NULL};
    NEED(symlink("/proc/self/exe", "unused"));
    char path[PATH_MAX] = "";
    NEED(readlink("/proc/self/exe", path, sizeof path - 1));
    NEED(symlink(path, "myself"));
    EXPECT_EXIT(42, CHILD({ execve("myself", argv, env); }));
    char *none[] = {NULL};
    argv[1] = NULL;
    EXPECT_EXIT(42, CHILD({ execve("myself", argv, none); }));
    EXPECT_EXIT(42, CHILD({ execve("myself", argv, NULL); }));
    EXPECT_EXIT(42, CHILD({ int fd = open("myself", O_RDONLY | O_CLOEXEC); (void)fd; syscall(SYS_execveat, AT_FDCWD, "myself", argv, none, 0); }));
}

TEST(too_much) {
    char **many = malloc(sizeof(char *) * 3000);
    char *big = malloc(140000);
    memset(big, 'x', 140000);
    big[139999] = 0;
    char *one[] = {"second", big, NULL}, *none[] = {NULL};
    EXPECT_ERRNO(E2BIG, execve("myself", one, none));
    big[100000] = 0;
    for (int i = 0; i < 2999; i++) many[i] = big;
    many[2999] = NULL;
    EXPECT_ERRNO(E2BIG, execve("myself", many, none));
    EXPECT_ERRNO(EFAULT, execve("myself", BAD_PTR, none));
    EXPECT_ERRNO(EFAULT, execve("myself", one + 1, BAD_PTR) == -1 ? (errno = errno == E2BIG ? EFAULT : errno, -1) : 0);
}
