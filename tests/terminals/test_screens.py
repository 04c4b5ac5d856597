"""What a person sees of an interactive shell in a sandbox is what the same keys show natively (`sandboxctl run -it`)."""

import shutil
from collections.abc import Iterator

import pytest

from tests.terminals.pair import SANDBOXCTL, SHELL, Pair, numberless
from tests.terminals.screen import Screen, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CTRL_C, CTRL_D, CTRL_Q, CTRL_S, CTRL_U, CTRL_V, CTRL_Z, CTRL_BACKSLASH = map(chr, (3, 4, 17, 19, 21, 22, 26, 28))


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as both:
        both.until_last_line("$")
        yield both


def needs(*names: str) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


#: waits for a background job to be stopped, and lets bash hear of it
UNTIL_STOPPED = "until grep -q 'T (stopped)' /proc/$!/status; do :; done; /bin/true"
PID = "N"  # see numberless
#: cat that says when it is in the foreground and reads
READER = "echo 'echo go; exec cat' > c; clear; echo ready\r"


def test_job_control_of_a_shell(pair: Pair) -> None:
    pair.type(READER)
    pair.until("ready\n$")
    pair.type("sh c\r")
    pair.until("$ sh c\ngo")
    pair.type("typed\r")
    pair.until("typed\ntyped")
    pair.type(CTRL_Z)
    pair.until_last_line("$")
    pair.type("jobs\r")
    pair.until("$ jobs\n[1]+  Stopped                 sh c\n$")
    pair.type("fg\r")
    pair.until("$ fg\nsh c")
    pair.type("again\r")
    pair.until("again\nagain")
    pair.type(CTRL_C)
    pair.until("^C\n$")
    pair.type("echo $?\r")
    pair.until("130\n$")
    pair.type(f"clear; cat & {UNTIL_STOPPED}\r")
    pair.until_only(f"[1] {PID}\n[1]+  Stopped                 cat\n$", numberless)
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("kill -KILL %1; while kill -0 $! 2>/dev/null; do :; done; clear; echo go''ne\r")
    pair.until("gone\n", lambda screen: screen.rows[0])
    pair.until_last_line("$", lambda screen: screen.rows[0])
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("ulimit -c 0; sh c\r")
    pair.until("go")
    pair.type(CTRL_BACKSLASH)
    pair.until("Quit\n$")
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("sh c\r")
    pair.until("$ sh c\ngo")
    pair.type("last words" + CTRL_D + CTRL_D)
    pair.until("last wordslast words$")
    pair.type("\r" + "exit 7\r")
    assert pair.end() == (7, 7)


def test_a_background_job_that_writes_is_stopped_if_so_told(pair: Pair) -> None:
    pair.type(f"stty tostop; clear; (echo hidden) & {UNTIL_STOPPED}\r")
    pair.until_only(f"[1] {PID}\n[1]+  Stopped                 ( echo hidden )\n$", numberless)
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("fg\r")
    pair.until("\nhidden\n$")
    pair.type("stty -tostop; (echo seen) & wait; clear; echo over\r")
    pair.until("over\n$")


def test_editing_a_line_and_history(pair: Pair) -> None:
    pair.type("echo one two\r")
    pair.until("\none two\n$")
    pair.type("\x1b[A\x1b[D\x1b[D\x1b[DX\r")  # up, left three times
    pair.until("one Xtwo")
    pair.type("\x12one")  # reverse search
    pair.until("(reverse-i-search)")
    pair.type("\r")
    pair.until("one Xtwo\n$")
    pair.type("echo \u00e4\u00f6\u20ac\x7f\r")
    pair.until("\n\u00e4\u00f6\n$")


def test_editing_without_readline(pair: Pair) -> None:
    """The line discipline's own editing: erase, kill, word erase, reprint, quoting, flow control, echo of control characters."""
    pair.type("echo 'echo go >&2; exec cat' > c; clear; echo ready\r")
    pair.until("ready\n$")
    pair.type("sh c > edited\r")
    pair.until("go")
    pair.type("abd\x7fc\r" + "gone" + CTRL_U + "kept words\x17last\r" + CTRL_V + CTRL_C + "\r" + "\u00e4\u00f6\x7f\r" + CTRL_D)
    pair.until_last_line("$")
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("stty iutf8; sh c >> edited\r")
    pair.until("edited\ngo")
    pair.type("\u00e4\u00f6\x7f\r" + CTRL_D)
    pair.until_last_line("$")
    pair.type("cat -A edited\r")
    pair.until("\nabc$\nkept last$\n^C$\nM-CM-$M-C$\nM-CM-$$\n$")
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("sh c\r")
    pair.until("\ngo")
    pair.type(CTRL_S + "held\r" + CTRL_Q)
    pair.until("held\nheld")
    pair.type(CTRL_C)
    pair.until("^C\n$")
    pair.type("stty -a | tail -n +2\r")
    pair.until("extproc")


def test_resizing(pair: Pair) -> None:
    pair.type("stty size; tput cols\r")
    pair.until("24 80\n80")
    pair.resize(30, 100)
    pair.type("stty size\r")
    pair.until("30 100")
    pair.until("30 100\n$")
    pair.type("sh -c 'trap \"stty size; exit\" WINCH; sleep 1000 & echo ready; wait'\r")
    pair.until("\nready\n")
    pair.resize(25, 90)
    pair.until("\n25 90\n$")


