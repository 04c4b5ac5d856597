"""Programs that lean on file systems: archives, databases with several writers, packages."""

from tests.programs.case import Case

_TREE = (
    "mkdir -p t/d/e; echo one > t/a; ln t/a t/d/hard; ln -s ../a t/d/soft; mkfifo t/p; truncate -s 1M t/sparse; "
    "printf data | dd of=t/sparse bs=1 seek=500000 conv=notrunc status=none; "
    "chmod 2755 t/d; chmod 1777 t/d/e; touch -d @1000000000 t/a; "
    "python3 -c \"import os; os.setxattr('t/a', 'user.note', b'kept')\"; "
)
_SHOW = (
    "show() { (cd $1; find . | sort | while read f; do stat -c '%n %A %h %F' $f; done; "
    "python3 -c \"import os; s = os.stat('sparse'); print(os.getxattr('a', 'user.note'), s.st_blocks < 1000, s.st_size)\"; "
    "stat -c %Y a; sha256sum a sparse; test a -ef d/hard && echo linked); }; "
)
_WRITERS = """cat > w.py <<'END'
import os, signal, sqlite3, sys
name, last = sys.argv[1], int(sys.argv[2])
c = sqlite3.connect("t.db", timeout=60, isolation_level=None)
for number in range(100):
    c.execute("begin immediate")
    c.execute("insert into t values(?, ?)", (name, number))
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
    c.execute("commit")
END
python3 -c "
import sqlite3
c = sqlite3.connect('t.db')
print(c.execute('pragma journal_mode=wal').fetchone())
c.execute('create table t(name, number, primary key(name, number))')"
for n in a b c; do python3 w.py $n 1000 & done; python3 w.py killed 30; echo $?; wait
sqlite3 t.db 'pragma integrity_check; select name, count(*), max(number) from t group by name;'
"""

FILE_CASES: tuple[Case, ...] = (
    Case(
        "tar-round-trip",
        f"{_TREE}{_SHOW}"
        "tar --sort=name --xattrs -cSpf t.tar t && mkdir o && tar --xattrs -xSpf t.tar -C o && show o/t; "
        "tar -tvf t.tar | sort | awk '{print $1, $6, $7, $8, $9, $10}'",
        ("tar",),
        60,
    ),
    Case("cp-archive", f"{_TREE}{_SHOW}cp -a t u && show u; diff -r --no-dereference t/d u/d && echo same", (), 60),
    Case("sqlite-writers", _WRITERS, ("sqlite3",), 120),
    Case(
        "dpkg-unpack",
        "mkdir -p p/DEBIAN p/usr/share/x; "
        "printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\n"
        "Description: d\\n' > p/DEBIAN/control; seq 1000 > p/usr/share/x/f; ln -s f p/usr/share/x/l; chmod 0755 p/DEBIAN; "
        "dpkg-deb --root-owner-group -b p x.deb; dpkg-deb -x x.deb o; "
        "find o -type f -o -type l | sort; cmp p/usr/share/x/f o/usr/share/x/f "
        "&& readlink o/usr/share/x/l; dpkg-deb -f x.deb Version",
        ("dpkg-deb",),
        60,
    ),
)
