import { ApiError } from './api.js';
import { byId, h } from './dom.js';

/**
 * @typedef {object} Detail
 * @property {string} title
 * @property {string} state what it was made from: the same is not drawn again
 * @property {Node[]} parts
 * @property {(() => void) | undefined} [tick] draws what changes with time alone
 * @typedef {{ kind: 'task' | 'droplet', key: string }} Place
 */

const TICK_MS = 1000;

/**
 * What the address says is open: `#task/ID` or `#droplet/NAME`.
 * @param {string} hash
 * @returns {Place | null}
 */
function placeOf(hash) {
  const [, kind, key = ''] = /^#(task|droplet)\/(.+)$/.exec(hash) ?? [];
  if (kind !== 'task' && kind !== 'droplet') return null;
  try {
    return { kind, key: decodeURIComponent(key) };
  } catch {
    return null;
  }
}

/** The panel at the side that shows one task or one droplet. */
export class DetailView {
  /** @type {Place | null} */
  place = null;
  /** @type {Element | null} */
  #cameFrom = null;
  /** What is loaded now; what hangs holds up no other. @type {Place | null} */
  #loading = null;
  #isStale = false;
  #state = '';
  /** @type {Detail['tick']} */
  #tick = undefined;

  /** @param {(place: Place) => Promise<Detail>} load */
  constructor(load) {
    this.load = load;
    this.panel = byId('detail', HTMLElement);
    addEventListener('hashchange', () => this.follow());
    setInterval(() => this.#isSelectedFrom || this.#tick?.(), TICK_MS);
  }

  /** Shows what the address says. */
  follow() {
    const place = placeOf(location.hash);
    if (place && !this.place) this.#cameFrom = document.activeElement;
    this.place = place;
    if (!place) return this.#hide();
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    this.#render({ title: '…', state: '', parts: [] });
    this.panel.querySelector('h2')?.focus();
    void this.refresh();
  }

  /** The address goes back to the page itself. */
  close() {
    if (this.place) location.hash = '';
  }

  /** Loads it anew; what changes while it is loaded is loaded once more. */
  async refresh() {
    const { place } = this;
    this.#isStale = true;
    if (!place || this.#loading === place) return;
    this.#loading = place;
    while (this.#isStale && this.place === place) {
      this.#isStale = false;
      const detail = await this.load(place).catch(failed);
      if (this.place === place && detail.state !== this.#state && !this.#isSelectedFrom) this.#render(detail);
    }
    if (this.#loading === place) this.#loading = null;
  }

  /** Who marks a text wants to copy it. */
  get #isSelectedFrom() {
    const selection = getSelection();
    return selection !== null && !selection.isCollapsed && this.panel.contains(selection.anchorNode);
  }

  #hide() {
    this.#tick = undefined;
    this.panel.hidden = true;
    this.panel.replaceChildren();
    if (this.#cameFrom instanceof HTMLElement && this.#cameFrom.isConnected) this.#cameFrom.focus();
    this.#cameFrom = null;
  }

  /** @param {Detail} detail */
  #render({ title, state, parts, tick }) {
    this.#state = state;
    this.#tick = tick;
    const focusAgain = focusWithin(this.panel);
    const heading = h('h2', { id: 'detail-title', tabindex: -1 }, title);
    const close = h(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': 'Close the panel', click: () => this.close() },
      '✕',
    );
    this.panel.replaceChildren(h('header', {}, heading, close), ...parts);
    focusAgain();
  }
}

/**
 * @param {unknown} error
 * @returns {Detail}
 */
const failed = (error) => ({
  title: error instanceof ApiError && error.status === 404 ? 'Not found' : 'It cannot be shown',
  state: String(error),
  parts: [h('p', { class: 'fault' }, error instanceof Error ? error.message : String(error))],
});

/**
 * How to put the focus back after the panel was built anew: on the button of the same name, or the heading.
 * @param {HTMLElement} panel
 */
function focusWithin(panel) {
  const had = document.activeElement;
  if (!had || !panel.contains(had)) return () => undefined;
  const text = had.textContent;
  return () => {
    const same = [...panel.querySelectorAll('button, a, pre')].find((element) => element.textContent === text);
    const target = same ?? panel.querySelector('h2');
    if (target instanceof HTMLElement) target.focus();
  };
}
