/* Guest memory exactly as the guest itself may touch it.
 *
 * process_vm_readv and process_vm_writev respect page protections, unlike /proc/PID/mem. They stop at the first page that
 * cannot be touched and return what they have moved; tid is the calling thread's (a zombie leader has no memory).
 *
 * Where the host forbids them (docker before 22.06), /proc/PID/mem is used for what /proc/PID/maps says may be touched. That is
 * slow. A guest that changes its mappings meanwhile harms nobody else: a tracer's write to a page that is read-only makes a copy
 * of a private page, and is refused for a shared one.
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096UL
#define CHUNK (256UL * 1024)

static char chunk_buffer[CHUNK];
static int by_files = -1; /* a descriptor of /proc, or -1: process_vm_* */

void guest_memory_by_files(int proc_fd)
{
    by_files = proc_fd;
}

static int open_file(int tid, const char *name, int flags)
{
    char path[32];

    snprintf(path, sizeof path, "%d/%s", tid, name);
    return openat(by_files, path, flags | O_CLOEXEC);
}

/* How many bytes from addr on may be touched, at most length; column is that of the permission in a line of maps: 0 r, 1 w. */
static uint64_t accessible(int tid, uint64_t addr, uint64_t length, int column)
{
    char text[4096 + 1];
    size_t held = 0;
    uint64_t reached = addr;
    int fd = open_file(tid, "maps", O_RDONLY);

    while (fd >= 0 && reached < addr + length) {
        ssize_t count = read(fd, text + held, sizeof text - 1 - held);
        char *line = text, *newline;

        if (count <= 0)
            break;
        held += (size_t)count;
        text[held] = 0;
        while ((newline = strchr(line, '\n')) != NULL) {
            char *rest;
            uint64_t start = strtoull(line, &rest, 16);
            uint64_t end = strtoull(rest + 1, &rest, 16);

            if (end > reached) {
                if (start > reached || rest[1 + column] == '-') {
                    length = reached - addr; /* nothing behind it counts */
                    break;
                }
                reached = end;
                if (reached >= addr + length)
                    break;
            }
            line = newline + 1;
        }
        if (newline != NULL)
            break;
        held -= (size_t)(line - text);
        if (held == sizeof text - 1)
            break; /* a longer line than Linux writes */
        memmove(text, line, held);
    }
    if (fd >= 0)
        close(fd);
    return reached - addr < length ? reached - addr : length;
}

static int64_t move_by_file(int tid, uint64_t addr, void *buffer, uint64_t length, int is_write)
{
    uint64_t room = accessible(tid, addr, length, is_write);
    ssize_t count;
    int fd;

    if (room == 0)
        return length ? -EFAULT : 0;
    fd = open_file(tid, "mem", is_write ? O_RDWR : O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    count = is_write ? pwrite(fd, buffer, room, (off_t)addr) : pread(fd, buffer, room, (off_t)addr);
    close(fd);
    return count <= 0 ? -EFAULT : count;
}

int64_t guest_read(int tid, uint64_t addr, void *buffer, uint64_t length)
{
    struct iovec local = {buffer, length};
    struct iovec remote = {(void *)addr, length};
    ssize_t count;

    if (by_files >= 0)
        return move_by_file(tid, addr, buffer, length, 0);
    count = process_vm_readv(tid, &local, 1, &remote, 1, 0);
    return count < 0 ? -errno : count;
}

int64_t guest_write(int tid, uint64_t addr, const void *buffer, uint64_t length)
{
    struct iovec local = {(void *)(uintptr_t)buffer, length};
    struct iovec remote = {(void *)addr, length};
    ssize_t count;

    if (by_files >= 0)
        return move_by_file(tid, addr, (void *)(uintptr_t)buffer, length, 1);
    count = process_vm_writev(tid, &local, 1, &remote, 1, 0);
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
