/**
 * Asks again and again, never twice at once, and not while nobody looks.
 */
export class Poller {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #isAsking = false;
  #isRunning = false;

  /**
   * @param {() => Promise<unknown>} ask
   * @param {() => number} everyMs asked anew each time
   */
  constructor(ask, everyMs) {
    this.ask = ask;
    this.everyMs = everyMs;
  }

  start() {
    this.#isRunning = true;
    void this.now();
  }

  stop() {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  /** Asks at once. */
  async now() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    clearTimeout(this.#timer);
    await this.ask();
    this.#isAsking = false;
    if (this.#isRunning) this.#timer = setTimeout(() => void this.now(), this.everyMs());
  }
}
