import './heap.js';
import { createApp } from './app.setup.js';
import { createLog, Log } from './common/log.js';
import { readEnvironment } from './config/environment.js';
import { parseSettings } from './config/settings.js';
import { Shutdown } from './shutdown.js';

/** The process edge: reads the settings, starts, and listens for signals. */
async function main(): Promise<void> {
  process.once('SIGTERM', () => process.exit(0)).once('SIGINT', () => process.exit(0));
  const settings = parseSettings(readEnvironment());
  process.on('uncaughtException', (err) => fail(err, 'uncaught exception'));
  const app = await createApp(settings);
  const shutdown = new Shutdown(app);
  // Nest's own listen() would tell of a failure a second time.
  await app.getHttpAdapter().getInstance().listen({ port: settings.PORT, host: settings.HOST });
  app.get(Log).info({ url: settings.PUBLIC_URL, port: settings.PORT }, 'listening');
  onSignals(() => shutdown.run());
}

/** The first signal ends in order, a second one at once. */
function onSignals(stop: () => Promise<void>): void {
  process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
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
