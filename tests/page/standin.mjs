// A stand-in before the real program: all goes through to it but what a case answers by itself. For states of models and
// queues that are hard to bring about at will: half a download, a model that fails, a queue in its middle.

import http from 'node:http';

const HOUR_MS = 3_600_000;

export class StandIn {
  constructor(place) {
    this.place = place;
    this.answers = {}; // by 'GET /models': (body) => JSON, or { code, error: sentence }
    this.extra = {}; // what the snapshot says beside the program's
    this.asked = []; // 'POST /models/pull {...}', in order
    this.streams = new Set();
    this.steps = 0;
    this.last = null;
  }

  async start() {
    this.port = new URL(this.place.origin).port; // the program's
    this.server = http.createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()));
    this.server.requestTimeout = HOUR_MS;
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }

  /** Opens a page on the stand-in instead of the program. */
  async page(to, options = {}) {
    const context = await this.place.browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    this.place.contexts.push(context);
    await context.addCookies([{ name: `pd_token_${new URL(this.origin).port}`, value: this.place.token, url: this.origin, httpOnly: true, sameSite: 'Strict' }]);
    const { origin } = this.place;
    this.place.origin = this.origin;
    try {
      return await this.place.page(to, { context });
    } finally {
      this.place.origin = origin;
    }
  }

  /** The snapshot changes: every tab hears it. */
  change(extra) {
    Object.assign(this.extra, extra);
    this.steps++;
    for (const stream of this.streams) if (this.last) stream.write(this.#event(this.last));
  }

  #patched(snapshot) {
    this.last = snapshot;
    const { model, ...rest } = this.extra;
    return { ...snapshot, ...rest, model: { ...snapshot.model, ...model }, seq: snapshot.seq * 1000 + this.steps };
  }

  #event(snapshot) {
    const now = this.#patched(snapshot);
    return `event: snapshot\nid: ${now.seq}\ndata: ${JSON.stringify(now)}\n\n`;
  }

  #send(response, code, value) {
    response.writeHead(code, { 'Content-Type': 'application/json' });
    response.end(value === null ? '' : JSON.stringify(value));
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url, this.origin);
    const route = url.pathname.replace(/^\/api\/v1/, '');
    const key = `${request.method} ${route}`;
    const own = this.answers[key];
    if (own && url.pathname.startsWith('/api/')) {
      this.asked.push(`${key} ${body}`.trim());
      const answer = await own(body.length ? JSON.parse(body) : {});
      if (answer?.error) return this.#send(response, answer.code ?? 409, { error: { status: answer.status ?? 'busy', message: answer.error } });
      if (answer === 'snapshot') return this.#send(response, 202, this.#patched(this.last));
      return this.#send(response, answer === null ? 204 : 200, answer);
    }
    url.searchParams.delete('after'); // its numbers are not the program's
    const headers = { ...request.headers };
    delete headers['last-event-id'];
    const upstream = http.request({ host: '127.0.0.1', port: this.port, path: url.pathname + url.search, method: request.method, headers });
    upstream.end(body);
    const answer = await new Promise((resolve, reject) => upstream.on('response', resolve).on('error', reject));
    if (route === '/events') return this.#stream(request, response, answer);
    if (route !== '/snapshot') {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      return undefined;
    }
    let text = '';
    for await (const chunk of answer) text += chunk;
    return this.#send(response, answer.statusCode, this.#patched(JSON.parse(text)));
  }

  #stream(request, response, answer) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    this.streams.add(response);
    let text = '';
    answer.on('data', (chunk) => {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop();
      for (const event of events) {
        const data = /^data: ?(.*)$/m.exec(event)?.[1];
        if (data) response.write(this.#event(JSON.parse(data)));
      }
    });
    response.on('close', () => {
      this.streams.delete(response);
      answer.destroy();
    });
  }
}
