import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Clock } from '../src/common/clock.js';
import { TestMesh } from './support/mesh.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';

const sorted = (value: object): string[] => Object.keys(value).sort();
const seconds = (): number => Date.now() / 1000;

const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const PROMETHEUS_PROTOBUF_ACCEPT =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,' + PROMETHEUS_ACCEPT;

describe('metrics', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeEach(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
  });

  afterEach(() => mesh.stop());

  const figures = async () => (await orchestrator.get('/orchestrator/metrics')).json;
  const run = (path: string, more: object = {}) => orchestrator.task({ droplet_name: 'echo', path, ...more });

  describe('GET /metrics/history', () => {
    const history = async (query = '') => (await orchestrator.get(`/orchestrator/metrics/history${query}`)).json;

    it('shows the step that is under way, with what ended in it and what is still to do', async () => {
      await run('/echo');
      await run('/status?code=404');
      await orchestrator.task({ droplet_name: 'echo', path: '/echo', delay_ms: 3_600_000 });
      const { step_seconds, samples, current } = await history();
      expect([step_seconds, samples]).toEqual([15, []]);
      expect(current).toMatchObject({ success: 1, error: 1, timeout: 0, cancelled: 0, queued: 1, in_flight: 0, waiting: 0 });
      expect(Math.abs(current.at - seconds())).toBeLessThan(5);
      expect(current.p50_ms).toBeGreaterThan(0);
      expect(current.p99_ms).toBeGreaterThanOrEqual(current.p95_ms);
    });

    it.each(['-1', 'x', '', '1e3', '1&since=2'])('refuses since=%s', async (since) => {
      const { status, json } = await orchestrator.get(`/orchestrator/metrics/history?since=${since}`);
      expect([status, json.error.details.errors]).toEqual([400, [{ field: 'since', message: 'must be epoch seconds' }]]);
    });
  });

  describe('GET /metrics', () => {
    it('has exactly the keys of the contract (seed: metrics_returns_operational_data, get_metrics_returns_response)', async () => {
      const { status, json } = await orchestrator.get('/orchestrator/metrics');
      expect(status).toBe(200);
      expect(sorted(json)).toEqual(
        ['droplets_known', 'droplets_reachable', 'registry', 'retry', 'service', 'tasks', 'uptime_seconds', 'version'].sort(),
      );
      expect(sorted(json.tasks)).toEqual(
        [
          ...['total', 'success', 'error', 'timeout', 'success_rate_percent'],
          ...['avg_response_time_ms', 'p95_response_time_ms', 'p99_response_time_ms'],
        ].sort(),
      );
      expect(sorted(json.retry)).toEqual(['retry_final_fail_count', 'retry_success_count', 'total_retries']);
      expect(sorted(json.registry)).toEqual(
        [
          ...['syncs_total', 'syncs_success', 'syncs_error', 'last_sync', 'last_sync_duration_ms'],
          ...['cache_age_seconds', 'cache_status'],
        ].sort(),
      );
      expect([json.service, json.version]).toEqual(['orchestrator', '1.1.0']);
      expect(json.uptime_seconds).toBeGreaterThan(0);
    });

    it('starts at zero (seed: metrics_start_at_zero)', async () => {
      const { tasks, retry } = await figures();
      for (const figure of [...Object.values(tasks), ...Object.values(retry)]) expect(figure).toBe(0);
    });

    it.each([
      [
        'success (seed: record_successful_task)',
        '/health',
        {},
        { total: 1, success: 1, error: 0, timeout: 0, success_rate_percent: 100 },
      ],
      [
        'error (seed: record_error_task)',
        '/status?code=404',
        {},
        { total: 1, success: 0, error: 1, timeout: 0, success_rate_percent: 0 },
      ],
      ['timeout (seed: record_timeout_task)', '/never', { timeout_ms: 100 }, { total: 1, success: 0, error: 0, timeout: 1 }],
    ])('counts a task under its outcome: %s', async (_title, path, more, expected) => {
      await run(path, more);
      expect((await figures()).tasks).toMatchObject(expected);
    });

    it('gives a success rate to two decimals: 66.67 for two of three (seed: metrics_response_task_stats)', async () => {
      for (const path of ['/health', '/health', '/status?code=404']) await run(path);
      expect((await figures()).tasks).toMatchObject({ total: 3, success: 2, error: 1, success_rate_percent: 66.67 });
    });

    it('counts a task with retries once, under its end (seed: record_task_with_retries, record_task_failed_retries)', async () => {
      await run('/flaky?fail=2&for=metrics');
      expect((await figures()).retry).toEqual({ total_retries: 2, retry_success_count: 1, retry_final_fail_count: 0 });
      await run('/status?code=500');
      expect((await figures()).retry).toEqual({ total_retries: 5, retry_success_count: 1, retry_final_fail_count: 1 });
      await run('/health');
      await run('/status?code=404');
      expect((await figures()).retry).toEqual({ total_retries: 5, retry_success_count: 1, retry_final_fail_count: 1 });
    });

    it('gives the times that the tasks took', async () => {
      const took = async (path: string): Promise<number> => (await run(path)).json.duration_ms as number;
      const slow = await took('/slow?ms=120');
      const { tasks } = await figures();
      expect(tasks.avg_response_time_ms).toBe(slow);
      expect([tasks.p95_response_time_ms, tasks.p99_response_time_ms]).toEqual([slow, slow]);
      const quick = await took('/health');
      expect((await figures()).tasks.avg_response_time_ms).toBe((slow + quick) / 2);
      expect((await figures()).tasks.p95_response_time_ms).toBe(slow);
    });

    it('tells how the Registry is read (seed: metrics_response_registry_stats)', async () => {
      await until(async () => (await figures()).registry.syncs_success > 0);
      const { registry } = await figures();
      expect(registry).toMatchObject({ syncs_error: 0, cache_status: 'active' });
      expect(registry.syncs_total).toBe(registry.syncs_success);
      expect(Math.abs(registry.last_sync - seconds())).toBeLessThan(30);
      expect(Number.isInteger(registry.last_sync_duration_ms)).toBe(true);
      expect(registry.cache_age_seconds).toBeLessThan(30);
    });

    it('tells how many droplets are known and how many answer (seed: update_droplet_status, metrics_response_droplet_stats)', async () => {
      await run('/health');
      const known = (await figures()).droplets_known;
      expect(known).toBeGreaterThanOrEqual(3);
      expect((await figures()).droplets_reachable).toBe(known);
      await orchestrator.task({ droplet_name: 'gone', path: '/', max_attempts: 1 });
      expect(await figures()).toMatchObject({ droplets_known: known, droplets_reachable: known - 1 });
      await run('/never', { timeout_ms: 100 });
      expect((await figures()).droplets_reachable).toBe(known - 2);
      await run('/status?code=500', { max_attempts: 1 });
      expect((await figures()).droplets_reachable).toBe(known - 1);
    });
  });
});

