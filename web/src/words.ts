// Numbers, times and sizes in the words of the page. English, whatever the system speaks, because the page is.

const numbers = new Intl.NumberFormat('en-US');

/** 48,212 */
export const count = (n: number): string => numbers.format(n);

/** '1 photo', '48,212 photos' */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Pictures a second: 212, 9.4, 0.3 */
export const rate = (perSecond: number): string =>
  perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1).replace(/\.0$/, '');

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** For an estimate, so no finer than it deserves: '8 s', '50 s', '2 min 20 s', '14 min', '3 h 20 min', '2 days'. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 1) return 'less than 1 s';
  if (s < 10) return `${Math.round(s)} s`;
  if (s < 55) return `${Math.round(s / 5) * 5} s`;
  if (s < 5 * MINUTE) {
    const tens = Math.max(6, Math.round(s / 10));
    const rest = (tens * 10) % MINUTE;
    return `${Math.floor((tens * 10) / MINUTE)} min${rest ? ` ${rest} s` : ''}`;
  }
  if (s < 59.5 * MINUTE) return `${Math.round(s / MINUTE)} min`;
  if (s < DAY) {
    const tens = Math.round(s / (10 * MINUTE));
    const rest = (tens % 6) * 10;
    return `${Math.floor(tens / 6)} h${rest ? ` ${rest} min` : ''}`;
  }
  const days = Math.round(s / DAY);
  return plural(days, 'day');
}

/** What it took, exactly: '0.4 s', '12 s', '3 min 5 s', '1 h 4 min' */
export function took(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min${whole % MINUTE ? ` ${whole % MINUTE} s` : ''}`;
  const minutes = Math.round(whole / MINUTE);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

/** Decimal, as drives are sold and as `size:>5mb` counts: '64 GB', '1.5 MB', '812 bytes' */
export function bytes(n: number): string {
  if (n < 1000) return plural(n, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = n;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const text = value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value));
  return `${text} ${units[unit]}`;
}

/** '12 Nov', with the year when it is another one */
export function day(date: Date, now = new Date()): string {
  const month = date.toLocaleString('en-GB', { month: 'short' });
  const text = `${date.getDate()} ${month}`;
  return date.getFullYear() === now.getFullYear() ? text : `${text} ${date.getFullYear()}`;
}

/** '/home/me/Pictures' as '~/Pictures'; `home` is the home folder, null where it is not known. */
export function shortPath(path: string, home: string | null): string {
  if (!home || home === '/') return path;
  if (path === home) return '~';
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** The last part: 'Pictures' of '/home/me/Pictures/' */
export const nameOf = (path: string): string => path.replace(/\/+$/, '').split('/').pop() || '/';

/** A sentence of the program, which writes them as a terminal does, as the page writes them: 'there is no x' as 'There is no x.' */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return '';
  // A file name is not made to begin with a capital.
  const first = /^\p{Ll}[\p{L}]*[\s,]/u.test(`${trimmed} `) ? trimmed[0]?.toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
