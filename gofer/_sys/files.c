/* Opening, walking, listing and watching; see native.h. Meanings from openat2(2), statx(2), getdents64(2), inotify(7). */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "native.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#define RESOLVE_BENEATH_ONLY (0x08 | 0x04 | 0x02) /* RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS */
#define RECORD_HEAD ((int)sizeof(struct gofer_attr) + 4)

static int has_openat2 = 1;

int gofer_use_openat2(int enabled)
{
    if (enabled >= 0)
        has_openat2 = enabled;
    return has_openat2;
}

/* Opens one component (or ".") below dirfd. Without openat2 O_NOFOLLOW does the same for a single component. */
static int open_component(int dirfd, const char *name, int flags, unsigned mode)
{
    flags |= O_CLOEXEC | O_NOFOLLOW;
    if (has_openat2) {
        struct { uint64_t flags, mode, resolve; } how = {(unsigned)flags, mode, RESOLVE_BENEATH_ONLY};
        long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != ENOSYS && errno != EPERM)
            return -errno;
        if (errno == ENOSYS)
            has_openat2 = 0;
        else { /* EPERM: an old container filter, or a true refusal; the plain call tells which */
            int plain = openat(dirfd, name, flags, mode);
            return plain < 0 ? -errno : plain;
        }
    }
    int fd = openat(dirfd, name, flags, mode);
    return fd < 0 ? -errno : fd;
}

static int64_t nanoseconds(const struct statx_timestamp *stamp)
{
    return stamp->tv_sec * 1000000000LL + stamp->tv_nsec;
}

static int stat_at(int dirfd, const char *name, struct gofer_attr *attr)
{
    struct statx st;
    if (statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return -errno;
    attr->ino = st.stx_ino;
    attr->mode = st.stx_mode;
    attr->nlink = st.stx_nlink;
    attr->uid = st.stx_uid;
    attr->gid = st.stx_gid;
    attr->size = st.stx_size;
    attr->blocks = st.stx_blocks;
    attr->blksize = st.stx_blksize;
    attr->rdev = (st.stx_rdev_minor & 0xff) | (st.stx_rdev_major << 8) | ((st.stx_rdev_minor & ~0xffu) << 12);
    attr->dev = ((uint64_t)st.stx_dev_major << 32) | st.stx_dev_minor;
    attr->atime_ns = nanoseconds(&st.stx_atime);
    attr->mtime_ns = nanoseconds(&st.stx_mtime);
    attr->ctime_ns = nanoseconds(&st.stx_ctime);
    attr->btime_ns = st.stx_mask & STATX_BTIME ? nanoseconds(&st.stx_btime) : 0;
    return 0;
}

int gofer_stat(int fd, struct gofer_attr *attr)
{
    return stat_at(fd, "", attr);
}

int64_t gofer_fs_magic(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) < 0 ? -errno : (int64_t)(uint32_t)fs.f_type;
}

/* File systems that describe the kernel or reach devices: never entered below an exported tree. */
static int is_kernel_fs(int64_t magic)
{
    switch (magic) {
    case 0x9fa0: case 0x62656572: case 0x27e0eb: case 0x63677270:          /* proc sysfs cgroup cgroup2 */
    case 0x64626720: case 0x74726163: case 0x73636673: case 0xcafe4a11:    /* debugfs tracefs securityfs bpf */
    case 0x62656570: case 0x1cd1: case 0xde5e81e4: case 0x6165676c:        /* configfs devpts efivarfs pstore */
    case 0x19800202: case 0x6e736673: case 0x42494e4d: case 0x0187:        /* mqueue nsfs binfmt_misc autofs */
    case 0xf97cff8c: case 0x7655821: case 0x50494446: case 0x65735543:     /* selinux resctrl pidfd fusectl */
        return 1;
    default:
        return 0;
    }
}

static void veil(struct gofer_attr *attr, const struct gofer_policy *policy)
{
    attr->nlink = 2;
    attr->size = 0;
    attr->blocks = 0;
    attr->atime_ns = attr->mtime_ns = attr->ctime_ns = attr->btime_ns = policy->veil_time_ns;
}