describe('the two forms of the metrics', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
  });

  afterAll(() => mesh.stop());

  const run = (path: string) => orchestrator.task({ droplet_name: 'echo', path });

  describe('which form', () => {
    const isPrometheus = (answer: { headers: Headers; text: string }): boolean =>
      (answer.headers.get('content-type') ?? '').startsWith('text/plain') && /^# TYPE /m.test(answer.text);

    it.each([
      ['application/json'],
      ['*/*'],
      ['application/*'],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
      ['application/json, text/plain, */*'],
      ['text/plain;q=0.5, application/json'],
      ['image/png'],
    ])('is JSON for Accept: %s', async (accept) => {
      const answer = await orchestrator.get('/orchestrator/metrics', { accept });
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.json.service).toBe('orchestrator');
    });

    it.each([
      ['text/plain'],
      ['text/plain; version=0.0.4'],
      ['text/*'],
      ['application/openmetrics-text'],
      ['application/openmetrics-text; version=1.0.0,text/plain;q=0.5'],
      ['application/json;q=0.5, text/plain; q=0.9'],
      [PROMETHEUS_ACCEPT],
      [PROMETHEUS_PROTOBUF_ACCEPT],
    ])('is Prometheus text for Accept: %s', async (accept) => {
      for (const path of ['/metrics', '/orchestrator/metrics']) {
        expect(isPrometheus(await orchestrator.get(path, { accept }))).toBe(true);
      }
    });

    it.each(['application/json', '*/*', 'text/plain', 'image/png'])(
      'is always Prometheus text at /metrics/prometheus, also for %s',
      async (accept) => {
        for (const path of ['/metrics/prometheus', '/orchestrator/metrics/prometheus']) {
          expect(isPrometheus(await orchestrator.get(path, { accept }))).toBe(true);
        }
      },
    );
  });

  describe('the Prometheus text', () => {
    const text = async (): Promise<string> => (await orchestrator.get('/orchestrator/metrics/prometheus')).text;

    it('holds a histogram of the tasks', async () => {
      await run('/health');
      expect(await text()).toMatch(/^orchestrator_task_duration_seconds_bucket\{le="\+Inf",droplet="Echo"\} 1$/m);
    });

    it('names a droplet as the Registry does, not as each caller types it', async () => {
      for (const droplet_name of ['echo', 'ECHO', 'eCHO']) await orchestrator.task({ droplet_name, path: '/health' });
      expect(await text()).toMatch(/^orchestrator_tasks_total\{droplet="Echo",status="success"\} [3-9]/m);
      expect(await text()).not.toMatch(/droplet="(echo|ECHO|eCHO)"/);
    });

    it('counts a refused task as an error by its code, and as no task', async () => {
      const total = async (): Promise<number> => (await orchestrator.get('/metrics')).json.tasks.total as number;
      const before = await total();
      await orchestrator.task({ droplet_name: 'nobody', path: '/' });
      await orchestrator.task({});
      const lines = await text();
      expect(lines).toContain('orchestrator_http_errors_total{method="POST",route="/tasks",code="DROPLET_NOT_FOUND"} 1');
      expect(lines).toContain('orchestrator_http_errors_total{method="POST",route="/tasks",code="INVALID_REQUEST"} 1');
      expect(await total()).toBe(before);
    });

    it('never has a path, an id or an unknown name as a label: it would grow without end', async () => {
      const { json } = await run('/status?code=404&secret=sesame');
      await orchestrator.task({ droplet_name: 'sesame-droplet', path: '/' });
      await orchestrator.get(`/orchestrator/tasks/${json.task_id}?x=sesame`);
      await orchestrator.get('/orchestrator/droplets/sesame');
      await orchestrator.get('/no/such/sesame');
      const lines = await text();
      expect(lines).not.toContain('sesame');
      expect(lines).not.toContain(json.task_id);
      expect(lines).toContain('route="/tasks/:id"');
      expect(lines).toContain('route="none"');
    });
  });
});

