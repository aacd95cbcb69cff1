// Where the page is. The history of the browser is the truth; this follows it and adds entries.
//
// Each entry keeps values of its own (scroll position, which photo had the focus): `remember` and `recall`. A photo that is
// opened over a grid notes the grid's address as `under`, so that the grid can stay as it is behind it.

import { formatRoute, parseRoute, type Route } from './routes.ts';

interface Entry {
  under?: string; // address of what lies behind a photo
  depth?: number; // 0: the first entry that is ours; going back from there would leave the page
  values?: Record<string, unknown>;
}

const entryNow = (): Entry => (history.state as Entry | null) ?? {};
const addressNow = (): string => location.pathname + location.search;

class Router {
  address = $state(addressNow());
  under = $state<string | null>(entryNow().under ?? null);
  readonly route: Route = $derived(parseRoute(this.address));

  /** What lies behind the photo that is open, null else. */
  readonly underRoute: Route | null = $derived(this.under === null ? null : parseRoute(this.under));

  constructor() {
    history.scrollRestoration = 'manual';
    addEventListener('popstate', () => this.#follow());
  }

  #follow(): void {
    this.address = addressNow();
    this.under = entryNow().under ?? null;
  }

  #go(to: Route | string, replace: boolean, under?: string): void {
    const address = typeof to === 'string' ? to : formatRoute(to);
    const depth = entryNow().depth ?? 0;
    const entry: Entry = { depth: replace ? depth : depth + 1, ...(under === undefined ? {} : { under }) };
    if (replace) history.replaceState(entry, '', address);
    else if (address !== addressNow()) history.pushState(entry, '', address);
    this.#follow();
  }

  navigate(to: Route | string): void {
    this.#go(to, false);
  }

  /** The same without a step back: corrections, and turning from photo to photo. Keeps what lies behind. */
  replace(to: Route | string): void {
    this.#go(to, true, entryNow().under);
  }

  /** Opens a photo over what is seen now. */
  open(to: Route | string): void {
    this.#go(to, false, this.under ?? addressNow());
  }

  /** One step back; to `otherwise` when the page was opened at this very address. */
  back(otherwise: Route | string = { view: 'home' }): void {
    if ((entryNow().depth ?? 0) > 0) history.back();
    else this.#go(otherwise, true);
  }

  remember(name: string, value: unknown): void {
    const entry = entryNow();
    history.replaceState({ ...entry, values: { ...entry.values, [name]: value } }, '');
  }

  recall<T>(name: string): T | undefined {
    return entryNow().values?.[name] as T | undefined;
  }
}

export const router = new Router();

/** Plain clicks on our own links stay in the page. Put on the root element; links are plain <a href="/search?q=dog">,
 *  with data-over when they open over what is seen. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link?.href || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/api/') || url.hash) return;
  event.preventDefault();
  const address = url.pathname + url.search;
  if (link.hasAttribute('data-over')) router.open(address);
  else router.navigate(address);
}
