mkdir www; cat > www/index.php <<'END'
<?php header('X-Made-By: php'); echo json_encode(['method' => $_SERVER['REQUEST_METHOD'], 'sum' => array_sum(range(1, (int)($_GET['n'] ?? 0)))]), "\n";
END
php -S 127.0.0.1:8000 -t www > log 2>&1 & server=$!
await curl -sf http://127.0.0.1:8000/
answer page '{"method":"GET","sum":5050}' "$(curl -s 'http://127.0.0.1:8000/?n=100')"
kill $server; wait $server || true
php -r '$h = proc_open(["sort"], [["pipe","r"],["pipe","w"]], $p); fwrite($p[0], "b\na\n"); fclose($p[0]); echo stream_get_contents($p[1]); echo proc_close($h), "\n"; file_put_contents("f", str_repeat("x", 5000), LOCK_EX); echo filesize("f"), "\n"; echo hash("sha256", "x"), "\n"; echo preg_replace_callback("/\d+/", fn($m) => $m[0] * 2, "a1 b22"), "\n"; $a = range(1, 1000); shuffle($a); sort($a); echo $a[500], "\n";'
