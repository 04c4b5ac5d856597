export HOME=$PWD
/usr/bin/python3 -m test -q --timeout 600 test_json test_struct test_subprocess test_tempfile test_shutil test_mmap test_fcntl test_select test_poll test_epoll test_pipes test_queue test_selectors test_zipfile test_tarfile test_glob test_pathlib test_stat test_dbm test_pty test_socketserver test_httpservers > log 2>&1 || { cat log >&2; exit 1; }
grep -E '^(Tests result|== Tests result|Result): *[A-Z]*' log | sed 's/.*: *//' | sort -u
