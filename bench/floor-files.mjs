// The least that sending files from memory costs in Node: a bare socket, no parsing, one write per request. A bench
// mark like tools/serve.c, not a server.
//
//   node floor-files.mjs PORT ROOT LIST
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [port, root, list] = process.argv.slice(2);
const answers = new Map();
for (const path of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
  const body = readFileSync(root + path);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n`;
  answers.set(path, Buffer.concat([Buffer.from(head, 'latin1'), body]));
}
createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    const answer = answers.get(text.slice(4, text.indexOf(' ', 4)));
    if (answer === undefined) socket.destroy();
    else socket.write(answer);
  });
  socket.on('error', () => {});
}).listen({ port: Number(port), host: '127.0.0.1', backlog: 1024 });
