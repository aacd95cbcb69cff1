// Which photographs of a list are selected: stretches of places, so that a million need no list of their own.

export interface Stretch {
  first: number;
  end: number; // behind the last
}

export class Selection {
  #stretches: Stretch[] = []; // in order, apart from each other
  #count = 0;
  #pivot = -1; // where an extension begins
  #before: Stretch[] = []; // what was selected beside it

  get count(): number {
    return this.#count;
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches;
  }

  has(item: number): boolean {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stretches[middle]!.end <= item) low = middle + 1;
      else high = middle;
    }
    return (this.#stretches[low]?.first ?? Infinity) <= item;
  }

  /** Whether it is [first, end) and nothing else. */
  is(first: number, end: number): boolean {
    const [one] = this.#stretches;
    return this.#stretches.length === 1 && one!.first === first && one!.end === end;
  }

  clear(): void {
    this.#set([]);
    this.#pivot = -1;
    this.#before = [];
  }

  /** The next extension begins where the reader then is. */
  unpin(): void {
    this.#pivot = -1;
  }

  only(first: number, end: number): void {
    this.#set(first < end ? [{ first, end }] : []);
    this.#pivot = first;
    this.#before = [];
  }

  toggle(item: number): void {
    if (this.has(item)) this.#set(without(this.#stretches, item));
    else this.#set(joined([...this.#stretches, { first: item, end: item + 1 }]));
    this.#pivot = item;
    this.#before = this.#stretches;
  }

  /** From the photograph that was selected last (`from`, where none was) up to `item`; what an extension before reached further is let go. */
  extend(item: number, from = item): void {
    if (this.#pivot < 0) {
      this.#pivot = from;
      this.#before = this.#stretches;
    }
    const first = Math.min(this.#pivot, item);
    this.#set(joined([...this.#before, { first, end: Math.max(this.#pivot, item) + 1 }]));
  }

  /** The first few of them. */
  some(n: number): number[] {
    const items: number[] = [];
    for (const { first, end } of this.#stretches) for (let item = first; item < end && items.length < n; item++) items.push(item);
    return items;
  }

  #set(stretches: Stretch[]): void {
    this.#stretches = stretches;
    this.#count = stretches.reduce((sum, { first, end }) => sum + end - first, 0);
  }
}

function joined(stretches: Stretch[]): Stretch[] {
  const made: Stretch[] = [];
  for (const { first, end } of [...stretches].sort((a, b) => a.first - b.first)) {
    const last = made.at(-1);
    if (last && first <= last.end) last.end = Math.max(last.end, end);
    else made.push({ first, end });
  }
  return made;
}

function without(stretches: readonly Stretch[], item: number): Stretch[] {
  return stretches.flatMap(({ first, end }) =>
    item < first || item >= end ? [{ first, end }] : [{ first, end: item }, { first: item + 1, end }].filter((one) => one.first < one.end),
  );
}
