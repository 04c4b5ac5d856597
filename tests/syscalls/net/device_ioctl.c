// guest: net
// The ioctls of network devices (netdevice(7)), on sockets of every family, and getifaddrs(3).
#include "check.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int families[] = {AF_INET, AF_INET6, AF_UNIX};

static struct ifreq request(const char *name) {
    struct ifreq r;
    memset(&r, 0, sizeof r);
    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    return r;
}

TEST(reads) {
    for (unsigned i = 0; i < sizeof families / sizeof *families; i++) {
        int fd = NEED(socket(families[i], SOCK_DGRAM, 0));
        struct ifreq r = request("lo");
        EXPECT_OK(ioctl(fd, SIOCGIFINDEX, &r));
        EXPECT_EQ(1, r.ifr_ifindex);
        EXPECT_OK(ioctl(fd, SIOCGIFFLAGS, &r));
        EXPECT_EQ(IFF_UP | IFF_LOOPBACK | IFF_RUNNING, r.ifr_flags);
        EXPECT_OK(ioctl(fd, SIOCGIFMTU, &r));
        EXPECT_EQ(65536, r.ifr_mtu);
        EXPECT_OK(ioctl(fd, SIOCGIFHWADDR, &r));
        EXPECT_EQ(772, r.ifr_hwaddr.sa_family);
        EXPECT_EQ(0, r.ifr_hwaddr.sa_data[0]);
        EXPECT_OK(ioctl(fd, SIOCGIFMETRIC, &r));
        EXPECT_OK(ioctl(fd, SIOCGIFTXQLEN, &r));
        EXPECT_EQ(1000, r.ifr_qlen);
        close(fd);
    }
}

TEST(addresses) {
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    struct ifreq r = request("lo");
    r.ifr_addr.sa_family = AF_INET;
    EXPECT_OK(ioctl(fd, SIOCGIFADDR, &r));
    EXPECT_STR("127.0.0.1", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    EXPECT_OK(ioctl(fd, SIOCGIFNETMASK, &r));
    EXPECT_STR("255.0.0.0", inet_ntoa(((struct sockaddr_in *)&r.ifr_netmask)->sin_addr));
    EXPECT_OK(ioctl(fd, SIOCGIFBRDADDR, &r));
    EXPECT_STR("0.0.0.0", inet_ntoa(((struct sockaddr_in *)&r.ifr_broadaddr)->sin_addr));
    r.ifr_ifindex = 1;
    EXPECT_OK(ioctl(fd, SIOCGIFNAME, &r));
    EXPECT_STR("lo", r.ifr_name);
    close(fd);
}

TEST(list) {
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    struct ifreq entries[4];
    struct ifconf all = {.ifc_len = 0, .ifc_buf = NULL};
    EXPECT_OK(ioctl(fd, SIOCGIFCONF, &all));
    EXPECT_EQ(sizeof *entries, all.ifc_len);
    all.ifc_len = sizeof entries;
    all.ifc_req = entries;
    EXPECT_OK(ioctl(fd, SIOCGIFCONF, &all));
    EXPECT_EQ(sizeof *entries, all.ifc_len);
    EXPECT_STR("lo", entries[0].ifr_name);
    all.ifc_len = sizeof *entries - 1;
    EXPECT_OK(ioctl(fd, SIOCGIFCONF, &all));
    EXPECT_EQ(0, all.ifc_len);
    close(fd);
}

TEST(errors) {
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    struct ifreq r = request("nope");
    EXPECT_ERRNO(ENODEV, ioctl(fd, SIOCGIFFLAGS, &r));
    EXPECT_ERRNO(ENODEV, ioctl(fd, SIOCGIFINDEX, &r));
    r.ifr_ifindex = 99;
    EXPECT_ERRNO(ENODEV, ioctl(fd, SIOCGIFNAME, &r));
    EXPECT_ERRNO(EFAULT, ioctl(fd, SIOCGIFFLAGS, BAD_PTR));
    EXPECT_ERRNO(ENOTTY, ioctl(fd, 0x5401, &r));
    close(fd);
}

TEST(getifaddrs_lists_lo) {
    struct ifaddrs *all;
    NEED(getifaddrs(&all));
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        char text[64] = "";
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, text, sizeof text);
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6) inet_ntop(AF_INET6, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, text, sizeof text);
        if (!strcmp(i->ifa_name, "lo")) printf("%s %d %x %s\n", i->ifa_name, i->ifa_addr ? i->ifa_addr->sa_family : -1, i->ifa_flags, text);
    }
    freeifaddrs(all);
}

