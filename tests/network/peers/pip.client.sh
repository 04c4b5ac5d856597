listening 8080
/usr/bin/python3 -m pip install -q --no-deps --no-cache-dir --disable-pip-version-check --root-user-action ignore --break-system-packages \
    --trusted-host "$H" --index-url "http://$B:8080/simple" --target site tiny
PYTHONPATH=site /usr/bin/python3 -m tiny
