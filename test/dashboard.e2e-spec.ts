import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import { describeInBrowser, Watched } from './support/browser.js';
import { until } from './support/http.client.js';
import { PageProxy } from './support/page.proxy.js';
import { entry } from './support/registry.js';
import { reply } from './support/server.js';
import { ASYNC, TaskMesh } from './support/task.mesh.js';

const HOSTILE = `<img src=x onerror="document.title='owned'"><b>bold</b>`;

describeInBrowser('the dashboard', () => {
  let mesh: TaskMesh;
  let watched: Watched;

  beforeAll(async () => {
    mesh = await TaskMesh.start();
    await mesh.ask('/echo');
    await mesh.ask('/status?code=503');
    await mesh.recordWhen(await mesh.queue('/flaky?fail=2'));
  }, 60_000);
  afterEach(() => watched.close());
  afterAll(() => mesh.stop());

  const open = async (path = '/dashboard', options: BrowserContextOptions = {}): Promise<Watched> => {
    watched = await Watched.open(mesh.orchestrator.url + path, options);
    return watched;
  };
  const filled = (): Promise<boolean> =>
    until(async () => (await watched.rows('tasks')).length >= 3 && (await watched.rows('droplets')).length >= 2, 10_000);

  it.each([
    '/dashboard',
    '/dashboard/',
    '/orchestrator/dashboard',
    '/orchestrator/dashboard/',
    '/dashboard?from=mail',
    '/dashboard?from=/',
  ])('shows droplets and tasks at %s, under its own policy, without a fault, from this host alone', async (path) => {
    await open(path);
    await filled();
    expect(await watched.rows('droplets')).toEqual(expect.arrayContaining([expect.stringContaining('Echo')]));
    expect(watched.faults).toEqual([]);
    expect(watched.urls.filter((url) => !url.startsWith(mesh.orchestrator.url))).toEqual([]);
  });

  it('works behind a proxy that takes a prefix away', async () => {
    const proxy = await PageProxy.start(mesh.orchestrator.url, '/ops/mesh');
    watched = await Watched.open(`${proxy.url}/ops/mesh/dashboard`);
    await filled();
    expect(watched.faults).toEqual([]);
    expect(watched.urls.filter((url) => !url.startsWith(`${proxy.url}/ops/mesh/`))).toEqual([]);
    await watched.close();
    await proxy.stop();
  });

  it('weighs less than 150 KB in all', async () => {
    await open();
    await filled();
    await until(() => watched.weights.size > 30);
    const total = [...watched.weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThan(150_000);
  });

  it('paints before any of its modules has come', async () => {
    await open('/health');
    await watched.page.route('**/*.js', () => undefined);
    await watched.page.goto(`${mesh.orchestrator.url}/dashboard`, { waitUntil: 'commit' });
    const painted = () => watched.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0");
    const ms = Number(await until(painted));
    console.info(`first paint of the dashboard: ${Math.round(ms)} ms`);
    expect(await watched.page.locator('h2', { hasText: 'Droplets' }).isVisible()).toBe(true);
  });

  it.each(['light', 'dark'] as const)(
    'has nothing serious against axe-core, %s',
    async (colorScheme) => {
      await open('/dashboard', { colorScheme, reducedMotion: 'reduce' });
      await filled();
      expect(await watched.accessFaults()).toEqual([]);
      await watched.page.keyboard.press('?');
      expect(await watched.accessFaults()).toEqual([]);
      await watched.page.keyboard.press('Escape');
      const [failed] = (await mesh.orchestrator.get('/tasks?status=error')).json.tasks;
      await watched.page.goto(`${mesh.orchestrator.url}/dashboard#task/${failed.id}`);
      await watched.page.getByRole('button', { name: 'Run again' }).click();
      await watched.page.getByRole('dialog').waitFor();
      expect(await watched.accessFaults()).toEqual([]);
      await watched.page.keyboard.press('Escape');
      expect(await watched.accessFaults()).toEqual([]);
      await watched.page.goto(`${mesh.orchestrator.url}/dashboard#droplet/Echo`);
      await watched.page.getByRole('button', { name: 'Pause' }).waitFor();
      expect(await watched.accessFaults()).toEqual([]);
    },
    40_000,
  );

  it('fits a phone, without a sideways scroll', async () => {
    await open('/dashboard', { viewport: { width: 390, height: 844 }, hasTouch: true });
    await filled();
    expect(await watched.page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(await watched.accessFaults()).toEqual([]);
  });

  it('shows the names and the errors of others as text, whatever they hold', async () => {
    mesh.registry.list.push(entry(9, HOSTILE, mesh.other.url));
    await mesh.orchestrator.task({ droplet_name: HOSTILE, path: '/echo', meta: { note: HOSTILE } });
    mesh.echo.handler = (_seen, response) => reply(response, 400, { error: HOSTILE });
    const { json } = await mesh.orchestrator.task({ droplet_name: HOSTILE, path: `/status?code=400&x='%22` }, ASYNC);
    await mesh.recordWhen(json.task_id);
    await open(`/dashboard#task/${json.task_id}`);
    await watched.page.getByText('answered 400').waitFor();
    await until(async () => (await watched.rows('droplets')).some((row) => row.includes(HOSTILE)));
    expect(await watched.topRow('tasks')).toContain(HOSTILE);
    await watched.page.goto(`${mesh.orchestrator.url}/dashboard#droplet/${encodeURIComponent(HOSTILE)}`);
    await watched.page.getByRole('button', { name: 'Pause' }).click();
    await watched.page.getByRole('dialog').getByText(`Pause ${HOSTILE}?`).waitFor();
    expect(await watched.page.locator('img, main b b').count()).toBe(0);
    expect(await watched.page.title()).toBe('orchestrator');
    expect(watched.faults).toEqual([]);
  }, 30_000);

  it('keeps the theme that was chosen, from the first paint on', async () => {
    await open('/dashboard', { colorScheme: 'light' });
    const { page } = watched;
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    await page.getByRole('button', { name: 'Theme: auto' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await background()).not.toBe(light);
    await page.route('**/*.js', () => undefined);
    await page.goto(`${mesh.orchestrator.url}/orchestrator/dashboard`, { waitUntil: 'commit' });
    await page.locator('h1').waitFor();
    expect(await background()).not.toBe(light);
  });
});
