export HOME=$PWD XDG_CACHE_HOME=$PWD/cache; mkdir -p src/d; for i in $(seq 30); do seq $i > src/d/f$i; done; seq 300000 > src/big
rclone -q --config none copy src dst && diff -r src dst && echo copied
rclone -q --config none check src dst && echo checked; rclone --config none lsf -R dst | wc -l
rclone --config none serve http --addr 127.0.0.1:8000 src > log 2>&1 & server=$!
await curl -sf -o /dev/null http://127.0.0.1:8000/
answer served "$(md5sum < src/big)" "$(curl -s http://127.0.0.1:8000/big | md5sum)"
rclone -q --config none copy :http: back --http-url http://127.0.0.1:8000 && diff -r src back && echo fetched
rm src/d/f1; rclone -q --config none sync src dst && ls dst/d | wc -l; kill $server; wait $server || true
