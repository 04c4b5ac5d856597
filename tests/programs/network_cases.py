"""Programs that talk over loopback. The native run has a network namespace of its own, so that both see the same devices."""

from tests.programs.case import Case

_SERVE = r"""
mkdir www; echo hello > www/a.txt; head -c 3000000 /dev/zero > www/big
python3 -m http.server -d www -b 127.0.0.1 8000 >/dev/null 2>&1 & server=$!
for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8000/ && break; sleep 0.1; done
"""
_PYTHON_SERVERS = r"""python3 - <<'END'
import asyncio, hashlib, os, socket, socketserver, threading
async def upper(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def ask(port, i):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    w.write(b"hello %d\n" % i)
    data = await r.read()
    w.close()
    return data
async def main():
    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(ask(port, i) for i in range(20))))
    server.close(); await server.wait_closed()
asyncio.run(main())
class Reverse(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line[::-1])
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Reverse) as s:
    threading.Thread(target=s.serve_forever, daemon=True).start()
    with socket.create_connection(s.server_address) as c:
        f = c.makefile("rw"); f.write("abc\n"); f.flush(); c.shutdown(1); print(repr(f.read()))
    s.shutdown()
with open("f", "wb") as f: f.write(os.urandom(5_000_000))
listener = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(listener.getsockname()); a, _ = listener.accept()
def read():
    h = hashlib.sha1()
    while d := a.recv(1 << 16): h.update(d)
    print(h.hexdigest() == hashlib.sha1(open("f", "rb").read()).hexdigest())
t = threading.Thread(target=read); t.start(); print(c.sendfile(open("f", "rb"))); c.close(); t.join()
END
"""
_NODE = r"""node -e '
const http = require("http"), out = [];
const s = http.createServer((q, r) => { let n = 0; q.on("data", d => n += d.length); q.on("end", () => r.end("got " + n + " " + q.url)); });
s.listen(0, "127.0.0.1", () => { let left = 5; for (let i = 0; i < 5; i++) {
  const q = http.request({port: s.address().port, host: "127.0.0.1", method: "POST", path: "/" + i, agent: false}, r => {
    let b = ""; r.on("data", d => b += d); r.on("end", () => { out.push(b); if (--left == 0) { s.close(); console.log(out.sort()); } }); });
  q.end("x".repeat(100000)); } });
console.log(Object.keys(require("os").networkInterfaces()));'
"""
_GO = r"""export GOCACHE=$PWD/cache GOPATH=$PWD/go GO111MODULE=off CGO_ENABLED=0; cat > p.go <<'END'
package main
import ("fmt"; "io"; "net"; "net/http"; "strings"; "sync")
func main() {
 l, err := net.Listen("tcp", "127.0.0.1:0"); if err != nil { panic(err) }
 go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b, _ := io.ReadAll(r.Body); fmt.Fprintf(w, "%s %d", r.URL.Path, len(b)) }))
 var wg sync.WaitGroup; out := make([]string, 8)
 for i := range out { wg.Add(1); go func(i int) { defer wg.Done()
  r, err := http.Post(fmt.Sprintf("http://%s/%d", l.Addr(), i), "text/plain", strings.NewReader(strings.Repeat("x", 50000)))
  if err != nil { out[i] = err.Error(); return }; b, _ := io.ReadAll(r.Body); r.Body.Close(); out[i] = string(b) }(i) }
 wg.Wait(); fmt.Println(out)
 c, _ := net.ListenPacket("udp", "127.0.0.1:0"); d, _ := net.Dial("udp", c.LocalAddr().String()); d.Write([]byte("datagram"))
 b := make([]byte, 99); n, _, _ := c.ReadFrom(b); fmt.Println(string(b[:n]))
 _, err = net.Dial("tcp", "127.0.0.1:9"); fmt.Println(err)
 is, _ := net.Interfaces(); for _, i := range is { a, _ := i.Addrs(); fmt.Println(i.Name, i.MTU, a) }
}
END
go build -o p p.go && ./p
"""
_NGINX = r"""mkdir -p html logs; echo page > html/index.html; head -c 2000000 /dev/zero > html/big; cat > n.conf <<END
worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error.log; user root;
events { worker_connections 64; }
http { access_log off; sendfile on; tcp_nopush on; client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f;
 uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
 server { listen 127.0.0.1:8080 reuseport; listen [::1]:8080; root $PWD/html; location /up { proxy_pass http://127.0.0.1:8080/; } } }
END
nginx -c $PWD/n.conf -p $PWD 2>/dev/null; for i in $(seq 50); do curl -s -o /dev/null http://127.0.0.1:8080/ && break; sleep 0.1; done
curl -s http://127.0.0.1:8080/; curl -s http://127.0.0.1:8080/big | md5sum; curl -s 'http://[::1]:8080/up'; nginx -c $PWD/n.conf -p $PWD -s quit 2>/dev/null
"""
_REDIS = r"""redis-server --port 6379 --save "" > log 2>&1 & server=$!
for i in $(seq 50); do redis-cli ping >/dev/null 2>&1 && break; sleep 0.1; done
redis-cli set k v; redis-cli get k; redis-cli -h ::1 get k
for i in $(seq 500); do echo "set key$i value$i"; done | redis-cli --pipe | tail -1
redis-cli subscribe c > heard & sleep 0.5; redis-cli publish c message; redis-cli shutdown nosave; wait; cat heard
"""

NETWORK_CASES = (
    Case(
        "http.server",
        f"{_SERVE}curl -s http://127.0.0.1:8000/a.txt; curl -s http://127.0.0.1:8000/big | md5sum; wget -qO- http://127.0.0.1:8000/a.txt; "
        "python3 -c 'import urllib.request as u; print(len(u.urlopen(\"http://127.0.0.1:8000/big\").read()))'; "
        "curl -s http://127.0.0.1:9; echo $?; curl -s --max-time 3 http://10.1.2.3; echo $?; kill $server",
        ("curl", "wget"),
        30,
    ),
    Case("python3-servers", _PYTHON_SERVERS, ("python3",), 30),
    Case("node-http", _NODE, ("node",), 30),
    Case("go-http", _GO, ("go",), 240),
    Case("nginx", _NGINX, ("nginx", "curl"), 30),
    Case("redis", _REDIS, ("redis-server", "redis-cli"), 30),
    Case("ping", "ping -c 2 -i 0.2 127.0.0.1 2>&1 | sed 's/time[= ].*//; /^rtt/d'; ping -6 -c 1 ::1 2>&1 | sed 's/time[= ].*//; /^rtt/d'", ("ping",)),
    Case("ss", "ip -br addr; ip route; ss -tln 2>/dev/null; ss -s 2>/dev/null | head -1 | cut -c1-6", ("ss", "ip")),
)  # fmt: skip
