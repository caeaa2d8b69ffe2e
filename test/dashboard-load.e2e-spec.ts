import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeInBrowser, Watched } from './support/browser.js';
import { until } from './support/http.client.js';
import { OrchestratorProcess } from './support/process.js';
import { entry, TestRegistry } from './support/registry.js';

const DROPLETS = 5000;
const EVENTS = 10_000;
const BATCH = 1000;

describeInBrowser('the dashboard of a large mesh', () => {
  let registry: TestRegistry;
  let orchestrator: OrchestratorProcess;
  let watched: Watched;

  beforeAll(async () => {
    const list = Array.from({ length: DROPLETS }, (_, index) => entry(index + 10, `droplet-${index + 1}`, 'http://127.0.0.1:9'));
    registry = await TestRegistry.start(list);
    orchestrator = await OrchestratorProcess.start({ REGISTRY_URL: registry.url, LOG_LEVEL: 'error' });
    watched = await Watched.open(`${orchestrator.url}/dashboard`);
    await watched.page.locator('#droplets-count', { hasText: '5,000' }).waitFor();
  }, 60_000);
  afterAll(async () => {
    await orchestrator.remove();
    await registry.stop();
  });

  const row = (name: string) => watched.page.locator('#droplets-rows').getByText(name, { exact: true });
  const rowCount = (list: string): Promise<number> => watched.page.locator(`#${list}-rows [role=row]`).count();

  it('holds only the droplets in sight, and reaches every one by wheel, keys and filter', async () => {
    const { page } = watched;
    await page.getByLabel('Order of droplets').selectOption('name');
    await row('droplet-1').waitFor();
    expect(await rowCount('droplets')).toBeLessThan(60);
    await page.locator('#droplets-rows').hover();
    await page.mouse.wheel(0, 46 * 2500);
    await row('droplet-2503').waitFor();
    expect(await rowCount('droplets')).toBeLessThan(60);
    await page.mouse.move(0, 0);
    await page.keyboard.press('d');
    await page.keyboard.press('End');
    await row('droplet-5000').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toContain('droplet-5000');
    await page.getByLabel('Filter droplets').fill('droplet-4321');
    await row('droplet-4321').waitFor();
    expect(await page.locator('#droplets-count').innerText()).toBe('1 of 5,000');
    await page.getByLabel('Filter droplets').fill('');
  }, 30_000);

  it('takes 10,000 events in a burst, answers the keyboard meanwhile, and keeps the newest', async () => {
    const { page } = watched;
    await page.keyboard.press('Escape');
    const later = { droplet_name: 'droplet-7', delay_ms: 3_600_000 };
    await page.getByText('live', { exact: true }).waitFor();
    const batches = Array.from({ length: EVENTS / BATCH }, (_, batch) =>
      Array.from({ length: BATCH }, (_each, index) => ({ ...later, path: `/burst/${batch * BATCH + index + 1}` })),
    );
    for (const tasks of batches) {
      expect((await orchestrator.post('/tasks/batch', { tasks })).json.accepted).toBe(BATCH);
      await page.keyboard.press('/');
      expect(await page.evaluate('document.activeElement.id')).toBe('tasks-filter');
      await page.keyboard.press('Escape');
    }
    await until(async () => (await watched.topRow('tasks')).includes(`/burst/${EVENTS}`), 15_000);
    expect(await rowCount('tasks')).toBeLessThan(60);
    expect(await page.locator('#tasks-count').innerText()).toBe('newest 500');
    expect(watched.faults).toEqual([]);
  }, 60_000);
});
