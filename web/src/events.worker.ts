// The shared worker: one EventSource for all tabs. A browser opens six connections to one address and not one more, so a
// stream per tab would leave the seventh tab without any.

import { browser } from './outside.ts';
import { Stream, type StreamNews } from './stream.ts';
import type { Snapshot } from './types.ts';
import { mergeLog } from './log.ts';

export type ToWorker = 'hello' | 'bye' | 'retry';

const ports = new Set<MessagePort>();
let newest: Snapshot | null = null; // with the whole log: a tab that comes later sees what the others saw
let standing: StreamNews | null = null; // why there is nothing newer

function tell(news: StreamNews): void {
  if (news.kind === 'snapshot') {
    const same = newest?.started === news.snapshot.started;
    newest = { ...news.snapshot, log: mergeLog(same && newest ? newest.log : [], news.snapshot.log) };
    standing = null;
  } else {
    standing = news;
  }
  for (const port of ports) port.postMessage(news);
}

const stream = new Stream(browser, tell);
let streaming = false;

function hear(port: MessagePort, message: ToWorker): void {
  if (message === 'bye') {
    ports.delete(port);
    if (ports.size === 0) {
      stream.stop();
      streaming = false;
    }
    return;
  }
  if (message === 'retry') return stream.retryNow();
  ports.add(port);
  if (newest) port.postMessage({ kind: 'snapshot', snapshot: newest } satisfies StreamNews);
  if (standing) port.postMessage(standing);
  // A tab that comes may have brought the key, or a program that was started again.
  if (!streaming) stream.start();
  else if (standing) stream.retryNow();
  streaming = true;
}

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const port = event.ports[0];
  if (port) port.onmessage = (message: MessageEvent<ToWorker>) => hear(port, message.data);
};
