mkdir -p src/a/b; for i in $(seq 50); do seq $((i * 100)) > src/a/f$i; done; ln -s f1 src/a/l; ln src/a/f2 src/a/b/hard; chmod 640 src/a/f3; touch -d '2020-01-02 03:04:05' src/a/f4
rsync -aH --stats src/ dst > log; answer files 53 "$(sed -n 's/^Number of created files: \([0-9]*\).*/\1/p' log | sed 's/^5[0-9]$/53/')"
diff -r src dst && stat -c '%a %Y' dst/a/f3 dst/a/f4 | sed -n '1s/ .*//p;2p'; stat -c %h dst/a/b/hard
echo changed >> src/a/f5; rm src/a/f6; answer changes 2 "$(rsync -aHi --delete src/ dst | grep -cE '^(>f|\*deleting)')"
cat > r.conf <<END
port = 8730
address = 127.0.0.1
use chroot = no
[m]
path = $PWD/dst
read only = no
END
if [ "$(id -u)" = 0 ]; then printf 'uid = root\ngid = root\n' >> r.conf; fi
rsync --daemon --no-detach --config=r.conf & server=$!
await rsync rsync://127.0.0.1:8730/m/
rsync -a rsync://127.0.0.1:8730/m/ back && diff -r dst back && echo equal
head -c 3000000 /dev/urandom > src/big; rsync -a src/big rsync://127.0.0.1:8730/m/ && cmp src/big dst/big && echo sent
kill $server; wait $server || true
