// setuid(2) family: the three ids, their rules for root and others, inheritance.
// guest: root
#include "check.h"
#include <grp.h>
#include <sys/fsuid.h>

static void show(const char *when) {
    uid_t r, e, s;
    gid_t rg, eg, sg;
    getresuid(&r, &e, &s);
    getresgid(&rg, &eg, &sg);
    printf("%s: uid %d %d %d gid %d %d %d\n", when, r, e, s, rg, eg, sg);
}

TEST(root_sets_all) {
    EXPECT_EXIT(0, CHILD({
        EXPECT_OK(setgid(1000));
        EXPECT_OK(setuid(1000));
        show("setuid as root");
        EXPECT_ERRNO(EPERM, setuid(0));
        EXPECT_ERRNO(EPERM, seteuid(0));
        EXPECT_ERRNO(EPERM, setgid(0));
        EXPECT_ERRNO(EPERM, setresuid(-1, -1, 0));
        EXPECT_ERRNO(EPERM, setgroups(0, NULL));
        EXPECT_OK(setresuid(1000, -1, 1000));
        EXPECT_OK(setuid(1000));
    }));
}

TEST(effective_only) {
    EXPECT_EXIT(0, CHILD({
        EXPECT_OK(seteuid(1000));
        show("seteuid");
        EXPECT_ERRNO(EPERM, setresuid(2000, -1, -1));
        EXPECT_OK(seteuid(0));
        EXPECT_OK(setresuid(1, 2, 3));
        show("setresuid");
        EXPECT_OK(seteuid(1));
        EXPECT_ERRNO(EPERM, seteuid(0));
        EXPECT_OK(setresuid(3, 1, 1));
        show("permuted");
    }));
}

TEST(setreuid_moves_the_saved_id) {
    EXPECT_EXIT(0, CHILD({
        EXPECT_OK(setreuid(5, 6));
        show("setreuid");
        EXPECT_OK(setreuid(6, 5));
        show("swapped");
        EXPECT_ERRNO(EPERM, setreuid(7, -1));
    }));
}

TEST(groups) {
    EXPECT_EXIT(0, CHILD({
        gid_t list[5] = {10, 20, 30};
        gid_t got[5];
        EXPECT_OK(setgroups(3, list));
        EXPECT_EQ(3, getgroups(0, NULL));
        EXPECT_EQ(3, getgroups(5, got));
        EXPECT_TRUE(got[0] == 10 && got[2] == 30);
        EXPECT_ERRNO(EINVAL, getgroups(2, got));
        EXPECT_ERRNO(EINVAL, getgroups(-1, got));
        EXPECT_ERRNO(EFAULT, getgroups(5, BAD_PTR));
        EXPECT_ERRNO(EINVAL, setgroups(65537, list));
    }));
}

TEST(fsuid) {
    NEED(chmod(".", 0777));
    EXPECT_EXIT(0, CHILD({
        EXPECT_EQ(0, setfsuid(1000));
        EXPECT_EQ(1000, setfsuid(-1));
        close(EXPECT_OK(open("byfsuid", O_CREAT | O_RDWR, 0644)));
        struct stat st;
        NEED(stat("byfsuid", &st));
        EXPECT_EQ(1000, st.st_uid);
    }));
}

TEST(bad_ids) {
    EXPECT_ERRNO(EINVAL, setuid(-1));
    EXPECT_ERRNO(EINVAL, setgid(-1));
    EXPECT_EQ(0, RAW3(SYS_setresuid, GARBAGE(-1), GARBAGE(-1), GARBAGE(-1)));
    show("unchanged");
}

TEST(inherited_and_kept_over_exec) {
    EXPECT_EXIT(0, CHILD({
        NEED(setgroups(0, NULL));
        NEED(setresgid(7, 7, 7));
        NEED(setresuid(7, 7, 7));
        execl("/bin/sh", "sh", "-c", "test \"$(id -u):$(id -g):$(id -G)\" = 7:7:7", (char *)0);
    }));
}
