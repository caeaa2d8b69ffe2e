/** @typedef {import('./api.types.d.ts').Task} Task */

/**
 * The newest tasks that are wanted, at most so many. While it is held, what is new waits and what is shown still changes
 * in its place: nothing moves under the reader's pointer.
 */
export class TaskBuffer {
  /** @type {Map<string, Task>} */
  #known = new Map();
  /** Newest first; ids rise with the time of creation. @type {string[]} */
  #order = [];
  /** @type {Set<string>} */
  #waiting = new Set();
  /** Whom the stream told of while a list was asked for: what it says is newer. @type {Set<string> | null} */
  #told = null;
  #isHeld = false;
  /** @type {(task: Task) => boolean} */
  wanted = () => true;

  /** @param {number} limit */
  constructor(limit) {
    this.limit = limit;
  }

  get isHeld() {
    return this.#isHeld;
  }

  /** How many wait until the hold ends. */
  get waiting() {
    return this.#waiting.size;
  }

  /** Newest first, without those that wait. */
  get tasks() {
    return this.#order.flatMap((id) => this.#known.get(id) ?? []);
  }

  get isEmpty() {
    return this.#order.length === 0;
  }

  hold() {
    this.#isHeld = true;
  }

  release() {
    this.#isHeld = false;
    this.#order.push(...this.#waiting);
    this.#waiting.clear();
    for (const task of this.tasks) if (!this.wanted(task)) this.#remove(task.id);
    this.#trim();
  }

  /** @param {readonly Task[]} tasks as the stream told of them */
  apply(tasks) {
    for (const task of tasks) {
      this.#told?.add(task.id);
      if (this.wanted(task) || (this.#isHeld && this.#known.has(task.id))) this.#put(task);
      else this.#remove(task.id);
    }
    this.#trim();
  }

  /** A list is asked for. */
  beginFill() {
    this.#told = new Set();
  }

  /**
   * Takes a list in place of what was known before, but for what the stream has told since it was asked for.
   * @param {readonly Task[]} tasks
   */
  fill(tasks) {
    const told = this.#told ?? new Set();
    const newer = [...told].flatMap((id) => this.#known.get(id) ?? []);
    this.#told = null;
    this.#known.clear();
    this.#waiting.clear();
    this.#order = [];
    for (const task of [...tasks.filter(({ id }) => !told.has(id)), ...newer]) {
      this.#order.push(task.id);
      this.#known.set(task.id, task);
    }
    this.#order.sort(newestFirst);
    this.#trim();
  }

  /** The list did not come: what is known stays, but for what is wanted no more. */
  abandonFill() {
    this.#told = null;
    for (const task of [...this.#known.values()]) if (!this.wanted(task)) this.#remove(task.id);
  }

  /** @param {Task} task */
  #put(task) {
    if (!this.#known.has(task.id)) {
      if (this.#isHeld) this.#waiting.add(task.id);
      else this.#order.push(task.id);
    }
    this.#known.set(task.id, task);
  }

  /** @param {string} id */
  #remove(id) {
    if (!this.#known.delete(id)) return;
    this.#waiting.delete(id);
    this.#order = this.#order.filter((other) => other !== id);
  }

  #trim() {
    if (!this.#isHeld) this.#order.sort(newestFirst);
    for (const id of this.#order.splice(this.limit)) this.#known.delete(id);
    const late = [...this.#waiting].slice(0, Math.max(0, this.#waiting.size - this.limit));
    for (const id of late) this.#remove(id);
  }
}

/**
 * @param {string} a
 * @param {string} b
 */
const newestFirst = (a, b) => (a < b ? 1 : -1);
