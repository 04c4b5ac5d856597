listening 8080
/usr/bin/python3 - "http://$B:8080" <<'END'
import concurrent.futures, sys
import requests

base, data = sys.argv[1], open("data", "rb").read()
with requests.Session() as session:
    print("whole", session.get(base + "/data", timeout=60).content == data)
    print("post", session.post(base + "/", data=data, timeout=60).content == data[::-1])
    print("chunks", len(session.get(base + "/chunks", timeout=60).content))
    print("reused", [session.get(f"{base}/{n}", timeout=60).text for n in range(5)])
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print("threads", sum(pool.map(lambda n: requests.get(f"{base}/{n}", timeout=60).text == f"/{n}", range(64))))
try:
    requests.get(base.rsplit(":", 1)[0] + ":9/", timeout=60)
except requests.ConnectionError as error:
    print("refused" if "refused" in str(error) else error)
END
