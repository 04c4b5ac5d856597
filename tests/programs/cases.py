"""Real programs of Debian, unmodified: what each is asked to do. Output must not name pids, times or folders."""

from tests.programs.case import Case


def _python(name: str, body: str, timeout_s: float = 15) -> Case:
    return Case(f"python3-{name}", f"/usr/bin/python3 - <<'END'\n{body}\nEND", ("/usr/bin/python3",), timeout_s)


_C_PROGRAM = """
#include <stdio.h>
#include <math.h>
#include <unistd.h>
#include <sys/wait.h>
int main(int argc, char **argv) {
    if (fork() == 0) { printf("child %d\\n", argc); return 0; }
    wait(NULL);
    printf("sqrt %.6f\\n", sqrt(argc + 1.0));
    return 5;
}
"""

_CPP_PROGRAM = """
#include <atomic>
#include <future>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>
static std::atomic<long> total{0};
static int deep(int n) { if (n == 0) throw std::runtime_error("bottom"); return deep(n - 1) + 1; }
int main() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back([i] {
        for (int k = 0; k < 1000; k++) total += i;
        try { deep(20); } catch (const std::exception &e) { total += e.what()[0]; }
    });
    for (auto &t : threads) t.join();
    auto answer = std::async(std::launch::async, [] { throw std::out_of_range("in a task"); return 1; });
    try { answer.get(); } catch (const std::out_of_range &e) { std::cout << e.what() << std::endl; }
    std::cout << total << std::endl;
}
"""

_GO_PROGRAM = """
package main

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

func main() {
	var group sync.WaitGroup
	results := make(chan int, 1000)
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			time.Sleep(time.Millisecond)
			results <- n
		}(i)
	}
	group.Wait()
	close(results)
	sum := 0
	for n := range results {
		sum += n
	}
	fmt.Println("sum", sum)
	out, err := exec.Command("/bin/echo", "from a child").Output()
	fmt.Print(string(out), err, "\\n")
	os.WriteFile("out", []byte("written"), 0600)
	data, _ := os.ReadFile("out")
	fmt.Println(string(data))
	defer fmt.Println("recovered", true)
	func() {
		defer func() { fmt.Println(recover() != nil) }()
		var p *int
		*p = 1
	}()
}
"""

_MAKEFILE = "all: a.o b.o\\n\\t@cat a.o b.o\\n%.o: %.c\\n\\t@echo built $< > $@\\nclean:\\n\\t@rm -f *.o\\n"

