cd www; exec /usr/bin/python3 -m http.server -b "$H" 8080 2>/dev/null
