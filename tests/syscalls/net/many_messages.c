// sendmmsg(2), recvmmsg(2): several messages by one call.
#include "check.h"
#include <sys/socket.h>

TEST(send_and_receive) {
    int pair[2];
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    struct iovec out[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}}, in[4];
    char room[4][8];
    struct mmsghdr sent[3] = {0}, got[4] = {0};
    for (int i = 0; i < 3; i++) sent[i].msg_hdr.msg_iov = &out[i], sent[i].msg_hdr.msg_iovlen = 1;
    for (int i = 0; i < 4; i++) in[i] = (struct iovec){room[i], 8}, got[i].msg_hdr.msg_iov = &in[i], got[i].msg_hdr.msg_iovlen = 1;
    EXPECT_EQ(3, sendmmsg(pair[0], sent, 3, 0));
    EXPECT_TRUE(sent[0].msg_len == 1 && sent[1].msg_len == 2 && sent[2].msg_len == 3);
    EXPECT_EQ(2, recvmmsg(pair[1], got, 2, 0, NULL));
    EXPECT_TRUE(got[0].msg_len == 1 && got[1].msg_len == 2 && !memcmp(room[1], "bb", 2));
    EXPECT_EQ(1, recvmmsg(pair[1], got, 4, MSG_DONTWAIT, NULL));
    EXPECT_TRUE(got[0].msg_len == 3 && !memcmp(room[0], "ccc", 3));
    EXPECT_ERRNO(EAGAIN, recvmmsg(pair[1], got, 4, MSG_DONTWAIT, NULL));
    NEED(sendmmsg(pair[0], sent, 2, 0));
    EXPECT_EQ(2, recvmmsg(pair[1], got, 4, MSG_WAITFORONE, NULL));
}

TEST(errors) {
    int pair[2];
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    struct iovec out = {"a", 1};
    struct mmsghdr one = {.msg_hdr = {.msg_iov = &out, .msg_iovlen = 1}};
    struct timespec bad = {0, -1};
    EXPECT_ERRNO(EBADF, sendmmsg(-1, &one, 1, 0));
    EXPECT_ERRNO(ENOTSOCK, recvmmsg(0, &one, 1, MSG_DONTWAIT, NULL));
    EXPECT_ERRNO(EFAULT, sendmmsg(pair[0], (struct mmsghdr *)BAD_PTR, 1, 0));
    EXPECT_ERRNO(EINVAL, recvmmsg(pair[1], &one, 1, MSG_DONTWAIT, &bad));
    EXPECT_EQ(0, sendmmsg(pair[0], &one, 0, 0));
}
