#!/usr/bin/env node
import { run } from './cli/program.js';
import { EXIT } from './cli/exit.codes.js';
import { VERSION } from './config/version.js';

/** The edge of the command line: the streams, the two variables that it reads, and Ctrl-C. */
const { stdin, stdout, stderr, env, versions } = process;
const interrupt = new AbortController();

const CHANGING: readonly string[] = ['submit', 'cancel', 'retry', 'bench'];
let isChanging = false;

// Whoever reads us, `head` say, has had enough. What only reads is then done; what was to change something may not be.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' || !isChanging) process.exit(codeOf(error));
  stderr.write(`The output was closed before the end: see with 'orchestrator tasks' what was done\n`, () =>
    process.exit(EXIT.outputClosed),
  );
});
stderr.on('error', (error: NodeJS.ErrnoException) => process.exit(codeOf(error)));

function codeOf({ code }: NodeJS.ErrnoException): number {
  if (code !== 'EPIPE') return EXIT.broken;
  return isChanging ? EXIT.outputClosed : EXIT.done;
}

// The first Ctrl-C ends in order, a second one at once.
process.once('SIGINT', () => {
  interrupt.abort();
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
});

/** The server reads its settings from the environment, and listens for signals itself. */
async function serve(settings: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(env, settings);
  process.removeAllListeners('SIGINT');
  await import('./main.js');
}

process.exitCode = await run(process.argv.slice(2), {
  ...{
    stdin,
    stdout,
    stderr,
    environment: env,
    interrupted: interrupt.signal,
    nodeVersion: versions.node,
    version: VERSION,
    begins: (command: string) => (isChanging = CHANGING.includes(command)),
    serve,
  },
});
