// A sentence that goes by itself, with one thing to do about it. Also what is only said to screen readers.

const STAYS_MS = 6000;

export interface ToastAction {
  label: string;
  run: () => void;
}

class Messages {
  text = $state('');
  action = $state.raw<ToastAction | null>(null);
  spoken = $state('');
  #timer = 0;

  toast(text: string, action: ToastAction | null = null): void {
    this.text = text;
    this.action = action;
    this.hold(false);
  }

  /** It stays as long as the pointer or the focus is on it. */
  hold(held: boolean): void {
    clearTimeout(this.#timer);
    if (!held && this.text) this.#timer = window.setTimeout(() => this.close(), STAYS_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.text = '';
    this.action = null;
  }

  /** For screen readers alone: it is seen elsewhere. */
  say(text: string): void {
    this.spoken = text;
  }
}

export const messages = new Messages();
export const toast = (text: string, action?: ToastAction): void => messages.toast(text, action ?? null);
export const say = (text: string): void => messages.say(text);

/** Puts text on the clipboard, and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    toast(`The browser did not let the page copy. Mark the text and press Ctrl C.`);
  }
}
