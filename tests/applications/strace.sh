answer opened 1 "$(strace -f -e trace=openat -o log sh -c 'cat /etc/hostname > /dev/null' && grep -c '/etc/hostname' log)"
strace -c -o counts sh -c 'for i in 1 2 3; do /bin/true; done' && grep -qE 'execve|clone|vfork' counts && echo counted
strace -f -o log sh -c 'kill -USR1 $$' 2>/dev/null || echo status $?; grep -c 'SIGUSR1' log | sed 's/[1-9]/some/'
