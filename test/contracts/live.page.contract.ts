import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeInBrowser, Watched } from '../support/browser.js';
import { startDroplet } from '../support/droplet.js';
import { until } from '../support/http.client.js';
import { PageMemory, type PageReading } from '../support/page.memory.js';
import { OrchestratorProcess } from '../support/process.js';
import type { TestServer } from '../support/server.js';
import { SteadyTasks } from '../support/steady.tasks.js';

const QUARTERS = [1, 2, 3, 4];
const MOST_NODES = 2500;
const MOST_GROWTH_BYTES = 500_000;
/** Long enough for the slowest machine; nothing is measured by it. */
const PATIENCE_MS = 30_000;

interface Quarter extends PageReading {
  readonly usedMs: number;
}

/** The page while real tasks make 10,000 events a minute, for so many minutes. */
export function livePageContract(minutes: number): void {
  describeInBrowser(`the dashboard under 10,000 events a minute, ${minutes} min`, () => {
    let droplet: TestServer;
    let orchestrator: OrchestratorProcess;
    let watched: Watched;

    beforeAll(async () => {
      [droplet, orchestrator] = await Promise.all([startDroplet(), OrchestratorProcess.start({ LOG_LEVEL: 'error' })]);
      await orchestrator.post('/droplets', { name: 'echo', endpoint: droplet.url });
      watched = await Watched.open(`${orchestrator.url}/dashboard`);
      await watched.page.getByText('live', { exact: true }).waitFor();
    }, 60_000);
    afterAll(async () => {
      await orchestrator.remove();
      await droplet.stop();
    });

    /** The ids of the rows that are there, from the top. */
    const shown = (): Promise<string[]> =>
      watched.page
        .locator('#tasks-rows [role=row]')
        .evaluateAll((rows) =>
          rows
            .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
            .map((row) => row.getAttribute('data-key') ?? ''),
        );
    const newest = async (count: number): Promise<string[]> =>
      (await orchestrator.get(`/tasks?limit=${count}`)).json.tasks.map(({ id }: { id: string }) => id);

    /** A filter shows what failed and nothing else, a button holds the list, and both let go. */
    async function useControls(): Promise<void> {
      const { page } = watched;
      await page.getByLabel('Status of tasks').selectOption('error');
      await until(async () => {
        const rows = await watched.rows('tasks');
        return rows.length > 0 && rows.every((row) => row.startsWith('error'));
      }, PATIENCE_MS);
      await page.getByLabel('Status of tasks').selectOption('');
      await until(async () => (await watched.topRow('tasks')).includes('/echo'), PATIENCE_MS);
      await page.getByRole('button', { name: 'Hold' }).click();
      const fresh = page.locator('#tasks-fresh');
      await fresh.waitFor({ timeout: PATIENCE_MS });
      const [held, waiting] = [await shown(), await fresh.innerText()];
      await until(async () => (await fresh.innerText()) !== waiting, PATIENCE_MS);
      expect(await shown()).toEqual(held);
      await page.getByRole('button', { name: 'Go on' }).click();
      await until(async () => (await shown())[0] !== held[0], PATIENCE_MS);
      await page.mouse.move(5, 5);
    }

    /** What the page holds after each quarter of the stream, and how long its controls took then. */
    async function watch(load: SteadyTasks): Promise<Quarter[]> {
      const memory = await PageMemory.of(watched.page);
      const quarters = [];
      for (const quarter of QUARTERS) {
        await until(() => load.sent >= (load.total * quarter) / QUARTERS.length, minutes * 60_000 + PATIENCE_MS);
        const clickedAt = performance.now();
        if (quarter < QUARTERS.length) await useControls();
        const usedMs = Math.round(performance.now() - clickedAt);
        quarters.push({ ...(await memory.read()), usedMs });
      }
      return quarters;
    }

    it(
      'answers a click meanwhile, has no more nodes and memory at the end than early on, and is right at last',
      async () => {
        const load = new SteadyTasks(orchestrator, minutes);
        const [quarters, sentMs] = await Promise.all([watch(load), load.send()]);
        const perMinute = Math.round((load.events / sentMs) * 60_000);
        console.info(`${load.events} events, ${perMinute} a minute: ${JSON.stringify(quarters)}`);

        await until(async () => (await watched.topRow('tasks')).includes(load.pathOf(load.total - 1)), PATIENCE_MS);
        await until(async () => (await watched.rows('tasks')).every((row) => !/^(queued|running)/.test(row)), PATIENCE_MS);
        const inSight = await shown();
        expect(inSight).toEqual(await newest(inSight.length));
        expect(await watched.page.locator('#tasks-count').innerText()).toBe('newest 500');
        await watched.page.getByLabel('Status of tasks').selectOption('error');
        await watched.page.locator('#tasks-count').getByText(String(load.failing), { exact: true }).waitFor();

        const [early, , , late] = quarters;
        expect(Math.max(...quarters.map(({ nodes }) => nodes))).toBeLessThan(MOST_NODES);
        expect(late!.heapBytes - early!.heapBytes).toBeLessThan(MOST_GROWTH_BYTES);
        expect(watched.faults).toEqual([]);
      },
      minutes * 60_000 + 8 * PATIENCE_MS,
    );
  });
}
