export PYTHONPATH=$PREPARED/site:. HOME=$PWD PYTHONDONTWRITEBYTECODE=1
cat > app.py <<'END'
from flask import Flask, request, jsonify
from sqlalchemy import create_engine, text
app = Flask(__name__); engine = create_engine("sqlite:///data.db")
with engine.begin() as c: c.execute(text("CREATE TABLE IF NOT EXISTS n (v INTEGER)"))
@app.post("/add")
def add():
    with engine.begin() as c: c.execute(text("INSERT INTO n VALUES (:v)"), {"v": request.json["v"]})
    return jsonify(ok=True)
@app.get("/sum")
def total():
    with engine.begin() as c: return jsonify(sum=c.execute(text("SELECT sum(v) FROM n")).scalar())
END
/usr/bin/python3 -m gunicorn -w 2 -b 127.0.0.1:8000 --pid pid app:app > log 2>&1 & server=$!
await curl -sf http://127.0.0.1:8000/sum
for i in $(seq 20); do curl -s -X POST -H 'Content-Type: application/json' -d "{\"v\": $i}" http://127.0.0.1:8000/add > /dev/null; done
answer sum '{"sum":210}' "$(curl -s http://127.0.0.1:8000/sum)"
kill -HUP $server; await curl -sf http://127.0.0.1:8000/sum; answer reloaded '{"sum":210}' "$(curl -s http://127.0.0.1:8000/sum)"
kill $server; wait $server || echo status $?
