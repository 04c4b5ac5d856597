listening 5201
measure() { # NAME OPTIONS...: run it; what one end sent the other must have received, but for what was under way at the end
    local name=$1; shift
    for _ in $(seq 100); do  # the server ends the connection that looked whether it listens, or an earlier test, when it comes to it
        if iperf3 -c "$H" -J "$@" > "$name.json" 2>"$name.error" && ! grep -q "\"error\":" "$name.json"; then break; fi
        sleep 0.1
    done
    /usr/bin/python3 - "$name" <<'END'
import json, sys
end = json.load(open(sys.argv[1] + ".json"))["end"]
for kind, other in (("sum_sent", "sum_received"), ("sum_sent_bidir_reverse", "sum_received_bidir_reverse")):
    if kind in end:
        sent, received = end[kind]["bytes"], end[other]["bytes"]
        print(sys.argv[1], "arrived" if 0 < received <= sent and received >= sent / 2 else f"{received} of {sent}")
if "sum" in end and "lost_packets" in end["sum"]:
    print(sys.argv[1], "datagrams" if end["sum"]["packets"] > 10 and end["sum"]["lost_percent"] < 90 else end["sum"])
END
}
measure up -t 2
measure down -t 2 -R
measure parallel -t 2 -P 4
measure both -t 2 --bidir
measure blocks -n 20M -l 1000
measure udp -u -b 10M -t 1
measure udp-down -u -b 10M -t 1 -R
