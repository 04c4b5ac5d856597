mkdir -p www/put; seq 1200000 > www/data; seq 300000 > sent
for i in $(seq 40); do echo "file $i" > www/$i; done
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=peer 2>/dev/null
