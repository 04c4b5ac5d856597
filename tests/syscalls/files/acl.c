// Access control lists: layout of the attribute, what they grant to whom, chmod and the mask, default lists and the umask.
// guest: root timeout=120
#include "check.h"
#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define NOBODY 0xffffffffu
enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };
struct entry { uint16_t tag, perm; uint32_t id; };
struct acl { uint32_t version; struct entry entries[16]; };

/* "u:6 u1000:4 g:4 m:6 o:0" */
static size_t parse(const char *text, struct acl *acl) {
    size_t count = 0;
    acl->version = 2;
    for (; *text; text += strcspn(text, " "), text += strspn(text, " ")) {
        struct entry *e = &acl->entries[count++];
        unsigned id = NOBODY, perm = 0;
        int named = sscanf(text + 1, "%u:%u", &id, &perm) == 2;
        if (!named) sscanf(text + 1, ":%u", &perm);
        e->tag = *text == 'u' ? named ? USER : USER_OBJ : *text == 'g' ? named ? GROUP : GROUP_OBJ : *text == 'm' ? MASK : *text == 'o' ? OTHER : 64;
        e->perm = perm;
        e->id = id;
    }
    return 4 + count * sizeof(struct entry);
}
static int set(const char *path, const char *name, const char *text) {
    struct acl acl;
    size_t size = parse(text, &acl);
    return setxattr(path, name, &acl, size, 0);
}
static void show(const char *what, const char *path, const char *name) {
    struct acl acl;
    struct stat st;
    ssize_t size = getxattr(path, name, &acl, sizeof acl);
    int error = errno;
    NEED(lstat(path, &st));
    printf("%s: %s %o %s:", what, path, st.st_mode, name + 17);
    if (size < 0) printf(" %s", check_errno_name(error));
    for (ssize_t i = 0; size > 0 && i < (size - 4) / 8; i++) printf(" %u/%d:%o", acl.entries[i].tag, (int)acl.entries[i].id, acl.entries[i].perm);
    printf("\n");
}
static void show_names(const char *path) {
    char names[1000];
    ssize_t size = listxattr(path, names, sizeof names);
    printf("%s has", path);
    for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1)
        if (strncmp(name, "security.", 9)) printf(" %s", name);
    printf("\n");
}
static pid_t as_user(uid_t uid, gid_t gid, gid_t more) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid) return pid;
    check_failures = 0;
    NEED(setgroups(more != 0, &more));
    NEED(setresgid(gid, gid, gid));
    NEED(setresuid(uid, uid, uid));
    return 0;
}
static void leave(void) { fflush(stdout); _exit(check_failures); }

TEST(layout) {
    NEED(chmod(".", 0777));
    NEED(umask(022));
    close(make_file("f", "x"));
    NEED(mkdir("d", 0755));
    NEED(symlink("f", "l"));
    NEED(mkfifo("p", 0644));
    static const char *const lists[] = {"u:6 g:4 o:4", "u:7 g:5 o:1", "u:6 u1000:6 g:4 m:4 o:0", "u:6 u1000:6 g:4 o:0", "u:6 g:4", "u:6 o:4 g:4", "g:4 u:6 o:4",
        "u:6 u:6 g:4 o:4", "u:6 g:4 m:7 o:4", "u:6 g:4 o:4 m:7", "u:6 u7:1 u5:2 u5:3 g:4 g9:7 g8:1 m:7 o:7", "u:8 g:4 o:4", "u:6 g:15 o:4", "x:1 u:6 g:4 o:4", "u:6",
        "u4294967295:6 u:6 g:4 o:4", "u:6 u4294967295:6 g:4 m:7 o:4", "u:6 g5:4 g:4 m:7 o:4", "u:0 g:0 o:0", "u:0 u0:7 g:0 m:0 o:0", "u:6 u1:1 g:4 m:2 m:3 o:4", ""};
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int j = 0; j < 4; j++) {
            const char *name = j & 1 ? DEFAULT : ACCESS, *path = j & 2 ? "d" : "f";
            int result = set(path, name, lists[i]);
            printf("\"%s\" %s\n", lists[i], result ? check_errno_name(errno) : "ok");
            show("  then", path, name);
            if (!j) show_names(path);
        }
}