CASES = (
    Case("busybox", "for a in ls cat sort wc head; do busybox $a --help 2>&1 | head -1 | cut -c1-8; done; busybox seq 5 | busybox awk '{s+=$1} END {print s}';"
         " busybox sh -c 'echo $((6*7)); (exit 3); echo $?'; echo text | busybox md5sum", ("busybox",)),
    Case("bash", "shopt -s extglob; a=(x y z); echo ${a[@]^^} ${#a[@]}; declare -A m=([k]=v); echo ${m[k]}; echo {1..5} $((2**10)); f() { local x=$1; return $x; }; f 7; echo $?;"
         " cat <<<'here string'; diff <(seq 3) <(seq 4); printf '%05d\\n' 42; trap 'echo trapped' USR1; kill -USR1 $$; wait; (sleep 0; exit 4) & wait $!; echo $?; time_=$SECONDS;"
         " while read -r l; do echo \"[$l]\"; done < <(printf 'a\\nb\\n'); coproc cat; echo hello >&${COPROC[1]}; read -r -u ${COPROC[0]} r; echo $r"),
    Case("bash-jobs", "set -m; sleep 100 & kill %1; wait %1; echo $?; sh -c 'kill -STOP $$; exit 3' & wait; jobs | sed 's/[0-9][0-9]*//g' | cut -c1-20; kill -CONT %%; wait; echo end"),
    Case("bash-loops", "for i in {1..100}; do (:); done; for i in {1..40}; do /bin/true; done; echo done; echo $(for i in 1 2 3; do echo $i | cat | cat; done)"),
    Case("dash", "dash -c 'i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo $i; done; set -- a b; echo $# $*; trap \"echo bye\" EXIT; x=$(echo sub | tr a-z A-Z); echo $x; umask; exit 9'; echo $?"),
    Case("coreutils", "mkdir -p d/e; touch d/f; ln -s f d/l; ls -A d | sort; stat -c '%a %s %F %N' d/f d/l; cp -a d d2; mv d2 d3; ls d3; seq 100 | shuf --random-source=/bin/ls | sort -n | tail -1;"
         " echo hello | tee x | wc -c; sha256sum x; cut -d: -f1 /etc/passwd | head -3; paste <(seq 3) <(seq 4 6); comm <(seq 5) <(seq 3 8); split -n 3 x p; cat p*; dd if=/dev/zero bs=1k count=100 2>/dev/null | wc -c;"
         " df . >/dev/null && echo df; du -s --apparent-size x | cut -f1; date -u -d @86400 +%F; timeout 0.1 sleep 10; echo $?; nice -n 5 nice; env -i A=1 env; install -m 640 x y; stat -c %a y; truncate -s 10 y; tac x; od -c x;"
         " rm -r d d3; test -e d || echo gone; readlink -f /proc/self/exe >/dev/null; basename a/b; id -u >/dev/null; mktemp >/dev/null; yes | head -2; sync; tty; nproc >/dev/null; chmod u+s x; stat -c %A x"),
    Case("find", "mkdir -p a/b/c; touch a/1 a/b/2.txt a/b/c/3.txt; ln -s ../1 a/b/l; find a | sort; find a -name '*.txt' -exec basename {} \\; | sort; find a -type d -empty; find a -type l; find /usr/include/linux -name 'f*.h' | wc -l;"
         " find a -name '*.txt' -print0 | xargs -0 -n1 echo | sort; find a -newer a/1 | wc -l | sed 's/.*/n/'; find a -depth -delete; ls"),
    Case("grep", "grep -rc define /usr/include/linux | sort | head -20; grep -rl EPOLL /usr/include | sort; echo abc123 | grep -oE '[0-9]+'; grep -q none /etc/passwd; echo $?; printf 'a\\nb\\nc\\n' | grep -n -A1 b; grep -P '^ro+t' /etc/passwd"),
    Case("sed", "seq 10 | sed -n '2~3p;5,7s/./&&/p'; printf 'one two\\n' > f; sed -i 's/\\(one\\) \\(two\\)/\\2 \\1/' f; cat f; sed '1!G;h;$!d' <(seq 4); sed -s -n '$=' f <(seq 5)"),
    Case("awk", "awk -F: '{n[$NF]++} END {for (k in n) print n[k] > 0}' /etc/passwd | sort -u; seq 100 | awk '{s+=$1} END {printf \"%d %.2f\\n\", s, s/NR}'; awk 'BEGIN {while ((\"echo sub\" | getline l) > 0) print l; system(\"exit 3\")}'; echo 'a b' | awk '{print toupper($2), length($0)}'"),
    Case("tar-gzip", "mkdir t; for i in $(seq 50); do seq $i > t/f$i; done; ln t/f1 t/hard; ln -s f2 t/soft; chmod 600 t/f3; tar cf t.tar t; gzip -k t.tar; tar tzf t.tar.gz | sort | head -60; mkdir u; tar xzf t.tar.gz -C u; diff -r t u/t && echo same;"
         " stat -c '%a %h' u/t/f3 u/t/f1; readlink u/t/soft; gzip -l t.tar.gz | wc -l; gunzip -c t.tar.gz | cmp - t.tar && echo equal; seq 100000 | gzip -9 | gunzip | md5sum"),
    Case("make", f"printf '{_MAKEFILE}' > Makefile; echo x > a.c; echo y > b.c; make -s; make -s -j4; touch -d '+1 minute' a.c; make -s; make -s clean; ls; make none 2>/dev/null; echo $?", ("make",)),
    Case("perl", "perl -e 'my %h=(a=>1,b=>2); print map {\"$_=$h{$_}\\n\"} sort keys %h; my $p=fork; if(!$p){print \"child\\n\"; exit 3} waitpid $p,0; print $?>>8,\"\\n\"; open F,\">f\"; print F \"x\"x1000; close F; print -s \"f\",\"\\n\"; print `echo back`; $SIG{ALRM}=sub{die \"alarm\\n\"}; eval{alarm 1; sleep 10}; print $@; local $/; my $t=join \",\",sort {$a<=>$b} map {$_*7%11} 1..10; print \"$t\\n\"'", ("perl",)),
    _python("basic", "import json, sys, os, hashlib, tempfile, pathlib, glob\nprint(sys.version_info[:2], json.dumps({'a': [1, 2.5, None]}))\nprint(hashlib.sha256(b'x' * 10**6).hexdigest())\n"
            "with tempfile.TemporaryDirectory() as d:\n p = pathlib.Path(d, 'f')\n p.write_text('t' * 5000)\n print(p.stat().st_size, len(glob.glob(d + '/*')))\nprint(sorted(os.listdir('.')), os.path.exists('/etc/passwd'))"),
    _python("threading", "import threading, queue\nq = queue.Queue()\nout = []\ndef work():\n while (n := q.get()) is not None: out.append(n * n)\nts = [threading.Thread(target=work) for _ in range(10)]\n[t.start() for t in ts]\n"
            "[q.put(i) for i in range(500)]\n[q.put(None) for _ in ts]\n[t.join() for t in ts]\nprint(sum(out))\ne = threading.Event()\nthreading.Timer(0.01, e.set).start()\nprint(e.wait(5), e.wait(0))\n"
            "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as p: print(sum(p.map(lambda x: x * 2, range(100))))"),
    _python("subprocess", "import subprocess as s, sys\nprint(s.run(['echo', 'hi'], capture_output=True, text=True))\np = s.Popen(['cat'], stdin=s.PIPE, stdout=s.PIPE)\nprint(len(p.communicate(b'x' * 1000000)[0]), p.returncode)\n"
            "print(s.run('exit 7', shell=True).returncode, s.run(['sh', '-c', 'kill -9 $$']).returncode)\ntry: s.run(['sleep', '10'], timeout=0.1)\nexcept s.TimeoutExpired as e: print('timeout')\n"
            "try: s.run(['/no/such'])\nexcept FileNotFoundError as e: print(e)\nps = [s.Popen(['sh', '-c', f'exit {i}']) for i in range(10)]\nprint([p.wait() for p in ps])\n"
            "a = s.Popen(['seq', '1000'], stdout=s.PIPE)\nb = s.Popen(['wc', '-l'], stdin=a.stdout, stdout=s.PIPE)\na.stdout.close()\nprint(b.communicate()[0])"),
    _python("multiprocessing", "import multiprocessing as m\ndef f(x): return x * x\ndef g(q, l, v):\n with l: v.value += 1\n q.put(v.value > 0)\nif __name__ == '__main__':\n c = m.get_context('fork')\n with c.Pool(3) as p: print(p.map(f, range(20)))\n"
            " q, l, v = c.Queue(), c.Lock(), c.Value('i', 0)\n ps = [c.Process(target=g, args=(q, l, v)) for _ in range(4)]\n [p.start() for p in ps]\n print([q.get() for _ in ps])\n [p.join() for p in ps]\n print(v.value, [p.exitcode for p in ps])\n"
            " a, b = c.Pipe()\n p = c.Process(target=lambda: b.send({'k': [1, 2]}))\n p.start()\n print(a.recv())\n p.join()"),
    _python("asyncio", "import asyncio, socket, os\nasync def main():\n async def tick(n):\n  await asyncio.sleep(0.01 * n)\n  return n\n print(await asyncio.gather(*(tick(i) for i in range(5))))\n"
            " p = await asyncio.create_subprocess_exec('cat', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)\n print((await p.communicate(b'data'))[0], p.returncode)\n"
            " async def echo(r, w):\n  w.write((await r.readline()).upper())\n  await w.drain()\n  w.close()\n s = await asyncio.start_unix_server(echo, 'sock')\n r, w = await asyncio.open_unix_connection('sock')\n w.write(b'hello\\n')\n"
            " print(await r.read())\n w.close()\n s.close()\n loop = asyncio.get_running_loop()\n print(await loop.run_in_executor(None, lambda: 42))\n try: await asyncio.wait_for(asyncio.Event().wait(), 0.02)\n except asyncio.TimeoutError: print('timeout')\nasyncio.run(main())"),
    _python("sqlite3", "import sqlite3, os, threading\nc = sqlite3.connect('t.db')\nc.execute('pragma journal_mode=wal')\nc.execute('create table t(a integer primary key, b text)')\nfor i in range(50):\n c.execute('insert into t(b) values(?)', (str(i),)); c.commit()\n"
            "print(c.execute('select count(*), sum(length(b)) from t').fetchone())\ndef other():\n d = sqlite3.connect('t.db', timeout=10)\n d.execute('update t set b = b || 1'); d.commit(); d.close()\nt = threading.Thread(target=other); t.start(); t.join()\n"
            "print(c.execute('select b from t where a = 5').fetchone())\nif os.fork() == 0:\n d = sqlite3.connect('t.db'); print(d.execute('select max(a) from t').fetchone(), flush=True); os._exit(0)\nos.wait()\nc.execute('vacuum')\nprint(c.execute('pragma integrity_check').fetchone())"),
    _python("mmap", "import mmap, os\nwith open('f', 'wb+') as f:\n f.truncate(100000)\n with mmap.mmap(f.fileno(), 0) as m:\n  m[50000:50005] = b'hello'\n  print(m.find(b'hello'), m.size())\n  if os.fork() == 0:\n   m[0] = 65\n   os._exit(0)\n  os.wait()\n  print(m[0])\n  m.resize(200000)\n  m[199999] = 1\n print(os.stat('f').st_size, f.read(1))"),
    _python("signals", "import signal, os, time\nseen = []\nsignal.signal(signal.SIGUSR1, lambda *a: seen.append(a[0]))\nos.kill(os.getpid(), signal.SIGUSR1)\nprint(seen)\nsignal.setitimer(signal.ITIMER_REAL, 0.02)\nsignal.signal(signal.SIGALRM, lambda *a: seen.append('alarm'))\nsignal.pause()\nprint(seen)\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\nos.kill(os.getpid(), signal.SIGUSR2)\nprint(signal.sigwait([signal.SIGUSR2]))\nr, w = os.pipe()\nif os.fork() == 0:\n signal.alarm(0); os.close(r); os.write(w, b'x'); os._exit(0)\nprint(os.read(r, 5), os.waitstatus_to_exitcode(os.wait()[1]))"),
    _python("pty", "import pty, os\npid, fd = pty.fork()\nif pid == 0:\n os.execlp('sh', 'sh', '-c', 'tty | sed s/[0-9]*$//; read x; echo got $x; stty size; exit 5')\nos.write(fd, b'typed\\n')\nout = b''\nwhile True:\n try: d = os.read(fd, 1000)\n except OSError: break\n if not d: break\n out += d\nprint(out, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"),
    Case("git", "export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_GLOBAL=/dev/null; git init -q -b main r; cd r; for i in $(seq 30); do echo $i > f$i; done; git add .;"
         " git -c user.name=a -c user.email=a@b commit -qm first; echo change >> f1; git status --short; git diff --stat; git -c user.name=a -c user.email=a@b commit -qam second; git log --oneline; git branch side; git checkout -q side; git mv f2 g2;"
         " git -c user.name=a -c user.email=a@b commit -qm moved; git checkout -q main; git -c user.name=a -c user.email=a@b merge -q side; git log --format=%s; cd ..; git clone -q r c; cd c; git rev-parse HEAD; git gc -q; git fsck 2>/dev/null; ls | wc -l", ("git",)),
    Case("gcc", f"cat > p.c <<'END'\n{_C_PROGRAM}END\ngcc -O2 -Wall p.c -o p -lm && ./p a b; echo $?; gcc -static p.c -o s -lm && ./s; echo $?; echo 'int x = ;' > bad.c; gcc -c bad.c 2>&1 | tail -1; gcc -S p.c -o - | grep -c call; file=$(gcc -print-file-name=libc.so); test -e $file && echo libc", ("gcc",)),
    Case("node", "node -e \"const fs=require('fs'),cp=require('child_process');fs.writeFileSync('f','x'.repeat(1000));console.log(fs.statSync('f').size,cp.execSync('echo child').toString());"
         "const {Worker}=require('worker_threads');setTimeout(()=>{console.log('timer');const w=new Worker('require(\\\"worker_threads\\\").parentPort.postMessage(6*7)',{eval:true});w.on('message',m=>{console.log('worker',m)});w.on('exit',c=>console.log('exit',c))},10);"
         "Promise.resolve(1).then(v=>console.log('promise',v));require('zlib').gzip('data',(e,b)=>console.log('zlib',!e));console.log(require('crypto').createHash('sha1').update('a').digest('hex'))\" | sort", ("node",)),
    Case("own-filters", "file -b /bin/ls | cut -d, -f1; file -b /etc/passwd; man -P cat ls 2>/dev/null | head -4 | wc -l", ("file", "man")),
    Case("sqlite3", "sqlite3 t.db 'create table t(a,b); insert into t values(1,2),(3,4); select sum(a*b) from t; pragma integrity_check;'; printf '.mode csv\\nselect * from t;\\n' | sqlite3 t.db; sqlite3 t.db .dump | sqlite3 u.db; cmp <(sqlite3 t.db .dump) <(sqlite3 u.db .dump) && echo same", ("sqlite3",)),
    Case("go", f"cat > p.go <<'END'\n{_GO_PROGRAM}END\nexport GOCACHE=$PWD/cache GOPATH=$PWD/go GO111MODULE=off CGO_ENABLED=0; go build -o p p.go && ./p", ("go",), 240),
    Case("c++", f"cat > p.cc <<'END'\n{_CPP_PROGRAM}END\ng++ -O1 -pthread p.cc -o p && ./p", ("g++",), 120),
)
