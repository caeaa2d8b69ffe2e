import { OrchestratorClient, type ClientOptions } from '../client/entry.js';
import { Output } from './output.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage.error.js';

/** The options that every command has. */
export interface GlobalOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** What a command works with. */
export interface Session {
  readonly terminal: Terminal;
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly url: string;
  readonly hasKey: boolean;
  /** Made at the first use: a command that asks nobody needs no good URL. @throws UsageError */
  readonly client: (options?: ClientOptions) => OrchestratorClient;
}

export function openSession(terminal: Terminal, options: GlobalOptions): Session {
  const { ORCHESTRATOR_URL, ORCHESTRATOR_KEY } = terminal.environment;
  const url = options.url ?? given(ORCHESTRATOR_URL) ?? 'http://localhost:8001';
  const key = given(ORCHESTRATOR_KEY);
  return {
    ...{ terminal, url, hasKey: key !== undefined, signal: terminal.interrupted },
    output: new Output(terminal, options.json ?? terminal.stdout.isTTY !== true),
    client: (more) => newClient({ url, key, ...more }),
  };
}

/** An empty variable counts as unset. */
function given(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

function newClient(options: ClientOptions): OrchestratorClient {
  try {
    return new OrchestratorClient(options);
  } catch (error) {
    const { message } = error as TypeError;
    throw new UsageError(message.includes('URL') ? `ORCHESTRATOR_URL or --url: ${message}` : `ORCHESTRATOR_KEY: ${message}`);
  }
}
