listening 8080
wget -q -O got "http://$B:8080/data"; same whole www/data got
wget -q --no-http-keep-alive -r -np -nH -P mirror -R 'index.html*' "http://$B:8080/sub/"
diff -r www/sub mirror/sub && echo "mirrored: $(ls mirror/sub | wc -l) files"
head -c 100000 www/data > part; wget -q -c -O part "http://$B:8080/data" || true; cmp -s part www/data && echo continued || echo "no ranges here"
wget -q -O - "http://$B:8080/nothing" || echo "not found: $?"