TEST(arguments) {
    struct acl acl;
    size_t size = parse("u:6 u1000:6 g:4 m:4 o:0", &acl);
    for (size_t wrong = 0; wrong <= size; wrong++) {
        long result = setxattr("f", ACCESS, &acl, wrong, 0);
        printf("%zu bytes: %s\n", wrong, result ? check_errno_name(errno) : "ok");
    }
    acl.version = 1;
    SHOW(setxattr("f", ACCESS, &acl, size, 0));
    SHOW(setxattr("f", ACCESS, &acl, 7, 0));
    acl.version = 2;
    SHOW(setxattr("f", ACCESS, &acl, size, XATTR_CREATE));
    SHOW(setxattr("f", ACCESS, &acl, size, XATTR_CREATE));
    SHOW(setxattr("f", ACCESS, &acl, size, XATTR_REPLACE));
    SHOW(setxattr("d", DEFAULT, &acl, size, XATTR_REPLACE));
    SHOW(setxattr("f", DEFAULT, &acl, size, 0));
    SHOW(setxattr("f", DEFAULT, NULL, 0, 0));
    SHOW(setxattr("f", "system.posix_acl", &acl, size, 0));
    SHOW(setxattr("f", "system.posix_acl_accessx", &acl, size, 0));
    SHOW(setxattr("p", ACCESS, &acl, size, 0));
    show("a pipe's", "p", ACCESS);
    SHOW(lsetxattr("l", ACCESS, &acl, size, 0));
    SHOW(lgetxattr("l", ACCESS, &acl, size));
    SHOW(lremovexattr("l", ACCESS));
    SHOW(setxattr("l", ACCESS, &acl, size, 0));
    SHOW(getxattr("f", ACCESS, NULL, 0));
    SHOW(getxattr("f", ACCESS, &acl, 10));
    SHOW(getxattr("f", DEFAULT, &acl, size));
    SHOW(getxattr("p", DEFAULT, &acl, size));
    SHOW(removexattr("f", ACCESS));
    SHOW(removexattr("f", ACCESS));
    SHOW(removexattr("f", DEFAULT));
    SHOW(removexattr("d", DEFAULT));
    SHOW(removexattr("d", DEFAULT));
    SHOW(getxattr("d", DEFAULT, &acl, size));
    show("afterwards", "f", ACCESS);
    show_names("d");
    NEED(chmod("f", 02755));
    NEED(chown("f", 1000, 2000));
    NEED(chmod("f", 02755));
    pid_t pid = as_user(1000, 1000, 0);
    if (!pid) {
        SHOW(setxattr("f", ACCESS, &acl, size, 0));
        show("set-group-ID", "f", ACCESS);
        leave();
    }
    EXPECT_EXIT(0, pid);
    pid = as_user(3000, 1000, 0);
    if (!pid) {
        SHOW(setxattr("f", ACCESS, &acl, size, 0));
        SHOW(setxattr("f", DEFAULT, &acl, size, 0));
        SHOW(setxattr("d", DEFAULT, &acl, size, 0));
        SHOW(removexattr("f", ACCESS));
        SHOW(removexattr("f", DEFAULT));
        SHOW(getxattr("f", ACCESS, &acl, size));
        leave();
    }
    EXPECT_EXIT(0, pid);
}

