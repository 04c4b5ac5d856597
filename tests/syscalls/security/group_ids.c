// setregid(2), setfsgid(2), setresgid(2), capset(2), setdomainname(2): what root gives up stays given up.
// guest: root
#include "check.h"
#include <linux/capability.h>
#include <sys/fsuid.h>

static int show(void) {
    gid_t real, effective, saved;
    getresgid(&real, &effective, &saved);
    printf("gids %d %d %d fs %d\n", (int)real, (int)effective, (int)saved, setfsgid(-1));
    return 0;
}

TEST(setregid_moves_the_saved_id) {
    pid_t pid = CHILD({
        EXPECT_OK(setregid(5, 6));
        show();
        EXPECT_OK(setregid(-1, 5));
        show();
        EXPECT_OK(setfsgid(9) * 0);
        show();
        EXPECT_OK(setresgid(7, 8, 9));
        NEED(setresuid(1000, 1000, 1000));
        EXPECT_OK(setregid(8, 7));
        show();
        EXPECT_ERRNO(EPERM, setregid(1, -1));
        EXPECT_ERRNO(EPERM, setgid(0));
        EXPECT_EQ(7, setfsgid(1));
        EXPECT_EQ(7, setfsgid(-1));
    });
    EXPECT_EXIT(0, pid);
}

TEST(capset_takes_away) {
    pid_t pid = CHILD({
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2] = {{0}, {0}};
        data[0].permitted = data[0].effective = 1 << CAP_KILL;
        EXPECT_EQ(0, RAW2(SYS_capset, &header, data));
        EXPECT_ERRNO(EPERM, setuid(5));
        data[0].permitted |= 1 << CAP_SETUID;
        EXPECT_EQ(-EPERM, RAW2(SYS_capset, &header, data));
        header.pid = 1 << 20;
        EXPECT_EQ(-EPERM, RAW2(SYS_capset, &header, data));
        header.version = 1;
        EXPECT_EQ(-EINVAL, RAW2(SYS_capset, &header, data));
        EXPECT_EQ(_LINUX_CAPABILITY_VERSION_3, header.version);
        EXPECT_ERRNO(EPERM, setdomainname("x", 1));
        EXPECT_ERRNO(EPERM, sethostname("x", 1));
    });
    EXPECT_EXIT(0, pid);
}
