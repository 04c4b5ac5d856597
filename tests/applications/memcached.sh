memcached -u "$(id -un)" -l 127.0.0.1 -p 11211 -t 2 -m 32 & server=$!
await bash -c 'exec 3<>/dev/tcp/127.0.0.1/11211'
/usr/bin/python3 - <<'END'
import socket, threading
def client(n, out):
    with socket.create_connection(("127.0.0.1", 11211)) as s:
        f = s.makefile("rwb")
        for i in range(200):
            value = f"value {n} {i}".encode()
            f.write(b"set k%d.%d 0 0 %d\r\n%s\r\n" % (n, i, len(value), value)); f.flush()
            assert f.readline() == b"STORED\r\n"
        for i in range(200):
            f.write(b"get k%d.%d\r\n" % (n, i)); f.flush()
            f.readline(); out[n] += f.readline() == f"value {n} {i}\r\n".encode(); f.readline()
out = [0] * 8
threads = [threading.Thread(target=client, args=(n, out)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print("answers", sum(out))
with socket.create_connection(("127.0.0.1", 11211)) as s:
    f = s.makefile("rwb"); f.write(b"set n 0 0 1\r\n5\r\nincr n 37\r\nstats\r\nquit\r\n"); f.flush()
    print(f.readline(), f.readline()); stats = dict(l.split()[1:3] for l in f if l.startswith(b"STAT"))
    print(stats[b"cmd_set"], stats[b"get_hits"], stats[b"curr_items"], stats[b"threads"])
END
kill $server; wait $server || true
