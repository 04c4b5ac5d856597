# Lua's source, as the source distribution of a Python binding carries it.
"$PYTHON" -m pip download -q --no-deps --no-binary :all: --no-build-isolation lupa==2.2
tar xzf lupa-2.2.tar.gz
tar czf lua-5.4.6.tar.gz --transform 's,.*/lua54/,lua-5.4.6/src/,' lupa-2.2/third-party/lua54/*.[ch]
