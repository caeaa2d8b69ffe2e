import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { describeInBrowser, Watched } from './support/browser.js';
import { until } from './support/http.client.js';
import { PageProxy } from './support/page.proxy.js';
import { aMoment, TaskMesh } from './support/task.mesh.js';

/** The page asks every ten seconds: two of its questions. */
const PATIENCE_MS = 25_000;

describeInBrowser('the dashboard behind a server that sends the head of an answer and no more', () => {
  let mesh: TaskMesh;
  let proxy: PageProxy;
  let watched: Watched;

  beforeEach(async () => {
    mesh = await TaskMesh.start();
    proxy = await PageProxy.start(mesh.orchestrator.url);
    watched = await Watched.open('about:blank');
  });
  afterEach(async () => {
    await watched.close();
    await proxy.stop();
    await mesh.stop();
  });

  const open = async (): Promise<Page> => {
    await watched.page.goto(`${proxy.url}/dashboard`);
    await watched.page.getByText('live', { exact: true }).waitFor();
    return watched.page;
  };
  const tasks = (): Promise<string> => watched.rows('tasks').then((rows) => rows.join('\n'));

  it.each([
    ['its health', /\/health$/, '#service-state', 'no answer'],
    ['the last hour', /\/metrics\/history/, '#plot-queue .when', 'unknown'],
    ['the droplets', /\/droplets$/, '#droplets-empty', 'The orchestrator does not answer'],
    ['the tasks', /\/tasks\?/, '#tasks-empty', 'The orchestrator does not answer'],
  ])(
    'says so of %s, asks again, and shows it once it comes',
    async (_name, hung, place, text) => {
      await mesh.ask('/echo?there');
      await watched.hurry();
      proxy.hangs = (url) => hung.test(url);
      const page = await open();
      const trouble = page.locator(place, { hasText: text });
      await trouble.waitFor({ timeout: PATIENCE_MS });
      proxy.hangs = () => false;
      await trouble.waitFor({ state: 'hidden', timeout: PATIENCE_MS });
      await until(
        async () => (await watched.rows('droplets')).length === 2 && (await tasks()).includes('/echo?there'),
        PATIENCE_MS,
      );
    },
    60_000,
  );

  it('says that the droplets may be old when they were there before', async () => {
    await watched.hurry();
    const page = await open();
    await until(async () => (await watched.rows('droplets')).length === 2);
    proxy.hangs = (url) => url.endsWith('/droplets');
    await page.getByText('The list may be old: The orchestrator does not answer').waitFor({ timeout: PATIENCE_MS });
    expect(await watched.rows('droplets')).toHaveLength(2);
    proxy.hangs = () => false;
    await page.locator('#droplets-empty').waitFor({ state: 'hidden', timeout: PATIENCE_MS });
  }, 60_000);

  it('says that the stream is broken once it has been silent for too long, and opens it anew', async () => {
    const { page } = watched;
    await page.clock.install();
    proxy.hangs = (url) => url.includes('/tasks/events');
    await open();
    proxy.hangs = () => false;
    await page.clock.fastForward(45_000);
    await page.getByText('reconnecting').waitFor();
    await page.getByText('live', { exact: true }).waitFor({ timeout: PATIENCE_MS });
    await mesh.ask('/echo?later');
    await until(async () => (await tasks()).includes('/echo?later'), PATIENCE_MS);
    expect(proxy.hung).toBe(1);
  }, 60_000);

  it('shows no list that was asked for before the one that failed', async () => {
    await mesh.ask('/echo?older');
    await mesh.ask('/status?code=404&newer');
    const page = await open();
    await until(async () => (await tasks()).includes('/echo?older'));
    proxy.hangs = (url) => url.includes('status=success');
    await page.getByLabel('Status of tasks').selectOption('success');
    await until(() => proxy.hung === 1, PATIENCE_MS);
    const again: Route[] = [];
    await page.route(/status=error/, (route) => void again.push(route));
    await page.getByLabel('Status of tasks').selectOption('error');
    await until(() => again.length === 1, PATIENCE_MS);
    await again[0]!.fulfill({ status: 503, body: 'busy' });
    await page.getByText('The list may be incomplete: The answer was 503').waitFor({ timeout: PATIENCE_MS });
    const older = page.waitForEvent('requestfinished', (request) => request.url().includes('status=success'));
    proxy.release();
    await older;
    for (let moments = 0; moments < 10; moments++) await aMoment();
    expect(await tasks()).not.toContain('older');
    expect(await page.locator('#tasks-empty').innerText()).toContain('The answer was 503');
    await until(() => again.length === 2, PATIENCE_MS);
    await again[1]!.continue();
    await page.locator('#tasks-empty').waitFor({ state: 'hidden', timeout: PATIENCE_MS });
    expect(await tasks()).toMatch(/^error\s.*newer/s);
  }, 60_000);
});
