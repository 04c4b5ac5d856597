seq 700000 > data
