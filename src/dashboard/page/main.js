import { whenKeyIsWanted } from './api.js';
import { DetailView } from './detail.view.js';
import { askForKey, prepareKeyDialog, showDialog } from './dialogs.js';
import { byId } from './dom.js';
import { dropletDetail } from './droplet.detail.js';
import { DropletsView } from './droplets.view.js';
import { HistoryView } from './history.view.js';
import { listenToKeys } from './keyboard.js';
import { session } from './session.js';
import { StatusView } from './status.view.js';
import { taskDetail } from './task.detail.js';
import { TasksView } from './tasks.view.js';
import { switchTheme } from './theme.js';
import { Tiles } from './tiles.js';

const tiles = new Tiles(byId('tiles', HTMLElement));
const status = new StatusView();
const history = new HistoryView({
  onSamples: (samples, current) => tiles.showFigures(samples, current),
  onLate: () => tiles.showLate(),
});
const droplets = new DropletsView((all) => {
  tiles.showDroplets(all);
  if (detail.place?.kind === 'droplet') void detail.refresh();
});
const tasks = new TasksView({
  onTasks: (changed) => {
    if (detail.place?.kind === 'task' && changed.some(({ id }) => id === detail.place?.key)) void detail.refresh();
  },
  onState: (state) => {
    status.showStream(state);
    if (state === 'denied') tasks.showTrouble(session.key ? 'This key may not read tasks.' : 'A key is needed to read tasks.');
  },
});
const detail = new DetailView(({ kind, key }) =>
  kind === 'task'
    ? taskDetail(key)
    : dropletDetail(droplets.find(key)?.id ?? key, {
        pastOf: (name) => droplets.pastOf(name),
        onChanged: (droplet) => droplets.put(droplet),
        onTasksWanted: (filter) => showTasksOf(filter),
      }),
);

/** @param {string} filter */
function showTasksOf(filter) {
  detail.close();
  tasks.filterBy(filter);
  tasks.field.focus();
}

const giveKeyButton = byId('give-key', HTMLButtonElement);
const pollers = [status.poller, history.poller, droplets.poller];

/** Everything is asked anew, with the key that holds now. */
function start() {
  for (const poller of pollers) poller.start();
  tasks.start();
  void detail.refresh();
  byId('forget-key', HTMLButtonElement).hidden = session.key === '';
  if (session.key !== '') giveKeyButton.hidden = true;
}

/** Nobody looks: nothing is asked for. */
function stop() {
  for (const poller of pollers) poller.stop();
  tasks.stop();
}

async function giveKey() {
  if (await askForKey()) start();
}

whenKeyIsWanted(() => {
  for (const poller of [history.poller, droplets.poller]) poller.stop();
  giveKeyButton.hidden = false;
  void giveKey();
});
prepareKeyDialog();
switchTheme(byId('theme', HTMLButtonElement));
giveKeyButton.addEventListener('click', () => void giveKey());
byId('forget-key', HTMLButtonElement).addEventListener('click', () => {
  session.forget();
  location.reload();
});
byId('help-button', HTMLButtonElement).addEventListener('click', () => showDialog('help'));
byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
  event.preventDefault();
  tasks.field.focus();
});
document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
listenToKeys({
  '/': () => tasks.field.focus(),
  '?': () => showDialog('help'),
  d: () => droplets.list.focus(),
  t: () => tasks.list.focus(),
  p: () => tasks.toggleHold(),
  Escape: () => (document.activeElement instanceof HTMLInputElement ? document.activeElement.blur() : detail.close()),
});
start();
detail.follow();
