import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Imported before everything else. V8 doubles its young generation while the modules load, up to 3 × 16 MiB, and never gives
 * that back. Kept as small as it starts, the process has 128 MiB instead of 142 when idle and 205 instead of 300 to 350 under
 * load, at the same speed: 0.48 against 0.47 ms of CPU a task, which is within the noise.
 */
setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Gives back what loading and compiling took and nothing needs any more: 111 MiB when idle, where it was 128 or 147 as V8
 * happened to come to it. A plain collection frees as much, but keeps the pages. It takes 70 ms, once, before the server listens.
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
  collect({ type: 'major', flavor: 'last-resort' });
}
