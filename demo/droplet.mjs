// A droplet that is `healthy`, `flaky` or `slow` (its first argument); PORT (any free one) is where it listens.
import { serve } from './stand-in.mjs';

const [kind = 'healthy'] = process.argv.slice(2);
const SLOW_MS = 700;

const BEHAVIOUR = {
  /** Answers at once. */
  healthy: ({ method, path, body }) => [200, { said: `${method} ${path}`, heard: body }],
  /** Fails twice for each task, then answers; below /broken it never recovers. */
  flaky: ({ path }, { headers }) => {
    const attempt = Number(headers['x-task-attempt'] ?? 1);
    const isDown = path.startsWith('/broken') || attempt <= 2;
    return isDown ? [503, { detail: 'out of order' }] : [200, { invoice: 42, answered_on_attempt: attempt }];
  },
  /** Answers well, but not soon. */
  slow: () => [200, { report: 'done', took_ms: SLOW_MS }, SLOW_MS],
};

function answer(asked, request) {
  if (asked.path === '/health') return [200, { status: 'active', service: kind }];
  if (asked.path.startsWith('/missing')) return [404, { detail: 'Not Found' }];
  return BEHAVIOUR[kind](asked, request);
}

const port = await serve(answer, Number(process.env.PORT ?? 0));
console.log(`listening on ${port}`);
