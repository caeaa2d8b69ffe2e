import { replyOf } from '../client/entry.js';
import { OutputError } from './output.error.js';
import { Paint } from './paint.js';
import { tableText, type Column } from './table.js';
import type { Screen, Terminal } from './terminal.js';

/** What a command says: replies as they are for programs, tables for people. */
export class Output {
  readonly paint: Paint;
  /** Colours of what goes to stderr, which may be another terminal or none. */
  readonly notePaint: Paint;

  constructor(
    private readonly terminal: Terminal,
    readonly isJson: boolean,
  ) {
    this.paint = new Paint(hasColours(terminal.stdout, terminal));
    this.notePaint = new Paint(hasColours(terminal.stderr, terminal));
  }

  /** A reply as it came, or what people are shown of it. */
  async show(value: object, forPeople: () => string): Promise<void> {
    await this.line(this.isJson ? (replyOf(value)?.text ?? JSON.stringify(value)) : forPeople());
  }

  /** Writes to stdout; resolves when that is done, so that a slow reader slows us. @throws OutputError */
  line(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.terminal.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) =>
        error ? reject(new OutputError(error)) : resolve(),
      );
    });
  }

  /** For people, whatever stdout is: how it goes, and what went wrong. */
  note(text: string): void {
    this.terminal.stderr.write(`${text}\n`);
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
    return tableText(columns, rows, this.terminal.stdout.isTTY ? this.terminal.stdout.columns : undefined);
  }
}

/** https://no-color.org */
const hasColours = ({ isTTY }: Screen, { environment }: Terminal): boolean =>
  isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
