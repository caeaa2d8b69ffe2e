import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a local call to the longest deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every Prometheus metric, named in one place. Labels are bounded: a droplet's or a route's name, never a path. */
export function createInstruments() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    tasks: new Counter({
      name: 'orchestrator_tasks_total',
      help: 'Finished tasks',
      labelNames: ['droplet', 'status'],
      registers,
    }),
    taskDuration: new Histogram({
      name: 'orchestrator_task_duration_seconds',
      help: 'Time of whole tasks, attempts and waits',
      labelNames: ['droplet'],
      buckets: SECONDS,
      registers,
    }),
    errors: new Counter({
      name: 'orchestrator_http_errors_total',
      help: 'Requests that were answered with an error; a refused task is one on POST /tasks',
      labelNames: ['method', 'route', 'code'],
      registers,
    }),
    attempts: new Counter({
      name: 'orchestrator_attempts_total',
      help: 'Outbound calls to droplets',
      labelNames: ['droplet', 'outcome'],
      registers,
    }),
    attemptDuration: new Histogram({
      name: 'orchestrator_attempt_duration_seconds',
      help: 'Time of single outbound calls to droplets',
      labelNames: ['droplet'],
      buckets: SECONDS,
      registers,
    }),
    retries: new Counter({
      name: 'orchestrator_task_failed_attempts_total',
      help: 'Failed attempts of finished tasks',
      labelNames: ['droplet'],
      registers,
    }),
    syncs: new Counter({
      name: 'orchestrator_registry_syncs_total',
      help: 'Reads of the Registry',
      labelNames: ['result'],
      registers,
    }),
    rejectedEntries: new Counter({
      name: 'orchestrator_registry_rejected_entries_total',
      help: 'Entries of the Registry that were left out because they cannot be used',
      registers,
    }),
    requests: new Counter({
      name: 'orchestrator_http_requests_total',
      help: 'Answered HTTP requests',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    dropletsKnown: new Gauge({ name: 'orchestrator_droplets_known', help: 'Droplets in the list', registers }),
    dropletsReachable: new Gauge({
      name: 'orchestrator_droplets_reachable',
      help: 'Known droplets less those whose last call got no answer',
      registers,
    }),
    cacheAge: new Gauge({
      name: 'orchestrator_registry_cache_age_seconds',
      help: 'Age of the droplet list, 999999 for none',
      registers,
    }),
  };
}
