cat > t.lua <<'END'
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(24)); local t = {}; for i = 1, 10000 do t[#t + 1] = (i * 7919) % 10007 end; table.sort(t); print(t[1], t[#t])
local f = assert(io.open("f", "w")); f:write(string.rep("x", 10000)); f:close(); for l in io.popen("wc -c < f"):lines() do print(tonumber(l)) end
local c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end); print(c(), c(), c()); print(("hello world"):gsub("o", "0")); print(os.execute("exit 3")); print(pcall(error, "caught"))
END
lua5.4 t.lua
