import { describe } from '@jest/globals';
import axe from 'axe-core';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Nothing but the page under test may be asked for anything. */
const ALONE = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
];

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** The Chromium of the machine; null when there is none. */
function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const files = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return files.find((file) => existsSync(file)) ?? null;
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('there is no Chromium: apt-get install chromium');
  return chromium.launch({ executablePath, args: ALONE });
}

/** Tests in a real browser. Where there is none they say so loudly, and on CI they fail. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (findChromium() !== null || process.env.CI) return describe(name, tests);
  console.error(`THERE IS NO CHROMIUM: ${name.toUpperCase()} WAS NOT TESTED. apt-get install chromium`);
  describe.skip(name, tests);
}

/** A page, with what went wrong in it and what it asked for. */
export class Watched {
  /** What the console called an error, a warning or a violation, and what was thrown. */
  readonly faults: string[] = [];
  readonly urls: string[] = [];
  /** Bytes of the bodies of what was loaded, by URL. */
  readonly weights = new Map<string, number>();

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.faults.push(message.text());
    });
    page.on('request', (request) => this.urls.push(request.url()));
    page.on('response', (response) => {
      if (!response.url().includes('dashboard')) return;
      void response.body().then(
        (body) => this.weights.set(response.url(), body.length),
        () => undefined,
      );
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const self = new Watched(await context.newPage(), context);
    await self.page.goto(url);
    return self;
  }

  /** Rows of tasks or droplets that are there, as text. */
  rows(list: 'tasks' | 'droplets'): Promise<string[]> {
    return this.page.locator(`#${list}-rows [role=row]`).allInnerTexts();
  }

  /** What axe-core finds serious or worse on the page as it is. */
  async accessFaults(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<AxeResult>('axe.run()');
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
