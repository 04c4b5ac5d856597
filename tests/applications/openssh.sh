mkdir -m 700 keys; ssh-keygen -q -t ed25519 -N '' -f keys/host; ssh-keygen -q -t ed25519 -N '' -f keys/me; cp keys/me.pub keys/authorized
cat > sshd.conf <<END
Port 2222
ListenAddress 127.0.0.1
HostKey $PWD/keys/host
AuthorizedKeysFile $PWD/keys/authorized
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
END
mkdir -p /run/sshd 2>/dev/null || true
/usr/sbin/sshd -D -e -f "$PWD/sshd.conf" > log 2>&1 & server=$!
options="-F none -i keys/me -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -o LogLevel=ERROR"
me=$(id -un)
await ssh $options -p 2222 "$me@127.0.0.1" true
answer remote 42 "$(ssh $options -p 2222 "$me@127.0.0.1" 'echo $((6 * 7))')"
ssh $options -p 2222 "$me@127.0.0.1" 'exit 7' || echo status $?
answer tty 'not a tty' "$(ssh $options -p 2222 "$me@127.0.0.1" tty || true)"
ssh $options -tt -p 2222 "$me@127.0.0.1" 'tty | cut -c1-9; stty size >/dev/null && echo terminal' 2>/dev/null < /dev/null | tr -d '\r'
seq 700000 > big
answer through "$(md5sum < big)" "$(ssh $options -p 2222 "$me@127.0.0.1" cat < big | md5sum)"
scp -q $options -P 2222 big "$me@127.0.0.1:$PWD/copied" && cmp big copied && echo copied
ssh $options -p 2222 -N -L 127.0.0.1:8001:127.0.0.1:8000 "$me@127.0.0.1" & tunnel=$!
/usr/bin/python3 -m http.server -d . -b 127.0.0.1 8000 > /dev/null 2>&1 & web=$!
await curl -sf -o /dev/null http://127.0.0.1:8001/known
answer tunnel "$(md5sum < big)" "$(curl -s http://127.0.0.1:8001/big | md5sum)"
kill $tunnel $web $server; wait || true
