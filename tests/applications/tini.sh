t() { tini -s -- "$@"; }
answer status 3 "$(t sh -c 'exit 3' || echo $?)"
answer signalled 143 "$(t sh -c 'kill -TERM $$' || echo $?)"
tini -s -g -- sh -c 'trap "echo got TERM; exit 5" TERM; echo ready > ready; while :; do sleep 0.1; done' > out & pid=$!
is_ready() { [ -s ready ]; }; await is_ready
kill -TERM $pid; wait $pid || echo tini $?; cat out
# an orphan is adopted and reaped by the nearest subreaper
tini -s -- sh -c '(sh -c "echo \$\$ > orphan; exec sleep 0.2" &) ; sleep 0.1; while [ ! -s orphan ]; do sleep 0.05; done; while kill -0 "$(cat orphan)" 2>/dev/null; do sleep 0.05; done; echo reaped'
