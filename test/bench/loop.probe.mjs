// Loaded into the orchestrator by `--import`: measures how long its event loop is held, what CPU it used and what it holds in memory,
// and tells when asked.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** What this process has used of all cores since it began. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** What is left after a collection of all garbage. */
function heldBytes() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.on('message', (message) => {
  if (message === 'held') process.send({ heldBytes: heldBytes() });
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
