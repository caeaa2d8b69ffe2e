import { byId, h } from './dom.js';

const SHOWN_MS = 7000;

/**
 * Says what came of something, to eyes and to screen readers. Errors stay until they are closed.
 * @param {string} text
 * @param {'done' | 'failed'} kind
 */
export function notify(text, kind = 'done') {
  const host = byId(kind === 'failed' ? 'alerts' : 'notices', HTMLElement);
  const close = h(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': 'Close the message', click: () => note.remove() },
    '✕',
  );
  const note = h('p', { class: `note ${kind}` }, h('span', {}, text), close);
  host.replaceChildren(note);
  if (kind === 'done') setTimeout(() => note.remove(), SHOWN_MS);
}
