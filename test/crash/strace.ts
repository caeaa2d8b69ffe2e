import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A system call of a traced process, in the order in which they were made. */
export interface SystemCall {
  readonly name: string;
  /** Its arguments as strace prints them: the file's path behind its descriptor, texts in full. */
  readonly args: string;
  readonly result: string;
  /** Places in the order of all calls: where it was entered, where it returned. */
  readonly from: number;
  readonly to: number;
}

const TRACED = 'fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg';

/** @throws when it is not installed: a test that passes without it would prove nothing */
export function requireStrace(): void {
  if (spawnSync('strace', ['--version']).status !== 0) throw new Error('strace is needed: apt-get install strace');
}

/** What stands before a command so that its calls are written to a file. */
export const straceTo = (file: string): string[] => {
  const what = ['-e', `trace=${TRACED}`, '-e', 'signal=none'];
  return ['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-s', '16384', ...what, '-o', file];
};

/** Reads what strace wrote; a call that another thread's interrupted stands on two lines. */
export function readTrace(file: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { name: string; args: string; from: number }>();
  readFileSync(file, 'latin1')
    .split('\n')
    .forEach((line, index) => {
      const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
      const whole = /^(\w+)\((.*)\)\s+= (-?\d+.*)$/.exec(rest);
      const start = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
      const end = /^<\.\.\. \w+ resumed>(.*)\)\s+= (-?\d+.*)$/.exec(rest);
      const begun = unfinished.get(pid);
      if (whole) calls.push({ name: whole[1]!, args: whole[2]!, result: whole[3]!, from: index, to: index });
      else if (start) unfinished.set(pid, { name: start[1]!, args: start[2]!, from: index });
      else if (end && begun) calls.push({ ...begun, args: begun.args + end[1]!, result: end[2]!, to: index });
    });
  return calls;
}

/** How a task's reply stands to its commit. */
export interface Order {
  /** The task's rows were written to the WAL before its reply. */
  readonly written: boolean;
  /** And the WAL was flushed between the two. */
  readonly flushed: boolean;
}

/** @param status of the reply's first line @param id of the task, which stands in its rows and in its reply */
export function orderOf(calls: readonly SystemCall[], status: number, id: string): Order {
  const isReply = ({ name, args }: SystemCall): boolean =>
    /^(write|writev|sendto|sendmsg)$/.test(name) && args.includes(`HTTP/1.1 ${status}`) && args.includes(id);
  const reply = calls.find(isReply);
  if (!reply) throw new Error(`no reply ${status} with ${id} among ${calls.length} calls`);
  const written = calls.findLast(
    ({ name, args, to }) => name === 'pwrite64' && isWal(args) && args.includes(id) && to < reply.from,
  );
  const flush = calls.find(
    ({ name, args, result, from, to }) =>
      /^f(data)?sync$/.test(name) && isWal(args) && result === '0' && written && from > written.to && to < reply.from,
  );
  return { written: written !== undefined, flushed: flush !== undefined };
}

const isWal = (args: string): boolean => /^\d+<[^>]*\.db-wal>/.test(args);
