import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { seededRandom } from './crash/random.js';
import type { HttpAnswer } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import { reply, TestServer } from './support/server.js';

const TASKS = 500;
const CALLERS = 25;

describe('a droplet that fails now and then', () => {
  let droplet: TestServer;
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    droplet = await TestServer.start(() => undefined);
    // One name each, so that what one test has seen of its droplet is nothing to the next.
    registry = await TestRegistry.start(
      ['refusing', 'flaky', 'flakier'].map((name, index) => entry(index + 3, name, droplet.url)),
    );
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
  });
  beforeEach(() => {
    droplet.seen.length = 0;
  });
  afterAll(async () => {
    await orchestrator.stop();
    await registry.stop();
    await droplet.stop();
  });

  /** Answers one call in five with 503: which ones is the same each time. */
  function failAtRandom(seed: number): () => number {
    const random = seededRandom(seed);
    let failed = 0;
    droplet.handler = (_seen, response) => {
      const fails = random() < 0.2;
      if (fails) failed++;
      reply(response, fails ? 503 : 200, {});
    };
    return () => failed;
  }

  async function askMany(droplet_name: string, more: object): Promise<HttpAnswer['json'][]> {
    const answers: HttpAnswer['json'][] = [];
    let left = TASKS;
    const caller = async (): Promise<void> => {
      while (left-- > 0) answers.push((await orchestrator.task({ droplet_name, path: '/work', ...more })).json);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return answers;
  }

  it('says 503 to one call in five: three attempts hide nearly all of it, and every 503 is accounted for', async () => {
    const failed = failAtRandom(1);
    const answers = await askMany('flaky', {});
    const errors = answers.filter(({ status }) => status !== 'success');
    // One in 125 fails three times: four of five hundred.
    expect(errors.length).toBeLessThan(20);
    for (const each of errors) expect(each).toMatchObject({ status: 'error', response_status: 503, attempts: 3, retry_count: 3 });
    expect(answers.reduce((sum: number, { retry_count }) => sum + Number(retry_count), 0)).toBe(failed());
    expect([answers.length, droplet.hits()]).toEqual([TASKS, TASKS + failed() - errors.length]);
  });

  it('says 503 to one call in five: ten attempts hide all of it', async () => {
    const failed = failAtRandom(2);
    const answers = await askMany('flakier', { max_attempts: 10 });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['success']));
    expect([failed() > 50, droplet.hits()]).toEqual([true, TASKS + failed()]);
  });

  it('says any 4xx that there is: asked once, whatever the method', async () => {
    const codes = Array.from({ length: 100 }, (_, index) => 400 + index);
    droplet.handler = ({ url }, response) => reply(response, Number(url.slice(1)), { refused: true });
    for (const code of codes) {
      const method = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'][code % 5];
      const { json } = await orchestrator.task({ droplet_name: 'refusing', method, path: `/${code}` });
      expect(json).toMatchObject({ status: 'error', response_status: code, response_body: { refused: true }, attempts: 1 });
      expect([json.retry_count, json.error.code, json.error.details.effect]).toEqual([0, 'DROPLET_ERROR', 'none']);
    }
    expect(droplet.seen.map(({ url }) => Number(url.slice(1)))).toEqual(codes);
  });
});
