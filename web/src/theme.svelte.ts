// Light, dark, as the system says, or more contrast. Remembered on this computer only.

export type Theme = 'system' | 'light' | 'dark' | 'contrast';

const themes: readonly Theme[] = ['system', 'light', 'dark', 'contrast'];
const names: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark', contrast: 'more contrast' };
const KEY = 'theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY) as Theme | null;
    return value && themes.includes(value) ? value : 'system';
  } catch {
    return 'system'; // storage is switched off: the choice lasts for this page
  }
}

class ThemeChoice {
  current = $state<Theme>(stored());
  readonly name: string = $derived(names[this.current]);

  apply(): void {
    const root = document.documentElement;
    delete root.dataset.theme;
    delete root.dataset.contrast;
    if (this.current === 'contrast') root.dataset.contrast = 'more';
    else if (this.current !== 'system') root.dataset.theme = this.current;
  }

  set(theme: Theme): void {
    this.current = theme;
    this.apply();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // As above.
    }
  }

  next(): void {
    this.set(themes[(themes.indexOf(this.current) + 1) % themes.length] ?? 'system');
  }
}

export const theme = new ThemeChoice();

// Another tab chose.
addEventListener('storage', (event) => {
  if (event.key !== KEY) return;
  theme.current = stored();
  theme.apply();
});
