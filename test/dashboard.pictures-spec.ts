import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { useBrowser, Watched } from './support/browser.js';
import { DemoMesh } from './support/demo.mesh.js';
import { ROOT } from './support/process.js';

/** Draws the pictures of docs/: `npm run screenshots`. They are looked at, not compared. */
const FOLDER = process.env.PICTURES ?? path.join(ROOT, 'docs');
const MOST_BYTES = 200 * 1024;
const LOOKED_AT_MS = Number(process.env.LOOKED_AT_MS ?? 90_000);

useBrowser();
let mesh: DemoMesh;
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  mesh = await DemoMesh.start();
  await mesh.live(12_000);
}, 60_000);
afterAll(() => mesh.stop());

interface Picture {
  readonly name: string;
  readonly hash?: string;
  readonly options: BrowserContextOptions;
}

async function open({ hash = '', options }: Picture): Promise<Watched> {
  const watched = await Watched.open('about:blank', options);
  const { page } = watched;
  // Nobody waits an hour for a picture: the plots get one that looks like the last minute.
  await page.route('**/metrics/history*', (route) => route.fulfill({ json: mesh.lastHour() }));
  await page.goto(`${mesh.url}/dashboard${hash}`);
  return watched;
}

it('takes the pictures', async () => {
  const id = await mesh.retriedTask();
  const pictures: Picture[] = [
    { name: 'dashboard.png', options: { colorScheme: 'light' } },
    { name: 'dashboard-dark.png', options: { colorScheme: 'dark' } },
    { name: 'dashboard-task.png', hash: `#task/${id}`, options: { colorScheme: 'light' } },
    { name: 'dashboard-phone.png', options: { colorScheme: 'dark', viewport: { width: 390, height: 844 } } },
  ];
  const pages = await Promise.all(pictures.map(open));
  // As long as it takes until the small plots have something to show.
  await mesh.live(LOOKED_AT_MS);
  await pages.at(-1)?.page.locator('#droplets').scrollIntoViewIfNeeded();
  for (const [index, { page }] of pages.entries()) {
    const file = path.join(FOLDER, pictures[index]!.name);
    await page.screenshot({ path: file });
    expect(statSync(file).size).toBeLessThan(MOST_BYTES);
  }
}, 180_000);
