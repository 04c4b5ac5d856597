# What scripts do all day: pipes, substitution, redirection, background work, traps, here documents.
set -u
printf 'a\nb\nc\n' | while read -r line; do echo "[$line]"; done
x=$(printf '%s ' one two | tr a-z A-Z); echo "$x"
{ echo out; echo err >&2; } 2>&1 | sort
cat <<END | sed 's/^/> /'
here $x
END
(exit 3); echo $?
false || echo or; true && echo and
i=0; while [ $i -lt 3 ]; do i=$((i + 1)); (sleep 0; exit $i) & wait $!; echo "child $?"; done
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
echo data > f; echo more >> f; wc -l < f | tr -d ' '; exec 3< f; read -r first <&3; echo "$first"; exec 3<&-
set -C; (echo no > f) 2>/dev/null || echo noclobber; set +C
for name in *; do echo "$name"; done
[ -s f ] && [ ! -d f ] && echo tested
umask 077; : > private; ls -l private | cut -c1-10
(trap 'echo exiting' EXIT; exit 5); echo $?
yes | head -n 2; echo "${PWD##*/}" | grep -c . ; ulimit -n 100; ulimit -n
sh -c 'kill -TERM $$'; echo $?; sh -c 'exec /bin/echo replaced'; mkfifo p; (echo through > p) & cat p; wait
