/* The gofer's system calls that Python lacks, and its two batched loops (walk and read-directory).
 * Mechanism only: what to hide is data in struct gofer_policy. All functions return >= 0 or -errno. */

struct gofer_attr { /* the wire record of gofer/protocol/attr.py: 88 bytes, little-endian, no padding */
    uint64_t ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t size, blocks;
    uint32_t blksize, rdev;
    uint64_t dev;
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
};

struct gofer_policy {
    int hidden_count;          /* pairs in use */
    uint64_t hidden[64];       /* (dev, ino) of directories that must look empty */
    int hide_sockets;
    int64_t veil_time_ns;      /* the times that an emptied directory shows */
    uint64_t root_dev;         /* the file system of the tree root, which is never refused */
};

struct gofer_step { /* one component of a walk */
    struct gofer_attr attr;
    int fd;        /* O_PATH descriptor of a directory, else -1 */
    int is_veiled; /* must look empty: nothing below it is visited */
    int link_length;
};

struct gofer_lister { /* a directory being read */
    int fd, position, length, is_end;
    char buffer[32768];
};

int gofer_use_openat2(int enabled); /* -1 asks; 0 forces the fallback (tests) */
int gofer_stat(int fd, struct gofer_attr *attr);
int64_t gofer_fs_magic(int fd);
int gofer_walk(int dirfd, uint64_t dev, const struct gofer_policy *policy, const char *names, int names_length,
               int veiled_from, struct gofer_step *steps, int steps_max, char *link, int link_max, int *error);
int gofer_open(int dirfd, const char *name, int flags, int procfd, struct gofer_attr *attr);
int gofer_open_path(int dirfd, const char *name, struct gofer_attr *attr);
int gofer_open_directory(int fd);
int gofer_create(int dirfd, const char *name, int flags, unsigned mode);
int gofer_list(struct gofer_lister *lister, uint64_t dev, const struct gofer_policy *policy, const char *veiled,
               int veiled_length, char *out, int out_max);
int gofer_inotify(void);
int gofer_watch(int inotify, int fd); /* the working directory is /proc/self/fd */
int gofer_unwatch(int inotify, int watch);
int gofer_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int gofer_unshare(int flags);
int gofer_empty_root(void);
void gofer_empty_bounding_set(void);
int gofer_set_capabilities(uint64_t kept); /* permitted and effective */
int gofer_fallocate(int fd, int mode, uint64_t offset, uint64_t length);
int gofer_prctl(int option, unsigned long value);
int gofer_landlock_abi(void);
int gofer_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped);
int gofer_landlock_allow(int ruleset, int fd, uint64_t access);
int gofer_landlock_enforce(int ruleset);
int gofer_seccomp(const char *program, int length);