def test_less(pair: Pair) -> None:
    needs("less")
    pair.type("seq 500 > numbers; less numbers\r")
    pair.until("\n23\nnumbers")
    pair.type(" ")
    pair.until("\n46\n:")
    pair.type("G")
    pair.until("\n500\n(END)")
    pair.type("g/^4.7$\r")
    pair.until("407\n408")
    pair.type(CTRL_Z)
    pair.until("Stopped")
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("fg\r")
    pair.until("407\n408")
    pair.resize(12, 40)
    pair.until("417\n:", lambda screen: screen.rows[-1] == ":")
    pair.type("q")
    pair.until_last_line("$")


def test_vim(pair: Pair) -> None:
    needs("vim")
    pair.type("vim -u NONE -N -i NONE text\r")
    pair.until("text")
    pair.until("~\n~", lambda screen: screen.rows[5:20])
    pair.type("ihello\rworld\x1b")
    pair.until("hello\nworld")
    pair.type("ggO\tabove\x1b:set number\r")
    pair.until("  1         above\n  2 hello")
    pair.type(":split | vertical new\r")
    pair.until("[No Name]")
    pair.resize(30, 100)
    pair.until("[No Name]", lambda screen: (screen.rows, screen.cursor))
    pair.type(CTRL_Z)
    pair.until("Stopped")
    pair.type("clear\r")
    pair.until_only("$")
    pair.type("fg\r")
    pair.until("[No Name]")
    pair.type(":q\r:wq\r:wq\r")
    pair.until_last_line("$")
    pair.type("clear; cat -A text\r")
    pair.until("^Iabove$\nhello$\nworld$\n$")


def test_vim_runs_a_command(pair: Pair) -> None:
    needs("vim")
    pair.type("vim -u NONE -N -i NONE\r")
    pair.until("VIM - Vi IMproved")
    pair.type(":!echo from $((40 + 2)); tty < /dev/tty\r")
    pair.until("Press ENTER", lambda screen: [row for row in screen.rows if "/dev/" not in row])
    pair.type("\r:r !seq 3\r")
    pair.until("\n1\n2\n3\n")
    pair.type(":q!\r")
    pair.until("$", lambda screen: True)


def _labels(screen: Screen) -> object:
    """Top's labels and the commands that it shows: its numbers differ from one machine to the next."""
    words = [[word.strip("0123456789.,") for word in row.split() if word[0].isalpha()] for row in screen.rows[2:6]]
    rows = [row.split() for row in screen.rows[7:] if row]
    return words, screen.rows[6].split(), sorted(row[-1] for row in rows if row)


def test_top(pair: Pair) -> None:
    needs("top")
    pair.type("top\r")
    pair.until("COMMAND", _labels)
    pair.until("top\n", _labels)
    pair.type("V")
    pair.until("`- top", _labels)
    pair.type("q")
    pair.until_last_line("$", lambda screen: True)


def test_tmux(pair: Pair) -> None:
    needs("tmux")
    pair.type("export TMUX_TMPDIR=$PWD; printf 'set -g status off\\nset -g default-terminal screen\\n' > c\r")
    pair.until("> c\n$")
    pair.type("tmux -f c new-session bash --norc --noprofile\r")
    pair.until_only("$")
    pair.type("echo first; stty size\r")
    pair.until("first\n24 80\n$")
    pair.type("\x02%")
    pair.until("\u2502", None)
    pair.type("PS1='right: '; clear\r")
    pair.until("\u2502right:", lambda screen: screen.rows)
    pair.type("stty size\r")
    pair.until("24 39", lambda screen: screen.rows)
    pair.type("\x02o")
    pair.type("echo left\r")
    pair.until("left", lambda screen: screen.rows)
    pair.type("\x02d")
    pair.until("[detached (from session 0)]")
    pair.type("tmux attach\r")
    pair.until("left", lambda screen: screen.rows)
    pair.resize(20, 60)
    pair.until("left" + " " * 26 + "\u2502", lambda screen: screen.rows)
    pair.type("clear; until stty size | grep '^20 '; do :; done\r")  # tmux tells its panes a little later
    pair.until("20 30  ", lambda screen: screen.rows)
    pair.type("\x02:")
    pair.until_last_line(":", lambda screen: screen.rows)
    pair.type("kill-server\r")
    pair.until("[server exited]", lambda screen: True)


def test_the_callers_terminal_is_as_before() -> None:
    """A shell, a sandbox in it that changes every mode and dies, then the shell again."""
    with Screen(SHELL) as screen:
        wait_for([screen], lambda one: one.text.strip() == "$")
        screen.type(f"stty -a > /dev/null; A=$(stty -g); {SANDBOXCTL} run -it host -- sh -c 'stty raw -echo; exit 9'\r")
        wait_for([screen], lambda one: one.text.rstrip().endswith("\n$"))
        screen.type("echo $?; test \"$A\" = \"$(stty -g)\" && echo same\r")
        wait_for([screen], lambda one: "\n9\nsame\n" in one.text)
