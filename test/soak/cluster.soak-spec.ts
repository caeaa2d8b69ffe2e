import { afterAll, describe, expect, it } from '@jest/globals';
import { ClusterLoad, lineOf, NOTHING } from '../crash/cluster.load.js';
import { AS_PROCESSES, Cluster } from '../support/cluster.js';
import { until } from '../support/http.client.js';
import { stopsAfterEach } from '../support/outbound.cleanup.js';
import { sharedPostgres } from '../support/shared.postgres.js';

const KILLS = 15;
const KILL_EVERY_MS = 20_000;
const ELSEWHERE_MS = 20_000;

describe('a replica killed every 20 s', () => {
  const stops = stopsAfterEach();
  afterAll(async () => (await sharedPostgres()).stop());

  it(`${KILLS} times under load: no acknowledged task is lost, stuck or failed, and each runs elsewhere within 20 s`, async () => {
    const cluster = stops(await Cluster.of(AS_PROCESSES));
    const load = ClusterLoad.start(cluster);
    for (let kill = 1; kill <= KILLS; kill++) {
      const killAt = performance.now() + KILL_EVERY_MS;
      await until(() => performance.now() > killAt, 2 * KILL_EVERY_MS);
      await cluster.remove(cluster.replica(kill));
      await cluster.add();
      process.stdout.write(`kill ${kill}: ${load.acknowledged} acknowledged\n`);
    }
    const report = await load.finish();
    process.stdout.write(lineOf(report));
    expect(report).toMatchObject({ ...NOTHING, refused: 0 });
    expect(report.takenOver.count).toBeGreaterThan(KILLS);
    expect(report.takenOver.max).toBeLessThan(ELSEWHERE_MS);
  }, 1_800_000);
});