TEST(who_may_what) {
    static const char *const lists[] = {"u:7 u3000:4 g:1 m:7 o:6", "u:0 u3000:7 g:7 m:5 o:7", "u:6 u3000:0 g:7 m:7 o:7", "u:6 g:0 g2000:6 m:4 o:7", "u:6 g:4 g2000:2 m:7 o:7",
        "u:1 g:4 g2000:3 g4000:4 m:7 o:0", "u:7 g:7 m:0 o:4", "u:7 u3000:7 g:7 m:0 o:4", "u:7 u1000:0 g:0 m:7 o:0", "u:0 u3000:2 u3000:4 g:7 m:7 o:7", "u:7 u3000:1 g:7 m:1 o:7"};
    static const struct { uid_t uid; gid_t gid, more; } who[] = {{1000, 1000, 0}, {3000, 3000, 0}, {5000, 2000, 0}, {5000, 1500, 2000}, {5000, 4000, 2000}, {6000, 6000, 0}, {5000, 1500, 0}};
    close(make_file("w", "x"));
    NEED(mkdir("wd", 0755));
    close(make_file("wd/in", "x"));
    NEED(chown("w", 1000, 1500));
    NEED(chown("wd", 1000, 1500));
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++) {
        NEED(set("w", ACCESS, lists[i]));
        NEED(set("wd", ACCESS, lists[i]));
        printf("%s\n", lists[i]);
        for (unsigned j = 0; j < sizeof who / sizeof *who; j++) {
            pid_t pid = as_user(who[j].uid, who[j].gid, who[j].more);
            if (!pid) {
                printf("  %d %d %d:", who[j].uid, who[j].gid, who[j].more);
                for (int mode = 1; mode < 8; mode++) printf(" %d", access("w", mode));
                for (int mode = O_RDONLY; mode <= O_RDWR; mode++) {
                    int fd = open("w", mode);
                    printf(" %s", fd < 0 ? check_errno_name(errno) : "ok");
                    if (fd >= 0) close(fd);
                }
                int fd = open("wd", O_RDONLY);
                printf(" list %s", fd < 0 ? check_errno_name(errno) : "ok");
                if (fd >= 0) close(fd);
                printf(" walk %s", access("wd/in", F_OK) ? check_errno_name(errno) : "ok");
                printf(" add %s", mkdir("wd/new", 0700) ? check_errno_name(errno) : "ok");
                printf(" take %s", rmdir("wd/new") ? check_errno_name(errno) : "ok");
                printf(" utime %s", utimensat(AT_FDCWD, "w", NULL, 0) ? check_errno_name(errno) : "ok");
                printf("\n");
                leave();
            }
            EXPECT_EXIT(0, pid);
            rmdir("wd/new");
        }
    }
}

/* A list takes away from one user what everybody else may: also where the nine bits let all search. */
TEST(shut_out) {
    NEED(mkdir("open", 0755));
    NEED(mkdir("open/sub", 0755));
    close(make_file("open/sub/f", "x"));
    NEED(set("open", ACCESS, "u:7 u3000:0 g:5 m:5 o:5"));
    pid_t pid = as_user(3000, 3000, 0);
    if (!pid) {
        SHOW(access("open/sub/f", F_OK));
        SHOW(chdir("open"));
        leave();
    }
    EXPECT_EXIT(0, pid);
    pid = as_user(4000, 4000, 0);
    if (!pid) {
        SHOW(access("open/sub/f", F_OK));
        SHOW(chdir("open"));
        leave();
    }
    EXPECT_EXIT(0, pid);
}

TEST(changing_the_mode) {
    close(make_file("c", "x"));
    static const char *const lists[] = {"u:6 u1000:7 g:4 m:6 o:0", "u:6 g:5 m:7 o:4", "u:6 g:5 g1000:7 m:0 o:4"};
    static const int modes[] = {0777, 0640, 0, 04755, 02070, 0007};
    for (unsigned i = 0; i < 3; i++) {
        NEED(set("c", ACCESS, lists[i]));
        for (unsigned j = 0; j < 6; j++) {
            NEED(chmod("c", modes[j]));
            show("chmod", "c", ACCESS);
        }
        NEED(set("c", ACCESS, "u:7 g:5 o:1"));
        show("plain", "c", ACCESS);
    }
    NEED(set("c", ACCESS, lists[0]));
    NEED(chmod("c", 06770));
    NEED(chown("c", 1000, 1000));
    show("chown", "c", ACCESS);
    NEED(link("c", "c2"));
    show("other name", "c2", ACCESS);
    NEED(rename("c", "c3"));
    show("renamed", "c3", ACCESS);
}

