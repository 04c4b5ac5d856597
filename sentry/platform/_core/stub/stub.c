/* The exec stub: the program that the host kernel really executes for every guest execve.
 *
 * It asks the sentry for its load list, maps the segments from the descriptors that the sentry has added, fixes the
 * auxiliary vector, moves the program break, and jumps. No library, no stack protector, one fixed high address that no usual program,
 * sanitizer or runtime claims. Its mmap, close and prctl calls are recognised by instruction pointer, so it contains no other
 * system call instruction than the one in call().
 */
#include "stub.h"

#define SYS_read 0
#define SYS_mmap 9
#define SYS_mprotect 10
#define SYS_close 3
#define SYS_prctl 157
#define PROT_GROWSDOWN 0x01000000
#define PR_SET_MM 35
#define PR_SET_MM_MAP 14
#define AT_EXECFN 31

struct mm_map {
    uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t *auxv;
    uint32_t auxv_size;
    uint32_t exe_fd;
};

/* First the scratch area: the sentry writes rebuilt argument arrays there; then the load list. */
__attribute__((section(".scratch"), used)) char stub_scratch[STUB_SCRATCH_LENGTH];
static struct stub_load load;

static inline long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* The point of no return is behind us: die as after a failed execve in the host kernel. */
static void die(void)
{
    *(volatile char *)0 = 0;
    __builtin_unreachable();
}

static void map_segment(const struct stub_segment *segment)
{
    const long fixed_private = 0x12, anonymous = 0x20;
    int writes = segment->zero_from != 0;
    long prot = (long)segment->prot;

    if (call(SYS_mmap, (long)segment->addr, (long)segment->length, writes ? prot | 3 : prot,
             fixed_private | (segment->fd < 0 ? anonymous : 0), segment->fd, (long)segment->offset) != (long)segment->addr)
        die();
    if (!writes)
        return;
    for (volatile char *at = (char *)segment->zero_from; at < (char *)(segment->addr + segment->length); at++)
        *at = 0;
    if ((prot & 3) != 3 && call(SYS_mprotect, (long)segment->addr, (long)segment->length, prot, 0, 0, 0) != 0)
        die();
}

static uint64_t *fix_auxv(uint64_t *auxv)
{
    uint64_t *entry;

    for (entry = auxv; entry[0] != 0; entry += 2) {
        if (entry[0] == AT_EXECFN)
            entry[1] = (uint64_t)load.execfn;
        for (uint64_t i = 0; i < load.auxv_count; i++)
            if (load.auxv[i][0] == entry[0])
                entry[1] = load.auxv[i][1];
    }
    return entry + 2;
}

static uint64_t end_of_string(uint64_t at)
{
    while (*(const char *)at)
        at++;
    return at + 1;
}

/* Move the break, so that it follows the program and not the stub; the kernel refuses where it was built without it. */
static void set_mm(uint64_t *stack, uint64_t argc, uint64_t *envp, uint64_t *auxv, uint64_t *auxv_end)
{
    struct mm_map map;
    uint64_t envc = (uint64_t)(auxv - envp) - 1;

    map.start_code = load.code_start;
    map.end_code = load.code_end;
    map.start_data = load.data_start;
    map.end_data = load.data_end;
    map.start_brk = map.brk = load.brk;
    map.start_stack = (uint64_t)stack;
    map.arg_start = argc ? stack[1] : (uint64_t)auxv_end;
    map.arg_end = argc ? end_of_string(stack[argc]) : map.arg_start;
    map.env_start = envc ? envp[0] : map.arg_end;
    map.env_end = envc ? end_of_string(envp[envc - 1]) : map.env_start;
    map.auxv = auxv;
    map.auxv_size = (uint32_t)((char *)auxv_end - (char *)auxv);
    map.exe_fd = (uint32_t)-1;
    call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)&map, sizeof map, 0, 0);
}

/* Returns the address to jump to. */
__attribute__((used)) uint64_t stub_main(uint64_t *stack)
{
    uint64_t argc = stack[0];
    uint64_t *envp = stack + 1 + argc + 1;
    uint64_t *auxv = envp;
    uint64_t *auxv_end;

    while (*auxv++)
        ;
    if (call(SYS_read, STUB_LOAD_FD, (long)&load, sizeof load, 0, 0, 0) < 0)
        die();
    for (uint64_t i = 0; i < load.segment_count; i++)
        map_segment(&load.segments[i]);
    for (uint64_t fd = load.fd_first; fd < load.fd_last; fd++)
        call(SYS_close, (long)fd, 0, 0, 0, 0, 0);
    auxv_end = fix_auxv(auxv);
    if (load.has_executable_stack)
        call(SYS_mprotect, (long)((uint64_t)stack & ~4095UL), 4096, 7 | PROT_GROWSDOWN, 0, 0, 0);
    if (load.brk)
        set_mm(stack, argc, envp, auxv, auxv_end);
    return load.entry;
}

__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    mov %rsp, %rbx\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call stub_main\n"
        "    mov %rbx, %rsp\n"
        "    push %rax\n"
        "    xor %eax, %eax\n"
        "    xor %ebx, %ebx\n"
        "    xor %ecx, %ecx\n"
        "    xor %edx, %edx\n"
        "    xor %esi, %esi\n"
        "    xor %edi, %edi\n"
        "    xor %ebp, %ebp\n"
        "    xor %r8d, %r8d\n"
        "    xor %r9d, %r9d\n"
        "    xor %r10d, %r10d\n"
        "    xor %r11d, %r11d\n"
        "    xor %r12d, %r12d\n"
        "    xor %r13d, %r13d\n"
        "    xor %r14d, %r14d\n"
        "    xor %r15d, %r15d\n"
        "    ret\n");
