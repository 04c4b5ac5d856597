# Interpreter lines: arguments, nesting, spaces, relative interpreters, no interpreter line at all.
printf '#!/bin/echo one two\n' > a && chmod +x a && ./a three
printf '#!  /bin/echo   spaced  \n' > b && chmod +x b && ./b
printf '#!/bin/sh\necho "script $# $1 $0"\n' > c && chmod +x c && ./c x y
printf '#!./c deep\n' > d && chmod +x d && ./d arg
printf 'echo "no line at all: $1"\n' > e && chmod +x e && ./e works
printf '#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:])\n' > f && chmod +x f && ./f p q
printf '#!/bin/sh -e\nfalse\necho never\n' > g && chmod +x g && ./g; echo "status $?"
mkdir sub && printf '#!/bin/sh\necho "in $(basename "$0")"\n' > sub/h && chmod +x sub/h && PATH=$PWD/sub:$PATH h
chmod -x c && ./c 2>/dev/null; echo "not executable: $?"
./none 2>/dev/null; echo "missing: $?"
exec /bin/echo last
