import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * The old generation grows by half between two collections. V8's own rule lets it grow fourfold, which took 390 MiB for the
 * whole process under load. By a third it took no less. By the double it took what the young generation now has: better used
 * there, for with 256 callers a task outlives a collection, and what outlives two is old.
 */
setFlagsFromString('--heap-growing-percent=50');

/**
 * V8 allocates in the old generation at once what one place in the code makes, when it takes that for long-lived. It took so
 * what each request needs, in twelve of thirteen processes: what is dead and old keeps what it points to until the old generation
 * is collected, 3.3 KB a task, and the young generation's collections took 7 µs a task instead of 1.
 */
setFlagsFromString('--no-allocation-site-pretenuring');

/** What each half of the young generation may take: one is allocated in, the other takes what outlives a collection. */
const SEMI_SPACE_BYTES = 32 * 2 ** 20;

/**
 * Holds V8's young generation at two halves of 32 MiB. Left alone it grows to 128 MiB under load and stays there; held at the
 * 2 MiB that it begins with, it is collected every 3 ms, which took a quarter of the main thread. V8 reads the factor at each
 * collection, the sizes only before the process begins. A process that rests is given a small young generation again, so it may
 * grow each time, and in one step: with a factor that stayed at 1 a task cost 250 µs for 130 from the first pause on.
 */
export function boundYoungGeneration(): void {
  let factor = 2;
  const observer = new PerformanceObserver(() => {
    const missing = Math.max(1, Math.floor(SEMI_SPACE_BYTES / semiSpaceBytes()));
    if (missing === factor) return;
    factor = missing;
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** What a half holds when it is full. Its pages come as they are needed, so `space_size` can be less than two such halves. */
function semiSpaceBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return young ? young.space_used_size + young.space_available_size : SEMI_SPACE_BYTES;
}

/**
 * Gives back what loading and compiling took and nothing needs any more: 111 MiB when idle, where it was 128 or 147 as V8
 * happened to come to it. A plain collection frees as much, but keeps the pages. It takes 70 ms, once, before the server listens.
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
  collect({ type: 'major', flavor: 'last-resort' });
}
