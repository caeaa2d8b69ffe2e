/** One event of a stream. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Splits the text of a stream into events (HTML Standard §9.2.6), whatever the pieces that it comes in. */
export class EventParser {
  private rest = '';

  /** The events that the next piece completes; comments are none. */
  push(piece: string): ServerSentEvent[] {
    const blocks = (this.rest + piece).split(/\r\n\r\n|\n\n|\r\r/);
    this.rest = blocks.pop() ?? '';
    return blocks.map(parseBlock).filter((event) => event !== null);
  }
}

function parseBlock(block: string): ServerSentEvent | null {
  const fields = { id: '', event: 'message', data: [] as string[] };
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') fields.data.push(value);
    else if (name === 'id' || name === 'event') fields[name] = value;
  }
  return fields.data.length === 0 ? null : { ...fields, data: fields.data.join('\n') };
}
