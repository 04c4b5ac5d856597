"""One config.json, run by us and by Debian's runc: a profile gives the same answers, and the engines' own changes nothing."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROFILES = Path("/usr/share/containers/seccomp.json")
CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
]  # fmt: skip
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives")


def rule(name, errno, *conditions):
    """A call that fails if all conditions hold: (argument, operator, value, second value)."""
    keys = ("index", "op", "value", "valueTwo")
    args = [dict(zip(keys, (one[0], f"SCMP_CMP_{one[1]}", *one[2:]), strict=False)) for one in conditions]
    return {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": errno, "args": args}


#: several operators, several rules of one call, what kills, and a name that nobody knows
PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [
        {"names": ["mkdir", "mkdirat", "nonsense"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {"names": ["unshare"], "action": "SCMP_ACT_KILL_PROCESS"},
        {"names": ["sethostname"], "action": "SCMP_ACT_KILL"},
        {"names": ["setdomainname"], "action": "SCMP_ACT_TRAP"},
        {"names": ["chroot"], "action": "SCMP_ACT_TRACE", "errnoRet": 9},
        rule("getpgid", 81, (0, "EQ", 7)),
        rule("getpgid", 82, (0, "GT", 90)),
        rule("getsid", 83, (0, "NE", 5)),
        rule("umask", 84, (0, "MASKED_EQ", 0o70, 0o20)),
        rule("getpriority", 85, (0, "LT", 2), (1, "GE", 1 << 33)),
        rule("sync", 0),
    ],
}
#: prints what each call answers; those that may kill are made by a child
CALLS = r"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, nr, *words):
    shown = [word for word in words if word < 2**41]
    child = os.fork()
    if child == 0:
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(nr), *(ctypes.c_ulong(word) for word in words))
        print(name, shown, result if result < 0 else 'done', ctypes.get_errno(), flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        print(name, shown, 'signal', os.WTERMSIG(status), flush=True)
os.chdir('/tmp')
path = ctypes.create_string_buffer(b'/tmp/made')
call('mkdir', 83, ctypes.addressof(path), 0o755)
call('mkdirat', 258, 2**64 - 100, ctypes.addressof(path), 0o755)
call('unshare', 272, 0)
call('sethostname', 170, ctypes.addressof(path), 4)
call('setdomainname', 171, ctypes.addressof(path), 4)
for pid in (0, 7, 90, 91, 2**32 + 7, 2**40):
    call('getpgid', 121, pid)
for pid in (5, 6, 2**32 + 5):
    call('getsid', 124, pid)
for mask in (0o22, 0o20, 0o27, 0o40):
    call('umask', 95, mask)
for which, who in ((0, 0), (0, 2**33), (1, 2**34), (2, 2**33)):
    call('getpriority', 140, which, who)
call('sync', 162)
call('chroot', 161, ctypes.addressof(path))
call('getpid', 39)
print(*(line for line in open('/proc/self/status') if line.startswith('Seccomp:')))
"""
#: ordinary work: threads, processes, pipes, sockets, signals, a data base, a compiler, archives, a version control
WORK = r"""
set -e
cd /tmp
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1 LC_ALL=C
python3 -I - <<'END'
import asyncio, concurrent.futures, mmap, os, select, signal, socket, sqlite3, subprocess, tempfile, threading
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: n * n, range(100))))
print(subprocess.run(['/bin/sh', '-c', 'echo child $((6 * 7))'], capture_output=True, text=True).stdout)
left, right = socket.socketpair()
left.sendall(b'x' * 9)
print(right.recv(9), select.select([], [left], [])[1] == [left])
with socket.create_server(('127.0.0.1', 0)) as server:
    client = socket.create_connection(server.getsockname())
    print(server.accept()[1][0] == client.getsockname()[0])
async def main():
    return await asyncio.gather(*(asyncio.sleep(0, n) for n in range(5)))
print(asyncio.run(main()))
base = sqlite3.connect('/tmp/base')
base.execute('create table t (a)')
base.execute('insert into t values (7)')
base.commit()
print(base.execute('select a from t').fetchall())
signal.signal(signal.SIGUSR1, lambda *_: print('usr1'))
os.kill(os.getpid(), signal.SIGUSR1)
area = mmap.mmap(-1, 8192)
area[:3] = b'abc'
print(bytes(area[:3]), os.sched_getaffinity(0) != set(), os.getrandom(4) != b'')
END
printf 'int main(void){return 7;}' >a.c
if command -v gcc >/dev/null; then gcc -o a a.c; ./a || echo gcc $?; fi
tar cf a.tar a.c && gzip a.tar && tar tzf a.tar.gz
find . -name a.c | xargs wc -c
chmod 600 a.c; chown 7:8 a.c; ls -ln a.c | cut -c1-20
ln -s a.c b; mkfifo p; (echo through >p &) ; cat p
timeout 60 sh -c 'kill -TERM $$' || echo status $?
"""


