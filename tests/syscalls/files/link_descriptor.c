// linkat(2) with AT_EMPTY_PATH: who may give a descriptor's file a name.
// guest: root caps=SETUID,FOWNER
#include "check.h"
static void try(const char *what, int fd, const char *name) {
    int r = linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH);
    printf("%s: %s\n", what, r ? check_errno_name(errno) : "ok");
    fflush(stdout);
}
TEST(plain_user) {
    NEED(chmod(".", 0777));
    NEED(setresuid(1001, 1001, 1001));
}
TEST(kinds) {
    int file = NEED(open("f", O_RDWR | O_CREAT, 0644)), temporary = NEED(open(".", O_TMPFILE | O_RDWR, 0600));
    int ends[2];
    NEED(pipe(ends));
    try("file", file, "l1"), try("temporary", temporary, "l2"), try("path", NEED(open("f", O_PATH)), "l3");
    try("folder", NEED(open(".", O_RDONLY | O_DIRECTORY)), "l4"), try("cwd", AT_FDCWD, "l4");
    try("exclusive", NEED(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600)), "l5");
    try("memfd", NEED(memfd_create("x", 0)), "l6"), try("pipe", ends[0], "l7"), try("none", 99, "l8");
    struct stat st;
    NEED(fstat(file, &st));
    SHOW(st.st_nlink);
    NEED(unlink("f")), NEED(unlink("l1")), NEED(unlink("l3"));
    try("no name left", file, "l9");
    SHOW(access("l2", F_OK));
}
TEST(others) {
    int file = NEED(open("g", O_RDWR | O_CREAT, 0644));
    pid_t child = fork();
    if (!child) {
        try("inherited", file, "m1");
        try("own", NEED(open("g", O_RDONLY)), "m2");
        _exit(0);
    }
    waitpid(child, 0, 0);
    try("dup", dup(file), "m3");
}
