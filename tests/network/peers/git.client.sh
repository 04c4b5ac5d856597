listening 8080; listening 9418
git clone -q "http://$B:8080/dumb.git" dumb; ls dumb | wc -l
git clone -q "http://$B:8080/cgi-bin/git/smart.git" smart; ls smart | wc -l
cd smart; for i in $(seq 100); do seq $((i * 30)) > "new$i"; done; git add .; git commit -q -m second
git push -q origin HEAD:main; cd ..
git clone -q "git://$B:9418/smart.git" again; ls again | wc -l; diff -r -x .git smart again && echo "the same"
cd again; echo third > third; git add .; git commit -q -m third; git push -q origin HEAD:main; git ls-remote -q origin main | wc -l
git -C ../smart pull -q origin main; cat ../smart/third
