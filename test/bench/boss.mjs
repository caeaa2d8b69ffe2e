// Raw pg-boss, as another program would use it: what the cluster's speed is held against.
import { PgBoss } from 'pg-boss';

const [connectionString] = process.argv.slice(2);
const QUEUE = 'raw';
const PRODUCERS = 32;
const BULK = 1000;
const DATA = {
  method: 'POST',
  path: '/work',
  note: 'a payload of a usual size, about two hundred bytes in all'.padEnd(200, '.'),
};

const boss = new PgBoss({ connectionString, schema: 'raw', useListenNotify: true, max: 10, openTelemetry: { enabled: false } });
boss.on('error', () => undefined);
await boss.start();
await boss.createQueue(QUEUE, { notify: true, deleteAfterSeconds: 60 });

/** One job at a time from each of many producers. */
async function oneByOne(count) {
  let sent = 0;
  const produce = async () => {
    while (sent++ < count) await boss.send(QUEUE, DATA, { priority: 5 });
  };
  await Promise.all(Array.from({ length: PRODUCERS }, produce));
}

/** A thousand jobs in one statement. */
async function inBulk(count) {
  for (let sent = 0; sent < count; sent += BULK) {
    await boss.insert(
      QUEUE,
      Array.from({ length: BULK }, () => ({ data: DATA, priority: 5 })),
    );
  }
}

/** From the first send until every one of so many jobs was worked on. */
async function run({ count, bulk }) {
  let done = 0;
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const options = { batchSize: 64, localConcurrency: 4, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
  await boss.work(QUEUE, options, (jobs) => {
    done += jobs.length;
    if (done >= count) finish();
    return Promise.resolve();
  });
  const startedAt = performance.now();
  await (bulk ? inBulk(count) : oneByOne(count));
  await finished;
  const perSecond = (1000 * count) / (performance.now() - startedAt);
  await boss.offWork(QUEUE);
  return { perSecond };
}

process.on('message', (message) => void run(message).then((result) => process.send(result)));
process.send({});
