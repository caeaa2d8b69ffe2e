import { MetricsController } from '../metrics/metrics.controller.js';
import { describe } from './operation.js';
import { parameter } from './parameters.js';
import { ref, string } from './schema.js';

const EXAMPLE = `# HELP orchestrator_tasks_total Finished tasks
# TYPE orchestrator_tasks_total counter
`;

const PROMETHEUS = ['text/plain', 'application/openmetrics-text'].map((type) => ({
  ...{ type, schema: string('Prometheus text'), example: EXAMPLE },
}));

export const METRICS_ROUTES = [
  describe(MetricsController, {
    figures: {
      ...{ id: 'getMetrics', tag: 'Service', summary: 'Figures of tasks, retries and the Registry' },
      description: 'JSON, or Prometheus text for a client whose `Accept` prefers that.',
      answer: { description: 'The figures', schema: ref('Metrics'), text: PROMETHEUS },
      errors: ['STORAGE_UNAVAILABLE'],
    },
    lastHour: {
      ...{ id: 'getMetricsHistory', tag: 'Service', summary: 'The last hour in steps, as this process saw it' },
      description: 'Steps of 15 seconds, the oldest first, and the one that is under way. Nothing is kept over a restart.',
      parameters: [parameter('Since')],
      answer: { description: 'The steps', schema: ref('MetricsHistory') },
      errors: ['INVALID_REQUEST'],
    },
    prometheus: {
      ...{ id: 'getPrometheusMetrics', tag: 'Service', summary: 'The figures as Prometheus text' },
      answer: { description: 'The figures', text: PROMETHEUS.slice(0, 1) },
      errors: ['STORAGE_UNAVAILABLE'],
    },
  }),
];
