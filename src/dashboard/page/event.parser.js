/** @typedef {{ id: string, event: string, data: string }} ServerEvent */

/** Takes the text of a server-sent event stream as it comes, in pieces of any size. */
export class EventParser {
  #rest = '';

  /**
   * The events that are whole now.
   * @param {string} text
   * @returns {ServerEvent[]}
   */
  push(text) {
    // A CR at the end may be the first half of a line's end.
    const whole = this.#rest + text;
    const isHalf = whole.endsWith('\r');
    const blocks = (isHalf ? whole.slice(0, -1) : whole).replaceAll(/\r\n?/g, '\n').split('\n\n');
    this.#rest = (blocks.pop() ?? '') + (isHalf ? '\r' : '');
    return blocks.map(parsed).filter(({ data }) => data !== '');
  }
}

/** @param {string} block */
function parsed(block) {
  const found = { id: '', event: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (field === 'data') found.data += found.data === '' ? value : `\n${value}`;
    else if (field === 'id' || field === 'event') found[field] = value;
  }
  return found;
}
