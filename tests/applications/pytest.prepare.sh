"$PYTHON" -m pip install -q --target site --only-binary :all: pytest sortedcontainers
"$PYTHON" -m pip download -q --no-deps --no-binary :all: --no-build-isolation sortedcontainers
tar xzf sortedcontainers-*.tar.gz && ls -d sortedcontainers-*/tests
