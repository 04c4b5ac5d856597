listening 2222
options="-F none -i keys/me -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -o LogLevel=ERROR"
remote() { ssh $options -p 2222 "root@$H" "$@"; }
remote 'echo $((6 * 7))'
remote 'exit 7' || echo "status $?"
ssh $options -tt -p 2222 "root@$H" 'tty | cut -c1-9; stty size >/dev/null && echo terminal' 2>/dev/null < /dev/null | tr -d '\r'
remote cat < big > through; same through big through
scp -q $options -P 2222 big "root@$H:$PWD/copied"; same scp big copied
ssh $options -p 2222 -N -L 127.0.0.1:8001:127.0.0.1:8000 "root@$H" & tunnel=$!
for _ in $(seq 600); do curl -sf -o through2 http://127.0.0.1:8001/big && break; sleep 0.1; done; same tunnel big through2
kill $tunnel
