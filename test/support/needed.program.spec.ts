import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { findProgram, isRunWith } from './needed.program.js';

const NOBODY = { names: ['no-such-program'], untested: 'nothing is checked', inPackage: 'nothing' } as const;
const { CI } = process.env;

describe('Tests that need a program', () => {
  const said: string[] = [];

  beforeEach(() => {
    said.length = 0;
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    if (CI === undefined) delete process.env.CI;
    else process.env.CI = CI;
  });

  it('are run where it is there, under any of its names', () => {
    expect(findProgram(['no-such-program', 'sh'])).toMatch(/\/sh$/);
    expect(isRunWith({ ...NOBODY, names: ['no-such-program', 'sh'] })).toBe(true);
    expect(said).toEqual([]);
  });

  it('are left out where it is missing, which is said', () => {
    delete process.env.CI;
    expect(isRunWith(NOBODY)).toBe(false);
    expect(said).toEqual(['\nNO-SUCH-PROGRAM IS NOT THERE: nothing is checked (apt-get install nothing)\n']);
  });

  it.each(['true', '1'])('are run all the same, to fail, where CI is %s', (value) => {
    process.env.CI = value;
    expect(isRunWith(NOBODY)).toBe(true);
    expect(said).toHaveLength(1);
  });
});
