// The page: reads the cluster through the agent that served it, and passes the data to the views.

import { LOOKS, looks, parameters, replaceAddress, stepOf } from './address.js';
import { AgentTable } from './agent-table.js';
import * as api from './api.js';
import { byId } from './dom.js';
import { follow } from './event-stream.js';
import { Faults } from './faults.js';
import { list } from './format.js';
import { startHints } from './hints.js';
import * as key from './key.js';
import { RunForm } from './run-form.js';
import { RunHistory } from './run-history.js';
import { RunView } from './run-view.js';
import { SimulationView } from './simulation-view.js';
import { store } from './storage.js';

// A browser may load a page before a person opens it.
if (document.prerendering) await new Promise((activated) => { document.addEventListener('prerenderingchange', activated, { once: true }); });

store('consensus-loads', '');
startHints();

const asked = new URLSearchParams(location.search);
for (const look of LOOKS) document.body.classList.toggle(look, asked.has(look));

const EVENT_GAP_MS = 120;
const CLUSTER_GAP_MS = 400;
const POLL_MS = 2000;

let keyRefused = false;
let lastStatus = '';

// `run` is null while the page follows the newest run.
const state = { run: null, newest: null, detail: [], cluster: null };

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

const connectionLost = () => connection(false, 'The agent does not respond; trying again…');

/** Runs at most one read at a time. Requests during a read lead to one more read. A failed read is tried again. */
function coalesced(read, gap) {
  let busy = false;
  let again = false;
  return async function run() {
    if (busy) { again = true; return; }
    busy = true;
    let failed = false;
    try {
      await read();
    } catch (problem) {
      failed = !(problem instanceof api.Problem) || problem.status >= 500 || problem.status === 429;
      if (problem instanceof api.Problem) notice(problem.message);
      else connectionLost();
    }
    setTimeout(() => {
      busy = false;
      if (again || (failed && !document.hidden)) { again = false; run(); }
    }, failed ? POLL_MS : gap);
  };
}

state.run = asked.get('run');

const agentTable = new AgentTable(byId('agents'));
const runView = new RunView(byId('diagram'), {
  label: 'Space-time diagram of the run',
  unfold: (range) => { state.detail = [...state.detail.slice(-8), range]; readTimeline(); },
  step: stepOf(asked.get('step')),
  onStates: (model, states, position) => {
    agentTable.show(model, states, position, { cluster: state.run === null ? state.cluster : undefined });
    if (isLive()) replaceAddress(() => isLive() ? addressOf(model, position) : undefined);
  },
});
const runHistory = new RunHistory(byId('history'), (run) => {
  Object.assign(state, { run, detail: [] });
  readTimeline();
});
runHistory.current = state.run;
const runForm = new RunForm(byId('commands'), {
  onStart: () => { Object.assign(state, { run: null, detail: [] }); runHistory.open(null); refresh(); },
  notice,
});
const faults = new Faults(byId('faults'), {
  notice,
  onKeyRefused: () => {
    keyRefused = true;
    notice('The agents refused this cluster key.');
  },
});
const simulationView = new SimulationView(byId('simulate'), { notice });

const readTimeline = coalesced(async () => {
  const requested = state.run;
  const timeline = await api.getTimeline(requested, state.detail);
  if (requested !== state.run || !timeline) return;
  if (!requested && timeline.run !== state.newest) {
    state.newest = timeline.run;
    state.detail = [];
  }
  document.body.dataset.ready = 'true';
  runView.show(timeline);
}, EVENT_GAP_MS);

