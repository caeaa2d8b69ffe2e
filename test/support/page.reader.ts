import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './http.client.js';
import type { Page } from './pages.js';
import { NODE, OrchestratorProcess, ROOT, tempFolder, TestProcess } from './process.js';
import { freePort } from './server.js';

/** Every port that pages speak of: the server's, the droplets', and one where nobody listens. */
const PORT = /\b(8001|90\d\d)\b/g;
/** A command that starts a server, which stays: settings, then Node and a script that is no test. */
const SERVER = /^((?:\w+=\S+ )*)node (?!test\/)\S+\.m?js\b/;
const START_MS = 15_000;
/** What a server writes or reads in its folder: no reader has that of another. */
const OWN = new Set(['data', '.env']);

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly complaint: string;
}

/**
 * Follows a page as a reader would: with a server on its port, in a folder that looks like the checkout and has the files
 * that the page shows. Only the ports are others, so that two readers do not meet.
 */
export class PageReader {
  private readonly ports = new Map<string, string>();
  private readonly started: TestProcess[] = [];

  private constructor(
    readonly server: OrchestratorProcess,
    private readonly folder: string,
  ) {
    this.ports.set('8001', String(server.port));
  }

  /** @param environment settings of the server that the page begins with */
  static async open(page: Page, environment: Record<string, string> = {}): Promise<PageReader> {
    const self = new PageReader(await OrchestratorProcess.start(environment), tempFolder());
    for (const name of readdirSync(ROOT).filter((each) => !OWN.has(each)))
      symlinkSync(path.join(ROOT, name), path.join(self.folder, name));
    for (const { file, text } of page.blocks.filter((block) => block.file !== '')) await self.save(file, text);
    return self;
  }

  /** Runs a command to its end, or, if it is a server, until it listens. */
  async run(command: string): Promise<Ran> {
    const child = this.start('sh', ['-c', await this.here(command)]);
    const isServer = SERVER.test(command);
    if (isServer) await until(() => child.hasEnded || child.stdout !== '', START_MS);
    const code = isServer && !child.hasEnded ? 0 : (await child.end()).code;
    return { code, output: child.stdout, complaint: child.stderr };
  }

  /** Runs a module that a page shows, as a file of the folder. */
  async runModule(text: string, ending: string): Promise<Ran> {
    const name = `shown-${this.started.length}${ending}`;
    await this.save(name, text);
    const child = this.start(NODE, [name]);
    const { code } = await child.end();
    return { code, output: child.stdout, complaint: child.stderr };
  }

  /** Starts another server with settings that the page shows. @throws with what it printed when it does not come up */
  async runServer(environment: Record<string, string>): Promise<void> {
    const port = String(await freePort());
    const server = await OrchestratorProcess.start({ ...environment, HOST: '127.0.0.1', PORT: port }, this.folder);
    await server.process.kill();
  }

  async close(): Promise<void> {
    await Promise.all([this.server.remove(), ...this.started.map((child) => child.kill())]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(command: string, args: string[]): TestProcess {
    const { PATH = '' } = process.env;
    const environment = { PATH: `${path.dirname(NODE)}:${PATH}`, ORCHESTRATOR_URL: this.server.url };
    const child = new TestProcess(command, args, { cwd: this.folder, environment });
    this.started.push(child);
    return child;
  }

  private async save(file: string, text: string): Promise<void> {
    const place = path.join(this.folder, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, await this.here(text), { flag: 'wx' });
  }

  /** A text with the ports that are ours in place of those of the page. */
  private async here(text: string): Promise<string> {
    for (const [port] of text.matchAll(PORT)) if (!this.ports.has(port)) this.ports.set(port, String(await freePort()));
    return text.replaceAll(PORT, (port) => this.ports.get(port) ?? port);
  }
}
