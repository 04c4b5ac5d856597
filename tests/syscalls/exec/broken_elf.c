// execve(2) of ELF files with one field made wrong each: the same errno or the same death.
#include "check.h"
#include <elf.h>

static unsigned char image[1 << 20];
static long size;

static void load_true(void) {
    int fd = NEED(open("/bin/true", O_RDONLY));
    size = NEED(read(fd, image, sizeof image));
    close(fd);
}

static Elf64_Phdr *first(unsigned type) {
    Elf64_Ehdr *header = (void *)image;
    Elf64_Phdr *entries = (void *)(image + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++) if (entries[i].p_type == type) return &entries[i];
    _exit(92);
}

static int number;
static void run(const char *what) {
    char name[32];
    sprintf(name, "elf%d", number++);
    int fd = NEED(open(name, O_RDWR | O_CREAT, 0755));
    NEED(write(fd, image, size));
    close(fd);
    int status = reap(CHILD({
        char *argv[] = {name, NULL};
        execv(name, argv);
        _exit(errno);
    }));
    if (WIFEXITED(status)) printf("%s: %s\n", what, WEXITSTATUS(status) ? check_errno_name(WEXITSTATUS(status)) : "runs");
    else printf("%s: killed by %d\n", what, WTERMSIG(status));
    load_true();
}

TEST(one_field_each) {
    Elf64_Ehdr *header = (void *)image;
    load_true();
    run("unchanged");
    header->e_ident[EI_MAG0] = 0; run("magic");
    header->e_type = ET_REL; run("type");
    header->e_machine = EM_AARCH64; run("machine");
    header->e_phentsize = 32; run("phentsize");
    header->e_phnum = 0; run("phnum 0");
    header->e_phoff = 1UL << 40; run("phoff");
    first(PT_INTERP)->p_filesz = 0; run("interp empty");
    first(PT_INTERP)->p_filesz = 5000; run("interp long");
    first(PT_INTERP)->p_filesz -= 1; run("interp without end");
    memcpy(image + first(PT_INTERP)->p_offset, "/none", 6); run("interp missing");
    memcpy(image + first(PT_INTERP)->p_offset, "/dev", 5); run("interp directory");
    memcpy(image + first(PT_INTERP)->p_offset, "/etc/group", 11); run("interp not executable");
    size = 100; run("cut in the headers");
    size = 60; run("cut in the header");
}
