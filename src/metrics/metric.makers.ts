import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { PlainHistogram } from './plain.histogram.js';

/** From a local call to the longest deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From a due task that starts at once to one that waited for an hour. */
const WAIT_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

/** Makes metrics of ours, all with the same first word. */
export function makersFor(registry: Registry) {
  const registers = [registry];
  const counter = <const L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `orchestrator_${name}`, help, labelNames, registers });
  const seconds = <const L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `orchestrator_${name}`, help, labelNames, buckets: SECONDS, registers });
  const waits = <const L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `orchestrator_${name}`, help, labelNames, buckets: WAIT_SECONDS, registers });
  const plain = (name: string, help: string, bounds: readonly number[]): PlainHistogram =>
    new PlainHistogram(`orchestrator_${name}`, help, bounds);
  const gauge = <const L extends string = never>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name: `orchestrator_${name}`, help, labelNames, registers });
  return { counter, seconds, waits, plain, gauge };
}
