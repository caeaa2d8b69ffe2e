import { Command, Option } from 'commander';
import type { BreakerCommand, Droplet, DropletAnswer, OrchestratorClient } from '../client/entry.js';
import type { Attach } from './attach.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import type { Output } from './output.js';
import { plain } from './plain.text.js';
import type { Session } from './session.js';

const HELP = `
Examples:
  orchestrator droplets
  orchestrator droplets add flaky http://localhost:9001
  orchestrator droplets pause flaky
  orchestrator droplets breaker flaky --state auto`;

/** Lists droplets, and holds or lets go their traffic. */
export const dropletsCommand = (attach: Attach): Command =>
  attach(
    new Command('droplets')
      .summary('list the droplets; pause, resume, add or remove one')
      .description('Lists the droplets that are known, with how their calls go; or shows one.')
      .argument('[name]', 'the name or id of one droplet')
      .addHelpText('after', HELP),
    async (session, [name]) => {
      if (name !== undefined) return one(session, (client) => client.droplet(name, { signal: session.signal }));
      const list = await session.client().droplets({ signal: session.signal });
      await session.output.show(list, () => listText(list.droplets, session.output));
      return EXIT.done;
    },
  )
    .addCommand(held(attach, 'pause', 'hold its traffic: asynchronous tasks wait, others are refused'))
    .addCommand(held(attach, 'resume', 'let its traffic go on'))
    .addCommand(breaker(attach))
    .addCommand(add(attach))
    .addCommand(remove(attach));

const held = (attach: Attach, action: 'pause' | 'resume', description: string): Command =>
  attach(
    new Command(action).description(description).argument('<name>', 'the name or id of the droplet'),
    (session, [name = '']) => one(session, (client) => client[action](name, { signal: session.signal })),
  );

const breaker = (attach: Attach): Command =>
  attach<{ state: BreakerCommand['state'] }>(
    new Command('breaker')
      .description('open or close its breaker by hand; auto gives it back to its own count')
      .argument('<name>', 'the name or id of the droplet')
      .addOption(new Option('--state <state>', 'how it shall be').choices(['open', 'closed', 'auto']).makeOptionMandatory()),
    (session, [name = ''], { state }) => one(session, (client) => client.breaker(name, state, { signal: session.signal })),
  );

const add = (attach: Attach): Command =>
  attach(
    new Command('add')
      .description('add it to the built-in Registry, or change where it is')
      .argument('<name>', 'its name')
      .argument('<url>', 'where it is called: http://localhost:9001'),
    async ({ client, output, signal }, [name = '', url = '']) => {
      const registered = await client().register({ name, url }, { signal });
      await output.show(registered, () => plain(registered.message));
      return EXIT.done;
    },
  );

const remove = (attach: Attach): Command =>
  attach(
    new Command('remove').description('remove it from the built-in Registry').argument('<name>', 'the name or id of the droplet'),
    async (session, [name = '']) => {
      const { output, signal } = session;
      const client = session.client();
      const { droplet } = await client.droplet(name, { signal });
      const removed = await client.unregister(droplet.id, { signal });
      await output.show(removed, () => plain(removed.message));
      return EXIT.done;
    },
  );

async function one(session: Session, ask: (client: OrchestratorClient) => Promise<DropletAnswer>): Promise<ExitCode> {
  const answer = await ask(session.client());
  await session.output.show(answer, () => listText([answer.droplet], session.output));
  return EXIT.done;
}

const COLUMNS = [
  ...[
    { head: 'ID' },
    { head: 'NAME', mayBeCut: true },
    { head: 'ENDPOINT', mayBeCut: true },
    { head: 'REGISTRY' },
    { head: 'CALLS' },
  ],
  ...[{ head: 'BREAKER' }, { head: 'IN FLIGHT' }, { head: 'SUCCESS' }, { head: 'P95' }],
];

function listText(droplets: readonly Droplet[], output: Output): string {
  if (droplets.length === 0) return `No droplet is known: add one with 'orchestrator droplets add NAME URL'`;
  return output.table(
    COLUMNS,
    droplets.map(({ id, name, endpoint, status, health }) => [
      ...[plain(id), plain(name), plain(endpoint), plain(status), output.paint.status(health.state)],
      ...[output.paint.status(health.breaker), String(health.in_flight)],
      health.success_rate_percent === null ? '-' : `${health.success_rate_percent} %`,
      health.p95_ms === null ? '-' : `${health.p95_ms} ms`,
    ]),
  );
}
