// What survives execve(2): ids, descriptors without close-on-exec, ignored signals, mask, cwd, umask, limits; what does not.
#include "check.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static void sh(const char *script) { fflush(stdout); execl("/bin/sh", "sh", "-c", script, (char *)0); _exit(126); }

static void find(const char *pattern) { fflush(stdout); execl("/bin/grep", "grep", "-q", pattern, "/proc/self/status", (char *)0); _exit(126); }

TEST(descriptors) {
    int keep = NEED(open("/dev/null", O_RDONLY)), drop = NEED(open("/dev/null", O_RDONLY | O_CLOEXEC));
    NEED(dup2(keep, 7));
    NEED(dup3(drop, 8, O_CLOEXEC));
    EXPECT_EXIT(0, CHILD(sh("test -e /proc/self/fd/7 && test ! -e /proc/self/fd/8")));
    EXPECT_EXIT(0, CHILD(sh("true <&7 && ! (true <&8) 2>/dev/null")));
}

TEST(offset_goes_along) {
    int fd = make_file("f", "one\ntwo\nthree\n");
    NEED(lseek(fd, 4, SEEK_SET));
    EXPECT_EXIT(0, CHILD({ dup2(fd, 0); sh("read word; test $word = two"); }));
}

static void handler(int sig) {}

TEST(signals) {
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    EXPECT_EXIT(0, CHILD(sh("kill -USR2 $$; kill -HUP $$; exit 0")));
    int status = reap(CHILD(sh("kill -USR1 $$; exit 0")));
    EXPECT_EQ(SIGUSR1, status & 0x7f);
    EXPECT_EXIT(0, CHILD(find("^SigBlk:.*1$")));
    EXPECT_EXIT(0, CHILD(find("^SigIgn:.*8..$")));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGUSR2, SIG_DFL);
}

TEST(pending_signals_stay) {
    EXPECT_EXIT(0, CHILD({
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGUSR1);
        find("^\\(SigPnd\\|ShdPnd\\):.*2..$");
    }));
}

TEST(process_facts) {
    NEED(mkdir("d", 0755));
    EXPECT_EXIT(0, CHILD({ NEED(chdir("d")); umask(027); sh("test $(umask) = 0027 && case $PWD in */d) ;; *) case $(pwd) in */d) ;; *) exit 1;; esac;; esac"); }));
    EXPECT_EXIT(0, CHILD({ struct rlimit l = {33, 44}; NEED(setrlimit(RLIMIT_NOFILE, &l)); sh("test $(ulimit -n) = 33 && test $(ulimit -Hn) = 44"); }));
    EXPECT_EXIT(0, CHILD({ NEED(prctl(PR_SET_NAME, "mine")); sh("test $(cat /proc/$$/comm) = sh"); }));
    EXPECT_EXIT(0, CHILD({ char t[64]; sprintf(t, "test $$ = %d && test $PPID = %d", getpid(), getppid()); sh(t); }));
}

TEST(memory_is_new) {
    static char *page;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(page, "kept");
    EXPECT_EXIT(0, CHILD(sh("exit 0")));
    EXPECT_STR("kept", page);
}
