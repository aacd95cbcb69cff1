// The remembered colours, before anything is painted: src/theme.svelte.ts does the same later, and keeps it up to date.
(() => {
  try {
    const theme = localStorage.getItem('theme');
    const root = document.documentElement;
    if (theme === 'contrast') root.dataset.contrast = 'more';
    else if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's colours.
  }
})();
