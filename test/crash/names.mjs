// Loaded into the built server by `--import`: names are looked up in the file NAMES_FILE, `{"name": [["address", …], …]}`, whose
// lists take turns from one look-up to the next. Names that are not in it are unknown; addresses and localhost are themselves.
// It prints every address that a socket tries to connect to.
import { subscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { readFileSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';

const { NAMES_FILE } = process.env;
const real = dns.lookup;
const counts = new Map();

dns.lookup = (name, options, done) => {
  if (isIP(name) || name === 'localhost') return real(name, options, done);
  const turns = JSON.parse(readFileSync(NAMES_FILE, 'utf8'))[name];
  const count = counts.get(name) ?? 0;
  counts.set(name, count + 1);
  const addresses = turns?.[count % turns.length].map((address) => ({ address, family: isIP(address) }));
  if (!addresses) return process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }));
  if (options.all) process.nextTick(done, null, addresses);
  else process.nextTick(done, null, addresses[0].address, addresses[0].family);
};
syncBuiltinESMExports();

subscribe('net.client.socket', ({ socket }) => {
  socket.on('connectionAttempt', (address) => writeSync(1, `connects to ${address}\n`));
});
