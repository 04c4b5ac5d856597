for i in $(seq 60); do printf 'txt-record=many.test,"%s number %d"\n' "$(printf 'x%.0s' $(seq 60))" "$i"; done > many
exec dnsmasq --no-daemon --no-resolv --no-hosts --listen-address="$H" --bind-interfaces --user=root --pid-file= --conf-file="$PWD/many" --edns-packet-max=1232 \
    --address=/web.test/192.0.2.7 --address=/web.test/2001:db8::7 --cname=alias.test,real.test --host-record=real.test,192.0.2.8 --mx-host=real.test,mail.test,10 \
    --ptr-record=8.2.0.192.in-addr.arpa,real.test --srv-host=_sip._tcp.test,real.test,5060 > log 2>&1
