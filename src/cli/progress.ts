import type { Screen } from './terminal.js';

/** How far something is. */
export interface Progress {
  advance(done: number): void;
  end(): void;
}

const SILENT: Progress = { advance: () => undefined, end: () => undefined };

/** A bar on a terminal; nothing anywhere else. */
export async function progressOn(screen: Screen, title: string, total: number): Promise<Progress> {
  if (!screen.isTTY) return SILENT;
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    ...{ stream: screen, format: `${title} [{bar}] {value}/{total} {eta_formatted}` },
    ...{ hideCursor: true, clearOnComplete: true, barCompleteChar: '=', barIncompleteChar: ' ', gracefulExit: false },
  });
  bar.start(total, 0);
  return { advance: (done) => bar.increment(done), end: () => bar.stop() };
}
