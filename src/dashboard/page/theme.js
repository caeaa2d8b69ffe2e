import { setText } from './dom.js';

const KEY = 'orchestrator-theme';
const THEMES = ['auto', 'light', 'dark'];

/**
 * A button that goes through the themes; `early.js` sets the one that was chosen before anything is painted.
 * @param {HTMLButtonElement} button
 */
export function switchTheme(button) {
  const tell = () => setText(button, `Theme: ${current()}`);
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length] ?? 'auto';
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Not kept, where nothing may be.
    }
    tell();
  });
  tell();
}

const current = () => document.documentElement.dataset.theme ?? 'auto';
