import { boundYoungGeneration, giveBackMemory } from './heap.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.setup.js';
import { createLog, Log } from './common/log.js';
import { readEnvironment } from './config/environment.js';
import { parseSettings, type Settings } from './config/settings.js';
import { Shutdown } from './shutdown.js';

/** The process edge: reads the settings, starts, and listens for signals. */
async function main(): Promise<void> {
  process.once('SIGTERM', () => process.exit(0)).once('SIGINT', () => process.exit(0));
  const settings = parseSettings(readEnvironment());
  process.on('uncaughtException', (err) => fail(err, 'uncaught exception'));
  const app = await createApp(settings);
  const shutdown = new Shutdown(app);
  giveBackMemory();
  boundYoungGeneration();
  await listen(app, settings);
  app.get(Log).info({ url: settings.PUBLIC_URL, port: settings.PORT }, 'listening');
  onSignals(() => shutdown.run());
}

async function listen(app: NestFastifyApplication, { PORT: port, HOST: host }: Settings): Promise<void> {
  try {
    // Nest's own listen() would tell of a failure a second time.
    await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    throw new Error(`Cannot listen (${(error as Error).message}): give PORT or HOST another value`, { cause: error });
  }
}

/** npm passes on a Ctrl-C that the terminal has sent us too: what comes this soon after it is the same one. */
const SAME_CTRL_C_MS = 100;

/** The first signal ends in order, a second one at once. */
function onSignals(stop: () => Promise<void>): void {
  process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
  let firstAt: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt !== null) {
      const isSameCtrlC = signal === 'SIGINT' && performance.now() - firstAt < SAME_CTRL_C_MS;
      return isSameCtrlC ? undefined : process.exit(1);
    }
    firstAt = performance.now();
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error, 'shutdown failed'),
    );
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}

/** Says why in one line, and ends. */
function fail(error: unknown, message: string): never {
  createLog('fatal').fatal({ err: error }, message);
  process.exit(1);
}

main().catch((error: unknown) => {
  createLog('fatal').fatal({}, error instanceof Error ? error.message : String(error));
  process.exit(1);
});
