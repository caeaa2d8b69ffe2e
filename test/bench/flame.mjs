// Draws where the main thread is under synchronous load, as a flame graph: `npm run build && node test/bench/flame.mjs [file.svg]`.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [target = 'docs/flame.svg'] = process.argv.slice(2);
const WIDTH = 1200;
const ROW = 17;
/** Frames that take less of the busy time are left out. */
const LEAST = 0.003;
const CHARACTER = 6.5;

/** Profiles the orchestrator while 32 callers fire tasks, after a warm-up that the profile holds too. */
async function profile() {
  const folder = mkdtempSync(path.join(tmpdir(), 'flame-'));
  process.env.BENCH_NODE_ARGS = `--cpu-prof --cpu-prof-dir=${folder}`;
  const { end } = await import('./processes.mjs');
  const { load, startLimit, startOurs, taskFor } = await import('./side.by.side.mjs');
  const beside = await startLimit();
  const ours = await startOurs(beside, ['echo']);
  for (let time = 0; time < 4; time++) await load(beside, ours, { connections: 32, bodies: [JSON.stringify(taskFor('echo'))] });
  await end(ours.child);
  const [file] = readdirSync(folder);
  const text = readFileSync(path.join(folder, file), 'utf8');
  rmSync(folder, { recursive: true });
  return JSON.parse(text);
}

/** Whose code a frame is: a package's name, ours, or Node's. */
function ownerOf(url) {
  const parts = url.split('node_modules/').at(-1).split('/');
  if (url.includes('node_modules/')) return parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  return url.includes('/dist/') ? 'orchestrator' : 'node';
}

/** The profile's nodes as one tree of `{name, owner, us, children}`, calls of one function from one place being one; idle time is left out. */
function tree({ nodes, samples, timeDeltas }) {
  const own = new Map();
  samples.forEach((id, index) => own.set(id, (own.get(id) ?? 0) + timeDeltas[index]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = ({ id, callFrame, children = [] }) => {
    const kept = children.map((child) => byId.get(child)).filter((child) => child.callFrame.functionName !== '(idle)');
    const built = kept.map(build);
    const us = (own.get(id) ?? 0) + built.reduce((sum, child) => sum + child.us, 0);
    return { name: callFrame.functionName || '(anonymous)', owner: ownerOf(callFrame.url), us, children: built };
  };
  return build(nodes[0]);
}

function merged(frames) {
  const byName = new Map();
  for (const frame of frames) {
    const key = `${frame.name} ${frame.owner}`;
    const known = byName.get(key);
    byName.set(key, known ? { ...known, us: known.us + frame.us, children: [...known.children, ...frame.children] } : frame);
  }
  return [...byName.values()].toSorted((a, b) => b.us - a.us);
}

/** One hue an owner, so that a library is seen at a glance. */
const hueOf = (owner) => [...owner].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The rectangles of some frames and all above them, from the left of their parent on. */
function draw(frames, { left, depth, total }) {
  let from = left;
  return merged(frames).flatMap((frame) => {
    const width = (WIDTH * frame.us) / total;
    const x = from;
    from += width;
    if (frame.us < LEAST * total) return [];
    const title = `${frame.name} (${frame.owner}) ${((100 * frame.us) / total).toFixed(1)} %`;
    const room = Math.floor(width / CHARACTER) - 1;
    const label = room > 2 ? `${frame.name} · ${frame.owner}`.slice(0, room) : '';
    const box = `<rect x="${x.toFixed(1)}" width="${width.toFixed(1)}" y="${depth * ROW}" height="${ROW - 1}" fill="hsl(${hueOf(frame.owner)} 60% 75%)"/>`;
    const text = `<text x="${(x + 3).toFixed(1)}" y="${depth * ROW + 12}">${escaped(label)}</text>`;
    return [
      { depth, svg: `<g><title>${escaped(title)}</title>${box}${label ? text : ''}</g>` },
      ...draw(frame.children, { left: x, depth: depth + 1, total }),
    ];
  });
}

const root = tree(await profile());
const boxes = draw(root.children, { left: 0, depth: 0, total: root.us });
const height = (Math.max(...boxes.map(({ depth }) => depth)) + 1) * ROW;
const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`;
writeFileSync(target, [head, ...boxes.map(({ svg }) => svg), '</svg>', ''].join('\n'));
console.log(`${target}: ${boxes.length} frames of ${(root.us / 1e6).toFixed(1)} busy seconds`);
process.exit(0);
