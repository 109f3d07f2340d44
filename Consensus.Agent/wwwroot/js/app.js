// The page: follows the cluster through the agent that served it, and hands what it reads to those who draw.

import { Agents } from './agent-table.js';
import * as api from './api.js';
import { Controls } from './run-form.js';
import { byId, list } from './dom.js';
import { follow } from './event-stream.js';
import { Faults } from './faults.js';
import { History } from './run-history.js';
import * as key from './key.js';
import { Simulation } from './simulation-view.js';
import { View } from './run-view.js';

// A browser may load a page before a person opens it.
if (document.prerendering) await new Promise((activated) => { document.addEventListener('prerenderingchange', activated, { once: true }); });

const EVENT_GAP_MS = 120;
const POLL_MS = 2000;

let keyRefused = false;
let stood = '';

const state = { run: null, newest: null, detail: [], cluster: null, timeline: null };

function notice(text) {
  const element = byId('notice');
  element.textContent = text ?? '';
  element.hidden = !text;
}

function connection(up, text) {
  const element = byId('connection');
  element.classList.toggle('up', up);
  element.classList.toggle('down', !up);
  if (element.textContent !== text) element.textContent = text;
}

/** At most one reading at a time; whatever is asked for meanwhile is one more afterwards. One that failed is tried again. */
function reader(read, gap) {
  let busy = false;
  let again = false;
  return async function run() {
    if (busy) { again = true; return; }
    busy = true;
    let failed = false;
    try {
      await read();
    } catch (problem) {
      failed = !(problem instanceof api.Problem) || problem.status >= 500;
      if (problem instanceof api.Problem) notice(problem.message);
      else connection(false, 'The agent does not answer; trying again…');
    }
    setTimeout(() => {
      busy = false;
      if (again || (failed && !document.hidden)) { again = false; run(); }
    }, failed ? POLL_MS : gap);
  };
}

const agents = new Agents(byId('agents'));
const view = new View(byId('diagram'), {
  label: 'Space-time diagram of the run',
  unfold: (range) => { state.detail = [...state.detail.slice(-8), range]; readTimeline(); },
  knew: (model, known, at) => agents.show(model, known, at, state.run === null ? state.cluster : null),
});
const history = new History(byId('history'), (run) => {
  Object.assign(state, { run, detail: [] });
  readTimeline();
});
const controls = new Controls(byId('commands'), {
  started: () => { Object.assign(state, { run: null, detail: [] }); history.open(null); refresh(); },
  notice,
});
const faults = new Faults(byId('faults'), {
  notice,
  refused: () => {
    keyRefused = true;
    notice('The agents do not know this cluster key.');
  },
});
const simulation = new Simulation(byId('simulate'), { notice });

const readTimeline = reader(async () => {
  const asked = state.run;
  const timeline = await api.timeline(asked, state.detail);
  if (asked !== state.run || !timeline) return;
  if (!asked && timeline.run !== state.newest) {
    state.newest = timeline.run;
    state.detail = [];
  }
  state.timeline = timeline;
  document.body.dataset.ready = 'true';
  view.show(timeline);
}, EVENT_GAP_MS);

const readCluster = reader(async () => {
  const [cluster, runs] = await Promise.all([api.cluster(), api.history()]);
  state.cluster = cluster.agents;
  const serving = cluster.agents[0].agent_id;
  const isolated = cluster.agents.filter((agent) => agent.isolated).map((agent) => agent.agent_id).sort();
  const up = cluster.agents.filter((agent) => agent.up && !agent.isolated).length;
  connection(true, `${up} of ${cluster.agents.length} agents up${isolated.length ? `, ${list(isolated)} isolated` : ''}, seen from ${serving}`);
  controls.serving(serving);
  faults.show(cluster.agents);
  history.show(runs.runs, state.run);

  // What another agent does by itself - it goes, comes back, learns - is no event of the one that is followed.
  const stands = standing(cluster.agents);
  if (stands !== stood) readTimeline();
  stood = stands;
  if (view.model) view.tell();
}, 400);

const standing = (agents) => JSON.stringify(agents.map(({ up, isolated, state: held }) => [up, isolated, held?.boot, held?.run, held?.consensus_value]));

function refresh() {
  readTimeline();
  readCluster();
}

function route() {
  const simulate = location.hash === '#simulate' && !byId('tab-simulate').hidden;
  byId('live').hidden = simulate;
  byId('simulate').hidden = !simulate;
  byId('commands').hidden = simulate;
  if (simulate) simulation.opened();
  for (const [id, current] of [['tab-live', !simulate], ['tab-simulate', simulate]]) {
    if (current) byId(id).setAttribute('aria-current', 'page');
    else byId(id).removeAttribute('aria-current');
  }
}

/** What this agent offers is in its own description: asking for what is not there would be an error in the console. */
async function offers() {
  try {
    const { paths } = await api.call('/openapi/v1.json');
    faults.offered = '/faults' in paths;
    if (paths['/reset'].post.security?.length && !byId('key')) {
      faults.locked = () => keyRefused || !key.isKnown();
      byId(faults.offered ? 'faults' : 'agents').append(key.keyForm(() => {
        keyRefused = false;
        notice();
        readCluster();
      }));
    }
    byId('tab-simulate').hidden = byId('tabs').hidden = !('/simulate' in paths);
    route();
  } catch {
    setTimeout(offers, POLL_MS);
  }
}

addEventListener('hashchange', route);
follow({
  happened: refresh,
  up: () => {
    if (byId('connection').classList.contains('down')) notice();
    refresh();
  },
  down: () => connection(false, 'The agent does not answer; trying again…'),
});
setInterval(() => { if (!document.hidden) readCluster(); }, POLL_MS);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
refresh();
offers().then(readCluster);
if (/^\/run\/*$/i.test(location.pathname)) {
  // A tab that was opened in the background starts its run when a person looks at it.
  while (document.hidden) await new Promise((changed) => { document.addEventListener('visibilitychange', changed, { once: true }); });

  // Once: a reload of the page starts nothing.
  globalThis.history.replaceState(null, '', '/');
  controls.run();
}
