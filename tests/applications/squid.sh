chmod 777 .; mkdir www; head -c 100000 /dev/zero > www/big; echo page > www/page
run() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" "$@"; else "$@"; fi; }
/usr/bin/python3 -m http.server -d www -b 127.0.0.1 8000 > access 2>&1 & server=$!
await curl -sf http://127.0.0.1:8000/page
cat > s.conf <<END
http_port 127.0.0.1:3128
http_access allow all
cache_dir ufs $PWD/cache 16 2 2
cache_mem 8 MB
memory_cache_shared off
pid_filename $PWD/pid
access_log stdio:$PWD/access.log
cache_log $PWD/cache.log
coredump_dir $PWD
refresh_pattern . 60 100% 600
visible_hostname sandbox
shutdown_lifetime 0 seconds
END
run squid -f s.conf -z -N > z.log 2>&1 || { cat z.log cache.log >&2; exit 1; }
run squid -f s.conf -N > s.log 2>&1 & proxy=$!
await curl -sf -x http://127.0.0.1:3128 http://127.0.0.1:8000/page
answer page page "$(curl -s -x http://127.0.0.1:3128 http://127.0.0.1:8000/page)"
for i in 1 2 3 4; do curl -s -x http://127.0.0.1:3128 http://127.0.0.1:8000/big | wc -c; done
answer fetched 1 "$(grep -c 'GET /big' access)"
kill $proxy; wait $proxy || true; kill $server; ls cache | wc -l