const readCluster = coalesced(async () => {
  const [cluster, runs] = await Promise.all([api.getCluster(), api.getRuns()]);
  state.cluster = cluster.agents;
  const serving = cluster.agents[0].agent_id;
  const isolated = cluster.agents.filter((agent) => agent.isolated).map((agent) => agent.agent_id).sort();
  const up = cluster.agents.filter((agent) => agent.up && !agent.isolated).length;
  connection(true, `${up} of ${cluster.agents.length} agents up${isolated.length ? `, ${list(isolated)} isolated` : ''}, seen from ${serving}`);
  runForm.showServingAgent(serving);
  faults.show(cluster.agents);
  runHistory.show(runs.runs);

  // The stream has only the serving agent's events. Another agent's change is visible in its status.
  const status = statusKey(cluster.agents);
  if (status !== lastStatus) readTimeline();
  lastStatus = status;
  if (runView.model) runView.publishStates();
}, CLUSTER_GAP_MS);

/** Names the run that a person chose, or the run and the step of it that they went to. */
function addressOf({ timeline }, position) {
  const run = state.run ?? (position === undefined ? null : timeline.run);
  return `/${parameters('?', [...looks(), ...(run ? [['run', run]] : []), ...(run && position !== undefined ? [['step', position]] : [])])}`;
}

const statusKey = (agents) => JSON.stringify(agents.map(({ up, isolated, state: snapshot }) => [up, isolated, snapshot?.boot, snapshot?.run, snapshot?.consensus_value]));

function refresh() {
  readTimeline();
  readCluster();
}

const TABS = ['learn', 'live', 'explore', 'simulate'];

// These tabs load their own modules when a person opens them.
const LAZY = {
  learn: async () => new (await import('./learn-view.js')).LearnView(byId('learn'), { notice }),
  explore: async () => new (await import('./explore-view.js')).ExploreView(byId('explore'), { notice }),
};
const views = { simulate: simulationView };

function currentTab() {
  const path = location.pathname.replace(/\/+$/, '').toLowerCase().slice(1);
  return path in LAZY ? path : location.hash.startsWith('#simulate') && !byId('tab-simulate').hidden ? 'simulate' : 'live';
}

/** Whether the address is the live run's; that of a simulated run waits until the agent's features are known. */
const isLive = () => currentTab() === 'live' && !location.hash.startsWith('#simulate');

async function route() {
  const tab = currentTab();
  for (const name of TABS) {
    byId(name).hidden = name !== tab;
    if (name === tab) byId(`tab-${name}`).setAttribute('aria-current', 'page');
    else byId(`tab-${name}`).removeAttribute('aria-current');
  }
  byId('commands').hidden = tab !== 'live';
  try {
    if (tab in LAZY) await (views[tab] ??= await LAZY[tab]()).open();
    else views[tab]?.open();
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem;
    notice('A part of the page did not arrive. Reload the page.');
  }
}

/** Changes the tab without a load of the page. */
byId('tabs').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.href !== location.href) history.pushState(null, '', link.href);
  route();
  byId(currentTab()).focus({ preventScroll: true });
});

/** Reads from the agent's API description which features it has. A call to a missing endpoint would log an error in the console. */
async function readFeatures() {
  try {
    const { paths } = await api.call('/openapi/v1.json');
    faults.available = '/faults' in paths;
    if (paths['/reset'].post.security?.length && !byId('key')) {
      faults.locked = () => keyRefused || !key.isKnown();
      byId(faults.available ? 'faults' : 'agents').append(key.keyForm(() => {
        keyRefused = false;
        notice();
        readCluster();
      }));
    }
    byId('tab-simulate').hidden = !('/simulate' in paths);
    if (currentTab() === 'simulate') route();
  } catch {
    setTimeout(readFeatures, POLL_MS);
  }
}

addEventListener('popstate', route);
route();
follow({
  event: refresh,
  up: () => {
    if (byId('connection').classList.contains('down')) notice();
    refresh();
  },
  down: connectionLost,
});
setInterval(() => { if (!document.hidden) readCluster(); }, POLL_MS);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
refresh();
readFeatures().then(readCluster);
if (/^\/run\/*$/i.test(location.pathname)) {
  // A background tab starts its run when a person opens it.
  while (document.hidden) await new Promise((changed) => { document.addEventListener('visibilitychange', changed, { once: true }); });

  // A reload of the page must not start another run.
  history.replaceState(null, '', '/');
  runForm.run();
}
