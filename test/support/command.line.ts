import { PassThrough } from 'node:stream';
import { run } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';

/** What a command came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly environment?: Record<string, string>;
  /** What is typed; null never ends. */
  readonly stdin?: string | null;
  /** The columns of the terminal; without it stdout and stderr are pipes. */
  readonly columns?: number;
  readonly nodeVersion?: string;
  readonly interrupted?: AbortSignal;
  /** Called for each piece that is written to stdout. */
  readonly onWritten?: () => void;
  readonly serve?: Terminal['serve'];
}

/** Runs a command in this process, on streams of its own. */
export async function commandLine(args: readonly string[], around: Surroundings = {}): Promise<Ran> {
  const { environment = {}, columns, stdin = '', nodeVersion = '24.0.0', interrupted = new AbortController().signal } = around;
  const [stdout, stderr] = [new CollectedScreen(columns), new CollectedScreen(columns)];
  if (around.onWritten) stdout.on('data', around.onWritten);
  const input = new PassThrough();
  if (stdin !== null) input.end(stdin);
  const serve = around.serve ?? (() => Promise.reject(new Error('no test serves here')));
  const code = await run(args, {
    ...{ stdin: input, stdout, stderr, environment, interrupted, nodeVersion, version: '1.2.3', serve },
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Keeps what is written to it; a terminal when it has columns. */
class CollectedScreen extends PassThrough {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  // What the progress bar asks of a terminal.
  readonly cursorTo = (): boolean => true;
  readonly clearLine = (): boolean => true;
  readonly moveCursor = (): boolean => true;

  constructor(columns: number | undefined) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
    this.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }
}
