// guest: root
// Set-user-ID and set-group-ID programs (execve(2), credentials(7)).
#include "check.h"
#include <grp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>

static void copy_as(const char *name, mode_t mode, uid_t uid, gid_t gid) {
    int from = NEED(open("/proc/self/exe", O_RDONLY)), to = NEED(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700));
    struct stat st;
    fstat(from, &st);
    EXPECT_EQ(st.st_size, sendfile(to, from, NULL, st.st_size));
    EXPECT_OK(fchown(to, uid, gid));
    EXPECT_OK(fchmod(to, mode));
    close(from);
    close(to);
}

// The child of user 4000 executes NAME, which prints its ids; ``flags``: 1 no_new_privs, 2 the working directory is shared
static void run(const char *name, uid_t uid, int flags) {
    fflush(stdout);
    pid_t pid = CHILD({
        if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) _exit(90);
        if (flags & 1) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_DUMPABLE, 1);
        execl(name, name, "--ids", NULL);
        _exit(91);
    });
    EXPECT_EXIT(0, pid);
}

static int report(void) {
    uid_t r, e, s;
    gid_t a, b, c;
    getresuid(&r, &e, &s);
    getresgid(&a, &b, &c);
    char line[128], caps[64] = "";
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "CapEff", 6)) sscanf(line, "CapEff: %60s", caps);
    printf("uid %d %d %d gid %d %d %d secure %ld auxv %ld %ld dumpable %d root's caps %d\n", r, e, s, a, b, c, getauxval(AT_SECURE),
           getauxval(AT_EUID), getauxval(AT_EGID), prctl(PR_GET_DUMPABLE), strtoull(caps, NULL, 16) != 0);
    return 0;
}

__attribute__((constructor)) static void executed(int argc, char **argv) {
    if (argc < 2) return;
    if (!strcmp(argv[1], "--ids")) report();
    if (!strcmp(argv[1], "--wait")) {
        tell(1);
        await_byte(0);
    }
    fflush(stdout);
    _exit(0);
}

TEST(bits) {
    char folder[256];
    getcwd(folder, sizeof folder);
    chmod(folder, 0777);
    copy_as("plain", 0755, 0, 0);
    copy_as("to-root", 04755, 0, 0);
    copy_as("to-user", 04755, 5000, 5001);
    copy_as("to-group", 02755, 5000, 5001);
    copy_as("to-both", 06755, 5000, 5001);
    copy_as("no-group-x", 02745, 5000, 5001);
    const char *names[] = {"plain", "to-root", "to-user", "to-group", "to-both", "no-group-x"};
    for (int i = 0; i < 6; i++) {
        printf("%s: ", names[i]);
        run(names[i], 4000, 0);
        printf("%s, no_new_privs: ", names[i]);
        run(names[i], 4000, 1);
        printf("%s, by root: ", names[i]);
        run(names[i], 0, 0);
    }
}

TEST(a_script_is_not_raised) {
    int fd = NEED(open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755));
    dprintf(fd, "#!./plain --ids\n");
    fchmod(fd, 04755);
    close(fd);
    run("script", 4000, 0);
    fd = NEED(open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755));
    dprintf(fd, "#!./to-user --ids\n");
    fchmod(fd, 0755);
    close(fd);
    run("script", 4000, 0);
}

TEST(a_raised_process_may_not_be_inspected) {
    int ready[2], gate[2];
    NEED(pipe(ready));
    NEED(pipe(gate));
    pid_t pid = CHILD({
        dup2(gate[0], 0);
        dup2(ready[1], 1);
        setresgid(4000, 4000, 4000);
        setresuid(4000, 4000, 4000);
        execl("./to-user", "to-user", "--wait", NULL);
    });
    await_byte(ready[0]);
    pid_t looker = CHILD({
        char path[64];
        setresgid(4000, 4000, 4000);
        setresuid(4000, 4000, 4000);
        sprintf(path, "/proc/%d/environ", pid);
        EXPECT_ERRNO(EACCES, open(path, O_RDONLY));
        EXPECT_OK(kill(pid, 0));
        _exit(check_failures != 0);
    });
    EXPECT_EXIT(0, looker);
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
}
