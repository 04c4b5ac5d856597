// guest: root
// What a change of the acting user takes away: being dumpable, PR_SET_PDEATHSIG, its own files of /proc. prctl(2), proc(5); Linux: commit_creds().
#include "check.h"
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>

enum { NOBODY = 65534 };

static void show(const char *what) {
    int signal = 0;
    NEED(prctl(PR_GET_PDEATHSIG, &signal));
    printf("%s: %s: dumpable %d, signal %d\n", check_current, what, prctl(PR_GET_DUMPABLE), signal);
    NEED(prctl(PR_SET_DUMPABLE, 1));
    NEED(prctl(PR_SET_PDEATHSIG, SIGUSR1));
}

static void look(void) {
    static const char *files[] = {"environ", "maps", "mem", "stat", "ns/uts"}, *folders[] = {"fd", "fdinfo", "task", "ns", "map_files"};
    char path[64];
    for (int i = 0; i < 5; i++) {
        struct stat info;
        snprintf(path, sizeof path, "/proc/self/%s", files[i]);
        int fd = open(path, O_RDONLY);
        printf("%s: %s %s", check_current, files[i], fd < 0 ? check_errno_name(errno) : "ok");
        printf(" owner %d\n", i < 4 && !lstat(path, &info) ? (int)info.st_uid : 0);
        if (fd >= 0) close(fd);
        snprintf(path, sizeof path, "/proc/self/%s", folders[i]);
        DIR *folder = opendir(path);
        printf("%s: %s %s\n", check_current, folders[i], folder ? "ok" : check_errno_name(errno));
        if (folder) closedir(folder);
    }
}

TEST(each_change) {
    show("at first");
    NEED(setresgid(NOBODY, NOBODY, NOBODY));
    show("group");
    NEED(setresuid(-1, -1, 0));
    show("nothing");
    NEED(setresuid(1, -1, -1));
    show("real user");
    setfsgid(0);
    show("group of files");
    NEED(seteuid(NOBODY));
    show("acting user");
    NEED(seteuid(0));
    show("acting user again");
}

TEST(its_own_files) {
    NEED(setresuid(NOBODY, NOBODY, NOBODY));
    look();
    NEED(prctl(PR_SET_DUMPABLE, 1));
    look();
    NEED(setuid(NOBODY));
    EXPECT_EQ(1, prctl(PR_GET_DUMPABLE));
}
