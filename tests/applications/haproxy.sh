for n in 1 2; do mkdir s$n; echo "server $n" > s$n/name; head -c 200000 /dev/zero > s$n/big; /usr/bin/python3 -m http.server -d s$n -b 127.0.0.1 800$n > /dev/null 2>&1 & pids="${pids:-} $!"; done
for n in 1 2; do await curl -sf http://127.0.0.1:800$n/name; done
cat > h.cfg <<END
global
  nbthread 2
  stats socket $PWD/sock mode 600 level admin
defaults
  mode http
  timeout connect 30s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:8080
  default_backend b
backend b
  balance roundrobin
  server s1 127.0.0.1:8001
  server s2 127.0.0.1:8002
END
haproxy -c -q -f h.cfg && haproxy -db -W -f h.cfg > log 2>&1 & proxy=$!
await curl -sf http://127.0.0.1:8080/name
answer both 'server 1 server 2' "$(for i in 1 2 3 4; do curl -s http://127.0.0.1:8080/name; done | sort -u | paste -sd' ')"
answer big 200000 "$(curl -s http://127.0.0.1:8080/big | wc -c)"
/usr/bin/python3 - <<'END'
import socket
s = socket.socket(socket.AF_UNIX); s.connect("sock"); s.sendall(b"disable server b/s1\n"); print(s.recv(100))
END
answer one 'server 2' "$(for i in 1 2 3; do curl -s http://127.0.0.1:8080/name; done | sort -u)"
kill -USR1 $proxy; wait $proxy || true; kill $pids
