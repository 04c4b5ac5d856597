export HOME=$PWD TERM=xterm
printf 'one\ntwo\nthree\n' > f
vim -Nu NONE -n -es -c '%s/two/2/' -c 'normal Goadded' -c 'normal ggdd' -c 'wq' f; answer edited '2|three|added' "$(paste -sd'|' f)"
vim -Nu NONE -n -es -c 'call writefile([string(len(systemlist("seq 5"))), string(sort([3,1,2]))], "out")' -c 'qa!'; cat out
printf 'ihello\033yyp:wq\r' > keys
vim -Nu NONE -n -s keys typed > screen 2>/dev/null < /dev/null || true; answer typed 'hello|hello' "$(paste -sd'|' typed)"
cat > drive.py <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("vim", ["vim", "-Nu", "NONE", "-n", "screen.txt"])
def until(text):
    seen = b""
    while text not in seen:
        seen += os.read(fd, 4096)
until(b"screen.txt")
os.write(fd, b"ion a terminal\x1b")
os.write(fd, b":wq\r")
try:
    while os.read(fd, 4096): pass
except OSError:
    pass
print("status", os.waitpid(pid, 0)[1])
END
/usr/bin/python3 drive.py; cat screen.txt
seq 2000 > many; vim -Nu NONE -es -c 'g/7/d' -c 'w! less' -c 'q!' many; wc -l < less
