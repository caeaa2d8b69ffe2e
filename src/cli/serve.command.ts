import { Command } from 'commander';
import type { Attach } from './attach.js';
import { EXIT } from './exit.codes.js';
import { integerBetween } from './numbers.js';

interface ServeOptions {
  readonly port?: number;
  readonly host?: string;
  readonly database?: string;
}

/** The first Node with all that the server needs. */
const LEAST_NODE = 24;

const HELP = `
Everything else is set in the environment or in a file .env in the working directory: TASK_TIMEOUT, AUTH_MODE and so on.
It keeps its records in ./data unless DATABASE_URL says otherwise, logs to stdout, and ends in order on Ctrl-C.
It needs Node ${LEAST_NODE} or newer; the other commands do with Node 20.
Exit code 0 says that it was told to stop, 1 that it cannot start: the last line of its log says which setting, or why.

Examples:
  orchestrator serve
  orchestrator serve --port 9000 --database /var/lib/orchestrator.db
  DATABASE_URL=postgres://user@host/name orchestrator serve`;

/** Starts the server in this process. */
export const serveCommand = (attach: Attach): Command =>
  attach<ServeOptions>(
    new Command('serve')
      .summary('start the orchestrator')
      .description('Starts the orchestrator in this process.')
      .option('--port <port>', 'where it listens, instead of PORT (8001)', integerBetween(1, 65_535))
      .option('--host <address>', 'on which address, instead of HOST (0.0.0.0)')
      .option('--database <url>', 'a SQLite file or postgres://…, instead of DATABASE_URL (./data/orchestrator.db)')
      .addHelpText('after', HELP),
    async ({ terminal, output }, _args, { port, host, database }) => {
      if (parseInt(terminal.nodeVersion) < LEAST_NODE) {
        output.note(
          `orchestrator serve needs Node ${LEAST_NODE} or newer, and this is ${terminal.nodeVersion}: install it from https://nodejs.org`,
        );
        return EXIT.oldNode;
      }
      const given = { PORT: port?.toString(), HOST: host, DATABASE_URL: database };
      const settings = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
      await terminal.serve(Object.fromEntries(settings));
      return EXIT.done;
    },
  );
