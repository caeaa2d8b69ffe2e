import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { board } from './support/grafana.js';
import { until } from './support/http.client.js';
import { ROOT } from './support/process.js';
import { familiesOf, metricsIn, selectorsIn, valueOf, type MetricFamily } from './support/prometheus.text.js';
import { itWithPromtool, promtool } from './support/promtool.js';
import { reply, TestServer } from './support/server.js';
import { TaskMesh } from './support/task.mesh.js';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const RULES = path.join(ROOT, 'deploy/prometheus');

let mesh: TaskMesh;
let receiver: TestServer;
/** What the server tells after everything that has a metric has happened. */
let text: string;
let families: Map<string, MetricFamily>;

const scrape = async (): Promise<string> => (await mesh.orchestrator.get('/metrics/prometheus')).text;
const value = async (series: string): Promise<number> => valueOf(await scrape(), `orchestrator_${series}`) ?? NaN;

/** Everything that has a metric of its own with labels. */
async function everything(): Promise<void> {
  receiver = await TestServer.start((_seen, response) => reply(response, 204));
  await mesh.ask('/health');
  await mesh.ask('/flaky?fail=1');
  await Promise.all(Array.from({ length: 3 }, () => mesh.ask('/slow?ms=20')));
  await mesh.orchestrator.task({ droplet_name: 'nobody', path: '/' });
  await mesh.recordWhen(await mesh.queue('/health', { callback_url: receiver.url }));
  await until(() => receiver.seen.length > 0);
  await until(async () => (await scrape()).includes('orchestrator_callback_attempts_total{'));
}

beforeAll(async () => {
  mesh = await TaskMesh.start({
    ...{ DROPLET_MAX_IN_FLIGHT: '1', CALLBACK_ALLOW_PRIVATE: 'true', CALLBACK_SECRET: 'whsec_c2VjcmV0c2VjcmV0' },
    ...{ RETRY_BUDGET_MIN_PER_SECOND: '1', RETRY_BUDGET_PERCENT: '1' },
  });
  await everything();
  // The budget of one a second is soon spent.
  await until(async () => {
    await mesh.ask('/status?code=500', { max_attempts: 3 });
    return (await scrape()).includes('orchestrator_retries_refused_total{');
  });
  text = await scrape();
  families = familiesOf(text);
}, 30_000);
afterAll(async () => {
  await mesh.stop();
  await receiver.stop();
});

/** The metrics that an expression names and that the server does not tell of. */
function unknownIn(expression: string): string[] {
  const names = metricsIn(expression).filter((name) => {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    return family === undefined || (family.type === 'histogram') !== /_(bucket|sum|count)$/.test(name);
  });
  const labels = selectorsIn(expression).flatMap(({ metric, labels }) => {
    const known = families.get(metric.replace(/_(bucket|sum|count)$/, ''))?.labels ?? families.get(metric)?.labels ?? [];
    return labels.filter((label) => !known.includes(label)).map((label) => `${metric}{${label}}`);
  });
  return [...names, ...labels];
}