def is_folder(path):
    return Path(path).is_dir() and not Path(path).is_symlink()


def host_root(folder):
    """A root with places for the host's programs."""
    root = folder / "root"
    for path in (*SYSTEM, "/proc", "/dev", "/tmp"):
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).is_symlink():
            place.symlink_to(Path(path).readlink())
        else:
            place.mkdir()
    return root


def bundle(folder, root, args, profile):
    """A container with the host's programs, read-only, and a /tmp of its own."""
    safe = ["nosuid", "nodev"]
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["noexec", *safe]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777", *safe]},
        *(
            {"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]}
            for path in filter(is_folder, SYSTEM)
        ),
    ]
    sets = {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")}
    limits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    spec = {
        "ociVersion": "1.0.2",
        "process": {
            "args": args, "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/usr/bin:/bin"], "capabilities": sets,
            "rlimits": limits, "noNewPrivileges": True,
        },
        "root": {"path": str(root)},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "mount", "ipc", "uts")]},
    }  # fmt: skip
    if profile is not None:
        spec["linux"]["seccomp"] = profile
    (folder / "config.json").write_text(json.dumps(spec))


@pytest.fixture
def run(runtime, tmp_path):
    """A function of (runtime, args, profile) that gives what the container prints; status must be 0."""
    root = host_root(tmp_path)

    def run(command, args, profile):
        bundle(tmp_path, root, args, profile)
        words = [command, "--root", tmp_path / Path(command).name, "run", "--bundle", tmp_path, "c1"]
        with open(tmp_path / "out", "w+", encoding="utf-8") as out, open(tmp_path / "err", "w+", encoding="utf-8") as err:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=300, check=False)
            out.seek(0)
            err.seek(0)
            printed = out.read()
            assert done.returncode == 0, (printed, err.read())
        return printed.splitlines()

    return lambda args, profile, command=runtime: run(command, args, profile)


@pytest.fixture
def runc(run):
    """The path of runc, if it can run anything here."""
    found = shutil.which("runc")
    if found is None or os.geteuid() != 0:
        pytest.skip("needs Debian's package runc, and root")
    try:
        assert run(["/bin/echo", "fine"], None, found) == ["fine"]
    except AssertionError as error:
        pytest.skip(f"runc starts no container here: {error}")
    return found


def engines_own():
    """The profile of podman and docker for the capabilities above, as their engines resolve it."""
    if not PROFILES.is_file():
        pytest.skip("needs Debian's package golang-github-containers-common")
    told = json.loads(PROFILES.read_text())
    rules = []
    for rule in told["syscalls"]:
        wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
        arches = wanted.get("arches") or ["amd64"]
        is_wanted = "amd64" in arches and set(wanted.get("caps") or ()) <= set(CAPABILITIES)
        is_unwanted = "amd64" in (unwanted.get("arches") or ()) or set(unwanted.get("caps") or ()) & set(CAPABILITIES)
        if is_wanted and not is_unwanted:
            kept = {key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key) not in (None, [])}
            rules.append(kept)
    kept = {key: told[key] for key in ("defaultAction", "defaultErrnoRet") if key in told}
    return {**kept, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules}


def test_a_profile_answers_as_under_runc(run, runc):
    ours = run(["/usr/bin/python3", "-I", "-c", CALLS], PROFILE)
    assert ours == run(["/usr/bin/python3", "-I", "-c", CALLS], PROFILE, runc)
    kept = {line.partition(" ")[0]: line for line in ours}
    assert kept["mkdir"].endswith("-1 1")
    assert kept["unshare"].endswith("signal 31")


@pytest.mark.skipif(not os.environ.get("SANDBOXCTL_ENGINES"), reason="whole programs: make test-engines")
def test_the_engines_own_profile_changes_nothing_for_ordinary_programs(run, runc):
    profile = engines_own()
    ours = run(["/bin/sh", "-c", WORK], profile)
    assert "through" in ours
    assert ours == run(["/bin/sh", "-c", WORK], None)
    assert ours == run(["/bin/sh", "-c", WORK], profile, runc)
