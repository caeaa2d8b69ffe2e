// Loaded into the orchestrator by `--import`: measures how long its event loop is held and what CPU it used, and tells when asked.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** What this process has used of all cores since it began. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

process.on('message', (message) => {
  if (message === 'cpu') process.send({ cpuMs: cpuMs() });
  if (message === 'loop:start') {
    delay.reset();
    delay.enable();
    process.send('started');
  }
  if (message === 'loop:stop') {
    delay.disable();
    // The histogram holds the distance between two ticks of its timer, which is the delay and the resolution.
    const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    process.send({
      p50: ms(delay.percentile(50)),
      p99: ms(delay.percentile(99)),
      max: ms(delay.max),
      cpuMs: cpuMs(),
    });
  }
});
// The channel must not keep the process when it is asked to end.
process.channel?.unref();