TEST(inheritance) {
    static const char *const lists[] = {"u:7 g:5 o:1", "u:7 u1000:7 g:5 m:7 o:5", "u:6 u1000:6 g:0 m:4 o:0", "u:7 g:7 g2000:6 m:7 o:7", "u:7 g:7 m:2 o:7", "u:0 g:0 o:0"};
    static const int masks[] = {0, 022, 0777};
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        for (unsigned j = 0; j < 3; j++) {
            char folder[20], path[60];
            sprintf(folder, "i%u%u", i, j);
            NEED(mkdir(folder, 0777));
            NEED(set(folder, DEFAULT, lists[i]));
            umask(masks[j]);
            printf("%s, umask %o\n", lists[i], masks[j]);
            show("folder", folder, ACCESS);
            sprintf(path, "%s/file", folder);
            NEED(close(open(path, O_CREAT | O_RDWR, 0666)));
            show("open", path, ACCESS);
            sprintf(path, "%s/exe", folder);
            NEED(close(creat(path, 0751)));
            show("creat", path, ACCESS);
            sprintf(path, "%s/fifo", folder);
            NEED(mkfifo(path, 0660));
            show("mkfifo", path, ACCESS);
            sprintf(path, "%s/node", folder);
            NEED(mknod(path, S_IFREG | 04777, 0));
            show("mknod", path, ACCESS);
            sprintf(path, "%s/dir", folder);
            NEED(mkdir(path, 0777));
            show("mkdir", path, ACCESS);
            show("  hands on", path, DEFAULT);
            sprintf(path, "%s/dir/dir", folder);
            NEED(mkdir(path, 0750));
            show("  deeper", path, ACCESS);
            show("  hands on", path, DEFAULT);
            sprintf(path, "%s/link", folder);
            NEED(symlink("x", path));
            struct stat st;
            NEED(lstat(path, &st));
            printf("link %o\n", st.st_mode);
            struct sockaddr_un name = {.sun_family = AF_UNIX};
            sprintf(name.sun_path, "%s/sock", folder);
            int s = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
            NEED(bind(s, (void *)&name, sizeof name));
            close(s);
            show("bind", name.sun_path, ACCESS);
            int fd = open(folder, O_TMPFILE | O_RDWR, 0666);
            NEED(fd);
            struct acl acl;
            NEED(fstat(fd, &st));
            ssize_t size = fgetxattr(fd, ACCESS, &acl, sizeof acl);
            printf("O_TMPFILE %o %zd\n", st.st_mode, size);
            close(fd);
            umask(022);
        }
    NEED(mkdir("sg", 0755));
    NEED(chown("sg", 0, 2000));
    NEED(chmod("sg", 02775));
    NEED(set("sg", DEFAULT, "u:7 u1000:7 g:5 m:7 o:5"));
    NEED(close(creat("sg/file", 0666)));
    NEED(mkdir("sg/dir", 0777));
    show("set-group-ID", "sg", ACCESS);
    show("below", "sg/file", ACCESS);
    show("below", "sg/dir", ACCESS);
    show("below", "sg/dir", DEFAULT);
}

/* Whether a stranger's set-group-ID bit goes is decided by the mode that was asked for, before the umask. */
TEST(strangers_group) {
    NEED(mkdir("strange", 0777));
    NEED(chown("strange", 0, 2000));
    NEED(chmod("strange", 02777));
    pid_t pid = as_user(3000, 3000, 0);
    if (!pid) {
        static const int modes[] = {02777, 02707, 02070, 06710};
        for (unsigned i = 0; i < 4; i++)
            for (int mask = 0; mask < 2; mask++) {
                umask(mask ? 077 : 0);
                char name[40];
                struct stat st;
                sprintf(name, "strange/%u%d", i, mask);
                NEED(close(open(name, O_CREAT | O_WRONLY, modes[i])));
                NEED(stat(name, &st));
                printf("%o: %o %d\n", modes[i], st.st_mode, st.st_gid);
                int fd = NEED(open("strange", O_TMPFILE | O_WRONLY, modes[i]));
                NEED(fstat(fd, &st));
                printf("  without a name: %o\n", st.st_mode);
                close(fd);
            }
        leave();
    }
    EXPECT_EXIT(0, pid);
}
