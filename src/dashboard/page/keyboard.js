/** @typedef {Record<string, () => void>} Keys */

/**
 * Keys of the whole page. They do nothing while somebody types, or a dialog is open.
 * @param {Keys} keys
 */
export function listenToKeys(keys) {
  addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector('dialog[open]')) return;
    const isTyping = event.target instanceof Element && event.target.matches('input, select, textarea');
    if (isTyping && event.key !== 'Escape') return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
