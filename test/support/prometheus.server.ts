import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from '@jest/globals';
import { until } from './http.client.js';
import { isRunWith } from './needed.program.js';
import { ROOT, tempFolder, TestProcess } from './process.js';
import { freePort } from './server.js';

const isRun = isRunWith({
  names: ['prometheus'],
  untested: 'no expression of ours is evaluated',
  inPackage: 'prometheus',
});

/** Tests that need a real Prometheus. */
export const describeWithPrometheus = isRun ? describe : describe.skip;

/** One series of an answer, at one moment. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What Prometheus makes of a rule. */
export interface RuleState {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  readonly alerts: readonly { readonly annotations: { readonly summary: string } }[];
}

/** A real Prometheus with our alert rules, which scrapes orchestrators, and itself, every second. */
export class TestPrometheus {
  /** Seconds since 1970: the last moment at which every target was known to answer. Undefined until it was awaited once. */
  private scraped?: number;

  private constructor(
    private readonly process: TestProcess,
    private readonly home: string,
    private readonly url: string,
    private readonly targets: number,
  ) {}

  /** @param targets host and port of each orchestrator */
  static async start(targets: readonly string[]): Promise<TestPrometheus> {
    const [home, own] = [tempFolder(), `127.0.0.1:${await freePort()}`];
    const job = (name: string, hosts: readonly string[]) => ({ job_name: name, static_configs: [{ targets: hosts }] });
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [path.join(ROOT, 'deploy/prometheus/alerts.yaml')],
      scrape_configs: [{ ...job('orchestrator', targets), metrics_path: '/metrics/prometheus' }, job('prometheus', [own])],
    };
    const file = path.join(home, 'prometheus.yaml');
    writeFileSync(file, JSON.stringify(config));
    const args = [`--config.file=${file}`, `--storage.tsdb.path=${path.join(home, 'data')}`, `--web.listen-address=${own}`];
    const process = new TestProcess('prometheus', args, { cwd: home });
    const self = new TestPrometheus(process, home, `http://${own}`, targets.length + 1);
    await until(() => self.isReady(), 20_000);
    return self;
  }

  async stop(): Promise<void> {
    await this.process.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The answer to `/api/v1/…`. @throws with what Prometheus says of a question that it does not take */
  async ask<T>(what: string, query: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(query).toString()}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${error}: ${JSON.stringify(query)}`);
    return data;
  }

  /** What an expression came to when every target was scraped: one that is late for a second, on a busy machine, counts as down. */
  query(expression: string): Promise<Sample[]> {
    return this.queryAt(expression, this.scraped);
  }

  async rules(): Promise<RuleState[]> {
    return (await this.ask<{ groups: { rules: RuleState[] }[] }>('rules')).groups.flatMap(({ rules }) => rules);
  }

  /** Resolves when every target was scraped once more from now on. */
  async scrape(): Promise<void> {
    const now = Date.now() / 1000;
    await until(async () => {
      const times = (await this.queryAt('timestamp(up) and up == 1')).map(({ value }) => value);
      if (times.length < this.targets || Math.min(...times) <= now) return false;
      this.scraped = Math.max(...times);
      return true;
    }, 20_000);
  }

  /** @param time seconds since 1970; now without one */
  private async queryAt(query: string, time?: number): Promise<Sample[]> {
    const at = time === undefined ? undefined : { time: String(time) };
    const { result } = await this.ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>('query', {
      query,
      ...at,
    });
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  private async isReady(): Promise<boolean> {
    if (this.process.hasEnded) throw new Error(`Prometheus did not start:\n${this.process.lines.join('\n')}`);
    return fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
