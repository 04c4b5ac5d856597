seq 20000 | awk 'BEGIN {print "BEGIN; CREATE TABLE t(a INTEGER PRIMARY KEY, b INT, c TEXT);"} {print "INSERT INTO t VALUES(" $1 "," ($1*7919)%20011 ",'"'"'text " $1 "'"'"');"} END {print "COMMIT;"}' > in.sql
sqlite3 db < in.sql
answer sum 200010000 "$(sqlite3 db 'SELECT sum(a) FROM t')"
sqlite3 db 'PRAGMA journal_mode=WAL; CREATE INDEX i ON t(b); UPDATE t SET c = c || b WHERE b % 3 = 0; SELECT count(*), min(b), max(b), sum(length(c)) FROM t; DELETE FROM t WHERE a % 5 = 0; VACUUM; PRAGMA integrity_check;'
for i in 1 2 3 4; do sqlite3 -cmd '.timeout 60000' db "INSERT INTO t(b, c) SELECT b, c FROM t LIMIT 100" & done; wait
answer rows 16400 "$(sqlite3 db 'SELECT count(*) FROM t')"
sqlite3 db .dump | sqlite3 copy && answer copy "$(sqlite3 db 'SELECT group_concat(c) FROM t' | md5sum)" "$(sqlite3 copy 'SELECT group_concat(c) FROM t' | md5sum)"
