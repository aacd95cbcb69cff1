// What a Stream needs of a browser: an EventSource, fetch, a clock. The same in a page and in a worker.

import { eventsUrl } from './api.ts';
import type { Outside } from './stream.ts';

export const browser: Outside = {
  listen(after, heard, broke) {
    const source = new EventSource(eventsUrl(after));
    source.addEventListener('snapshot', (event) => heard((event as MessageEvent<string>).data));
    source.onerror = () => {
      source.close(); // it would try again at its own pace, and without saying so
      broke();
    };
    return () => source.close();
  },
  async knock() {
    try {
      const response = await fetch('/api/v1/snapshot', { cache: 'no-store' });
      return { code: response.status, text: response.ok ? await response.text() : '' };
    } catch {
      return { code: 0, text: '' };
    }
  },
  later: (ms, call) => void setTimeout(call, ms),
};
