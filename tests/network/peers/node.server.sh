exec node -e '
const http = require("http"), net = require("net"), crypto = require("crypto");
http.createServer((q, r) => {
  if (q.url === "/hash") { const h = crypto.createHash("md5"); q.on("data", d => h.update(d)); q.on("end", () => r.end(h.digest("hex"))); }
  else if (q.url === "/big") { for (let i = 0; i < 100; i++) r.write(Buffer.alloc(50000, i)); r.end(); }
  else r.end("you asked " + q.url);
}).listen(8080, process.env.H);
net.createServer(s => s.pipe(s)).listen(8081, process.env.H);'
