import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeInBrowser, Watched } from './support/browser.js';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { KeyFile } from './support/keys.js';
import { OrchestratorProcess } from './support/process.js';
import { ASYNC, TaskMesh } from './support/task.mesh.js';

describeInBrowser('what happens, on the dashboard', () => {
  let mesh: TaskMesh;
  let watched: Watched;

  beforeEach(async () => {
    mesh = await TaskMesh.start();
  });
  afterEach(async () => {
    await watched.close();
    await mesh.stop();
  });

  const open = async (hash = ''): Promise<Watched['page']> => {
    watched = await Watched.open(`${mesh.orchestrator.url}/dashboard${hash}`);
    await watched.page.getByText('live', { exact: true }).waitFor();
    return watched.page;
  };
  const rowOf = (path: string): Promise<string | undefined> =>
    watched.rows('tasks').then((rows) => rows.find((row) => row.includes(path)));
  const shows = (path: string, word: string): Promise<boolean> => until(async () => (await rowOf(path))?.includes(word), 10_000);

  it('is there as it happens: a task is queued, runs, and comes to its end', async () => {
    const page = await open();
    await page.getByText('No tasks yet').waitFor();
    await mesh.queue('/slow?ms=400');
    await shows('/slow', 'running');
    await shows('/slow', 'success');
    expect(await page.locator('#tasks-count').innerText()).toBe('1');
  });

  it('stands still while the pointer is on the list, and goes on when it leaves', async () => {
    const page = await open();
    await mesh.queue('/echo?first');
    await shows('/echo?first', 'success');
    await page.locator('#tasks-rows').hover();
    await mesh.queue('/echo?second');
    await page.getByRole('button', { name: 'Show 1 new task' }).waitFor();
    expect(await watched.rows('tasks')).toHaveLength(1);
    await page.mouse.move(5, 5);
    await until(async () => (await watched.rows('tasks')).length === 2);
  });

  it('shows only what the filters let through, of the past and of what comes', async () => {
    const page = await open();
    await mesh.ask('/echo?old');
    await mesh.ask('/status?code=404&old');
    await shows('code=404&old', 'error');
    await page.getByLabel('Status of tasks').selectOption('error');
    await until(async () => (await watched.rows('tasks')).length === 1);
    await mesh.ask('/echo?new');
    await mesh.ask('/status?code=404&new');
    await shows('code=404&new', 'error');
    expect(await rowOf('/echo')).toBeUndefined();
    await page.getByLabel('Status of tasks').selectOption('');
    await page.getByLabel('Filter tasks').fill('droplet:other');
    await page.getByText('No task fits this filter').waitFor();
    await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo?there', meta: { order: '7' } });
    await shows('/echo?there', 'success');
    await page.getByLabel('Filter tasks').fill('meta.order=7 there');
    await until(async () => (await watched.rows('tasks')).length === 1 && (await rowOf('/echo?there')));
    await page.getByLabel('Filter tasks').fill('old');
    await until(async () => (await watched.rows('tasks')).length === 2);
  }, 30_000);

  it('says when the list cannot be had, shows nothing that the filter keeps out, and asks again by itself', async () => {
    const page = await open();
    await mesh.ask('/echo?fine');
    await mesh.ask('/status?code=404&bad');
    await mesh.ask('/status?code=404&other');
    await until(async () => (await watched.rows('tasks')).length === 3);
    let refused = 0;
    await page.route(/\/tasks\?/, (route) => (refused++ < 2 ? route.fulfill({ status: 503, body: 'busy' }) : route.continue()));
    await page.getByLabel('Filter tasks').fill('code=404');
    await page.getByText('The list may be incomplete: The answer was 503').waitFor();
    expect((await watched.rows('tasks')).filter((row) => row.includes('fine'))).toEqual([]);
    await page.locator('#tasks-empty').waitFor({ state: 'hidden' });
    expect(refused).toBe(3);
    expect(await watched.rows('tasks')).toHaveLength(2);
  });

  it('shows the attempts of a task as a line of time: waits, calls, statuses and errors', async () => {
    const { id } = await mesh.recordWhen(await mesh.queue('/flaky?fail=2'));
    const page = await open(`#task/${id}`);
    const attempts = page.locator('.timeline li');
    await until(async () => (await attempts.count()) === 3);
    const texts = await attempts.allInnerTexts();
    expect(texts[0]).toMatch(/#1\s+503 DROPLET_ERROR/);
    expect(texts[1]).toMatch(/#2\s+503 DROPLET_ERROR\s+after \d+ ms, took/);
    expect(texts[2]).toMatch(/#3\s+200/);
    const starts = await Promise.all([0, 1, 2].map((n) => attempts.nth(n).locator('.call').getAttribute('x')));
    expect(starts.map(Number)).toEqual([...starts.map(Number)].sort((a, b) => a - b));
    expect(Number(starts[2])).toBeGreaterThan(Number(starts[0]));
    expect(await page.locator('#detail').innerText()).toContain('echo answered 200, 3 attempts');
  });

  it.each([-3600, 3600])(
    'shows for how long a call runs where the clock of the browser is %d s off, and goes on',
    async (seconds) => {
      const id = await mesh.queue('/slow?ms=8000');
      const page = await open();
      await page.addInitScript(`{ const now = Date.now; Date.now = () => now() + ${seconds * 1000}; }`);
      await page.goto(`${mesh.orchestrator.url}/dashboard?again#task/${id}`);
      const line = page.locator('.timeline li');
      await until(async () => /runs.*took [1-9]\.\d+ s/s.test(await line.innerText()), 10_000);
      const first = await line.innerText();
      await until(async () => (await line.innerText()) !== first && /runs.*took \d/s.test(await line.innerText()), 10_000);
    },
  );

  it('cancels a task once that is confirmed, and not before', async () => {
    const id = await mesh.queue('/echo', { delay_ms: 3_600_000 });
    const page = await open(`#task/${id}`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    expect((await mesh.record(id)).status).toBe('queued');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.getByRole('status').getByText('The task is cancelled').waitFor();
    expect((await mesh.record(id)).status).toBe('cancelled');
    await page.locator('#detail').getByText('cancelled', { exact: true }).waitFor();
  });

  it('says why not when it is too late', async () => {
    const id = await mesh.queue('/echo', { delay_ms: 3_600_000 });
    const page = await open(`#task/${id}`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await mesh.orchestrator.request('DELETE', `/tasks/${id}`);
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.getByRole('alert').getByText('Refused:').waitFor();
  });

  it('runs a failed task again', async () => {
    const { id } = await mesh.recordWhen(await mesh.queue('/flaky?fail=1&code=404'));
    const page = await open(`#task/${id}`);
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.locator('#detail').getByText('success', { exact: true }).waitFor();
    expect((await mesh.record(id)).attempts).toBe(2);
  });

  it('pauses a droplet, resumes it, and holds its breaker', async () => {
    const breaker = async (): Promise<string> => (await mesh.orchestrator.get('/droplets/Echo')).json.droplet.health.breaker;
    const page = await open('#droplet/Echo');
    const order = async (name: string, action: string): Promise<void> => {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();
    };
    await order('Pause', 'Pause it');
    await until(async () => (await breaker()) === 'paused');
    await order('Resume', 'Resume it');
    await until(async () => (await breaker()) === 'closed');
    await order('Open', 'Hold open');
    await until(async () => (await breaker()) === 'open');
    await order('Auto', 'Leave to itself');
    await until(async () => (await breaker()) === 'closed');
    expect(watched.faults).toEqual([]);
  }, 30_000);

  it('goes by the keyboard alone: from the list to a task, to its button, and back', async () => {
    const id = await mesh.queue('/echo', { delay_ms: 3_600_000 });
    await mesh.queue('/echo?newer', { delay_ms: 3_600_000 });
    const page = await open();
    const { keyboard } = page;
    await until(async () => (await watched.rows('tasks')).length === 2);
    await keyboard.press('/');
    expect(await page.evaluate('document.activeElement.id')).toBe('tasks-filter');
    await keyboard.press('Escape');
    await keyboard.press('t');
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
    // Past the closing button and the link to the droplet.
    for (let stops = 0; stops < 3; stops++) await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Enter');
    await until(async () => (await mesh.record(id)).status === 'cancelled');
    await page.locator('#detail').getByText('cancelled', { exact: true }).waitFor();
    await keyboard.press('Escape');
    await page.locator('#detail').waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(`#task/${id}`);
    await keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  }, 30_000);

  it('says so when nothing answers any more, and shows another task while the first one hangs', async () => {
    const [hung, other] = [await mesh.ask('/echo?hung'), await mesh.ask('/echo?other')].map(({ json }) => json.task_id);
    const page = await open();
    const isHung = new RegExp(`/health$|/tasks/${hung}$`);
    await page.route(isHung, () => undefined);
    await page.evaluate(`location.hash = '#task/${hung}'`);
    await page.evaluate(`location.hash = '#task/${other}'`);
    await page.locator('#detail').getByText('GET /echo?other').waitFor();
    await watched.hurry();
    await page.goto(`${mesh.orchestrator.url}/dashboard?again#task/${hung}`);
    await page.locator('#detail').getByText('The orchestrator does not answer').waitFor();
    await page.locator('#service-state').getByText('no answer').waitFor();
  });

  it('asks for nothing while nobody looks, and catches up when somebody does', async () => {
    const page = await open();
    const look = (state: 'hidden' | 'visible'): Promise<unknown> =>
      page.evaluate(`Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' });
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${state === 'hidden'} });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await look('hidden');
    await page.getByText('paused', { exact: true }).waitFor();
    await mesh.ask('/echo?unseen');
    expect(await rowOf('/echo?unseen')).toBeUndefined();
    await look('visible');
    await shows('/echo?unseen', 'success');
  });
});

describeInBrowser('the dashboard with AUTH_MODE=apikey', () => {
  const keys = [
    { key: 'key-of-admin', name: 'admin', scopes: ['admin'] },
    { key: 'key-of-reader', name: 'reader', scopes: ['tasks:read', 'droplets:read'] },
    { key: 'key-of-nothing', name: 'nothing', scopes: [] },
  ];
  let mesh: TaskMesh;
  let watched: Watched;

  beforeAll(async () => {
    const file = new KeyFile(keys);
    mesh = await TaskMesh.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: file.path, METRICS_PUBLIC: 'false' });
  }, 60_000);
  beforeEach(async () => {
    watched = await Watched.open(`${mesh.orchestrator.url}/dashboard`);
  });
  afterEach(() => watched.close());
  afterAll(async () => {
    await mesh.stop();
  });

  const use = async (key: string): Promise<void> => {
    await watched.page.getByLabel('API key or token').fill(key);
    await watched.page.getByRole('button', { name: 'Use the key' }).click();
  };

  it('asks for a key, again for a wrong one, keeps it for the tab, and forgets it', async () => {
    const { page } = watched;
    await use('key-of-nobody');
    await use('key-of-admin');
    await page.getByText('live', { exact: true }).waitFor();
    await mesh.orchestrator.task({ droplet_name: 'echo', path: '/echo' }, { 'x-api-key': 'key-of-admin' });
    await until(async () => (await watched.rows('tasks')).length === 1);
    expect(await watched.accessFaults()).toEqual([]);
    expect(page.url()).not.toContain('key-of');
    await page.reload();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await page.getByRole('dialog').getByText('An API key is needed').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    expect(watched.urls.filter((url) => url.includes('key-of'))).toEqual([]);
  }, 30_000);

  it('refuses a key that no header can carry, and takes the next one', async () => {
    const { page } = watched;
    await use('key\u2013of\u2013admin');
    expect(await page.evaluate("document.querySelector('#key-field').validationMessage")).toContain('cannot be sent');
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    await use('key-of-admin');
    await page.getByText('live', { exact: true }).waitFor();
  });

  it('says which scope a key lacks for what was asked', async () => {
    await use('key-of-reader');
    await watched.page.getByText('live', { exact: true }).waitFor();
    await watched.page.goto(`${mesh.orchestrator.url}/dashboard#droplet/Echo`);
    await watched.page.getByRole('button', { name: 'Pause' }).click();
    await watched.page.getByRole('button', { name: 'Pause it' }).click();
    await watched.page.getByRole('alert').getByText('The scope admin is needed').waitFor();
  });

  it('says so where a key may read neither tasks nor droplets, and lets another be given', async () => {
    await use('key-of-nothing');
    await watched.page.getByText('no access').waitFor();
    await watched.page.locator('#droplets-empty').getByText('The scope droplets:read is needed').waitFor();
    await watched.page.locator('#tasks-empty').getByText('may not read tasks').waitFor();
    await watched.page.getByRole('button', { name: 'Forget the key' }).waitFor();
  });
});

describeInBrowser('the dashboard when the orchestrator goes away', () => {
  it('says so, keeps what it shows, and goes on by itself with the one that comes back', async () => {
    const droplet = await startDroplet();
    const first = await OrchestratorProcess.start({ LOG_LEVEL: 'error' });
    await first.post('/droplets', { name: 'echo', endpoint: droplet.url });
    const watched = await Watched.open(`${first.url}/dashboard`);
    await first.task({ droplet_name: 'echo', path: '/echo?before' });
    const rows = (): Promise<string> => watched.rows('tasks').then((all) => all.join());
    await until(async () => (await rows()).includes('/echo?before'));
    await first.leave();
    await watched.page.getByText('reconnecting').waitFor();
    expect(await rows()).toContain('/echo?before');
    const second = await OrchestratorProcess.start({ PORT: String(first.port), LOG_LEVEL: 'error' }, first.home);
    await second.task({ droplet_name: 'echo', path: '/echo?between' }, ASYNC);
    await watched.page.getByText('live', { exact: true }).waitFor();
    await until(async () => (await rows()).includes('/echo?between'), 10_000);
    await second.task({ droplet_name: 'echo', path: '/echo?after' });
    await until(async () => (await rows()).includes('/echo?after'), 10_000);
    await watched.close();
    await second.remove();
    await droplet.stop();
  }, 60_000);
});
