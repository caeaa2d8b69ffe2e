import { afterEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { EventReader } from './support/event.reader.js';
import { until } from './support/http.client.js';
import { bearer, KeyFile, type TestKey } from './support/keys.js';
import { TestOrchestrator } from './support/orchestrator.js';

const ANN: TestKey = { key: 'key-of-ann', name: 'ann', scopes: ['tasks:read', 'tasks:write'] };
const BOB: TestKey = { key: 'key-of-bob', name: 'bob', scopes: ['tasks:read', 'tasks:write'] };

let orchestrator: TestOrchestrator;
let readers: EventReader[] = [];
let file: KeyFile | null = null;

afterEach(async () => {
  for (const reader of readers) reader.close();
  await orchestrator.stop();
  if (file) rmSync(file.folder, { recursive: true, force: true });
  [readers, file] = [[], null];
});

async function open(credential: string): Promise<EventReader> {
  const reader = await EventReader.open(orchestrator.url, '', bearer(credential));
  readers.push(reader);
  return reader;
}

/** The reader is told of a task of its caller. */
async function isTold(reader: EventReader, credential: string): Promise<boolean> {
  const { json } = await orchestrator.task({ droplet_name: 'orchestrator', path: '/health' }, bearer(credential));
  return until(() => reader.of(json.task_id).includes('success'));
}

describe('an open stream of a key', () => {
  it.each<[string, readonly TestKey[]]>([
    ['is taken out of the file', [BOB]],
    ['is given to another caller', [BOB, { ...ANN, name: 'anna' }]],
    ['loses its scope', [BOB, { ...ANN, scopes: ['tasks:write'] }]],
  ])('ends when the key %s; those of other keys go on', async (_how, keys) => {
    file = new KeyFile([ANN, BOB]);
    orchestrator = await TestOrchestrator.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: file.path });
    const [ann, bob] = [await open(ANN.key), await open(BOB.key)];
    expect([await isTold(ann, ANN.key), await isTold(bob, BOB.key)]).toEqual([true, true]);
    file.write(keys);
    await until(() => ann.hasEnded, 15_000);
    expect(await isTold(bob, BOB.key)).toBe(true);
    expect(bob.hasEnded).toBe(false);
  });
});

describe('an open stream of a token', () => {
  it('ends when the token is valid no more; those of other tokens go on', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const token = (secondsLeft: number): Promise<string> =>
      new SignJWT({ scope: 'tasks:read tasks:write' })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('issuer')
        .setAudience('us')
        .setSubject('ann')
        .setExpirationTime(Math.floor(Date.now() / 1000) + secondsLeft)
        .sign(privateKey);
    const JWT_PUBLIC_KEY = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    orchestrator = await TestOrchestrator.start({ AUTH_MODE: 'jwt', JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'us', JWT_PUBLIC_KEY });
    // A token is taken for 30 s more.
    const [short, long] = [await token(-26), await token(600)];
    const [ending, staying] = [await open(short), await open(long)];
    expect(ending.status).toBe(200);
    await until(() => ending.hasEnded, 15_000);
    expect((await orchestrator.get('/tasks', bearer(short))).status).toBe(401);
    expect(await isTold(staying, long)).toBe(true);
    expect(staying.hasEnded).toBe(false);
  });
});