static int is_hidden(const struct gofer_attr *attr, const struct gofer_policy *policy)
{
    for (int i = 0; i < policy->hidden_count; i++)
        if (policy->hidden[2 * i] == attr->dev && policy->hidden[2 * i + 1] == attr->ino)
            return 1;
    return 0;
}

/* Whether a directory that may be a mount point must look empty; fd may be -1, then (dirfd, name) names it. */
static int is_veiled(int fd, int dirfd, const char *name, const struct gofer_attr *attr, uint64_t parent_dev,
                     const struct gofer_policy *policy)
{
    if (is_hidden(attr, policy))
        return 1;
    if (attr->dev == parent_dev || attr->dev == policy->root_dev)
        return 0;
    int own = fd < 0 ? open_component(dirfd, name, O_PATH | O_DIRECTORY, 0) : fd;
    if (own < 0)
        return 1;
    int64_t magic = gofer_fs_magic(own);
    if (own != fd)
        close(own);
    return magic < 0 || is_kernel_fs(magic);
}

int gofer_open_path(int dirfd, const char *name, struct gofer_attr *attr)
{
    int fd = open_component(dirfd, *name ? name : ".", O_PATH, 0);
    if (fd < 0)
        return fd;
    int error = stat_at(fd, "", attr);
    if (error < 0) {
        close(fd);
        return error;
    }
    return fd;
}

/* Walks length-prefixed names. Returns how many components were reached; *error is 0 or why it stopped short.
 * The component with index veiled_from is hidden by name (a directory looks empty, a file absent); -1 means none. */
int gofer_walk(int dirfd, uint64_t dev, const struct gofer_policy *policy, const char *names, int names_length,
               int veiled_from, struct gofer_step *steps, int steps_max, char *link, int link_max, int *error)
{
    int count = 0, position = 0, current = dirfd;
    char name[256];
    *error = 0;
    while (position < names_length && count < steps_max) {
        int length = (unsigned char)names[position++];
        if (length > names_length - position) {
            *error = EPROTO;
            break;
        }
        memcpy(name, names + position, (size_t)length);
        name[length] = 0;
        position += length;
        struct gofer_step *step = &steps[count];
        step->fd = -1;
        step->is_veiled = 0;
        step->link_length = 0;
        int fd = gofer_open_path(current, name, &step->attr);
        if (fd < 0) {
            *error = -fd;
            break;
        }
        if (S_ISSOCK(step->attr.mode) && policy->hide_sockets) {
            close(fd);
            *error = ENOENT;
            break;
        }
        if (count == veiled_from && !S_ISDIR(step->attr.mode) && !S_ISLNK(step->attr.mode)) {
            close(fd);
            *error = ENOENT;
            break;
        }
        if (S_ISLNK(step->attr.mode)) {
            ssize_t got = readlinkat(fd, "", link, (size_t)link_max);
            step->link_length = got < 0 ? 0 : (int)got;
        }
        count++;
        if (!S_ISDIR(step->attr.mode)) {
            close(fd);
            if (position < names_length)
                *error = S_ISLNK(step->attr.mode) ? ELOOP : ENOTDIR;
            break;
        }
        if (count - 1 == veiled_from || is_veiled(fd, -1, 0, &step->attr, dev, policy)) {
            close(fd);
            veil(&step->attr, policy);
            step->is_veiled = 1;
            if (position < names_length)
                *error = ENOENT;
            break;
        }
        step->fd = current = fd;
        dev = step->attr.dev;
    }
    return count;
}

/* Opens a regular file for data. It is looked at through O_PATH first, so that a device, FIFO or socket that was put in
 * its place is never opened, then opened again through /proc/self/fd (procfd is that directory). */
int gofer_open(int dirfd, const char *name, int flags, int procfd, struct gofer_attr *attr)
{
    int path_fd = gofer_open_path(dirfd, name, attr);
    if (path_fd < 0)
        return path_fd;
    int fd;
    if (!S_ISREG(attr->mode)) {
        close(path_fd);
        return S_ISDIR(attr->mode) ? -EISDIR : S_ISLNK(attr->mode) ? -ELOOP : -ENXIO;
    }
    flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    if (procfd >= 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", path_fd);
        fd = openat(procfd, number, flags);
        fd = fd < 0 ? -errno : fd;
        close(path_fd);
        return fd;
    }
    close(path_fd);
    fd = open_component(dirfd, name, flags, 0);
    struct gofer_attr now;
    if (fd >= 0 && (stat_at(fd, "", &now) < 0 || now.ino != attr->ino || now.dev != attr->dev || !S_ISREG(now.mode))) {
        close(fd);
        return -ESTALE;
    }
    return fd;
}

