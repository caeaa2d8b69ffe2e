import { startDroplet } from './droplet.js';
import { TestOrchestrator } from './orchestrator.js';
import { entry, TestRegistry, type RegistryEntry } from './registry.js';
import { freePort, type TestServer } from './server.js';

/** An orchestrator, its Registry, and a droplet that the Registry lists as `Echo` (3), `Quiet` (4, inactive) and `Gone` (5, nobody there). */
export class TestMesh {
  private constructor(
    readonly droplet: TestServer,
    readonly registry: TestRegistry,
    readonly orchestrator: TestOrchestrator,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<TestMesh> {
    const droplet = await startDroplet();
    const gone = `http://127.0.0.1:${await freePort()}`;
    const quiet: RegistryEntry = { ...entry(4, 'Quiet', droplet.url), status: 'inactive' };
    const registry = await TestRegistry.start([entry(3, 'Echo', droplet.url), quiet, entry(5, 'Gone', gone)]);
    const orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url, ...environment });
    return new TestMesh(droplet, registry, orchestrator);
  }

  async stop(): Promise<void> {
    await this.orchestrator.stop();
    await this.registry.stop();
    await this.droplet.stop();
  }
}