describe('the metrics', () => {
  itWithPromtool('are in order by Prometheus’ own check', () => {
    expect(promtool(['check', 'metrics'], { input: text })).toEqual({ isContent: true, text: '' });
    const wrong = '# HELP jobs_total Jobs\n# TYPE jobs_total gauge\njobs_total 1\n';
    expect(promtool(['check', 'metrics'], { input: wrong }).isContent).toBe(false);
  });

  it('are those of docs/observability.md, with the same labels', () => {
    const rows = [...read('docs/observability.md').matchAll(/^\| `(orchestrator_\w+)`\s*\| ([^|]*)\|/gm)];
    const told = rows.map(([, name = '', labels = '']) => [name, labels.trim().split(', ').filter(Boolean).sort()]);
    const ours = [...families].filter(([name]) => name.startsWith('orchestrator_')).map(([name, { labels }]) => [name, labels]);
    expect(told.toSorted()).toEqual(ours.toSorted());
  });

  it('of 1,000 tasks with 1,000 paths are no more series than of three', async () => {
    const series = async (): Promise<string[]> =>
      (await scrape()).split('\n').flatMap((line) => /^orchestrator_[^ ]+/.exec(line)?.[0] ?? []);
    const ask = (path: string) => mesh.orchestrator.task({ droplet_name: 'other', path });
    const queue = (paths: readonly string[]) =>
      mesh.orchestrator.post('/orchestrator/tasks/batch', {
        tasks: paths.map((each) => ({ droplet_name: 'other', path: each })),
      });
    await Promise.all([ask('/a'), ask('/b'), queue(['/c'])]);
    await until(async () => (await value('tasks_total{droplet="Other",status="error"}')) === 3);
    const known = await series();
    await queue(Array.from({ length: 950 }, (_, index) => `/status/${index}?n=${index}`));
    for (let index = 0; index < 50; index++) await ask(`/other/${index}`);
    await until(async () => (await value('tasks_total{droplet="Other",status="error"}')) === 1003, 90_000);
    expect((await series()).filter((each) => !known.includes(each))).toEqual([]);
  }, 120_000);

  it('tell the router’s own time of synchronous tasks apart from the droplet’s', async () => {
    const [sum, count] = [await value('router_overhead_seconds_sum'), await value('router_overhead_seconds_count')];
    await mesh.ask('/slow?ms=300');
    expect((await value('router_overhead_seconds_count')) - count).toBe(1);
    expect((await value('router_overhead_seconds_sum')) - sum).toBeLessThan(0.29);
    expect((await value('router_overhead_seconds_sum')) - sum).toBeGreaterThan(0);
    expect(await value('attempt_duration_seconds_sum{droplet="Echo"}')).toBeGreaterThan(0.29);
    await mesh.recordWhen(await mesh.queue('/health'));
    await mesh.orchestrator.get('/orchestrator/tasks');
    expect((await value('router_overhead_seconds_count')) - count).toBe(1);
  });

  it('tell the wait in a droplet’s line, of calls that had to', async () => {
    const count = await value('droplet_line_wait_seconds_count{droplet="Echo"}');
    await mesh.ask('/health');
    expect(await value('droplet_line_wait_seconds_count{droplet="Echo"}')).toBe(count);
    await Promise.all([mesh.ask('/slow?ms=60'), mesh.ask('/slow?ms=60')]);
    expect(await value('droplet_line_wait_seconds_count{droplet="Echo"}')).toBe(count + 1);
  });

  it('tell what waits in the queue, for how long it has been due, and its wait once it has begun', async () => {
    const waits = await value('queue_wait_seconds_count{droplet="Echo"}');
    const gate = mesh.hold();
    const held = await mesh.queue('/health');
    await until(() => gate.held.length === 1);
    const later = await mesh.queue('/health');
    expect([await value('queue_jobs{state="running"}'), await value('queue_jobs{state="waiting"}')]).toEqual([1, 1]);
    await until(async () => (await value('queue_oldest_due_age_seconds')) > 0.1);
    gate.open();
    await Promise.all([held, later].map((id) => mesh.recordWhen(id)));
    expect(await value('queue_oldest_due_age_seconds')).toBe(0);
    expect([await value('queue_jobs{state="running"}'), await value('queue_jobs{state="waiting"}')]).toEqual([0, 0]);
    expect((await value('queue_wait_seconds_count{droplet="Echo"}')) - waits).toBe(2);
    expect(await value('queue_wait_seconds_sum{droplet="Echo"}')).toBeGreaterThan(0.1);
  });

  it('tell of commits, of the writes in them, and of streams that are open', async () => {
    const [commits, writes] = [await value('store_commit_duration_seconds_count'), await value('store_commit_writes_sum')];
    await mesh.recordWhen(await mesh.queue('/health'));
    expect(await value('store_commit_duration_seconds_count')).toBeGreaterThan(commits);
    expect(await value('store_commit_writes_sum')).toBeGreaterThan(writes);
    const over = new AbortController();
    await fetch(`${mesh.orchestrator.url}/orchestrator/tasks/events`, { signal: over.signal });
    expect(await value('event_readers')).toBe(1);
    over.abort();
    await until(async () => (await value('event_readers')) === 0);
  });
});

describe('the alerts', () => {
  const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: any[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  it.each(rules.map((rule) => [rule.alert, rule]))('%s goes by metrics that there are, and has a runbook', (alert, rule) => {
    expect(metricsIn(rule.expr).length).toBeGreaterThan(0);
    expect(unknownIn(rule.expr)).toEqual([]);
    expect(rule.annotations.runbook).toBe(`docs/operations.md#${String(alert).toLowerCase()}`);
    expect(read('docs/operations.md')).toContain(`\n### ${alert}\n`);
  });

  it('are those that docs/operations.md has a runbook for', () => {
    const runbooks = [...read('docs/operations.md').matchAll(/^### (Orchestrator\w+)$/gm)].map(([, alert]) => alert);
    expect(runbooks.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  it('each fire in one of their tests', () => {
    const tests = read('deploy/prometheus/alerts.test.yaml');
    expect(rules.filter(({ alert }) => !tests.includes(`{alertname="${alert}"}`)).map(({ alert }) => alert)).toEqual([]);
  });

  itWithPromtool('are rules that Prometheus takes', () => {
    expect(promtool(['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml'], { cwd: RULES })).toMatchObject({
      isContent: true,
    });
  });

  itWithPromtool('fire when they should, and only then', () => {
    const { isContent, text: told } = promtool(['test', 'rules', 'alerts.test.yaml'], { cwd: RULES });
    expect({ isContent, told }).toEqual({ isContent: true, told: expect.stringContaining('SUCCESS') });
  });
});

describe('the dashboard for Grafana', () => {
  const queries = board().panels.flatMap(({ targets = [] }) => targets);

  it('asks for metrics and labels that there are', () => {
    expect(queries.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  });

  it('shows every metric of ours', () => {
    const asked = new Set(queries.flatMap(({ expr }) => metricsIn(expr)).map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    const ours = [...families.keys()].filter((name) => name.startsWith('orchestrator_'));
    expect(ours.filter((name) => !asked.has(name))).toEqual([
      'orchestrator_registry_syncs_total',
      'orchestrator_registry_rejected_entries_total',
    ]);
  });
});
