import { collectDefaultMetrics, Registry } from 'prom-client';
import { VERSION } from '../config/version.js';
import { makersFor } from './metric.makers.js';

/** What a task costs beside its call: from the router alone to a store that hangs. */
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2];
const COMMIT_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2];
const BATCH_WRITES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Counts of prom-client's own that are named like counters, and are gauges: the sums of others that it has. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** How often the delay of the event loop is looked at. Every 10 ms, as prom-client does, was most of what an idle process does. */
const LOOP_LOOK_MS = 20;

/** Every Prometheus metric, named in one place. Labels are bounded: a droplet's or a route's name, never a path. */
export function createInstruments() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const { counter, seconds, waits, plain, gauge } = makersFor(registry);
  gauge('build_info', 'The version that runs', ['version']).set({ version: VERSION }, 1);
  return {
    registry,
    tasks: counter('tasks_total', 'Finished tasks', ['droplet', 'status']),
    taskDuration: seconds('task_duration_seconds', 'Time of whole tasks, attempts and waits', ['droplet']),
    failedAttempts: counter('task_failed_attempts_total', 'Failed attempts of finished tasks', ['droplet']),
    recovered: counter('tasks_recovered_total', 'Tasks and callbacks that were picked up from a process that died', []),
    overhead: plain(
      'router_overhead_seconds',
      'Time of synchronous tasks from the request to its answer, less the call and its waits',
      OVERHEAD_SECONDS,
    ),
    attempts: counter('attempts_total', 'Outbound calls to droplets', ['droplet', 'outcome']),
    attemptDuration: seconds('attempt_duration_seconds', 'Time of single outbound calls to droplets', ['droplet']),
    lineWait: waits('droplet_line_wait_seconds', 'Time that calls waited for a place at a droplet, those that had to', [
      'droplet',
    ]),
    queueWait: waits('queue_wait_seconds', 'Time from when an attempt of an asynchronous task was due to its start', ['droplet']),
    queueJobs: gauge('queue_jobs', 'Asynchronous tasks and callbacks that run in this process, or wait in the store', ['state']),
    queueOldestDue: gauge('queue_oldest_due_age_seconds', 'For how long the oldest one that waits has been due, 0 for none'),
    callbacks: counter('callback_attempts_total', 'Deliveries of callbacks that were tried', ['outcome']),
    eventReaders: gauge('event_readers', 'Open streams of task events'),
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
    storeWritable: gauge('store_writable', '1 while the store takes writes, 0 while it is known to fail'),
    commitDuration: plain('store_commit_duration_seconds', 'Time of commits to the store', COMMIT_SECONDS),
    commitWrites: plain('store_commit_writes', 'Writes that went into one commit', BATCH_WRITES),
  };
}
