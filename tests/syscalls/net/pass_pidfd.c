/* Who has sent, as a descriptor: SO_PASSPIDFD and SCM_PIDFD, SO_PEERPIDFD (unix(7)). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#define SCM_PIDFD 0x04
#endif

static const char *result(int value)
{
    return value < 0 ? strerrorname_np(errno) : "ok";
}

static int pid_of(int fd)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    int pid = 0;
    while (file && fgets(text, sizeof text, file))
        if (sscanf(text, "Pid: %d", &pid) == 1)
            break;
    if (file)
        fclose(file);
    return pid;
}

static void receive(const char *what, int fd, size_t room, int flags)
{
    char data[64], control[256];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    ssize_t count = recvmsg(fd, &message, flags);
    printf("%s: %zd flags %x length %zu", what, count, message.msg_flags & ~MSG_CMSG_CLOEXEC, (size_t)message.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        printf(" [%d %d %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
        if (c->cmsg_type == SCM_PIDFD) {
            int got;
            memcpy(&got, CMSG_DATA(c), sizeof got);
            printf(" me=%d cloexec=%d", pid_of(got) == getpid(), fcntl(got, F_GETFD));
            close(got);
        }
        printf("]");
    }
    puts("");
}

static void both(int type)
{
    int pair[2], one = 1;
    socketpair(AF_UNIX, type, 0, pair);
    printf("type %d set %s\n", type, result(setsockopt(pair[0], SOL_SOCKET, SO_PASSPIDFD, &one, sizeof one)));
    for (int creds = 0; creds < 2; creds++) {
        setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &creds, sizeof creds);
        for (int room = 0; room <= 96; room += 8) {
            if (send(pair[1], "hello", 5, 0) != 5)
                exit(1);
            receive("got", pair[0], room, 0);
        }
        if (write(pair[1], "hello", 5) != 5)
            exit(1);
        receive("peeked", pair[0], 200, MSG_PEEK);
        receive("written", pair[0], 200, 0);
    }
}

int main(void)
{
    both(SOCK_STREAM);
    both(SOCK_DGRAM);
    both(SOCK_SEQPACKET);
    int one = 1, fd = -1;
    printf("inet %s\n", result(setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET, SO_PASSPIDFD, &one, sizeof one)));
    socklen_t length = sizeof fd;
    printf("alone %s\n", result(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERPIDFD, &fd, &length)));
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    length = sizeof fd;
    printf("peer %s", result(getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &length)));
    printf(" %u me=%d cloexec=%d\n", length, pid_of(fd) == getpid(), fcntl(fd, F_GETFD));
    /* a listener's peer is who connected; its descriptor tells when that process ends */
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int gate[2];
    bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t));
    listen(listener, 1);
    length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    if (pipe(gate))
        return 1;
    pid_t child = fork();
    if (child == 0) {
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        char c;
        close(gate[1]);
        if (connect(client, (struct sockaddr *)&address, length))
            _exit(1);
        _exit(read(gate[0], &c, 1) != 0);
    }
    int accepted = accept(listener, NULL, NULL);
    length = sizeof fd;
    printf("accepted %s", result(getsockopt(accepted, SOL_SOCKET, SO_PEERPIDFD, &fd, &length)));
    printf(" child=%d\n", pid_of(fd) == child);
    struct pollfd ended = {fd, POLLIN, 0};
    printf("alive %d\n", poll(&ended, 1, 0));
    close(gate[1]);
    printf("ended %d\n", poll(&ended, 1, 60000));
    int status;
    waitpid(child, &status, 0);
    printf("status %d\n", status);
    return 0;
}
