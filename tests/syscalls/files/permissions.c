// DAC as an ordinary user: owner, group, other; directories; sticky; access(2) asks for the real ids.
// guest: root
#include "check.h"
#include <grp.h>

static pid_t as_user(uid_t uid, gid_t gid) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid) return pid;
    check_failures = 0;
    NEED(setgroups(0, NULL));
    NEED(setresgid(gid, gid, gid));
    NEED(setresuid(uid, uid, uid));
    return 0;
}
static int is_child(pid_t pid) { return pid == 0; }
static void leave(void) { fflush(stdout); _exit(check_failures); }

TEST(prepare) {
    NEED(chmod(".", 0777));
    int modes[] = {0700, 0070, 0007, 0400, 0200, 0604, 0000};
    for (int i = 0; i < 7; i++) {
        char name[8];
        sprintf(name, "m%03o", modes[i]);
        close(make_file(name, "x"));
        NEED(chown(name, 1000, 2000));
        NEED(chmod(name, modes[i]));
    }
    NEED(mkdir("closed", 0700));
    close(make_file("closed/f", ""));
    NEED(mkdir("blind", 0711));
    close(make_file("blind/f", ""));
    NEED(mkdir("listing", 0744));
    close(make_file("listing/f", ""));
    NEED(mkdir("sticky", 0777));
    NEED(chmod("sticky", 01777));
    close(make_file("sticky/root", ""));
}

static void try_all(void) {
    SHOW(open("m700", O_RDWR) >= 0 ? 0 : -1);
    SHOW(open("m070", O_RDWR) >= 0 ? 0 : -1);
    SHOW(open("m007", O_RDWR) >= 0 ? 0 : -1);
    SHOW(open("m400", O_RDONLY) >= 0 ? 0 : -1);
    SHOW(open("m400", O_WRONLY) >= 0 ? 0 : -1);
    SHOW(open("m200", O_WRONLY) >= 0 ? 0 : -1);
    SHOW(open("m604", O_RDONLY) >= 0 ? 0 : -1);
    SHOW(open("m000", O_RDONLY) >= 0 ? 0 : -1);
    SHOW(access("m700", X_OK));
    SHOW(access("m007", X_OK));
}

TEST(owner) { if (is_child(as_user(1000, 1000))) { try_all(); leave(); } reap(-1); }
TEST(group) { if (is_child(as_user(1001, 2000))) { try_all(); leave(); } reap(-1); }
TEST(other) { if (is_child(as_user(1001, 1001))) { try_all(); leave(); } reap(-1); }

TEST(root_reads_everything_but_executes_only_with_a_bit) {
    EXPECT_OK(close(open("m000", O_RDWR)));
    EXPECT_ERRNO(EACCES, access("m604", X_OK));
    EXPECT_OK(access("m007", X_OK));
}

TEST(directories) {
    if (is_child(as_user(1000, 1000))) {
        struct stat st;
        EXPECT_ERRNO(EACCES, stat("closed/f", &st));
        EXPECT_ERRNO(EACCES, open("closed", O_RDONLY));
        EXPECT_ERRNO(EACCES, chdir("closed"));
        EXPECT_OK(stat("blind/f", &st));
        EXPECT_ERRNO(EACCES, open("blind", O_RDONLY));
        EXPECT_OK(open("listing", O_RDONLY));
        EXPECT_ERRNO(EACCES, stat("listing/f", &st));
        EXPECT_ERRNO(EACCES, unlink("blind/f"));
        EXPECT_ERRNO(EACCES, mkdir("blind/new", 0755));
        EXPECT_ERRNO(EACCES, rename("blind/f", "mine"));
        leave();
    }
    EXPECT_EXIT(0, -1);
}

TEST(sticky) {
    if (is_child(as_user(1000, 1000))) {
        EXPECT_ERRNO(EPERM, unlink("sticky/root"));
        EXPECT_ERRNO(EPERM, rename("sticky/root", "sticky/x"));
        close(EXPECT_OK(open("sticky/own", O_CREAT | O_RDWR, 0644)));
        EXPECT_OK(unlink("sticky/own"));
        leave();
    }
    EXPECT_EXIT(0, -1);
}

TEST(ownership_changes) {
    if (is_child(as_user(1000, 1000))) {
        int fd = EXPECT_OK(open("mine", O_CREAT | O_RDWR, 0755));
        EXPECT_ERRNO(EPERM, fchown(fd, 1001, -1));
        EXPECT_ERRNO(EPERM, fchown(fd, -1, 2000));
        EXPECT_OK(fchown(fd, 1000, 1000));
        EXPECT_OK(fchown(fd, -1, -1));
        EXPECT_OK(fchmod(fd, 0600));
        EXPECT_ERRNO(EPERM, chmod("sticky/root", 0777));
        EXPECT_ERRNO(EPERM, utimensat(AT_FDCWD, "sticky/root", (struct timespec[2]){{1, 0}, {1, 0}}, 0));
        EXPECT_ERRNO(EACCES, utimensat(AT_FDCWD, "sticky/root", NULL, 0));
        leave();
    }
    EXPECT_EXIT(0, -1);
    struct stat st;
    NEED(stat("mine", &st));
    EXPECT_EQ(1000, st.st_uid);
    NEED(chmod("mine", 06755));
    EXPECT_OK(chown("mine", 1001, 1001));
    NEED(stat("mine", &st));
    EXPECT_EQ(0755, st.st_mode & 07777);
}

TEST(access_uses_the_real_ids) {
    if (is_child(as_user(1000, 1000))) leave();
    reap(-1);
    pid_t pid = CHILD({
        NEED(setresuid(1001, 0, 0));
        EXPECT_ERRNO(EACCES, access("m700", R_OK));
        EXPECT_OK(faccessat(AT_FDCWD, "m700", R_OK, AT_EACCESS));
        EXPECT_OK(open("m700", O_RDONLY));
        EXPECT_ERRNO(EINVAL, access("m700", 8));
    });
    EXPECT_EXIT(0, pid);
}
