// Registers a droplet at an orchestrator's built-in Registry: `register.mjs <orchestrator> <name> <url>`.
// Ends with 0 when it is registered, now or since an earlier time.
const [orchestrator, name, url] = process.argv.slice(2);
const CALL_MS = 10_000;
const ALREADY_THERE = 409;

const answer = await fetch(`${orchestrator}/orchestrator/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name, url }),
  signal: AbortSignal.timeout(CALL_MS),
});
console.log(`${answer.status} ${await answer.text()}`);
if (!answer.ok && answer.status !== ALREADY_THERE) process.exitCode = 1;
