export PYTHONPATH=$PREPARED/site HOME=$PWD PYTHONDONTWRITEBYTECODE=1
cp -r "$PREPARED"/sortedcontainers-*/tests . && cd tests && rm -f conftest.py test_coverage* test_stress_sortedlist.py
/usr/bin/python3 -m pytest -q -p no:cacheprovider . 2>&1 | sed -n 's/ in [0-9.]*s.*//;$p'