describe('metrics of a Registry', () => {
  it('show no droplet that has left it and was not called for a minute', async () => {
    const mesh = await TestMesh.start({ REGISTRY_SYNC_INTERVAL: '0.05' });
    const text = async (): Promise<string> => (await mesh.orchestrator.get('/metrics/prometheus')).text;
    for (const droplet_name of ['echo', 'gone']) await mesh.orchestrator.task({ droplet_name, path: '/health' });
    expect(await text()).toContain('droplet="Gone"');
    mesh.registry.list = mesh.registry.list.filter(({ name }) => name !== 'Gone');
    await until(async () => !(await mesh.orchestrator.get('/orchestrator/droplets')).text.includes('"Gone"'));
    jest.spyOn(mesh.orchestrator.app.get(Clock), 'monotonic').mockImplementation(() => performance.now() + 120_000);
    await until(async () => !(await text()).includes('droplet="Gone"'));
    expect(await text()).toContain('droplet="Echo"');
    await mesh.stop();
  });

  it('that answers badly count errors; the list grows stale (seed: record_registry_sync_error)', async () => {
    const mesh = await TestMesh.start({ REGISTRY_SYNC_INTERVAL: '0.05', REGISTRY_CACHE_EXPIRY: '0.05' });
    const registry = async () => (await mesh.orchestrator.get('/metrics')).json.registry;
    await until(async () => (await registry()).syncs_success > 0);
    mesh.registry.mode = (_seen, response) => {
      reply(response, 500);
      return true;
    };
    const { syncs_error, cache_status } = await until(async () => {
      const figures = await registry();
      return figures.syncs_error > 0 && figures.cache_status === 'stale' ? figures : null;
    });
    expect([syncs_error > 0, cache_status]).toEqual([true, 'stale']);
    await mesh.stop();
  });

  it('that never answered say so', async () => {
    const orchestrator = await TestOrchestrator.start({ REGISTRY_URL: 'http://127.0.0.1:1' });
    const { json } = await orchestrator.get('/metrics');
    expect(json.registry).toMatchObject({ last_sync: null, cache_age_seconds: 999_999, cache_status: 'unavailable' });
    expect([json.droplets_known, json.droplets_reachable]).toEqual([0, 0]);
    await orchestrator.stop();
  });

  it('that is built in: one droplet, ourselves', async () => {
    const orchestrator = await TestOrchestrator.start();
    const { json } = await orchestrator.get('/metrics');
    expect(json).toMatchObject({
      droplets_known: 1,
      droplets_reachable: 1,
      registry: { cache_status: 'active', cache_age_seconds: 0 },
    });
    await orchestrator.stop();
  });
});
