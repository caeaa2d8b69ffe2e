// Loaded into the built server by `--import`: at each SIGUSR2 it prints how long its event loop was held since the last one.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();

process.on('SIGUSR2', () => {
  // The histogram holds the distance between two ticks of its timer, which is the delay and the resolution.
  const ms = (nanoseconds) => Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION_MS) * 10) / 10);
  const figures = { p50_ms: ms(delay.percentile(50)), p99_ms: ms(delay.percentile(99)), max_ms: ms(delay.max) };
  console.log(`loop delay: ${JSON.stringify(figures)}`);
  delay.reset();
});
