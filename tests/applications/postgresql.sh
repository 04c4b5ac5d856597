bin=/usr/lib/postgresql/15/bin
mkdir -m 777 pg; cd pg
run() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" "$@"; else "$@"; fi; }
run "$bin/initdb" -D "$PWD/data" -U me -E UTF8 --locale=C > initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
run "$bin/pg_ctl" -D "$PWD/data" -w -t 120 -l "$PWD/log" -o "-p 5432 -k $PWD -c listen_addresses=127.0.0.1" start > ctl.log 2>&1 || { cat ctl.log log >&2; exit 1; }
q() { "$bin/psql" -h 127.0.0.1 -U me -d postgres -XAtc "$1"; }
q 'CREATE TABLE t AS SELECT i, md5(i::text) AS h FROM generate_series(1, 20000) i; CREATE INDEX ON t(h)'
answer rows '20000|200010000' "$(q 'SELECT count(*), sum(i) FROM t')"
answer index 1 "$(q "SELECT i FROM t WHERE h = md5('1')")"
q "BEGIN; DELETE FROM t; ROLLBACK; SELECT count(*) FROM t" | tail -1
"$bin/pgbench" -h 127.0.0.1 -U me -i -q -s 1 postgres > bench.log 2>&1
"$bin/pgbench" -h 127.0.0.1 -U me -c 4 -j 2 -t 50 postgres > bench.log 2>&1 || { cat bench.log >&2; exit 1; }
answer transactions 200/200 "$(sed -n 's/^number of transactions actually processed: //p' bench.log)"
answer history 200 "$(q 'SELECT count(*) FROM pgbench_history')"
answer balances t "$(q 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)')"
"$bin/pg_dump" -h 127.0.0.1 -U me postgres | grep -c '^CREATE TABLE'
run "$bin/pg_ctl" -D "$PWD/data" -m immediate stop > /dev/null 2>&1
run "$bin/pg_ctl" -D "$PWD/data" -w -t 120 -l "$PWD/log" -o "-p 5432 -k $PWD -c listen_addresses=127.0.0.1" start > ctl.log 2>&1
answer recovered 200 "$(q 'SELECT count(*) FROM pgbench_history')"
run "$bin/pg_ctl" -D "$PWD/data" -m fast -w stop | tail -1
