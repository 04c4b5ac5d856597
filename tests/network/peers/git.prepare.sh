export HOME=$PWD
git config --global user.name a; git config --global user.email a@b.example; git config --global init.defaultBranch main
git config --global safe.directory '*'; git config --global http.postBuffer 50000000
mkdir -p www/cgi-bin w; cd w; git init -q; for i in $(seq 300); do seq $((i * 20)) > "file$i"; done; git add .; git commit -q -m first
git clone -q --bare . ../www/dumb.git; git -C ../www/dumb.git update-server-info
git clone -q --bare . ../www/smart.git; git -C ../www/smart.git config http.receivepack true; git -C ../www/smart.git config daemon.receivepack true
touch ../www/smart.git/git-daemon-export-ok
printf '#!/bin/sh\nexport GIT_PROJECT_ROOT=%s/www GIT_HTTP_EXPORT_ALL=1 HOME=%s REMOTE_USER=a\nexec git http-backend\n' "$HOME" "$HOME" > ../www/cgi-bin/git
chmod 755 ../www/cgi-bin/git
