import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { giveBackMemory } from '../src/heap.js';
import { until } from './support/http.client.js';
import { board, interpolated, type Choice, type GrafanaTarget } from './support/grafana.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { describeWithPrometheus, TestPrometheus, type Sample } from './support/prometheus.server.js';
import { reply, TestServer } from './support/server.js';
import { TaskMesh } from './support/task.mesh.js';

const { panels, templating } = board();
const plots = panels.flatMap(({ title, targets }): [string, readonly GrafanaTarget[]][] => (targets ? [[title, targets]] : []));

let mesh: TaskMesh;
let second: TestOrchestrator;
let receiver: TestServer;
let prometheus: TestPrometheus;

const hostOf = ({ url }: { url: string }): string => new URL(url).host;
const asked = (expression: string, choice: Choice = {}): Promise<Sample[]> =>
  prometheus.query(interpolated(expression, templating.list, choice));
const shown = (targets: readonly GrafanaTarget[], choice?: Choice): Promise<Sample[][]> =>
  Promise.all(targets.map(({ expr }) => asked(expr, choice)));
const panel = (title: string, choice?: Choice): Promise<Sample[][]> => shown(new Map(plots).get(title) ?? [], choice);
const valuesOf = (series: readonly Sample[]): number[] => series.map(({ value }) => value);

/** Tasks that succeed, wait in line, are retried, fail, run out of time and are refused; one is queued, with a callback. */
async function work(): Promise<void> {
  await Promise.all(Array.from({ length: 3 }, () => mesh.ask('/slow?ms=20')));
  await mesh.ask(`/flaky?fail=1&run=${mesh.echo.seen.length}`);
  await mesh.ask('/status?code=500', { max_attempts: 20 });
  await mesh.ask('/never', { timeout_ms: 100 });
  await mesh.orchestrator.task({ droplet_name: 'nobody', path: '/' });
  const told = receiver.seen.length;
  await mesh.recordWhen(await mesh.queue('/health', { callback_url: receiver.url }));
  await until(() => receiver.seen.length > told);
}

describeWithPrometheus('a real Prometheus', () => {
  beforeAll(async () => {
    receiver = await TestServer.start((_seen, response) => reply(response, 204));
    mesh = await TaskMesh.start({
      ...{ DROPLET_MAX_IN_FLIGHT: '1', CALLBACK_ALLOW_PRIVATE: 'true', CALLBACK_SECRET: 'whsec_c2VjcmV0c2VjcmV0' },
      ...{ RETRY_BUDGET_MIN_PER_SECOND: '1', RETRY_BUDGET_PERCENT: '1' },
    });
    second = await TestOrchestrator.start({ REGISTRY_URL: mesh.registry.url });
    // Both measure this process, whose young generation may be so large by now that nothing is collected meanwhile.
    giveBackMemory();
    prometheus = await TestPrometheus.start([mesh.orchestrator, second].map(hostOf));
    await mesh.orchestrator.task({ droplet_name: 'other', path: '/health' });
    await mesh.orchestrator.post('/orchestrator/droplets/other/breaker', { state: 'open' });
    for (let held = 0; held < 2; held++) await mesh.queue('/health', { droplet_name: 'other' });
    // A rate is of what two scrapes tell.
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      await work();
      await prometheus.scrape();
    }
  }, 60_000);
  afterAll(async () => {
    await prometheus.stop();
    await Promise.all([mesh.stop(), second.stop(), receiver.stop()]);
  });

  it.each(plots)('has numbers for “%s”, of all droplets and replicas', async (_title, targets) => {
    for (const series of await shown(targets)) {
      expect(valuesOf(series).filter((value) => !Number.isNaN(value))).not.toEqual([]);
    }
  });

  it.each(plots)('has the same for “%s” when each is chosen by name', async (_title, targets) => {
    const several = { droplet: ['Echo', 'Other'], instance: [mesh.orchestrator, second].map(hostOf) };
    const labels = (series: readonly Sample[]): string[] => series.map((each) => JSON.stringify(each.labels)).sort();
    expect((await shown(targets, several)).map(labels)).toEqual((await shown(targets)).map(labels));
  });

  it.each(plots)('has the labels that the legend of “%s” names', async (_title, targets) => {
    for (const { expr, legendFormat } of targets) {
      const wanted = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      for (const { labels } of await asked(expr)) expect(Object.keys(labels)).toEqual(expect.arrayContaining(wanted));
    }
  });

  it('has the droplets and replicas to choose from', async () => {
    const queries = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]));
    const choices = queries.map((query) => {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      return prometheus.ask<string[]>(`label/${label}/values`, { 'match[]': metric });
    });
    expect(await Promise.all(choices)).toEqual([['Echo', 'Other'], [mesh.orchestrator, second].map(hostOf).sort()]);
  });

  it('tells what is so', async () => {
    const figures = async (title: string, choice?: Choice) => (await panel(title, choice)).map(valuesOf);
    expect(await figures('Replicas')).toEqual([[2]]);
    expect(await figures('Replicas', { instance: [hostOf(second)] })).toEqual([[1]]);
    expect(await figures('Store')).toEqual([[1]]);
    expect(await figures('Open breakers')).toEqual([[1]]);
    expect(await figures('Open breakers', { droplet: ['Echo'] })).toEqual([[0]]);
    expect(await figures('Waiting and running')).toEqual([[2], [0]]);
    const [breakers = []] = await panel('Breakers');
    expect(breakers.map(({ labels }) => labels)).toEqual([{ droplet: 'Other', state: 'open' }]);
  });

  it.each(['Processor', 'Memory', 'Event loop, p99', 'Collecting garbage'])('tells of %s of replicas alone', async (title) => {
    const hosts = [mesh.orchestrator, second].map(hostOf).sort();
    for (const series of await panel(title)) {
      expect(series.map(({ labels }) => labels.instance).sort()).toEqual(hosts);
    }
  });

  it('takes every alert rule, and evaluates it', async () => {
    const rules = await until(async () => {
      const all = await prometheus.rules();
      return all.some(({ health }) => health === 'unknown') ? null : all;
    });
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([]);
  });

  it('says in words what an alert is about that has begun', async () => {
    await until(async () => {
      const begun = (await prometheus.rules()).flatMap(({ alerts }) => alerts.map(({ annotations }) => annotations.summary));
      return begun.includes('Droplet Other fails so often that it is not called');
    });
  });
});
