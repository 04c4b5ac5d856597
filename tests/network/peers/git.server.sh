git daemon --reuseaddr --listen="$H" --port=9418 --base-path="$PWD/www" --enable=receive-pack "$PWD/www" >/dev/null 2>&1 &
cd www; exec /usr/bin/python3 -c 'import http.server, os, sys
http.server.CGIHTTPRequestHandler.have_fork = True
http.server.nobody_uid = lambda: os.getuid()
http.server.ThreadingHTTPServer((sys.argv[1], 8080), http.server.CGIHTTPRequestHandler).serve_forever()' "$H" 2>/dev/null
