import type { Locator, Page } from 'playwright-core';

type Point = readonly [number, number];

/** A plot of the page as its reader sees it, and hears it. */
export class DrawnPlot {
  private readonly figure: Locator;

  constructor(
    private readonly page: Page,
    private readonly id: 'throughput' | 'latency' | 'queue',
  ) {
    this.figure = page.locator(`#plot-${id} .chart`);
  }

  async label(): Promise<string> {
    return (await this.figure.getAttribute('aria-label')) ?? '';
  }

  legend(): Promise<string> {
    return this.page.locator(`#plot-${this.id} .legend`).innerText();
  }

  /** The labels of the first steps, by the arrow keys. */
  async labels(count: number): Promise<string[]> {
    await this.figure.focus();
    await this.page.keyboard.press('Home');
    const labels = [await this.label()];
    while (labels.length < count) {
      await this.page.keyboard.press('ArrowRight');
      labels.push(await this.label());
    }
    await this.figure.blur();
    return labels;
  }

  /** The points of each piece of a series. */
  async pieces(tone: string): Promise<Point[][]> {
    const path = (await this.figure.locator(`path[data-tone=${tone}]`).getAttribute('d')) ?? '';
    return path
      .split('M')
      .slice(1)
      .map((piece) => [...piece.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const));
  }

  /** The values that the heights of points stand for, by the lines of the grid. @param most what the uppermost line says */
  async valuesOf(points: readonly Point[], most: number): Promise<number[]> {
    const lines = await this.figure
      .locator('.grid line')
      .evaluateAll((all) => all.map((line) => Number(line.getAttribute('y1'))));
    const [bottom = 0, top = 0] = lines;
    return points.map(([, y]) => ((bottom - y) / (bottom - top)) * most);
  }

  /** What stands at the lines and below. */
  texts(): Promise<string[]> {
    return this.figure.locator('text').allTextContents();
  }
}
