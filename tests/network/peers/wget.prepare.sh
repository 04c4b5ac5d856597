mkdir -p www/sub; seq 800000 > www/data
for i in $(seq 20); do seq $((i * 1000)) > "www/sub/$i"; done
