listening 53
ask() { dig "@$H" +short +tries=5 +time=10 "$@"; }
ask web.test A; ask web.test AAAA; ask alias.test A; ask real.test MX; ask -x 192.0.2.8; ask _sip._tcp.test SRV; ask +tcp web.test A
dig "@$H" +tries=5 +time=10 nothing.example A | grep -o 'status: [A-Z]*'
ask many.test TXT | sort -u | wc -l
ask +ignore +bufsize=512 many.test TXT | wc -l
for i in $(seq 100); do echo web.test A; done > batch; dig "@$H" +short +tries=5 +time=10 -f batch | sort | uniq -c | tr -s ' '
getent ahosts web.test | cut -d' ' -f1 | sort -u
getent hosts alias.test | tr -s ' '
getent hosts 192.0.2.8 | tr -s ' '
