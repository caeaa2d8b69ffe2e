import { spawnSync } from 'node:child_process';
import { it } from '@jest/globals';
import { isRunWith } from './needed.program.js';

const isRun = isRunWith({
  names: ['promtool'],
  untested: 'metrics, alerts and the dashboard are not checked by it',
  inPackage: 'prometheus',
});

/** A test that needs Prometheus' own tool. */
export const itWithPromtool = isRun ? it : it.skip;

/** What promtool says of what it is given, and whether it is content. */
export function promtool(args: readonly string[], { input = '', cwd = '.' } = {}): { isContent: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd, encoding: 'utf8' });
  return { isContent: status === 0, text: `${stdout}${stderr}` };
}
