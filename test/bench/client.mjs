// The client of the benches: fires tasks with autocannon and tells what came of them.
import autocannon from 'autocannon';

process.on('message', ({ url, body, ...options }) => {
  const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
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
process.send({});
