import { afterAll, beforeAll, describe } from '@jest/globals';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { findProgram, isRunWith } from './needed.program.js';

const CHROMIUM = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  untested: 'the page is not tested in a browser',
  inPackage: 'chromium',
} as const;

const isRun = isRunWith(CHROMIUM);

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

let browser: Browser;

/** The tests around have a browser, from before their own set-up on; its pages are gone before what they asked is. */
export function useBrowser(): void {
  beforeAll(async () => {
    const executablePath = findProgram(CHROMIUM.names);
    if (executablePath === null) throw new Error('there is no Chromium: apt-get install chromium');
    browser = await chromium.launch({ executablePath, args: ALONE });
  }, 60_000);
  afterAll(() => browser.close());
}

/** Tests in a real browser. */
export function describeInBrowser(name: string, tests: () => void): void {
  const describeIt = isRun ? describe : describe.skip;
  describeIt(name, () => {
    useBrowser();
    tests();
  });
}

type List = 'tasks' | 'droplets';

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

  static async open(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const self = new Watched(await context.newPage(), context);
    await self.page.goto(url);
    return self;
  }

  /** From the next load on the page waits a second for an answer instead of fifteen: a busy machine may take a good part of it. */
  hurry(): Promise<unknown> {
    return this.page.addInitScript(
      '{ const after = AbortSignal.timeout; AbortSignal.timeout = (ms) => after.call(AbortSignal, ms / 15); }',
    );
  }

  /** Rows of tasks or droplets that are there, as text, in no order. */
  rows(list: List): Promise<string[]> {
    return this.page.locator(`#${list}-rows [role=row]`).allInnerTexts();
  }

  /** The text of the uppermost row. */
  topRow(list: List): Promise<string> {
    return this.page.locator(`#${list}-rows [aria-rowindex="2"]`).innerText();
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
