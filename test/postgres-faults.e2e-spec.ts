import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { ClusterLoad, lineOf, NOTHING } from './crash/cluster.load.js';
import { allFinal, allTasks } from './crash/task.books.js';
import { AS_PROCESSES, Cluster } from './support/cluster.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import { TestPostgres } from './support/postgres.js';
import { OrchestratorProcess } from './support/process.js';
import { Gate } from './support/task.mesh.js';
import { TestTcpProxy } from './support/tcp.proxy.js';

const ASYNC = { prefer: 'respond-async' };
/** Callers are told within 2 s; the rest is what a busy machine adds. */
const TOLD_WITHIN_MS = 3000;
/** A connection that says nothing any more is noticed within 5 s; likewise. */
const NOTICED_WITHIN_MS = 6000;
/** How long after a restart the last caller may still be refused. */
const RECOVERED_WITHIN_MS = 8000;
const START_MS = 60_000;

/** Keeps the path of every task that was ever committed, also of those that were taken back. */
const NOTE_COMMITTED = `
  CREATE TABLE committed (path text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.committed VALUES (NEW.path); RETURN NEW; END $$;
  CREATE TRIGGER note AFTER INSERT ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION note()`;

type Replicas = Cluster<OrchestratorProcess>;

function expectRefused({ status, json, headers }: HttpAnswer): void {
  expect([status, json.error.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}

const statusOf = async (replica: OrchestratorProcess, page: string): Promise<HttpAnswer> =>
  replica.get(`/orchestrator/health${page}`);

const allReady = (cluster: Replicas) =>
  until(async () => {
    const answers = await Promise.all(cluster.replicas.map((replica) => statusOf(replica, '/ready')));
    const pages = await Promise.all(cluster.replicas.map((replica) => statusOf(replica, '')));
    return answers.every(({ status }) => status === 200) && pages.every(({ json }) => json.status === 'active');
  }, 20_000);

const expectAllAlive = (cluster: Replicas): void =>
  expect(cluster.replicas.filter(({ process }) => process.hasEnded).map(({ lines }) => lines)).toEqual([]);

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres.stop());

describe('PostgreSQL goes away and comes back', () => {
  let cluster: Replicas;

  beforeEach(async () => {
    cluster = await Cluster.of(AS_PROCESSES, { url: await postgres.createDatabase() });
  });
  afterEach(() => cluster.stop());

  it('twice in a crash under load: callers get 503 only meanwhile, no acknowledged task is lost or stuck, nobody exits', async () => {
    const load = ClusterLoad.start(cluster);
    const away: { from: number; to: number }[] = [];
    for (let crash = 0; crash < 2; crash++) {
      await load.more(200);
      const from = performance.now();
      await postgres.restart('immediate');
      away.push({ from, to: performance.now() });
      await load.more(200);
    }
    const report = await load.finish();
    process.stdout.write(lineOf(report));
    expect(report).toMatchObject(NOTHING);
    expect(report.refused).toBeGreaterThan(0);
    for (const { answer, at, tookMs } of load.refusals) {
      expectRefused(answer);
      expect(tookMs).toBeLessThan(TOLD_WITHIN_MS);
      expect(away.some(({ from, to }) => at > from && at < to + RECOVERED_WITHIN_MS)).toBe(true);
    }
    expectAllAlive(cluster);
    await allReady(cluster);
  }, 120_000);

  it('for some seconds: readiness fails, health says error, and all of it recovers by itself', async () => {
    const later = await cluster.queue(0, '/echo', { delay_ms: 1000 });
    await postgres.stopNow('immediate');
    await until(async () => {
      const answers = await Promise.all(cluster.replicas.map((replica) => statusOf(replica, '/ready')));
      return answers.every(({ status, json }) => status === 503 && json.error.code === 'NOT_READY');
    }, 20_000);
    for (const replica of cluster.replicas) {
      const { status, json } = await statusOf(replica, '');
      expect([status, json.status, json.dependencies.storage.status]).toEqual([200, 'error', 'unhealthy']);
      expect((await statusOf(replica, '/live')).status).toBe(200);
      const start = performance.now();
      const calls = cluster.droplet.hits();
      for (const headers of [{}, ASYNC, { 'idempotency-key': 'one' }]) {
        expectRefused(await replica.task({ droplet_name: 'echo', path: '/health' }, headers));
      }
      expectRefused(await replica.get(`/orchestrator/tasks/${later}`));
      expect(performance.now() - start).toBeLessThan(TOLD_WITHIN_MS);
      expect(cluster.droplet.hits()).toBe(calls);
    }
    await postgres.startAgain();
    await allReady(cluster);
    expect(await cluster.recordWhen(1, later)).toMatchObject({ status: 'success', attempts: 1 });
    for (const index of cluster.replicas.keys()) {
      expect((await cluster.ask(index, '/health')).json).toMatchObject({ status: 'success' });
      expect((await cluster.ask(index, '/health')).json.recorded).not.toBe(false);
      await cluster.recordWhen(index + 1, await cluster.queue(index, '/health'), ['success']);
    }
    expectAllAlive(cluster);
  }, 90_000);

  it('while callers wait for their tasks: each gets the outcome or the receipt', async () => {
    const gate = new Gate();
    cluster.droplet.handler = gate.handler;
    const waits = [cluster.ask(0, '/long', {}, { prefer: 'wait=60' }), cluster.ask(0, '/short', {}, { prefer: 'wait=4' })];
    await until(() => gate.held.length === 2);
    await postgres.stopNow('immediate');
    try {
      expect(await waits[1]).toMatchObject({ status: 202, json: { task_id: expect.any(String), recorded: true } });
    } finally {
      await postgres.startAgain();
    }
    gate.open();
    expect(await waits[0]).toMatchObject({ status: 200, json: { status: 'success', attempts: 1 } });
  }, 90_000);

  it('while it is away, a replica that is told to end does so in order', async () => {
    const replica = cluster.replica(0);
    await postgres.stopNow('immediate');
    try {
      await until(async () => (await statusOf(replica, '')).json.status === 'error');
      expect(await replica.leave()).toEqual({ code: 0, signal: null });
    } finally {
      await postgres.startAgain();
    }
  }, 60_000);
});

describe('the way to PostgreSQL', () => {
  let proxy: TestTcpProxy;
  let cluster: Replicas;

  beforeEach(async () => {
    proxy = await TestTcpProxy.start(postgres.port);
    const url = (await postgres.createDatabase()).replace(`:${postgres.port}/`, `:${proxy.port}/`);
    cluster = await Cluster.of(AS_PROCESSES, { url, replicas: 1 });
  });
  afterEach(async () => {
    proxy.thaw();
    await cluster.stop();
    await proxy.stop();
  });

  const page = async () => (await statusOf(cluster.replica(0), '')).json;
  const isBack = () =>
    until(
      async () => (await cluster.ask(0, '/health')).status === 200 && (await cluster.ask(0, '/health', {}, ASYNC)).status === 202,
      20_000,
    );

  it('falls silent while nobody asks: that is noticed in 5 s, and is over when it speaks again', async () => {
    proxy.freeze();
    await until(async () => (await page()).status === 'error', NOTICED_WITHIN_MS);
    proxy.thaw();
    await until(async () => (await page()).status === 'active', 20_000);
    await isBack();
    expectAllAlive(cluster);
  }, 60_000);

  it.each(['thaw', 'cut'] as const)(
    'falls silent under callers: each is told within 2 s, until it ends by a %s',
    async (end) => {
      proxy.freeze();
      const start = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          cluster.ask(0, '/echo', { method: 'POST', payload: index }, index % 2 ? ASYNC : { 'idempotency-key': `key-${index}` }),
        ),
      );
      expect(performance.now() - start).toBeLessThan(TOLD_WITHIN_MS);
      answers.forEach(expectRefused);
      proxy.thaw();
      if (end === 'cut') proxy.cut();
      await isBack();
      await allFinal(cluster.replica(0));
      // Who was refused was not taken: nothing of it ran.
      expect(cluster.droplet.hits('/echo')).toBe(0);
      expectAllAlive(cluster);
    },
    60_000,
  );

  /** The acceptance of the task with this path loses its connection when it commits. */
  const cutCommitOf = (path: string, verdict: 'cut' | 'forward and cut'): void => {
    let isSeen = false;
    proxy.onClientData((chunk) => {
      const text = chunk.toString('latin1');
      if (text.includes(path)) isSeen = true;
      if (!isSeen || !text.includes('COMMIT')) return 'forward';
      proxy.onClientData(() => 'forward');
      return verdict;
    });
  };

  it.each(['cut', 'forward and cut'] as const)(
    'breaks while an acceptance is committed (%s): the caller is told no, nothing is there, and the key is free',
    async (verdict) => {
      cutCommitOf('/later', verdict);
      const submit = () => cluster.ask(0, '/later', { delay_ms: 3_600_000 }, { 'idempotency-key': 'mine' });
      expectRefused(await submit());
      const total = async () => (await cluster.replica(0).get('/orchestrator/tasks')).json.total;
      await until(async () => (await page()).status === 'active' && (await total()) === 0, 20_000);
      const again = await submit();
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, null]);
      expect(await total()).toBe(1);
      expectAllAlive(cluster);
    },
    60_000,
  );

  it.each(['cut', 'forward and cut'] as const)(
    'breaks while an acceptance is committed (%s): who asks again with the key gets one call',
    async (verdict) => {
      cutCommitOf('/echo', verdict);
      const submit = () => cluster.ask(0, '/echo', { method: 'POST', payload: 1 }, { ...ASYNC, 'idempotency-key': 'mine' });
      expectRefused(await submit());
      const again = await until(async () => {
        const answer = await submit();
        return answer.status === 202 ? answer : null;
      }, 20_000);
      expect(await cluster.recordWhen(0, again.json.task_id)).toMatchObject({ status: 'success', attempts: 1 });
      await allFinal(cluster.replica(0));
      expect(cluster.droplet.hits('/echo')).toBe(1);
      expect(await allTasks(cluster.replica(0))).toHaveLength(1);
    },
    60_000,
  );

  it('is so slow that all connections are taken: callers are told within 2 s, and nothing that was refused is called', async () => {
    const foreign = new pg.Client(cluster.url);
    await foreign.connect();
    await foreign.query(NOTE_COMMITTED);
    await foreign.query('BEGIN; LOCK TABLE orchestrator.tasks IN ACCESS EXCLUSIVE MODE');
    const start = performance.now();
    const refused = [];
    while (performance.now() - start < 3000) {
      const asked = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => cluster.ask(0, '/echo', { method: 'POST', payload: index }, ASYNC)),
      );
      expect(performance.now() - asked).toBeLessThan(TOLD_WITHIN_MS);
      refused.push(...answers);
    }
    await foreign.query('COMMIT');
    refused.forEach(expectRefused);
    await isBack();
    await allFinal(cluster.replica(0));
    await until(async () => (await page()).status === 'active');
    expect(cluster.droplet.hits('/echo')).toBe(0);
    const { rows } = await foreign.query(`SELECT DISTINCT path FROM committed`);
    expect(rows).toEqual([{ path: '/health' }]);
    await foreign.end();
    expectAllAlive(cluster);
  }, 60_000);
});

