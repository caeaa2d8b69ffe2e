import type { CDPSession, Page } from 'playwright-core';

export interface PageReading {
  /** What is still used after a collection. */
  readonly heapBytes: number;
  /** Those of the document, and those that something still holds. */
  readonly nodes: number;
  readonly listeners: number;
}

/** What a page holds in memory. */
export class PageMemory {
  private constructor(private readonly session: CDPSession) {}

  static async of(page: Page): Promise<PageMemory> {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.enable');
    return new PageMemory(session);
  }

  /** Collects the garbage first. */
  async read(): Promise<PageReading> {
    await this.session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await this.session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await this.session.send('Memory.getDOMCounters');
    return { heapBytes: usedSize, nodes, listeners: jsEventListeners };
  }
}
