tar xzf "$PREPARED/lua-5.4.6.tar.gz" && cd lua-5.4.6/src && rm -f ltests.* onelua.c
cat > build.mk <<'END'
OBJECTS := $(patsubst %.c,%.o,$(filter-out lua.c luac.c,$(wildcard *.c)))
all: lua
liblua.a: $(OBJECTS)
	ar rcs $@ $^ && ranlib $@
lua: lua.o liblua.a
	gcc -o $@ $^ -lm -ldl -Wl,-E
%.o: %.c
	gcc -O1 -DLUA_USE_POSIX -DLUA_USE_DLOPEN -c -o $@ $<
END
make -s -f build.mk -j2 && make -q -f build.mk && echo up to date
answer sum 5050 "$(./lua -e 'local s = 0; for i = 1, 100 do s = s + i end; print(s)')"
ar t liblua.a | wc -l; nm liblua.a 2>/dev/null | grep -c ' T lua_' | sed 's/[0-9][0-9]*/symbols/'; strip lua && ./lua -v | cut -d' ' -f1
