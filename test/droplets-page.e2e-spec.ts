import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { readPage } from './support/pages.js';
import type { TestServer } from './support/server.js';

const page = readPage('docs/droplets.md');

/** The rows of the table below a heading, cell by cell, without its head. */
function rowsOf(heading: string): string[][] {
  const section = page.text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.split('|').slice(1, -1));
}

const named = rowsOf('What it is sent').flatMap(([names = '']) =>
  [...names.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
);

describe('docs/droplets.md', () => {
  let droplet: TestServer;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    droplet = await startDroplet();
    orchestrator = await TestOrchestrator.start();
    await orchestrator.post('/register', { name: 'droplet', url: droplet.url });
  });
  afterAll(async () => {
    await orchestrator.stop();
    await droplet.stop();
  });

  it('names every header that a droplet is sent, and no other', async () => {
    const { json } = await orchestrator.task({ droplet_name: 'droplet', method: 'POST', path: '/echo', payload: {} });
    expect(named.map((name) => name.toLowerCase()).sort()).toEqual(Object.keys(json.response_body.headers).sort());
  });

  it.each([
    [204, 'success', 1],
    [302, 'error', 1],
    [404, 'error', 1],
    [429, 'error', 1],
    [501, 'error', 1],
    [503, 'error', 3],
    [505, 'error', 1],
  ])('says truly that %i ends a task as %s after %i attempts', async (status, outcome, attempts) => {
    const { json } = await orchestrator.task({ droplet_name: 'droplet', path: `/status?code=${status}` });
    expect(json).toMatchObject({ status: outcome, response_status: status, attempts });
  });
});
