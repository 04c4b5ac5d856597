/* Guest memory exactly as the guest itself may touch it.
 *
 * process_vm_readv and process_vm_writev respect page protections, unlike /proc/PID/mem. They stop at the first page that
 * cannot be touched and return what they have moved; tid is the calling thread's (a zombie leader has no memory).
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096UL
#define CHUNK (256UL * 1024)

static char chunk_buffer[CHUNK];

int64_t guest_read(int tid, uint64_t addr, void *buffer, uint64_t length)
{
    struct iovec local = {buffer, length};
    struct iovec remote = {(void *)addr, length};
    ssize_t count = process_vm_readv(tid, &local, 1, &remote, 1, 0);

    return count < 0 ? -errno : count;
}

int64_t guest_write(int tid, uint64_t addr, const void *buffer, uint64_t length)
{
    struct iovec local = {(void *)(uintptr_t)buffer, length};
    struct iovec remote = {(void *)addr, length};
    ssize_t count = process_vm_writev(tid, &local, 1, &remote, 1, 0);

    return count < 0 ? -errno : count;
}

/* Returns the length of the string without its NUL, -EFAULT, or -ENAMETOOLONG if limit bytes hold no NUL. */
int64_t guest_read_string(int tid, uint64_t addr, char *buffer, uint64_t limit)
{
    uint64_t done = 0;

    while (done < limit) {
        uint64_t length = PAGE - ((addr + done) & (PAGE - 1));
        const char *end;
        int64_t count;

        if (length > limit - done)
            length = limit - done;
        count = guest_read(tid, addr + done, buffer + done, length);
        if (count <= 0)
            return -EFAULT;
        end = memchr(buffer + done, 0, (size_t)count);
        if (end != NULL)
            return end - buffer;
        if ((uint64_t)count < length)
            return -EFAULT;
        done += (uint64_t)count;
    }
    return -ENAMETOOLONG;
}

/* Move bytes of a host file into the guest. Returns the bytes moved, -EFAULT, or -EIO with *host_errno. */
int64_t guest_fill(int tid, uint64_t addr, uint64_t length, int fd, int64_t offset, int *host_errno)
{
    uint64_t done = 0;

    *host_errno = 0;
    while (done < length) {
        uint64_t room = length - done < CHUNK ? length - done : CHUNK;
        ssize_t got = pread(fd, chunk_buffer, room, offset + (int64_t)done);
        int64_t put;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *host_errno = errno;
            return done ? (int64_t)done : -EIO;
        }
        if (got == 0)
            break;
        put = guest_write(tid, addr + done, chunk_buffer, (uint64_t)got);
        if (put <= 0)
            return done ? (int64_t)done : -EFAULT;
        done += (uint64_t)put;
        if (put < got || (uint64_t)got < room)
            break;
    }
    return (int64_t)done;
}

/* Move guest memory into a host file. Returns as guest_fill. */
int64_t guest_drain(int tid, uint64_t addr, uint64_t length, int fd, int64_t offset, int *host_errno)
{
    uint64_t done = 0;

    *host_errno = 0;
    while (done < length) {
        uint64_t room = length - done < CHUNK ? length - done : CHUNK;
        int64_t got = guest_read(tid, addr + done, chunk_buffer, room);
        ssize_t put;

        if (got <= 0)
            return done ? (int64_t)done : -EFAULT;
        do
            put = pwrite(fd, chunk_buffer, (size_t)got, offset + (int64_t)done);
        while (put < 0 && errno == EINTR);
        if (put < 0) {
            *host_errno = errno;
            return done ? (int64_t)done : -EIO;
        }
        done += (uint64_t)put;
        if (put < got || (uint64_t)got < room)
            break;
    }
    return (int64_t)done;
}
