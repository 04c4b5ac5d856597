// The edges of small calls: zero and one where a limit is, rights on descriptors, fields that are easily forgotten.
// guest: root
#include "check.h"
#include <dirent.h>

struct old_dirent { unsigned long ino, off; unsigned short length; char name[]; };

TEST(statx_mount_and_null_path) {
    struct statx a, b;
    close(make_file("f", "x"));
    EXPECT_OK(statx(AT_FDCWD, "f", 0, STATX_MNT_ID, &a));
    EXPECT_OK(statx(AT_FDCWD, ".", 0, STATX_MNT_ID, &b));
    EXPECT_TRUE(a.stx_mask & STATX_MNT_ID);
    EXPECT_TRUE(a.stx_mnt_id != 0 && a.stx_mnt_id == b.stx_mnt_id);
    EXPECT_OK(statx(AT_FDCWD, "/proc", 0, STATX_MNT_ID, &b));
    EXPECT_TRUE(a.stx_mnt_id != b.stx_mnt_id);
    NEED(symlink("f", "l"));
    EXPECT_OK(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &a));
    EXPECT_TRUE(S_ISLNK(a.stx_mode));
    EXPECT_OK(statx(AT_FDCWD, "l", 0, STATX_TYPE, &a));
    EXPECT_TRUE(S_ISREG(a.stx_mode));
    EXPECT_ERRNO(EINVAL, statx(AT_FDCWD, "f", AT_STATX_SYNC_TYPE, 0, &a));
    EXPECT_OK(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, 0, &a));
}

TEST(fchdir_needs_search_permission) {
    NEED(mkdir("closed", 0700));
    int fd = NEED(open("closed", O_RDONLY));
    NEED(chmod("closed", 0600));
    EXPECT_EXIT(0, CHILD({ NEED(setresuid(1000, 1000, 1000)); EXPECT_ERRNO(EACCES, fchdir(fd)); EXPECT_ERRNO(EACCES, chdir("closed")); }));
    EXPECT_OK(fchdir(fd));
    EXPECT_OK(chdir(".."));
}

TEST(old_getdents) {
    char block[2048];
    NEED(mkdir("d", 0755));
    close(make_file("d/name", ""));
    int fd = NEED(open("d", O_RDONLY));
    long n = RAW3(SYS_getdents, fd, block, sizeof block), found = 0;
    EXPECT_TRUE(n > 0);
    for (long at = 0; at < n;) {
        struct old_dirent *e = (void *)(block + at);
        if (!strcmp(e->name, "name")) found = block[at + e->length - 1];
        at += e->length;
    }
    EXPECT_EQ(DT_REG, found);
    EXPECT_EQ(0, RAW3(SYS_getdents, fd, block, sizeof block));
    EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(-EINVAL, RAW3(SYS_getdents, fd, block, 8));
    EXPECT_EQ(n, RAW3(SYS_getdents, fd, block, sizeof block));
    close(fd);
}

TEST(seeking_in_a_directory) {
    DIR *dir = opendir("d");
    long places[8], count = 0;
    char names[8][32];
    for (struct dirent *e; count < 8; count++) {
        places[count] = telldir(dir);
        if (!(e = readdir(dir))) break;
        strcpy(names[count], e->d_name);
    }
    EXPECT_EQ(3, count);
    for (int i = 2; i >= 0; i--) {
        seekdir(dir, places[i]);
        struct dirent *e = readdir(dir);
        EXPECT_TRUE(e && !strcmp(e->d_name, names[i]));
    }
    closedir(dir);
}

TEST(zero_and_one) {
    EXPECT_OK(truncate("f", 0));
    EXPECT_OK(truncate("f", 1));
    EXPECT_ERRNO(EINVAL, truncate("f", -1));
    int fd = NEED(open("f", O_RDWR));
    EXPECT_OK(ftruncate(fd, 0));
    EXPECT_ERRNO(EINVAL, ftruncate(fd, -1));
    EXPECT_OK(fallocate(fd, 0, 0, 1));
    EXPECT_ERRNO(EINVAL, fallocate(fd, 0, 0, 0));
    EXPECT_OK(faccessat(AT_FDCWD, "f", 0, 0));
    EXPECT_ERRNO(EINVAL, faccessat(AT_FDCWD, "f", 8, 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_faccessat2, AT_FDCWD, "f", 0, 0x1));
    EXPECT_EQ(-EINVAL, RAW5(SYS_linkat, AT_FDCWD, "f", AT_FDCWD, "g", 1));
    EXPECT_EQ(-ENOENT, RAW5(SYS_linkat, fd, "", AT_FDCWD, "g", 0));
    EXPECT_EQ(0, RAW5(SYS_linkat, AT_FDCWD, "f", AT_FDCWD, "h", 0));
    EXPECT_EQ(0, RAW5(SYS_fchownat, fd, "", -1, -1, AT_EMPTY_PATH));
    EXPECT_EQ(-EINVAL, RAW5(SYS_fchownat, AT_FDCWD, "f", -1, -1, 1));
    EXPECT_OK(lchown("l", 5, 6));
    struct stat st;
    NEED(lstat("l", &st));
    EXPECT_EQ(5, st.st_uid);
    EXPECT_EQ(6, st.st_gid);
    NEED(stat("f", &st));
    EXPECT_EQ(0, st.st_uid);
    EXPECT_OK(chown("f", 7, -1));
    NEED(stat("f", &st));
    EXPECT_EQ(7, st.st_uid);
    EXPECT_EQ(0, st.st_gid);
    close(fd);
}
