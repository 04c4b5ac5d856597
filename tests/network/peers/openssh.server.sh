cat > sshd.conf <<END
Port 2222
HostKey $PWD/keys/host
AuthorizedKeysFile $PWD/keys/authorized
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
END
mkdir -p /run/sshd
[ -z "${IS_SANDBOX:-}" ] || echo "root:x:19000::::::" > /etc/shadow  # the image's root is locked
/usr/bin/python3 -m http.server -d "$PWD" -b 127.0.0.1 8000 > /dev/null 2>&1 &
exec /usr/sbin/sshd -D -e -f "$PWD/sshd.conf" > log 2>&1
