import { rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { tempFolder } from '../support/process.js';
import { reply, TestServer } from '../support/server.js';
import { CrashServer, POINTS, type Point, type Trap } from './crash.server.js';
import { Ledger, type Findings } from './ledger.js';
import { seededRandom } from './random.js';

/** At a point of its own code, or wherever a signal finds the process. */
export type Death = Point | 'any moment';

const DEATHS: readonly Death[] = ['any moment', ...POINTS];
const CLIENTS = 8;
/** The latest occasion at which a trap closes: some of the rounds die over the first task, some over a busy queue. */
const MAX_OCCASION = 60;
/** A signal comes within this time of the process' start, or of the first task. */
const MAX_START_MS = 1500;
const MAX_LOAD_MS = 300;
/** A server that should die and does not. */
const DEAD_WITHIN_MS = 30_000;

export interface Report extends Findings {
  /** What SQLite says of the file. */
  readonly integrity: string;
  readonly rounds: number;
  readonly acknowledged: number;
  readonly calls: number;
  readonly deaths: Readonly<Record<string, number>>;
}

/**
 * Kills an orchestrator again and again while clients submit tasks, and starts it again on the same database.
 * Every second life first finishes what the two before it left: else a task could meet three deaths and be given up.
 */
export class CrashLoop {
  private readonly ledger = new Ledger();
  private readonly deaths: Record<string, number> = {};
  private readonly home = tempFolder();
  private server: CrashServer | null = null;
  private rounds = 0;
  private submitted = 0;

  private constructor(
    private readonly droplet: TestServer,
    private readonly random: () => number,
    private readonly repliesEarly: boolean,
  ) {}

  /** @param repliesEarly for the control build */
  static async start(seed: number, repliesEarly = false): Promise<CrashLoop> {
    const droplet = await TestServer.start((_seen, response) => reply(response, 500));
    const self = new CrashLoop(droplet, seededRandom(seed), repliesEarly);
    droplet.handler = ({ headers, body }, response) => {
      // A long loop must not keep what it saw.
      droplet.seen.length = 0;
      const calls = self.ledger.called(String(headers['x-task-id']));
      const number = (JSON.parse(body) as { number: number }).number;
      // One task in ten fails at its first call, so that a wait for a retry stands in the store when the process dies.
      const status = number % 10 === 7 && calls === 1 ? 503 : 200;
      setTimeout(() => reply(response, status, { calls }), number % 8);
    };
    const server = await CrashServer.start(self.home);
    await server.post('/register', { name: 'echo', url: droplet.url });
    await server.leave();
    return self;
  }

  /** One life and its death: each kind of death in turn. */
  async round(): Promise<void> {
    const death = DEATHS[this.rounds % DEATHS.length] ?? 'any moment';
    const isCalm = this.rounds % 2 === 1;
    this.rounds++;
    const server = await this.spawn(death, isCalm);
    if (death === 'any moment' && !isCalm) this.killWithin(server, MAX_START_MS);
    if ((await server.isUp()) && isCalm) await server.allFinal();
    if (isCalm && death === 'any moment') this.killWithin(server, MAX_LOAD_MS);
    else if (isCalm) server.arm();
    await this.load(server);
    await server.process.end();
    const diedAt = server.diedAt ?? 'any moment';
    this.deaths[diedAt] = (this.deaths[diedAt] ?? 0) + 1;
  }

  /** A last life without a death, at the end of which every task must be final. */
  async finish(): Promise<Report> {
    const server = await this.spawn(null, true);
    if (!(await server.isUp())) throw new Error(`no start after ${this.rounds} rounds:\n${server.process.lines.join('\n')}`);
    for (const key of this.ledger.unanswered.splice(0)) await this.submit(server, key);
    await server.allFinal().catch(() => undefined);
    const findings = this.ledger.check(await server.allTasks());
    await server.leave();
    const { acknowledged, calls } = this.ledger;
    return {
      ...findings,
      integrity: this.integrity(),
      rounds: this.rounds,
      acknowledged: acknowledged.size,
      calls: [...calls.values()].reduce((sum, each) => sum + each, 0),
      deaths: this.deaths,
    };
  }

  async stop(): Promise<void> {
    await this.server?.process.kill();
    await this.droplet.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  private async spawn(death: Death | null, isCalm: boolean): Promise<CrashServer> {
    const occasion = 1 + Math.floor(this.random() * MAX_OCCASION);
    const trap: Trap | undefined =
      death === null || death === 'any moment' ? undefined : { point: death, occasion, isArmed: !isCalm };
    this.server = await CrashServer.spawn(this.home, { trap, repliesEarly: this.repliesEarly });
    return this.server;
  }

  private killWithin(server: CrashServer, ms: number): void {
    setTimeout(() => server.kill(), this.random() * ms);
  }

  /** Clients submit one task after the other until the server is gone. */
  private async load(server: CrashServer): Promise<void> {
    const latest = performance.now() + DEAD_WITHIN_MS;
    const client = async (): Promise<void> => {
      while (!server.process.hasEnded && (await this.submit(server, this.nextKey()))) {
        if (performance.now() > latest) throw new Error(`round ${this.rounds}: the server outlived its trap`);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  /** Those that got no answer come first; one in five repeats a task that was acknowledged long ago. */
  private nextKey(): string {
    const earlier = this.random() < 0.2 ? this.ledger.earlierKey(this.random()) : undefined;
    return this.ledger.unanswered.pop() ?? earlier ?? `key-${this.submitted++}`;
  }

  /** False when no answer came. */
  private async submit(server: CrashServer, key: string): Promise<boolean> {
    const number = Number(key.slice('key-'.length));
    const delay = number % 10 === 3 ? { delay_ms: 50 } : {};
    const task = { droplet_name: 'echo', method: 'POST', path: '/work', payload: { number }, meta: { key }, ...delay };
    const answer = await server.task(task, { prefer: 'respond-async', 'idempotency-key': key }).catch(() => null);
    if (!answer) this.ledger.unanswered.push(key);
    else if (answer.status === 202) this.ledger.answered(key, answer.json.task_id);
    else throw new Error(`round ${this.rounds}: ${key} was answered ${answer.status} ${answer.text}`);
    return answer !== null;
  }

  private integrity(): string {
    const database = new DatabaseSync(path.join(this.home, 'data/orchestrator.db'));
    const row = database.prepare('PRAGMA integrity_check').get();
    database.close();
    return String(row?.integrity_check);
  }
}

/** What is found in a loop without a fault. */
export const NOTHING: Findings & Pick<Report, 'integrity'> = {
  ...{ lost: [], stuck: [], failed: [], uncalled: [], doubled: [] },
  integrity: 'ok',
};

/** A report as one line: of what was found only how much. */
export function lineOf(report: Report): string {
  const short = Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? value.length : value]);
  return `crash loop: ${JSON.stringify(Object.fromEntries(short))}\n`;
}
