cat > p.c <<'END'
#include <stdio.h>
static int twice(int n) { int r = n * 2; return r; }
int main(void) { int total = 0; for (int i = 0; i < 5; i++) total += twice(i); printf("total %d\n", total); int *volatile p = 0; return *p; }
END
gcc -g -O0 -o p p.c
gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'break twice if n == 3' -ex run -ex 'print n' -ex 'print r' -ex finish -ex 'backtrace' -ex 'watch total' -ex continue -ex delete -ex continue -ex 'info program' -ex kill ./p > log 2>&1 || true
grep -E '^\$[0-9] = 3|^total 20|Value returned is|SIGSEGV|^#0' log | sed 's/0x[0-9a-f]*//; s/ *$//' | head
