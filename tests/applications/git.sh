export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main repo && cd repo
for i in $(seq 60); do mkdir -p "d$((i % 7))"; seq "$i" > "d$((i % 7))/f$i"; done
git add . && git commit -q -m first
git checkout -q -b side && echo side > d1/f1 && git commit -q -am side
git checkout -q main && echo main > d2/f2 && git commit -q -am main
git merge -q -m merged side && git gc -q && git fsck --strict 2>/dev/null
answer commits 4 "$(git rev-list --count HEAD)"
git clone -q . ../copy && answer same "$(git rev-parse HEAD)" "$(git -C ../copy rev-parse HEAD)"
git stash list | wc -l; git log --format=%H%s | sort; git worktree add -q ../tree side && ls ../tree | wc -l
"$(git --exec-path)/git-daemon" --base-path=.. --export-all --listen=127.0.0.1 --port=9418 --reuseaddr 2>/dev/null & daemon=$!
await git ls-remote git://127.0.0.1/copy
answer remote "$(git rev-parse HEAD)" "$(git ls-remote git://127.0.0.1/copy HEAD | cut -f1 | sort -u)"
kill $daemon; wait $daemon || true
