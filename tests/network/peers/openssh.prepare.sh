mkdir -m 700 keys; ssh-keygen -q -t ed25519 -N '' -f keys/host; ssh-keygen -q -t ed25519 -N '' -f keys/me; cp keys/me.pub keys/authorized
seq 500000 > big
