import { setAttribute } from './dom.js';
import { scrolledTo, visibleRange } from './virtual.range.js';

/** How far a key moves. @type {Record<string, (page: number) => number>} */
const STEPS = {
  ArrowDown: () => 1,
  ArrowUp: () => -1,
  PageDown: (page) => page,
  PageUp: (page) => -page,
  Home: () => -Infinity,
  End: () => Infinity,
};

/**
 * A list of any length that holds only the rows in sight. One row, the current one, can be reached by Tab; arrows move it.
 * @template T
 */
export class VirtualList {
  /** @type {readonly T[]} */
  #items = [];
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #rowHeight = 44;
  /** @type {string | null} */
  #current = null;

  /**
   * @param {HTMLElement} host scrolls; its first child takes the rows
   * @param {{ keyOf: (item: T) => string, make: () => HTMLElement, update: (row: HTMLElement, item: T) => void }} how
   */
  constructor(host, how) {
    this.host = host;
    this.body = /** @type {HTMLElement} */ (host.firstElementChild);
    this.how = how;
    host.addEventListener('scroll', () => this.render(), { passive: true });
    host.addEventListener('keydown', (event) => this.#onKey(event));
    host.addEventListener('focusin', (event) => this.#onFocus(event));
    new ResizeObserver(() => this.#measure()).observe(host);
    this.#measure();
  }

  /** @param {readonly T[]} items */
  show(items) {
    this.#items = items;
    this.render();
  }

  get isAtTop() {
    return this.host.scrollTop < this.#rowHeight;
  }

  /** Puts the focus on the current row, or the first. */
  focus() {
    const index = Math.max(0, this.#indexOf(this.#current));
    this.#focusRow(index);
  }

  render() {
    const { first, end } = visibleRange({ ...this.#view, count: this.#items.length });
    this.body.style.height = `${this.#items.length * this.#rowHeight}px`;
    const shown = this.#items.slice(first, end);
    const keys = new Set(shown.map(this.how.keyOf));
    // The row with the focus stays, wherever it is: without it the reader would stand nowhere.
    for (const [key, row] of this.#rows) if (!keys.has(key) && !row.contains(document.activeElement)) this.#drop(key, row);
    shown.forEach((item, place) => this.#place(item, first + place));
    this.#markCurrent();
  }

  get #view() {
    return { top: this.host.scrollTop, height: this.host.clientHeight, rowHeight: this.#rowHeight };
  }

  #measure() {
    this.#rowHeight = Number.parseFloat(getComputedStyle(this.host).getPropertyValue('--row')) || 44;
    this.render();
  }

  /**
   * @param {T} item
   * @param {number} index
   */
  #place(item, index) {
    const key = this.how.keyOf(item);
    const row = this.#rows.get(key) ?? this.#add(key);
    row.style.transform = `translateY(${index * this.#rowHeight}px)`;
    // The row of the column names is the first.
    setAttribute(row, 'aria-rowindex', index + 2);
    this.how.update(row, item);
  }

  /** @param {string} key */
  #add(key) {
    const row = this.how.make();
    row.dataset.key = key;
    this.#rows.set(key, row);
    this.body.append(row);
    return row;
  }

  /**
   * @param {string} key
   * @param {HTMLElement} row
   */
  #drop(key, row) {
    this.#rows.delete(key);
    row.remove();
  }

  /** @param {string | null} key */
  #indexOf(key) {
    return this.#items.findIndex((item) => this.how.keyOf(item) === key);
  }

  #markCurrent() {
    const current = this.#current !== null && this.#rows.has(this.#current) ? this.#current : [...this.#rows.keys()][0];
    for (const [key, row] of this.#rows) setAttribute(row.querySelector('a') ?? row, 'tabindex', key === current ? 0 : -1);
  }

  /** @param {FocusEvent} event */
  #onFocus({ target }) {
    const row = target instanceof Element ? target.closest('[data-key]') : null;
    if (!(row instanceof HTMLElement)) return;
    this.#current = row.dataset.key ?? null;
    this.#markCurrent();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const step = event.altKey || event.ctrlKey || event.metaKey ? undefined : STEPS[event.key];
    if (!step || this.#items.length === 0) return;
    event.preventDefault();
    const page = Math.max(1, Math.floor(this.host.clientHeight / this.#rowHeight) - 1);
    const wanted = Math.max(0, this.#indexOf(this.#current)) + step(page);
    this.#focusRow(Math.min(this.#items.length - 1, Math.max(0, wanted)));
  }

  /** @param {number} index */
  #focusRow(index) {
    const item = this.#items[index];
    if (item === undefined) return;
    this.#current = this.how.keyOf(item);
    this.host.scrollTop = scrolledTo(index, this.#view);
    this.render();
    this.#rows.get(this.#current)?.querySelector('a')?.focus({ preventScroll: true });
  }
}
