"""Guest side: carries out sequences of process calls and prints what each gave; children go by their numbers in the sequence.

usage: processes.py JSON      a list of sequences, each a list of steps. The parent waits for the effect of each signal, so that
two correct kernels print the same.
"""

import errno
import json
import os
import signal
import sys

FATAL = {signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGHUP}


def serve(read_end, write_end):
    """A child: does what it is told, answers in a line."""
    for line in os.fdopen(read_end):
        words = line.split()
        try:
            if words[0] == "exit":
                os._exit(int(words[1]))
            if words[0] == "ignore":
                signal.signal(int(words[1]), signal.SIG_IGN)
            elif words[0] == "setsid":
                os.setsid()
            elif words[0] == "own":
                os.setpgid(0, 0)
            answer = f"ok {os.getpgrp()} {os.getsid(0)} {os.getppid()}"
        except OSError as error:
            answer = errno.errorcode[error.errno]
        os.write(write_end, (answer + "\n").encode())
    os._exit(0)


class Child:
    def __init__(self):
        ours, theirs = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ours[1])
            os.close(theirs[0])
            serve(ours[0], theirs[1])
        os.close(ours[0])
        os.close(theirs[1])
        self.to, self.back = os.fdopen(ours[1], "w"), os.fdopen(theirs[0])
        self.state, self.ignored, self.held = "running", set(), set()
        self.ask("ids")

    def ask(self, text):
        if self.state != "running":
            return "not running"
        self.to.write(text + "\n")
        self.to.flush()
        return self.back.readline().strip()

    def settle(self, sig):
        """Wait for what a signal does; nothing is taken."""
        if self.state in ("dead", "gone") or sig == 0:
            return
        if sig == signal.SIGCONT:
            if self.state == "stopped":
                self.state = "running"
                os.waitid(os.P_PID, self.pid, os.WCONTINUED | os.WEXITED | os.WNOWAIT)
            for held in list(self.held):
                self.held.clear()
                self.settle(held)
        elif sig == signal.SIGSTOP:
            self.state = "stopped"
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)
        elif sig == signal.SIGKILL or (sig in FATAL and sig not in self.ignored):
            if self.state == "stopped" and sig != signal.SIGKILL:
                self.held.add(sig)
                return
            self.state = "dead"
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)


class Sequence:
    def __init__(self):
        self.children = []

    def name(self, number):
        """A pid as the number of a child."""
        if number == os.getpid():
            return "me"
        return next((f"#{index}" for index, child in enumerate(self.children) if child.pid == number), "other" if number else 0)

    def named(self, answer):
        words = answer.split()
        return " ".join([words[0], *(str(self.name(int(word))) for word in words[1:])]) if words[:1] == ["ok"] else answer

    def step(self, what, index=0, value=0):
        if what == "fork":
            if len(self.children) < 5:
                self.children.append(Child())
            return len(self.children)
        if not self.children:
            return "nobody"
        child = self.children[index % len(self.children)]
        if what in ("setsid", "own", "ids"):
            return self.named(child.ask(what))
        if what == "exit":
            if child.state == "running":
                child.to.write(f"exit {value}\n")
                child.to.flush()
                child.state = "dead"
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            return child.state
        if what == "ignore":
            child.ignored |= {value} if child.state == "running" and value != signal.SIGKILL else set()
            return self.named(child.ask(f"ignore {value}")) if value != signal.SIGKILL else "no"
        if what == "kill":
            os.kill(child.pid, value)
            child.settle(value)
            return "sent"
        if what == "killpg":
            group = os.getpgid(child.pid)
            if group == os.getpgrp():
                return "mine"
            members = [one for one in self.children if one.state != "gone" and os.getpgid(one.pid) == group]
            os.killpg(group, value)
            for one in members:
                one.settle(value)
            return len(members)
        if what == "join":
            os.setpgid(child.pid, self.children[value % len(self.children)].pid)
            return "joined"
        if what == "leave":
            os.setpgid(child.pid, 0)
            return "left"
        if what == "group":
            return self.name(os.getpgid(child.pid)), self.name(os.getsid(child.pid))
        pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if pid and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
            child.state = "gone"
        return self.name(pid), status

    def close(self):
        for child in self.children:
            if child.state != "gone":
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
            child.to.close()
            child.back.close()


def main():
    for number, steps in enumerate(json.loads(sys.argv[1])):
        sequence = Sequence()
        for step in steps:
            try:
                print(number, step, sequence.step(*step), flush=True)
            except OSError as error:
                print(number, step, errno.errorcode[error.errno], flush=True)
        sequence.close()
        try:
            print(number, "left", os.waitpid(-1, os.WNOHANG))
        except ChildProcessError:
            print(number, "none left")


pid = os.fork()  # a session of its own, whatever started us
if pid == 0:
    os.setsid()
    main()
    sys.stdout.flush()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
