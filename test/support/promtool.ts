import { spawnSync } from 'node:child_process';
import { it } from '@jest/globals';

const isThere = spawnSync('promtool', ['--version']).status === 0;
if (!isThere) {
  process.stderr.write(
    '\nPROMTOOL IS NOT THERE: metrics, alerts and the dashboard are not checked by it (apt-get install prometheus)\n',
  );
}

/** A test that needs Prometheus' own tool: left out, loudly, where that is missing, but not where CI runs. */
export const itWithPromtool = isThere || process.env.CI === 'true' ? it : it.skip;

/** What promtool says of what it is given, and whether it is content. */
export function promtool(args: readonly string[], { input = '', cwd = '.' } = {}): { isContent: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd, encoding: 'utf8' });
  return { isContent: status === 0, text: `${stdout}${stderr}` };
}
