// sendto(2) on a TCP socket: the address is not looked at.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
TEST(address_ignored) {
    int listener = NEED(socket(AF_INET, SOCK_STREAM, 0)), client = NEED(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, odd = {.sin_family = 99};
    socklen_t size = sizeof at;
    NEED(bind(listener, (void *)&at, size)), NEED(listen(listener, 1)), NEED(getsockname(listener, (void *)&at, &size));
    EXPECT_ERRNO(EPIPE, sendto(client, "x", 1, MSG_NOSIGNAL, (void *)&at, size));
    NEED(connect(client, (void *)&at, size));
    int server = NEED(accept(listener, 0, 0));
    EXPECT_EQ(3, sendto(client, "one", 3, 0, (void *)&at, size));
    EXPECT_EQ(3, sendto(client, "two", 3, 0, (void *)&odd, sizeof odd));
    EXPECT_EQ(3, sendto(server, "abc", 3, 0, (void *)&odd, 3));
    struct iovec part = {"four", 4};
    struct msghdr message = {.msg_name = &odd, .msg_namelen = sizeof odd, .msg_iov = &part, .msg_iovlen = 1};
    EXPECT_EQ(4, sendmsg(client, &message, 0));
    char text[16] = "";
    EXPECT_EQ(10, recv(server, text, 10, MSG_WAITALL));
    printf("%s\n", text);
}