int gofer_open_directory(int fd)
{
    return open_component(fd, ".", O_RDONLY | O_DIRECTORY, 0);
}

int gofer_create(int dirfd, const char *name, int flags, unsigned mode)
{
    return open_component(dirfd, name, flags, mode);
}

struct dirent_head {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

static int is_named(const char *names, int names_length, const char *name, int length)
{
    for (int position = 0; position < names_length; position += 1 + (unsigned char)names[position])
        if ((unsigned char)names[position] == length && position + 1 + length <= names_length
            && !memcmp(names + position + 1, name, (size_t)length))
            return 1;
    return 0;
}

/* Writes as many records as fit: attr, u16 link length, u8 name length, u8 flags (1 veiled, 2 attributes unknown),
 * name, link. Returns the bytes written; 0 is the end. veiled are length-prefixed names that must look empty. */
int gofer_list(struct gofer_lister *lister, uint64_t dev, const struct gofer_policy *policy, const char *veiled,
               int veiled_length, char *out, int out_max)
{
    int written = 0;
    for (;;) {
        if (lister->position >= lister->length) {
            if (lister->is_end)
                return written;
            long got = syscall(SYS_getdents64, lister->fd, lister->buffer, sizeof lister->buffer);
            if (got < 0)
                return written ? written : -errno;
            lister->position = 0;
            lister->length = (int)got;
            lister->is_end = !got;
            continue;
        }
        if (out_max - written < RECORD_HEAD + 255 + 4096)
            return written;
        struct dirent_head *entry = (struct dirent_head *)(lister->buffer + lister->position);
        lister->position += entry->d_reclen;
        size_t length = strlen(entry->d_name);
        const char *name = entry->d_name;
        if (!length || length > 255 || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        struct gofer_attr attr;
        unsigned char flags = 0;
        int link_length = 0, error = stat_at(lister->fd, name, &attr);
        char *place = out + written + RECORD_HEAD;
        if (error == -ENOENT)
            continue;
        if (error < 0) {
            memset(&attr, 0, sizeof attr);
            attr.ino = entry->d_ino;
            attr.mode = DTTOIF(entry->d_type);
            attr.dev = dev;
            flags = 2;
        }
        if (S_ISSOCK(attr.mode) && policy->hide_sockets)
            continue;
        int is_hidden_name = is_named(veiled, veiled_length, name, (int)length);
        if (is_hidden_name && !S_ISDIR(attr.mode) && !S_ISLNK(attr.mode))
            continue;
        if (S_ISLNK(attr.mode) && !flags) {
            ssize_t got = readlinkat(lister->fd, name, place + length, 4095);
            link_length = got < 0 ? 0 : (int)got;
        } else if (S_ISDIR(attr.mode)
                   && (is_hidden_name || is_veiled(-1, lister->fd, name, &attr, dev, policy))) {
            veil(&attr, policy);
            flags |= 1;
        }
        memcpy(out + written, &attr, sizeof attr);
        out[written + (int)sizeof attr] = (char)(link_length & 0xff);
        out[written + (int)sizeof attr + 1] = (char)(link_length >> 8);
        out[written + (int)sizeof attr + 2] = (char)length;
        out[written + (int)sizeof attr + 3] = (char)flags;
        memcpy(place, name, length);
        written += RECORD_HEAD + (int)length + link_length;
    }
}

int gofer_inotify(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int gofer_watch(int inotify, int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    int watch = inotify_add_watch(inotify, number, IN_ONLYDIR | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM
                                                       | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF);
    return watch < 0 ? -errno : watch;
}

int gofer_unwatch(int inotify, int watch)
{
    return inotify_rm_watch(inotify, watch) < 0 ? -errno : 0;
}

int gofer_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, from_fd, from, to_fd, to, flags) < 0 ? -errno : 0;
}

int gofer_fallocate(int fd, int mode, uint64_t offset, uint64_t length)
{
    return fallocate(fd, mode, (off_t)offset, (off_t)length) < 0 ? -errno : 0;
}
