// name_to_handle_at(2), open_by_handle_at(2).
// guest: root caps=DAC_READ_SEARCH
#include "check.h"

static union { struct file_handle h; char room[sizeof(struct file_handle) + 128]; } a, b;
static int id, other;

TEST(names_and_handles) {
    NEED(mkdir("d", 0755));
    close(make_file("d/f", "hello"));
    a.h.handle_bytes = 0;
    EXPECT_ERRNO(EOVERFLOW, name_to_handle_at(AT_FDCWD, "d/f", &a.h, &id, 0));
    EXPECT_TRUE(a.h.handle_bytes > 0 && a.h.handle_bytes <= 128);
    a.h.handle_bytes = 128;
    EXPECT_OK(name_to_handle_at(AT_FDCWD, "d/f", &a.h, &id, 0));
    b.h.handle_bytes = 128;
    int fd = NEED(open("d/f", O_PATH));
    EXPECT_OK(name_to_handle_at(fd, "", &b.h, &other, AT_EMPTY_PATH));
    EXPECT_TRUE(id == other && a.h.handle_bytes == b.h.handle_bytes && !memcmp(a.h.f_handle, b.h.f_handle, a.h.handle_bytes));
    close(fd);
    EXPECT_OK(rename("d/f", "d/g"));
    int at = NEED(open("d", O_RDONLY));
    fd = EXPECT_OK(open_by_handle_at(at, &a.h, O_RDONLY));
    char text[8] = "";
    EXPECT_EQ(5, read(fd, text, 7));
    EXPECT_STR("hello", text);
    close(fd);
    EXPECT_OK(symlink("g", "d/link"));
    EXPECT_OK(name_to_handle_at(at, "link", &b.h, &id, 0));
    EXPECT_TRUE(memcmp(a.h.f_handle, b.h.f_handle, a.h.handle_bytes));
    b.h.handle_bytes = 128;
    EXPECT_OK(name_to_handle_at(at, "link", &b.h, &id, AT_SYMLINK_FOLLOW));
    EXPECT_TRUE(!memcmp(a.h.f_handle, b.h.f_handle, a.h.handle_bytes));
    EXPECT_OK(unlink("d/g"));
    EXPECT_ERRNO(ESTALE, open_by_handle_at(at, &a.h, O_RDONLY));
    close(at);
}

TEST(errors) {
    a.h.handle_bytes = 129;
    EXPECT_ERRNO(EINVAL, name_to_handle_at(AT_FDCWD, ".", &a.h, &id, 0));
    a.h.handle_bytes = 128;
    EXPECT_ERRNO(EINVAL, name_to_handle_at(AT_FDCWD, ".", &a.h, &id, 0x4000));
    EXPECT_ERRNO(ENOENT, name_to_handle_at(AT_FDCWD, "missing", &a.h, &id, 0));
    EXPECT_ERRNO(EFAULT, name_to_handle_at(AT_FDCWD, ".", BAD_PTR, &id, 0));
    EXPECT_ERRNO(EFAULT, open_by_handle_at(AT_FDCWD, BAD_PTR, 0));
    EXPECT_OK(name_to_handle_at(AT_FDCWD, ".", &a.h, &id, 0));
    EXPECT_ERRNO(EBADF, open_by_handle_at(-1, &a.h, 0));
    int directory = EXPECT_OK(open_by_handle_at(AT_FDCWD, &a.h, O_RDONLY | O_DIRECTORY));
    close(directory);
    a.h.handle_bytes = 0;
    EXPECT_ERRNO(EINVAL, open_by_handle_at(AT_FDCWD, &a.h, 0));
    pid_t p = CHILD({ NEED(setgid(65534)); NEED(setuid(65534)); a.h.handle_bytes = 8; EXPECT_ERRNO(EPERM, open_by_handle_at(AT_FDCWD, &a.h, 0)); });
    EXPECT_EXIT(0, p);
}