describe('a start', () => {
  const stops = stopsAfterEach();
  const spawned = async (url: string): Promise<OrchestratorProcess> => {
    const replica = await OrchestratorProcess.spawn({ DATABASE_URL: url });
    stops({ stop: () => replica.remove() });
    return replica;
  };
  const isUp = async (replica: OrchestratorProcess): Promise<boolean> =>
    statusOf(replica, '/ready').then(
      ({ status }) => status === 200,
      () => false,
    );

  it('without PostgreSQL waits, and goes on when it comes', async () => {
    const url = await postgres.createDatabase();
    await postgres.stopNow('fast');
    const replica = await spawned(url);
    try {
      await until(() => replica.lines.some((line) => line.includes('waiting for the store')), START_MS);
    } finally {
      await postgres.startAgain();
    }
    await until(() => isUp(replica), START_MS);
  }, 120_000);

  it('on a way to PostgreSQL that is silent waits as well, and goes on when it speaks', async () => {
    const proxy = stops(await TestTcpProxy.start(postgres.port));
    proxy.freeze();
    const replica = await spawned((await postgres.createDatabase()).replace(`:${postgres.port}/`, `:${proxy.port}/`));
    await until(() => replica.lines.some((line) => line.includes('waiting for the store')), START_MS);
    proxy.thaw();
    await until(() => isUp(replica), START_MS);
  }, 120_000);

  it('of ten at once on an empty database brings up all ten', async () => {
    const url = await postgres.createDatabase();
    const replicas = await Promise.all(Array.from({ length: 10 }, () => spawned(url)));
    await until(async () => (await Promise.all(replicas.map(isUp))).every(Boolean), START_MS);
  }, 120_000);

  it('with a wrong password ends at once, with one line that names DATABASE_URL and keeps the password to itself', async () => {
    const url = new URL(await postgres.createDatabase());
    await postgres.query(`CREATE ROLE clerk LOGIN PASSWORD 'right-one'`);
    const rules = path.join(postgres.folder, 'data/pg_hba.conf');
    const before = readFileSync(rules, 'utf8');
    writeFileSync(rules, `host all clerk 127.0.0.1/32 scram-sha-256\n`);
    appendFileSync(rules, before);
    await postgres.query('SELECT pg_reload_conf()');
    [url.username, url.password] = ['clerk', 'wrong-one'];
    const replica = await spawned(url.href);
    expect((await replica.process.end(START_MS)).code).toBe(1);
    expect(replica.lines).toHaveLength(1);
    expect(replica.lines[0]).toContain('DATABASE_URL');
    expect(replica.lines[0]).not.toMatch(/wrong-one|right-one/);
  }, 120_000);
});
