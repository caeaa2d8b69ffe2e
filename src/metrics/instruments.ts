import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a local call to the longest deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every Prometheus metric, named in one place. Labels are bounded: a droplet's or a route's name, never a path. */
export function createInstruments() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <const L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `orchestrator_${name}`, help, labelNames, registers });
  const seconds = <const L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `orchestrator_${name}`, help, labelNames, buckets: SECONDS, registers });
  const gauge = <const L extends string = never>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name: `orchestrator_${name}`, help, labelNames, registers });
  return {
    registry,
    tasks: counter('tasks_total', 'Finished tasks', ['droplet', 'status']),
    taskDuration: seconds('task_duration_seconds', 'Time of whole tasks, attempts and waits', ['droplet']),
    failedAttempts: counter('task_failed_attempts_total', 'Failed attempts of finished tasks', ['droplet']),
    attempts: counter('attempts_total', 'Outbound calls to droplets', ['droplet', 'outcome']),
    attemptDuration: seconds('attempt_duration_seconds', 'Time of single outbound calls to droplets', ['droplet']),
    syncs: counter('registry_syncs_total', 'Reads of the Registry', ['result']),
    rejectedEntries: counter('registry_rejected_entries_total', 'Entries of the Registry that cannot be used', []),
    requests: counter('http_requests_total', 'Answered HTTP requests', ['method', 'route', 'status']),
    errors: counter('http_errors_total', 'Requests answered with an error: on POST /tasks, a refused task', [
      'method',
      'route',
      'code',
    ]),
    retriesRefused: counter('retries_refused_total', 'Retries for which the budget of a droplet had nothing left', ['droplet']),
    breaker: gauge('droplet_breaker_state', '1 for the state that the breaker of a droplet is in, 0 for the others', [
      'droplet',
      'state',
    ]),
    inFlight: gauge('droplet_calls_in_flight', 'Calls to a droplet that are under way', ['droplet']),
    waiting: gauge('droplet_calls_waiting', 'Calls to a droplet that wait for a place', ['droplet']),
    dropletsKnown: gauge('droplets_known', 'Droplets in the list'),
    dropletsReachable: gauge('droplets_reachable', 'Known droplets less those whose last call got no answer'),
    cacheAge: gauge('registry_cache_age_seconds', 'Age of the droplet list, 999999 for none'),
  };
}
