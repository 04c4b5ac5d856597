mkdir www; echo hello > www/a; seq 600000 > www/big
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat > serve.py <<'END'
import http.server, ssl, threading, functools
class H(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])); self.send_response(200); text = b"%d bytes" % len(body)
        self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
handler = functools.partial(H, directory="www")
plain = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), handler); secure = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain("cert.pem", "key.pem"); secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=plain.serve_forever, daemon=True).start(); secure.serve_forever()
END
/usr/bin/python3 serve.py & server=$!
await curl -sf http://127.0.0.1:8000/a; await curl -sf --cacert cert.pem https://localhost:8443/a
answer plain hello "$(curl -s http://localhost:8000/a)"
answer secure "$(md5sum < www/big)" "$(curl -s --cacert cert.pem https://localhost:8443/big | md5sum)"
answer post '4088895 bytes' "$(curl -s --data-binary @www/big http://127.0.0.1:8000/x)"
answer status 404 "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8000/none)"
answer parallel 3 "$(curl -s --parallel http://127.0.0.1:8000/a http://127.0.0.1:8000/a http://127.0.0.1:8000/a | wc -l)"
answer untrusted 60 "$(curl -s https://localhost:8443/a || echo $?)"
answer refused 7 "$(curl -s http://127.0.0.1:9/ || echo $?)"
kill $server; wait $server || true
