/** `Date` says whole seconds: a smaller difference of the clocks cannot be known. */
const STEP_MS = 1000;

/** What the server's clock says, as far as its answers tell. */
export class ServerClock {
  #aheadMs = 0;

  /**
   * @param {string | null} date the header of an answer
   * @param {number} askedAt epoch ms
   * @param {number} now epoch ms
   */
  hear(date, askedAt, now = Date.now()) {
    const said = Date.parse(date ?? '');
    if (Number.isNaN(said)) return;
    const least = said - now;
    const most = said + STEP_MS - askedAt;
    const isSame = least <= 0 && most >= 0;
    this.#aheadMs = isSame ? 0 : (least + most) / 2;
  }

  /**
   * @param {number} now epoch ms
   * @returns {number} epoch seconds
   */
  seconds(now = Date.now()) {
    return (now + this.#aheadMs) / 1000;
  }
}

export const serverClock = new ServerClock();
