listening 8080
curl -sS "http://$B:8080/data" -o got; same whole www/data got
curl -sS -r 1000000-2999999 "http://$B:8080/data" | wc -c
curl -sS -Z --parallel-max 16 "http://$B:8080/[1-40]" | sort -k2n | tail -1
curl -sS -w '%{http_code}\n' -T sent "http://$B:8080/put/sent"; curl -sS "http://$B:8080/put/sent" -o back; same upload sent back
curl -sSk --http2 -w '%{http_version}\n' "https://$B:8443/data" -o got2; same encrypted www/data got2
curl -sS --limit-rate 4M "http://$B:8080/data" | md5sum | cut -c1-32
curl -sS -w '%{http_code} %{num_connects}\n' -o one -o two "http://$B:8080/1" "http://$B:8080/2"
curl -s -o nothing "http://$B:9/" || echo "refused: $?"
