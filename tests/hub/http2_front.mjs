// http2_front.mjs CERTIFICATE KEY PORT: speaks HTTP/2, and nothing else, for a hub at that port of this computer that
// speaks HTTP. Prints its own port, and stays until its input ends.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';

const [certificate, key, port] = process.argv.slice(2);
const { HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS, NGHTTP2_INTERNAL_ERROR } = http2.constants;
const OF_ONE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const server = http2.createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.on('stream', (stream, head) => {
  const headers = Object.fromEntries(Object.entries(head).filter(([name]) => !name.startsWith(':')));
  const giveUp = () => stream.close(NGHTTP2_INTERNAL_ERROR);
  const question = http.get({ host: '127.0.0.1', port, path: head[HTTP2_HEADER_PATH], headers, agent: false }, (answer) => {
    const kept = Object.entries(answer.headers).filter(([name]) => !OF_ONE_CONNECTION.has(name));
    if (stream.destroyed) return answer.destroy();
    stream.respond({ [HTTP2_HEADER_STATUS]: answer.statusCode, ...Object.fromEntries(kept) });
    answer.on('error', giveUp);
    answer.pipe(stream);
  });
  question.on('error', giveUp);
  stream.on('error', () => question.destroy());
  stream.on('close', () => question.destroy());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
