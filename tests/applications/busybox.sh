b() { busybox "$@"; }
[ "$(b --list | wc -l)" -gt 150 ]
mkdir t; cd t; for i in $(b seq 30); do b seq "$i" > f$i; done
b tar czf ../t.tgz . && mkdir ../u && b tar xzf ../t.tgz -C ../u && b diff -r . ../u && echo tar
answer find 12 "$(b find . -name 'f1*' -o -name 'f30' | b wc -l)"
b sh -c 'set -e; x=0; while [ $x -lt 100 ]; do x=$((x + 1)); done; echo loop $x; f() { echo "f $1"; }; f a | sed s/a/b/; (exit 3) || echo $?; trap "echo bye" EXIT'
b cat f9 | b sort -rn | b head -3 | b tr '\n' ' '; b awk 'BEGIN {printf "%d %s\n", 6*7, toupper("awk")}'
for h in md5sum sha1sum sha256sum sha512sum; do b seq 1000 | b $h | b cut -d' ' -f1; done
b seq 5000 | b gzip | b gunzip | b bzip2 | b bunzip2 | b xz 2>/dev/null | b wc -c || true; echo abc | b base64; echo 'a,b,c' | b cut -d, -f2; b expr 3 + 4; b printf '%05d\n' 42; b date -u -d @0 +%F
b cp -a . ../v; b rm -r ../v; b ln -s f1 l; b readlink l; b stat -c '%s %a' f10; b od -c f1; echo 'x = 3; x * 14' | b bc; b dd if=f30 bs=10 count=2 2>/dev/null | b wc -c; b xargs -n 2 echo < f4; b uniq -c < f2;
b mkfifo p; busybox cat p & reader=$!; echo through > p; wait $reader
mkdir www; echo served > www/index.html; busybox httpd -f -p 127.0.0.1:8080 -h www & server=$!
await busybox wget -q -O /dev/null http://127.0.0.1:8080/; answer httpd served "$(b wget -q -O - http://127.0.0.1:8080/)"; kill $server; wait $server || true
b ps > /dev/null && b free > /dev/null && b df . > /dev/null && b uname -s
