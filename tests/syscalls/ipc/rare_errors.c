// msgop(2), shmget(2), mq_open(3): errors that only odd arguments bring.
// guest: libs=-lrt
#include "check.h"
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/shm.h>

TEST(copy_of_a_message) {
    struct { long kind; char text[8]; } message = {1, "1234567"};
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    EXPECT_OK(msgsnd(id, &message, 8, 0));
    EXPECT_ERRNO(E2BIG, msgrcv(id, &message, 1, 0, IPC_NOWAIT | MSG_COPY));
    EXPECT_ERRNO(EINVAL, msgrcv(id, &message, 1, 0, IPC_NOWAIT | MSG_COPY | MSG_NOERROR));
    EXPECT_ERRNO(ENOMSG, msgrcv(id, &message, 8, 1, IPC_NOWAIT | MSG_COPY));
    EXPECT_EQ(8, msgrcv(id, &message, 8, 0, IPC_NOWAIT | MSG_COPY | MSG_NOERROR));
    EXPECT_EQ(1, msgrcv(id, &message, 1, 0, IPC_NOWAIT | MSG_NOERROR));
    EXPECT_OK(msgctl(id, IPC_RMID, NULL));
}

TEST(huge_segments) {
    EXPECT_ERRNO(EINVAL, shmget(IPC_PRIVATE, 4096, SHM_HUGETLB | 63 << 26 | 0600));
    EXPECT_ERRNO(EINVAL, shmget(IPC_PRIVATE, 0, SHM_HUGETLB | 0600));
    if (geteuid() != 0 && getegid() != 0) EXPECT_ERRNO(EPERM, shmget(IPC_PRIVATE, 4096, SHM_HUGETLB | 0600));
}

TEST(flags_of_a_queue) {
    mq_unlink("/guest-rare-errors");
    mqd_t queue = NEED(mq_open("/guest-rare-errors", O_RDWR | O_CREAT, 0600, NULL));
    EXPECT_EQ(O_RDWR, fcntl(queue, F_GETFL));
    EXPECT_OK(mq_unlink("/guest-rare-errors"));
    close(queue);
}
