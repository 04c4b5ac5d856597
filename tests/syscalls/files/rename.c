// rename(2), renameat2(2): replacing, moving directories, flags.
#include "check.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static long size_of(const char *path) { struct stat st; return stat(path, &st) ? -1 : st.st_size; }

TEST(files) {
    close(make_file("a", "1"));
    close(make_file("b", "22"));
    EXPECT_OK(rename("a", "c"));
    EXPECT_EQ(-1, size_of("a"));
    EXPECT_OK(rename("c", "b"));
    EXPECT_EQ(1, size_of("b"));
    EXPECT_OK(rename("b", "b"));
    EXPECT_ERRNO(ENOENT, rename("none", "b"));
    EXPECT_ERRNO(ENOENT, rename("b", "none/b"));
}

TEST(hard_links_of_one_file_stay) {
    NEED(link("b", "l"));
    EXPECT_OK(rename("b", "l"));
    EXPECT_EQ(1, size_of("b"));
    EXPECT_EQ(1, size_of("l"));
    NEED(unlink("l"));
}

TEST(directories) {
    NEED(mkdir("d", 0755));
    NEED(mkdir("e", 0755));
    NEED(mkdir("e/sub", 0755));
    EXPECT_ERRNO(EISDIR, rename("b", "d"));
    EXPECT_ERRNO(ENOTDIR, rename("d", "b"));
    EXPECT_ERRNO(ENOTEMPTY, rename("d", "e"));
    EXPECT_OK(rename("e", "d"));
    EXPECT_OK(access("d/sub", F_OK));
    EXPECT_ERRNO(EINVAL, rename("d", "d/sub/x"));
    EXPECT_ERRNO(EINVAL, rename("d", "d/x"));
    EXPECT_ERRNO(ENOTEMPTY, rename("d/sub", "d"));
    EXPECT_OK(rename("d/sub", "up"));
    EXPECT_ERRNO(ENOTDIR, rename("b/", "x"));
    EXPECT_ERRNO(ENOTDIR, rename("b", "x/"));
    EXPECT_OK(rename("up/", "down/"));
    struct stat st;
    EXPECT_OK(stat("d", &st));
    SHOW(st.st_nlink <= 2);
}

TEST(open_file_follows) {
    int fd = make_file("a", "old");
    close(make_file("victim", "victim"));
    int doomed = NEED(open("victim", O_RDONLY));
    EXPECT_OK(rename("a", "victim"));
    char text[10] = "";
    EXPECT_EQ(3, pread(fd, text, 9, 0));
    EXPECT_EQ(6, pread(doomed, text, 9, 0));
    EXPECT_STR("victim", text);
    struct stat st;
    EXPECT_OK(fstat(doomed, &st));
    EXPECT_EQ(0, st.st_nlink);
    close(fd);
    close(doomed);
}

TEST(flags) {
    close(make_file("one", "1"));
    close(make_file("two", "22"));
    EXPECT_ERRNO(EEXIST, renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_NOREPLACE));
    EXPECT_OK(renameat2(AT_FDCWD, "one", AT_FDCWD, "three", RENAME_NOREPLACE));
    EXPECT_OK(renameat2(AT_FDCWD, "three", AT_FDCWD, "two", RENAME_EXCHANGE));
    EXPECT_EQ(2, size_of("three"));
    EXPECT_EQ(1, size_of("two"));
    EXPECT_ERRNO(ENOENT, renameat2(AT_FDCWD, "two", AT_FDCWD, "absent", RENAME_EXCHANGE));
    EXPECT_ERRNO(EINVAL, renameat2(AT_FDCWD, "two", AT_FDCWD, "three", RENAME_EXCHANGE | RENAME_NOREPLACE));
    EXPECT_ERRNO(EINVAL, renameat2(AT_FDCWD, "two", AT_FDCWD, "three", 0x80));
    EXPECT_OK(renameat2(AT_FDCWD, "two", AT_FDCWD, "d", RENAME_EXCHANGE));
    EXPECT_EQ(1, size_of("d"));
}

TEST(cwd_follows_a_renamed_directory) {
    char before[PATH_MAX], after[PATH_MAX];
    NEED(mkdir("home", 0755));
    NEED(chdir("home"));
    NEED(getcwd(before, sizeof before) ? 0 : -1);
    EXPECT_OK(rename("../home", "../moved"));
    EXPECT_TRUE(getcwd(after, sizeof after) != NULL);
    EXPECT_STR("moved", strrchr(after, '/') + 1);
    NEED(chdir(".."));
}

TEST(whiteout) {
    struct stat st;
    mkdir("w", 0755);
    close(make_file("w/a", "1"));
    EXPECT_OK(renameat2(AT_FDCWD, "w/a", AT_FDCWD, "w/b", RENAME_WHITEOUT));
    EXPECT_OK(lstat("w/a", &st));
    EXPECT_EQ(S_IFCHR, st.st_mode);
    EXPECT_EQ(0, st.st_rdev);
    EXPECT_OK(lstat("w/b", &st));
    EXPECT_ERRNO(EEXIST, renameat2(AT_FDCWD, "w/b", AT_FDCWD, "w/a", RENAME_WHITEOUT | RENAME_NOREPLACE));
    EXPECT_ERRNO(EINVAL, renameat2(AT_FDCWD, "w/b", AT_FDCWD, "w/a", RENAME_WHITEOUT | RENAME_EXCHANGE));
    EXPECT_OK(unlink("w/a"));
    EXPECT_OK(unlink("w/b"));
    EXPECT_OK(rmdir("w"));
}
