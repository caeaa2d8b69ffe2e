import { ApiError, get } from './api.js';
import { byId, setText } from './dom.js';
import { arranged } from './droplet.order.js';
import { makeDropletRow, updateDropletRow } from './droplet.row.js';
import { count } from './format.js';
import { oncePerFrame } from './frame.js';
import { Poller } from './poller.js';
import { Ring } from './ring.js';
import { SPARK_VALUES } from './spark.js';
import { VirtualList } from './virtual.list.js';

/** @typedef {import('./api.types.d.ts').Droplet} Droplet */

/** A long list is read less often: five thousand droplets are two megabytes. */
const LEAST_EVERY_MS = 3000;
const MS_A_DROPLET = 2;
/** A key that may not read them will seldom be given the right to. */
const DENIED_EVERY_MS = 30_000;

/** The list of droplets, with how each does. */
export class DropletsView {
  /** @type {readonly Droplet[]} */
  droplets = [];
  /** @type {Map<string, Ring<number | null>>} */
  #past = new Map();
  #trouble = '';
  #isKnown = false;
  #isDenied = false;

  /** @param {(droplets: readonly Droplet[]) => void} onDroplets */
  constructor(onDroplets) {
    this.onDroplets = onDroplets;
    this.field = byId('droplets-filter', HTMLInputElement);
    this.order = byId('droplets-order', HTMLSelectElement);
    this.list = new VirtualList(byId('droplets-rows', HTMLElement), {
      keyOf: (/** @type {Droplet} */ { name }) => name,
      make: makeDropletRow,
      update: (row, droplet) => updateDropletRow(row, droplet, this.pastOf(droplet.name)),
    });
    this.draw = oncePerFrame(() => this.#draw());
    this.field.addEventListener('input', this.draw);
    this.order.addEventListener('change', this.draw);
    this.poller = new Poller(
      () => this.#ask(),
      () => (this.#isDenied ? DENIED_EVERY_MS : Math.max(LEAST_EVERY_MS, this.droplets.length * MS_A_DROPLET)),
    );
  }

  /** @param {string} name */
  pastOf(name) {
    return this.#past.get(name)?.values ?? [];
  }

  /** @param {string} name */
  find(name) {
    return this.droplets.find((droplet) => droplet.name === name) ?? null;
  }

  /**
   * Takes what an order has come to, before the next look.
   * @param {Droplet} changed
   */
  put(changed) {
    this.#take(this.droplets.map((droplet) => (droplet.name === changed.name ? changed : droplet)));
  }

  async #ask() {
    try {
      const { droplets } = /** @type {{ droplets: readonly Droplet[] }} */ (await get('droplets'));
      this.#trouble = '';
      this.#isKnown = true;
      this.#isDenied = false;
      this.#remember(droplets);
      this.#take(droplets);
    } catch (error) {
      this.#trouble = error instanceof ApiError ? error.message : String(error);
      this.#isDenied = error instanceof ApiError && error.isDenied;
      this.draw();
    }
  }

  /** @param {readonly Droplet[]} droplets */
  #remember(droplets) {
    const past = new Map();
    for (const { name, health } of droplets) {
      const ring = this.#past.get(name) ?? new Ring(SPARK_VALUES);
      ring.push(health.p95_ms);
      past.set(name, ring);
    }
    this.#past = past;
  }

  /** @param {readonly Droplet[]} droplets */
  #take(droplets) {
    this.droplets = droplets;
    this.onDroplets(droplets);
    this.draw();
  }

  #draw() {
    const order = /** @type {import('./droplet.order.js').DropletOrder} */ (this.order.value);
    const shown = arranged(this.droplets, this.field.value, order);
    this.list.show(shown);
    this.#drawNote(shown.length);
    const all = this.droplets.length;
    setText(byId('droplets-count', HTMLElement), shown.length === all ? count(all) : `${count(shown.length)} of ${count(all)}`);
  }

  /** @param {number} shown how many fit the filter */
  #drawNote(shown) {
    const note = byId('droplets-empty', HTMLElement);
    note.hidden = this.#trouble === '' && (shown > 0 || !this.#isKnown);
    note.classList.toggle('over', shown > 0);
    if (shown > 0) return setText(note, `The list may be old: ${this.#trouble}`);
    setText(
      note,
      this.#trouble || (this.droplets.length > 0 ? 'No droplet fits this filter.' : 'No droplets are registered yet.'),
    );
  }
}
