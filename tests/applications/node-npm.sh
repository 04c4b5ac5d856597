export HOME=$PWD
cp -r "$PREPARED/cache" cache; mkdir app && cd app && echo '{"name": "app", "version": "1.0.0"}' > package.json
npm install --silent --offline --no-audit --no-fund --cache ../cache express@4 is-odd@3 > ../npm.log 2>&1 || { cat ../npm.log >&2; exit 1; }
[ "$(ls node_modules | wc -l)" -gt 30 ]
cat > server.js <<'END'
const express = require('express'), odd = require('is-odd'), fs = require('fs'), { Worker } = require('worker_threads'), { execFile } = require('child_process');
const app = express();
app.get('/odd/:n', (q, r) => r.json({ n: +q.params.n, odd: odd(+q.params.n) }));
app.post('/save', express.text(), (q, r) => fs.writeFile('saved', q.body, () => r.send('saved')));
const server = app.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port, get = p => new Promise(f => require('http').get(url + p, { agent: false }, r => { let b = ''; r.on('data', d => b += d); r.on('end', () => f(r.statusCode + ' ' + b)); }));
  console.log(await get('/odd/7'), await get('/odd/8'), (await get('/none')).slice(0, 3));
  await new Promise(f => { const q = require('http').request(url + '/save', { method: 'POST', agent: false, headers: { 'content-type': 'text/plain' } }, r => r.resume().on('end', f)); q.end('body'); });
  console.log(fs.readFileSync('saved', 'utf8'));
  await new Promise(f => new Worker('require("worker_threads").parentPort.postMessage([...Array(1000).keys()].reduce((a, b) => a + b))', { eval: true }).on('message', m => { console.log('worker', m); f(); }));
  await new Promise(f => execFile('echo', ['child'], (e, out) => { process.stdout.write(out); f(); }));
  server.close();
});
END
node server.js
