// /proc/PID/mem and /proc/locks (proc(5)).
#include "check.h"
#include <sys/file.h>

TEST(own_memory) {
    static char text[32] = "before";
    char seen[8] = "";
    int fd = NEED(open("/proc/self/mem", O_RDWR));
    EXPECT_EQ(7, pread(fd, seen, 7, (off_t)(uintptr_t)text));
    EXPECT_STR("before", seen);
    EXPECT_EQ(6, pwrite(fd, "after", 6, (off_t)(uintptr_t)text));
    EXPECT_STR("after", text);
    EXPECT_EQ((off_t)(uintptr_t)text, lseek(fd, (off_t)(uintptr_t)text, SEEK_SET));
    EXPECT_EQ(3, read(fd, seen, 3));
    EXPECT_EQ((off_t)(uintptr_t)text + 3, lseek(fd, 0, SEEK_CUR));
    EXPECT_ERRNO(EIO, pread(fd, seen, 1, 0x10));
    EXPECT_ERRNO(EIO, pwrite(fd, seen, 1, 0x10));
    EXPECT_EQ(0, pread(fd, seen, 0, 0x10));
    close(fd);
}

TEST(a_read_stops_where_memory_ends) {
    char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    static char seen[8192];
    int fd = NEED(open("/proc/self/mem", O_RDONLY));
    EXPECT_EQ(96, pread(fd, seen, sizeof seen, (off_t)(uintptr_t)two + 4000));
    EXPECT_ERRNO(EBADF, pwrite(fd, seen, 1, (off_t)(uintptr_t)two));
    close(fd);
}

TEST(memory_of_a_child_and_its_end) {
    static int word = 1;
    int gate[2], ready[2];
    NEED(pipe(gate));
    NEED(pipe(ready));
    pid_t pid = CHILD({
        word = 2;
        tell(ready[1]);
        await_byte(gate[0]);
        _exit(word);
    });
    await_byte(ready[0]);
    char name[64];
    int seen = 0;
    sprintf(name, "/proc/%d/mem", pid);
    int fd = NEED(open(name, O_RDWR));
    EXPECT_EQ(4, pread(fd, &seen, 4, (off_t)(uintptr_t)&word));
    EXPECT_EQ(2, seen);
    seen = 9;
    EXPECT_EQ(4, pwrite(fd, &seen, 4, (off_t)(uintptr_t)&word));
    tell(gate[1]);
    EXPECT_EXIT(9, pid);
    EXPECT_EQ(0, pread(fd, &seen, 4, (off_t)(uintptr_t)&word));
    close(fd);
}

static int lines_of_mine(const char *kind) {
    char line[256], word[64];
    int found = 0;
    sprintf(word, " %d ", getpid());
    FILE *file = fopen("/proc/locks", "r");
    while (fgets(line, sizeof line, file))
        if (strstr(line, word) && strstr(line, kind)) found++;
    fclose(file);
    return found;
}

TEST(locks_are_listed) {
    int fd = NEED(open("locked", O_RDWR | O_CREAT, 0644));
    EXPECT_EQ(0, lines_of_mine("FLOCK"));
    EXPECT_OK(flock(fd, LOCK_EX));
    EXPECT_EQ(1, lines_of_mine("FLOCK  ADVISORY  WRITE"));
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10};
    EXPECT_OK(fcntl(fd, F_SETLK, &lock));
    EXPECT_EQ(1, lines_of_mine("POSIX  ADVISORY  READ"));
    EXPECT_EQ(1, lines_of_mine(" 5 14"));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_WRLCK));
    EXPECT_EQ(1, lines_of_mine("LEASE  ACTIVE    WRITE"));
    close(fd);
    EXPECT_EQ(0, lines_of_mine("ADVISORY"));
    unlink("locked");
}
