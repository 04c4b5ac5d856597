// mount(2) of devpts: each mount is an instance, options, which instance a multiplexer serves (Linux: devpts.rst).
// guest: root caps=SYS_ADMIN,SYS_CHROOT,MKNOD
#include "check.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void options(const char *where) {
    char line[4096];
    FILE *f = fopen("/proc/self/mountinfo", "r");
    while (fgets(line, sizeof line, f))
        if (strstr(line, where)) printf("%s", strstr(line, " - "));
    fclose(f);
}
static int number(int master) {
    int n = -1;
    EXPECT_OK(ioctl(master, TIOCGPTN, &n));
    return n;
}
TEST(instances) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
    NEED(mkdir("d", 0755)), NEED(mount("d", "d", "tmpfs", 0, "")), NEED(mkdir("d/pts", 0755)), NEED(mkdir("d/other", 0755));
    NEED(mknod("d/ptmx", S_IFCHR | 0666, makedev(5, 2)));
    EXPECT_ERRNO(ENODEV, open("d/ptmx", O_RDWR | O_NOCTTY));
    EXPECT_OK(mount("devpts", "d/pts", "devpts", MS_NOSUID, "newinstance,ptmxmode=0666,mode=620,gid=5,max=2"));
    EXPECT_OK(mount("devpts", "d/other", "devpts", 0, ""));
    options("/d/pts"), options("/d/other");
    struct statfs fs;
    struct stat st;
    EXPECT_OK(statfs("d/pts", &fs));
    EXPECT_EQ(0x1cd1, fs.f_type);
    EXPECT_OK(stat("d/other/ptmx", &st));
    SHOW(st.st_mode), SHOW(st.st_rdev);
    int one = EXPECT_OK(open("d/ptmx", O_RDWR | O_NOCTTY)), two = EXPECT_OK(open("d/pts/ptmx", O_RDWR | O_NOCTTY));
    SHOW(number(one)), SHOW(number(two));
    EXPECT_ERRNO(ENOSPC, open("d/pts/ptmx", O_RDWR | O_NOCTTY));
    EXPECT_OK(stat("d/pts/1", &st));
    SHOW(st.st_mode), SHOW(st.st_gid), SHOW(major(st.st_rdev));
    EXPECT_ERRNO(ENOENT, stat("d/other/0", &st));
    EXPECT_OK(chmod("d/other/ptmx", 0666));
    int three = EXPECT_OK(open("d/other/ptmx", O_RDWR | O_NOCTTY));
    SHOW(number(three));
    EXPECT_OK(stat("d/other/0", &st));
    SHOW(st.st_mode), SHOW(st.st_gid);
    int unlock = 0;
    EXPECT_OK(ioctl(three, TIOCSPTLCK, &unlock));
    int slave = EXPECT_OK(open("d/other/0", O_RDWR | O_NOCTTY));
    char text[8] = "";
    EXPECT_EQ(3, write(slave, "hi\n", 3));
    EXPECT_EQ(4, read(three, text, 8));
    printf("%d %d\n", text[0], text[2]);
    EXPECT_ERRNO(EBUSY, umount("d/other"));
    close(slave), close(three);
    EXPECT_OK(umount("d/other"));
    close(one);
    EXPECT_ERRNO(ENOENT, stat("d/pts/0", &st));
    close(two);
    EXPECT_ERRNO(EINVAL, mount("devpts", "d/other", "devpts", 0, "size=1"));
}
