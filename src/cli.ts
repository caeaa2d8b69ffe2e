#!/usr/bin/env node
import { run } from './cli/program.js';
import { EXIT } from './cli/exit.codes.js';
import { VERSION } from './config/version.js';

/** The edge of the command line: the streams, the two variables that it reads, and Ctrl-C. */
const { stdin, stdout, stderr, env, versions } = process;
const interrupt = new AbortController();

// What cannot be written to stdout fails where it is written; where what goes wrong is told, nobody may listen.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined);

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
  ...{ stdin, stdout, stderr, environment: env, interrupted: interrupt.signal },
  ...{ nodeVersion: versions.node, version: VERSION, serve },
});
