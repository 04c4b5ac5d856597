// link(2), unlink(2), rmdir(2): counts, open files that lost their name, wrong types.
#include "check.h"

static long links(const char *path) { struct stat st; return lstat(path, &st) ? -1 : (long)st.st_nlink; }

TEST(hard_links) {
    close(make_file("a", "x"));
    EXPECT_EQ(1, links("a"));
    EXPECT_OK(link("a", "b"));
    EXPECT_EQ(2, links("a"));
    EXPECT_ERRNO(EEXIST, link("a", "b"));
    EXPECT_ERRNO(ENOENT, link("none", "c"));
    NEED(mkdir("d", 0755));
    EXPECT_ERRNO(EPERM, link("d", "c"));
    EXPECT_ERRNO(ENOENT, link("a", "none/c"));
    EXPECT_OK(unlink("a"));
    EXPECT_EQ(1, links("b"));
}

TEST(links_to_symlinks) {
    NEED(symlink("b", "s"));
    EXPECT_OK(link("s", "s2"));
    EXPECT_EQ(2, links("s"));
    EXPECT_OK(linkat(AT_FDCWD, "s", AT_FDCWD, "b2", AT_SYMLINK_FOLLOW));
    EXPECT_EQ(2, links("b"));
    EXPECT_ERRNO(EINVAL, linkat(AT_FDCWD, "s", AT_FDCWD, "b3", 0x1));
}

TEST(unlink_errors) {
    EXPECT_ERRNO(ENOENT, unlink("none"));
    EXPECT_ERRNO(EISDIR, unlink("d"));
    EXPECT_ERRNO(ENOTDIR, rmdir("b"));
    EXPECT_ERRNO(ENOTDIR, unlink("b/x"));
    EXPECT_ERRNO(EINVAL, unlinkat(AT_FDCWD, "b", 0x1));
    close(make_file("d/f", ""));
    EXPECT_ERRNO(ENOTEMPTY, rmdir("d"));
    EXPECT_OK(unlink("d/f"));
    EXPECT_OK(rmdir("d"));
    EXPECT_ERRNO(ENOENT, rmdir("d"));
    EXPECT_ERRNO(EBUSY, rmdir("/"));
}

TEST(an_open_file_lives_on) {
    struct stat st;
    int fd = make_file("gone", "still here");
    EXPECT_OK(unlink("gone"));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(0, st.st_nlink);
    char text[20] = "";
    EXPECT_EQ(10, pread(fd, text, 19, 0));
    EXPECT_STR("still here", text);
    EXPECT_EQ(3, pwrite(fd, "new", 3, 10));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(13, st.st_size);
    close(make_file("gone", "another"));
    EXPECT_EQ(13, pread(fd, text, 19, 0));
    close(fd);
}

TEST(a_removed_working_directory) {
    char text[PATH_MAX];
    pid_t pid = CHILD({
        NEED(mkdir("w", 0755));
        NEED(chdir("w"));
        EXPECT_OK(rmdir("../w"));
        EXPECT_TRUE(getcwd(text, sizeof text) == NULL);
        EXPECT_EQ(ENOENT, errno);
        EXPECT_ERRNO(ENOENT, open("x", O_CREAT | O_RDWR, 0644));
        EXPECT_ERRNO(ENOENT, mkdir("y", 0755));
        EXPECT_OK(access(".", F_OK));
        EXPECT_OK(chdir(".."));
    });
    EXPECT_EXIT(0, pid);
}

TEST(deleted_marker_in_proc) {
    char target[PATH_MAX] = "", name[64];
    int fd = make_file("marked", "");
    NEED(unlink("marked"));
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long n = EXPECT_OK(readlink(name, target, sizeof target - 1)) > 0;
    EXPECT_EQ(1, n);
    EXPECT_TRUE(strstr(target, "/marked (deleted)") != NULL);
    close(fd);
}
