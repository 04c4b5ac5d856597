listening 6379
redis() { redis-cli -h "$H" "$@"; }
redis ping
redis-benchmark -h "$H" -q -n 3000 -c 30 -t set,get,incr,lpush,lpop,sadd,zadd,mset > bench
echo "tests: $(tr '\r' '\n' < bench | grep -c 'requests per second.*p50')"
redis-benchmark -h "$H" -q -n 20000 -c 10 -P 16 -d 512 -t set > bench; echo pipelined
redis get counter:__rand_int__
head -c 6000000 /dev/zero | tr '\0' x > big; redis -x set big < big; redis --raw get big | head -c 6000000 > back; same value big back
for i in $(seq 2000); do echo "set key$i value$i"; done | redis --pipe | tail -1
redis-cli -h "$H" --raw subscribe news > heard & subscriber=$!
for _ in $(seq 600); do [ "$(redis publish news hello)" = 1 ] && break; sleep 0.1; done
for _ in $(seq 600); do grep -q hello heard && break; sleep 0.1; done
tail -1 heard; kill $subscriber
