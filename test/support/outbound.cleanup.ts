import { afterEach } from '@jest/globals';

interface Stoppable {
  stop(): Promise<void>;
}

/** Stops what it was given after each test of the file, last first, also when the test fails. */
export function stopsAfterEach(): <T extends Stoppable>(started: T) => T {
  const all: Stoppable[] = [];
  afterEach(async () => {
    for (const each of all.splice(0).reverse()) await each.stop();
  });
  return (started) => {
    all.push(started);
    return started;
  };
}
