/**
 * The last values of a series, as many as fit.
 * @template T
 */
export class Ring {
  /** @type {T[]} */
  #values = [];
  #next = 0;

  /** @param {number} size */
  constructor(size) {
    this.size = size;
  }

  /** @param {T} value */
  push(value) {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.size;
  }

  /** Oldest first. */
  get values() {
    return this.#values.length < this.size
      ? [...this.#values]
      : [...this.#values.slice(this.#next), ...this.#values.slice(0, this.#next)];
  }
}
