exec redis-server --port 6379 --bind "$H" --protected-mode no --save "" --dir "$PWD" > log 2>&1
