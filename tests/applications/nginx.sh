mkdir -p html logs; echo page > html/index.html; head -c 3000000 /dev/zero > html/big
cat > n.conf <<END
worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error.log; daemon on; user root;
events { worker_connections 128; }
http { access_log $PWD/logs/access.log; sendfile on; tcp_nopush on; aio threads; client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f;
 uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s; gzip on;
 server { listen 127.0.0.1:8080 reuseport; root $PWD/html; location /up/ { proxy_pass http://127.0.0.1:8080/; } } }
END
if [ "$(id -u)" != 0 ]; then sed -i 's/user root;//' n.conf; fi
nginx -c "$PWD/n.conf" -p "$PWD" 2>/dev/null
await curl -sf -o /dev/null http://127.0.0.1:8080/
answer page page "$(curl -s http://127.0.0.1:8080/)"
answer proxied "$(md5sum < html/big)" "$(curl -s http://127.0.0.1:8080/up/big | md5sum)"
answer range 1000 "$(curl -s -r 5-1004 http://127.0.0.1:8080/big | wc -c)"
wrk -t2 -c16 -d2s http://127.0.0.1:8080/ > wrk.log || { cat wrk.log >&2; exit 1; }
grep -E 'Socket errors|Non-2xx' wrk.log || echo no errors
served=$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' wrk.log); [ "$served" -gt 100 ]
echo new > html/index.html; nginx -c "$PWD/n.conf" -p "$PWD" -s reload 2>/dev/null
await curl -sf -o /dev/null http://127.0.0.1:8080/; answer reloaded new "$(curl -s http://127.0.0.1:8080/)"
nginx -c "$PWD/n.conf" -p "$PWD" -s quit 2>/dev/null; gone() { [ ! -e pid ]; }; await gone
[ "$(wc -l < logs/access.log)" -ge "$served" ]; grep -cE '\[(alert|crit|emerg)\]' logs/error.log || true
