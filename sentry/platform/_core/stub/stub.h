/* What the sentry and the exec stub agree upon; sentry/platform/notify/stub.py has the same layout. */
#ifndef SANDBOXCTL_STUB_H
#define SANDBOXCTL_STUB_H

#include <stdint.h>

/* What the load list is read from: no descriptor can have this number, so read(2) never gets further than to the sentry. */
#define STUB_LOAD_FD 0x13435442
#define STUB_SEGMENTS_MAX 128
#define STUB_AUXV_MAX 32
#define STUB_EXECFN_MAX 4104
#define STUB_SCRATCH_LENGTH 0x220000

struct stub_segment {
    uint64_t addr, length, prot, offset, zero_from;
    int64_t fd; /* -1: anonymous */
};

struct stub_load {
    uint64_t entry, brk, has_executable_stack;
    uint64_t code_start, code_end, data_start, data_end;
    uint64_t fd_first, fd_last;
    uint64_t segment_count, auxv_count;
    uint64_t auxv[STUB_AUXV_MAX][2];
    struct stub_segment segments[STUB_SEGMENTS_MAX];
    char execfn[STUB_EXECFN_MAX];
};

#endif
