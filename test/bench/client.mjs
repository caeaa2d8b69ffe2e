// The client of the benches: fires tasks with autocannon and tells what came of them.
import autocannon from 'autocannon';
import { Client } from 'undici';

process.on('message', ({ url, body, prefer, one, ...options }) => {
  const headers = { 'content-type': 'application/json', ...(prefer ? { prefer } : {}) };
  if (one !== undefined) return void oneCaller(url, { body, headers, count: one });
  const startedAt = performance.now();
  // autocannon looks once a second whether all is done: the last answer tells the true end.
  let endedAt = startedAt;
  const fired = autocannon({ url, method: 'POST', headers, body, timeout: 60, ...options });
  fired.on('response', () => (endedAt = performance.now()));
  fired.then(({ '2xx': accepted, non2xx, errors, latency }) => {
    const seconds = (endedAt - startedAt) / 1000;
    process.send({
      accepted,
      refused: non2xx + errors,
      seconds,
      perSecond: accepted / seconds,
      p50: latency.p50,
      p99: latency.p99,
    });
  });
});

/** One request after the other over one connection; milliseconds. */
async function oneCaller(url, { body, headers, count }) {
  const { origin, pathname } = new URL(url);
  const client = new Client(origin);
  const waits = [];
  while (waits.length < count) {
    const begun = performance.now();
    const { statusCode, body: answer } = await client.request({ path: pathname, method: 'POST', headers, body });
    await answer.text();
    waits.push(performance.now() - begun);
    if (statusCode >= 300) throw new Error(`answered ${statusCode}`);
  }
  await client.close();
  waits.sort((a, b) => a - b);
  process.send({ p50: waits[Math.floor(count * 0.5)], p99: waits[Math.floor(count * 0.99)] });
}

process.send({});
