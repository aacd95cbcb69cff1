// Tells the queue that writes captions what is in sight, so that it writes about that first. Not more often than it is
// of use, and only while a queue runs.

const EVERY_MS = 1500;
const AT_MOST = 200; // photos

export class Looking {
  #told = '';
  #next: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = -Infinity;
  readonly #tell: (photos: number[]) => void;
  readonly #wanted: () => boolean;
  readonly #clock: () => number;

  /** `wanted`: whether anybody listens. */
  constructor(tell: (photos: number[]) => void, wanted: () => boolean, clock: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#wanted = wanted;
    this.#clock = clock;
  }

  /** These are in sight now. */
  at(photos: number[]): void {
    if (photos.length === 0 || !this.#wanted()) return;
    this.#next = photos.slice(0, AT_MOST);
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#last + EVERY_MS - this.#clock());
    this.#timer = setTimeout(() => this.#say(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #say(): void {
    this.#timer = undefined;
    const key = this.#next.join();
    if (key === this.#told || !this.#wanted()) return;
    this.#told = key;
    this.#last = this.#clock();
    this.#tell(this.#next);
  }
}
