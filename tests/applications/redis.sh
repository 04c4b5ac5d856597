redis-server --port 6379 --save "" --appendonly yes --dir "$PWD" --daemonize no > log 2>&1 & server=$!
await redis-cli ping
redis-benchmark -q -n 2000 -c 20 -t set,get,incr,lpush,lpop,sadd,zadd,mset > bench || { cat bench log >&2; exit 1; }
answer tests 8 "$(tr '\r' '\n' < bench | grep -c 'requests per second.*p50')"
answer counter 2000 "$(redis-cli get counter:__rand_int__)"
for i in $(seq 500); do echo "set key$i value$i"; done | redis-cli --pipe | tail -1
redis-cli bgrewriteaof > /dev/null
rewritten() { redis-cli info persistence | tr -d '\r' | grep -qx aof_rewrite_in_progress:0 && redis-cli info persistence | tr -d '\r' | grep -qx aof_rewrite_scheduled:0; }
await rewritten
redis-cli info persistence | tr -d '\r' | grep aof_last_bgrewrite_status
redis-cli bgsave > /dev/null; saved() { redis-cli info persistence | tr -d '\r' | grep -qx rdb_bgsave_in_progress:0; }; await saved; answer dump REDIS "$(head -c 5 dump.rdb)"
redis-cli eval 'return redis.call("dbsize") > 500' 0
redis-cli shutdown > /dev/null; wait $server || true
redis-server --port 6379 --save "" --appendonly yes --dir "$PWD" > log2 2>&1 & server=$!
await redis-cli get key1; loaded() { [ "$(redis-cli get key500)" = value500 ]; }; await loaded
answer again value77 "$(redis-cli get key77)"
redis-cli shutdown > /dev/null; wait $server || true
