// The remembered colours, before anything is painted: src/theme.svelte.ts does the same later, and keeps it up to date.
// And whether the address is one of the screens that explore, whose head is another.
(() => {
  const root = document.documentElement;
  if (/^\/(search|similar|photo)\b/.test(location.pathname)) root.dataset.explore = '';
  try {
    const theme = localStorage.getItem('theme');
    if (theme === 'contrast') root.dataset.contrast = 'more';
    else if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's colours.
  }
})();
