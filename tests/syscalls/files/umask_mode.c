// umask(2), chmod(2), the special bits.
#include "check.h"

static int mode_of(const char *path) { struct stat st; return stat(path, &st) ? -1 : (int)(st.st_mode & 07777); }

TEST(umask_applies_to_new_nodes) {
    EXPECT_EQ(022, umask(027));
    close(NEED(open("f", O_CREAT | O_RDWR, 0666)));
    EXPECT_EQ(0640, mode_of("f"));
    NEED(mkdir("d", 0777));
    EXPECT_EQ(0750, mode_of("d"));
    NEED(mkfifo("p", 0666));
    EXPECT_EQ(0640, mode_of("p"));
    EXPECT_EQ(027, umask(0));
    close(NEED(open("g", O_CREAT | O_RDWR, 0666)));
    EXPECT_EQ(0666, mode_of("g"));
    EXPECT_EQ(0, umask(07777));
    EXPECT_EQ(0777, umask(022));
    EXPECT_EQ(022, RAW1(SYS_umask, GARBAGE(022)));
}

TEST(umask_is_inherited_not_shared) {
    pid_t pid = CHILD({ EXPECT_EQ(022, umask(077)); });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(022, umask(022));
}

TEST(chmod_sets_all_bits) {
    EXPECT_OK(chmod("f", 07777));
    EXPECT_EQ(07777, mode_of("f"));
    EXPECT_OK(chmod("f", 0200000 | 0644));
    EXPECT_EQ(0644, mode_of("f"));
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_OK(fchmod(fd, 0600));
    EXPECT_EQ(0600, mode_of("f"));
    close(fd);
    fd = NEED(open("f", O_PATH));
    EXPECT_ERRNO(EBADF, fchmod(fd, 0600));
    close(fd);
    EXPECT_ERRNO(ENOENT, chmod("none", 0));
    EXPECT_ERRNO(EBADF, fchmod(-1, 0));
}

TEST(setgid_directory_gives_its_group_and_bit) {
    NEED(mkdir("s", 0755));
    NEED(chmod("s", 02755));
    NEED(mkdir("s/sub", 0755));
    EXPECT_EQ(02755, mode_of("s/sub"));
    close(make_file("s/file", ""));
    EXPECT_EQ(0644, mode_of("s/file"));
}

TEST(chmod_through_a_symlink) {
    NEED(symlink("f", "l"));
    EXPECT_OK(chmod("l", 0640));
    EXPECT_EQ(0640, mode_of("f"));
}
