// uname(2), sysinfo(2), getrandom(2), getcpu(2), sethostname(2), and numbers that are no call.
#include "check.h"
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(uname_is_linux) {
    struct utsname u;
    int major = 0, minor = 0;
    EXPECT_OK(uname(&u));
    EXPECT_STR("Linux", u.sysname);
    EXPECT_STR("x86_64", u.machine);
    EXPECT_EQ(2, sscanf(u.release, "%d.%d", &major, &minor));
    EXPECT_TRUE(major > 6 || (major == 6 && minor >= 1));
    EXPECT_TRUE(strlen(u.nodename) > 0 && strlen(u.version) > 0);
    EXPECT_ERRNO(EFAULT, uname(BAD_PTR));
}

TEST(sysinfo_is_sane) {
    struct sysinfo s;
    EXPECT_OK(sysinfo(&s));
    EXPECT_TRUE(s.uptime > 0 && s.totalram > 0 && s.freeram <= s.totalram && s.procs > 0 && s.mem_unit > 0);
    EXPECT_ERRNO(EFAULT, sysinfo(BAD_PTR));
}

TEST(randomness) {
    unsigned char a[300], b[300];
    EXPECT_EQ(300, getrandom(a, 300, 0));
    EXPECT_EQ(300, getrandom(b, 300, GRND_NONBLOCK));
    EXPECT_TRUE(memcmp(a, b, 300) != 0);
    EXPECT_EQ(0, getrandom(a, 0, 0));
    EXPECT_ERRNO(EINVAL, getrandom(a, 1, 0x80));
    EXPECT_ERRNO(EINVAL, getrandom(a, 1, GRND_RANDOM | 4));
    EXPECT_ERRNO(EFAULT, getrandom(BAD_PTR, 8, 0));
}

TEST(cpu) {
    unsigned cpu = 9999, node = 9999;
    EXPECT_EQ(0, RAW3(SYS_getcpu, &cpu, &node, 0));
    EXPECT_TRUE(cpu < 1024 && node < 64);
    EXPECT_EQ(0, RAW3(SYS_getcpu, 0, 0, 0));
    EXPECT_EQ(-EFAULT, RAW3(SYS_getcpu, BAD_PTR, 0, 0));
}

TEST(no_such_call) {
    long numbers[] = {999, 1000, 500000, -1, 400, 511, 0x7fffffff};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) EXPECT_EQ(-ENOSYS, RAW6(numbers[i], 1, 2, 3, 4, 5, 6));
}

TEST(old_calls_are_gone) {
    EXPECT_EQ(-ENOSYS, RAW3(SYS_create_module, 0, 0, 0));
    EXPECT_EQ(-ENOSYS, RAW3(SYS_afs_syscall, 0, 0, 0));
    EXPECT_EQ(-ENOSYS, RAW3(SYS_tuxcall, 0, 0, 0));
    EXPECT_EQ(-ENOSYS, RAW3(SYS_vserver, 0, 0, 0));
}
