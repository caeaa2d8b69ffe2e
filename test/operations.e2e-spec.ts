import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Cluster } from './support/cluster.js';
import { until } from './support/http.client.js';
import { queryOnce, TestPostgres } from './support/postgres.js';
import { ROOT, TestProcess } from './support/process.js';

const page = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
const linesOf = (wanted: string): string[] =>
  blocks.filter(({ language }) => language === wanted).flatMap(({ text }) => text.split('\n').filter((line) => line !== ''));
const statements = linesOf('sql');
/** What makes the role and the database comes before there is one. */
const [making, watching] = [statements.slice(0, 2), statements.slice(2)];
const commands = linesOf('sh');

describe('docs/operations.md', () => {
  let postgres: TestPostgres;
  let cluster: Cluster;
  let url: string;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    for (const statement of making) await postgres.query(statement);
    url = `postgres://orchestrator:for-development-only@127.0.0.1:${postgres.port}/orchestrator`;
    cluster = await Cluster.start({ url, replicas: 2 });
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
    await postgres.stop();
  });

  it('has nothing but commands and statements that are run here', () => {
    expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(['sh', 'sql']);
    expect(making.map((statement) => statement.split(' ').slice(0, 2).join(' '))).toEqual(['CREATE ROLE', 'CREATE DATABASE']);
    expect(watching.length).toBeGreaterThan(5);
    expect(commands.filter((command) => !command.startsWith('curl -s localhost:8001/'))).toEqual([]);
  });

  it('makes a role that may do all that the orchestrator does', async () => {
    const { status, json } = await cluster.ask(0, '/echo', {}, { prefer: 'respond-async' });
    expect(status).toBe(202);
    expect(await cluster.recordWhen(1, json.task_id)).toMatchObject({ status: 'success' });
  });

  it.each(commands)('shows a command that works: %s', async (command) => {
    const { port } = new URL(cluster.replica(0).url);
    const call = new TestProcess('sh', ['-c', command.replaceAll('8001', port)], { cwd: ROOT });
    expect(await call.end()).toEqual({ code: 0, signal: null });
    expect(JSON.parse(call.stdout)).toMatchObject({ status: expect.stringMatching(/^(ok|active)$/) });
  });

  it.each(watching)('shows a statement that works: %s', async (statement) => {
    await expect(queryOnce(url, statement)).resolves.toBeDefined();
  });

  it('names only metrics that there are', async () => {
    const { text } = await cluster.replica(0).get('/orchestrator/metrics/prometheus');
    const names = [...page.matchAll(/`((?:orchestrator|nodejs|process)_\w+)(?:\{[^}]*\})?`/g)].map(([, name = '']) => name);
    const metrics = names.filter((name) => name !== 'orchestrator_jobs');
    expect(metrics.length).toBeGreaterThan(6);
    expect(metrics.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it('names only files that there are', () => {
    const links = [...page.matchAll(/\]\(([^):]+)\)/g)].map(([, link = '']) => path.join('docs', link));
    const sources = [...page.matchAll(/`([\w.]+\.ts)`/g)].map(([, file = '']) => path.join('src/storage/postgres', file));
    const scripts = [...page.matchAll(/node (test\/\S+\.mjs)/g)].map(([, file = '']) => file);
    expect([links.length, sources.length, scripts.length].every((count) => count > 0)).toBe(true);
    expect([...links, ...sources, ...scripts].filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  it('says how many connections a replica takes at the most, and that is so under load', async () => {
    const [, promised] = /\*\*Connections\*\*: (\d+) a replica at the most/.exec(page) ?? [];
    let isOver = false;
    let most = 0;
    const count = async (): Promise<void> => {
      const text = `SELECT count(*)::int AS taken FROM pg_stat_activity WHERE datname = 'orchestrator' AND application_name LIKE 'orchestrator%'`;
      while (!isOver) most = Math.max(most, (await postgres.query(text)).rows[0].taken);
    };
    const counting = count();
    const prefers = ['respond-async', 'wait=20'];
    const asked = Array.from({ length: 400 }, (_, index) =>
      cluster.ask(index, '/slow?ms=5', {}, { prefer: prefers[index % 2]! }),
    );
    await Promise.all(asked);
    await until(async () => (await cluster.count(0, 'queued')) + (await cluster.count(0, 'running')) === 0, 20_000);
    isOver = true;
    await counting;
    expect(most).toBeGreaterThan(2 * 4);
    expect(most).toBeLessThanOrEqual(2 * Number(promised));
  }, 60_000);
});
