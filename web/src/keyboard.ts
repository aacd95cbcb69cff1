// Keys that hold everywhere, and the rule when a key is a key: not while one types, not with Ctrl, Alt or Meta.
//
// A screen adds its own with `onKeys(handler)` (returns what takes them away again; made for $effect). The handler that
// was added last is asked first; it returns true when the key was its own.

type Handler = (event: KeyboardEvent) => boolean;

const handlers: Handler[] = [];

export function onKeys(handler: Handler): () => void {
  handlers.push(handler);
  return () => {
    const at = handlers.lastIndexOf(handler);
    if (at >= 0) handlers.splice(at, 1);
  };
}

/** True where letters are letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !/^(button|checkbox|radio|range|submit|reset|file|color)$/.test(target.type);
}

/** True where Space and Enter already mean something. */
export function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a[href], button, summary, [role="option"], [role="radio"], input, select, textarea') !== null;
}

const G_WAITS_MS = 1200; // `g`, then a letter within that time
let gAt = -Infinity;

export interface Everywhere {
  search: () => void; // `/`
  help: () => void; // `?`
  go: (letter: string) => boolean; // `g` and a letter
}

/** One listener for the whole page. */
export function listenToKeys(everywhere: Everywhere): () => void {
  const down = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const dialog = document.querySelector('dialog[open]');
    if (dialog) return; // a dialog has its own keys
    for (const handler of [...handlers].reverse()) {
      if (handler(event)) return event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (pressEverywhere(event, everywhere)) event.preventDefault();
  };
  addEventListener('keydown', down);
  return () => removeEventListener('keydown', down);
}

function pressEverywhere(event: KeyboardEvent, everywhere: Everywhere): boolean {
  const { key, timeStamp } = event;
  if (timeStamp - gAt < G_WAITS_MS) {
    gAt = -Infinity;
    if (everywhere.go(key.toLowerCase())) return true;
  }
  if (key === 'g') {
    gAt = timeStamp;
    return true;
  }
  if (key === '/') everywhere.search();
  else if (key === '?') everywhere.help();
  else return false;
  return true;
}
