// getdents64(2): every entry once, types, small buffers, rewinding, changes while reading.
#include "check.h"
#include <dirent.h>

TEST(a_thousand_entries_once_each) {
    static char seen[1000];
    NEED(mkdir("many", 0755));
    for (int i = 0; i < 1000; i++) {
        char name[32];
        sprintf(name, "many/f%d", i);
        close(make_file(name, ""));
    }
    DIR *dir = opendir("many");
    int count = 0, dots = 0, twice = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') { dots++; continue; }
        int number = atoi(e->d_name + 1);
        twice += seen[number]++;
        count++;
    }
    EXPECT_EQ(1000, count);
    EXPECT_EQ(2, dots);
    EXPECT_EQ(0, twice);
    rewinddir(dir);
    count = 0;
    while (readdir(dir)) count++;
    EXPECT_EQ(1002, count);
    closedir(dir);
}

TEST(types) {
    NEED(mkdir("t", 0755));
    NEED(mkdir("t/dir", 0755));
    close(make_file("t/file", ""));
    NEED(symlink("x", "t/link"));
    NEED(mkfifo("t/fifo", 0644));
    DIR *dir = opendir("t");
    int types = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        NEED(fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW));
        if (e->d_name[0] != '.') EXPECT_TRUE(st.st_ino == e->d_ino);
        if (IFTODT(st.st_mode) == e->d_type || e->d_type == DT_UNKNOWN) types++;
    }
    EXPECT_EQ(6, types);
    closedir(dir);
}

TEST(raw_call) {
    char buffer[64], big[4096];
    int fd = NEED(open("t", O_RDONLY | O_DIRECTORY));
    EXPECT_EQ(-EINVAL, RAW3(SYS_getdents64, fd, buffer, 10));
    EXPECT_TRUE(RAW3(SYS_getdents64, fd, buffer, 32) > 0);
    long total = 0, n;
    while ((n = RAW3(SYS_getdents64, fd, buffer, 32)) > 0) total++;
    EXPECT_EQ(0, n);
    EXPECT_EQ(5, total);
    EXPECT_EQ(0, RAW3(SYS_getdents64, fd, big, sizeof big));
    EXPECT_OK(lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(-EFAULT, RAW3(SYS_getdents64, fd, BAD_PTR, 4096));
    EXPECT_TRUE(RAW3(SYS_getdents64, fd, big, sizeof big) > 100);
    close(fd);
    fd = NEED(open("t/file", O_RDONLY));
    EXPECT_EQ(-ENOTDIR, RAW3(SYS_getdents64, fd, big, sizeof big));
    EXPECT_EQ(-EBADF, RAW3(SYS_getdents64, 999, big, sizeof big));
    close(fd);
}

TEST(a_removed_directory) {
    char big[4096];
    NEED(mkdir("r", 0755));
    int fd = NEED(open("r", O_RDONLY | O_DIRECTORY));
    NEED(rmdir("r"));
    EXPECT_EQ(-ENOENT, RAW3(SYS_getdents64, fd, big, sizeof big));
    close(fd);
}

TEST(delete_while_reading) {
    DIR *dir = opendir("many");
    int removed = 0;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && !unlinkat(dirfd(dir), e->d_name, 0)) removed++;
    closedir(dir);
    EXPECT_EQ(1000, removed);
    EXPECT_OK(rmdir("many"));
}
