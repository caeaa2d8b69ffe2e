import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** All that the command line has of the process; whoever starts it hands it in. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly nodeVersion: string;
  readonly version: string;
  /** Starts the server in this process, with these settings over those of the environment. */
  readonly serve: (settings: Readonly<Record<string, string>>) => Promise<void>;
}
