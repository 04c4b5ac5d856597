exec iperf3 -s -p 5201 >/dev/null 2>&1
