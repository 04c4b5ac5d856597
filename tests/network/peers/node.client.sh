listening 8080; listening 8081
exec node -e '
const net = require("net"), crypto = require("crypto"), http = require("http"), base = `http://${process.env.B}:8080`;
(async () => {
  const many = await Promise.all([...Array(60).keys()].map(n => fetch(`${base}/${n}`).then(r => r.text())));
  console.log("fetch", many.every((t, n) => t === `you asked /${n}`));
  const big = Buffer.from(await (await fetch(base + "/big")).arrayBuffer());
  console.log("big", big.length, big.every((b, i) => b === Math.floor(i / 50000)));
  const body = crypto.randomBytes(6000000);
  const hash = await (await fetch(base + "/hash", {method: "POST", body})).text();
  console.log("post", hash === crypto.createHash("md5").update(body).digest("hex"));
  const agent = new http.Agent({keepAlive: true, maxSockets: 4});
  const one = n => new Promise((ok, no) => http.get(`${base}/k${n}`, {agent}, r => { r.resume(); r.on("end", ok); }).on("error", no));
  await Promise.all([...Array(80).keys()].map(one)); agent.destroy(); console.log("kept alive");
  const echoed = await new Promise(ok => {
    const got = [], s = net.connect(8081, process.env.H, () => { s.end(body); });
    s.on("data", d => got.push(d)); s.on("end", () => ok(Buffer.concat(got))); });
  console.log("echo", echoed.equals(body));
  net.connect(9, process.env.H).on("error", e => console.log(e.code));
})();'
