// The page: reads the cluster through the agent that served it, and passes the data to the views.

import { addressOf, asksForRun, fullAddress, goToTab, readAddress, showAddress, showAddressSoon, stepOf } from './address.js';
import { AgentTable } from './agent-table.js';
import * as api from './api.js';
import { byId, html } from './dom.js';
import { follow } from './event-stream.js';
import { FrontPage } from './front-page.js';
import { ExploreView } from './explore-view.js';
import { Faults } from './faults.js';
import { list } from './format.js';
import { startHints } from './hints.js';
import * as key from './key.js';
import { LearnView } from './learn-view.js';
import { untilOf } from './possible.js';
import { RunForm } from './run-form.js';
import { RunHistory } from './run-history.js';
import { RunView } from './run-view.js';
import { SimulationView } from './simulation-view.js';
import { store } from './storage.js';
import { MAX_EXPLORED } from './vocabulary.js';

// A browser may load a page before a person opens it.
if (document.prerendering) {
  await new Promise((activated) => { document.addEventListener('prerenderingchange', activated, { once: true }); });
}

store('consensus-loads', '');
startHints();

const EVENT_GAP_MS = 120;
const CLUSTER_GAP_MS = 400;
const POLL_MS = 2000;

let keyRefused = false;
let lastStatus = '';

// `run` is null while the page follows the newest run. `missing` says why the run of the address is not shown.
const state = { run: null, newest: null, detail: [], cluster: null, missing: null };

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

api.watchWaits((text) => {
  byId('busy').textContent = text;
  byId('busy').hidden = !text;
});

const connectionLost = () => connection(false, api.NO_RESPONSE);

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

const agentTable = new AgentTable(byId('agents'));
const runView = new RunView(byId('diagram'), {
  label: 'Space-time diagram of the run',
  unfold: (range) => { state.detail = [...state.detail.slice(-8), range]; readTimeline(); },
  step: stepOf(readAddress().query.get('step')),
  onStates: (model, states, position) => {
    agentTable.show(model, states, position, { cluster: state.run === null ? state.cluster : undefined });
    showTrace(model);
    if (readAddress().tab === 'live' && !state.missing) showAddressSoon('live', liveAddress(model, position));
  },
  explore: ({ at_ms: at }, { lanes, timeline: { run, n, descriptor } }) => descriptor && lanes.some((lane) => lane.state_known)
    && n <= MAX_EXPLORED.agents && descriptor.values <= MAX_EXPLORED.values
    ? addressOf('explore', [['run', run], ['at', String(at)]]) : undefined,
  ask: (question, { timeline }) => api.getWhy(timeline.run ?? '', question),
  possible: {
    open: false,
    ask: (kind, until, model, signal) => api.exploreFuture(
      kind, { run: model.timeline.run, at: String(Math.max(0, model.steps.at(-1).at_ms)), until: untilOf(until, model) }, signal),
  },
  address: (model, position) => new URL(addressOf('live', [...runEntry(model.timeline.run), ...stepEntry(position)]), location.href).href,
});
const traceLink = html('a', { class: 'trace', target: '_blank', rel: 'noopener', hidden: true }, 'Trace');
runView.diagram.root.querySelector('.zoom').prepend(traceLink);

/**
 * Links to the trace of the shown run where an agent knows it. Another agent than the initiator may have learned it in a
 * trace of its own.
 */
function showTrace({ timeline: { run } }) {
  const traced = (state.cluster ?? []).map((agent) => agent.state).filter((held) => held?.trace_url && held.run === run);
  const { trace_url: address } = traced.find((held) => run.includes(`.${held.agent_id}.`)) ?? traced[0] ?? {};
  traceLink.hidden = !address;
  if (address) traceLink.href = address;
}

const runHistory = new RunHistory(byId('history'), (run) => {
  showAddress('live', runEntry(run), true);
  showRun(run);
});
const runForm = new RunForm(byId('commands'), {
  onStart: () => { Object.assign(state, { run: null, detail: [] }); runHistory.open(null); refresh(); },
  notice,
});
const frontPage = new FrontPage(byId('front'), { onRun: () => runForm.run() });
const faults = new Faults(byId('faults'), {
  notice,
  onKeyRefused: () => {
    keyRefused = true;
    notice('The agents refused this cluster key.');
  },
});

const readTimeline = coalesced(async () => {
  // Other tabs show no run of the cluster.
  if (readAddress().tab !== 'live') return;
  const requested = state.run;
  const timeline = await api.getTimeline(requested, state.detail).catch((problem) => {
    if (problem.status !== 404) throw problem;
    if (requested === state.run) showMissing(problem.message);
  });
  if (!timeline) return;
  if (requested !== state.run) return;
  showMissing(null);
  if (!requested && timeline.run !== state.newest) {
    state.newest = timeline.run;
    state.detail = [];
  }
  document.body.dataset.ready = 'true';
  frontPage.show(!timeline.run && timeline.messages.length === 0);
  runView.show(timeline);
}, EVENT_GAP_MS);

const readCluster = coalesced(async () => {
  const [cluster, runs] = await Promise.all([api.getCluster(), api.getRuns()]);
  state.cluster = cluster.agents;
  const serving = cluster.agents[0].agent_id;
  const isolated = cluster.agents.filter((agent) => agent.isolated).map((agent) => agent.agent_id).sort();
  const up = cluster.agents.filter((agent) => agent.up && !agent.isolated).length;
  connection(
    true, `${up} of ${cluster.agents.length} agents up${isolated.length ? `, ${list(isolated)} isolated` : ''}, seen from ${serving}`);
  runForm.showServingAgent(serving);
  faults.show(cluster.agents);
  runHistory.show(runs.runs);

  // The stream has only the serving agent's events. Another agent's change is visible in its status.
  const status = statusKey(cluster.agents);
  if (status !== lastStatus || lacksAgent(cluster.agents)) readTimeline();
  lastStatus = status;
  if (runView.model) runView.publishStates();
}, CLUSTER_GAP_MS);

const runEntry = (run) => run ? [['run', run]] : [];
const stepEntry = (position) => position === undefined ? [] : [['step', String(position)]];

/** Names the run that a person chose, or the run and the step of it that they went to. */
function liveAddress({ timeline }, position) {
  const run = state.run ?? (position === undefined ? null : timeline.run);
  return [...runEntry(run), ...(run ? stepEntry(position) : [])];
}

function showRun(run) {
  Object.assign(state, { run, detail: [] });
  showMissing(null);
  readTimeline();
}

/** Says why the run of the address is not shown; null shows the run again. */
function showMissing(text) {
  state.missing = text;
  if (text) byId('front').hidden = true;
  byId('missing').hidden = !text;
  byId('missing-text').textContent = text ?? '';
  byId('live').classList.toggle('is-missing', Boolean(text));
  if (text) document.body.dataset.ready = 'true';
}

byId('full').addEventListener('click', ({ currentTarget }) => { currentTarget.href = fullAddress(); });
byId('show-newest').addEventListener('click', () => runHistory.open(null));

/** Shows the run that the address names. */
function openLive() {
  const { query } = readAddress();
  const [run, step] = [query.get('run'), stepOf(query.get('step'))];
  showAddress('live', [...runEntry(run), ...(run ? stepEntry(step) : [])]);
  runHistory.current = run;
  if (run === state.run) readTimeline();
  else showRun(run);
}

/** Whether the run is shown without the events of an agent that responds, since it did not respond to the read of the run. */
const lacksAgent = (agents) => Boolean(runView.model?.lanes.some(
  (lane) => !lane.up && agents.some(({ agent_id: id, up, isolated }) => id === lane.agent_id && up && !isolated)));

const statusKey = (agents) => JSON.stringify(
  agents.map(({ up, isolated, state: snapshot }) => [up, isolated, snapshot?.boot, snapshot?.run, snapshot?.consensus_value]));

function refresh() {
  readTimeline();
  readCluster();
}

const TABS = ['learn', 'live', 'explore', 'simulate'];

const VIEWS = {
  learn: () => new LearnView(byId('learn'), { notice }),
  live: () => ({ open: openLive }),
  explore: () => new ExploreView(byId('explore'), { notice }),
  simulate: () => new SimulationView(byId('simulate'), { notice }),
};
const views = {};

// The view whose failure the notice describes.
let noticed = null;

async function route() {
  const { tab } = readAddress();
  for (const name of TABS) {
    byId(name).hidden = name !== tab;
    if (name === tab) byId(`tab-${name}`).setAttribute('aria-current', 'page');
    else byId(`tab-${name}`).removeAttribute('aria-current');
  }
  byId('commands').hidden = tab !== 'live';
  byId('skip').href = `#${tab}`;
  views[tab] ??= VIEWS[tab]();
  await open(views[tab], tab);
}

/** Opens a view, and tries again while the agent does not respond. */
async function open(view, tab) {
  try {
    await view.open();
    if (tab !== 'live') document.body.dataset.ready = 'true';
    if (noticed === view) notice();
    noticed = null;
  } catch (problem) {
    if (!api.isFailedCall(problem)) throw problem;
    notice(api.errorText(problem));
    noticed = view;
    setTimeout(() => { if (readAddress().tab === tab) open(view, tab); }, POLL_MS);
  }
}

/** Changes the tab without a load of the page. */
byId('tabs').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goToTab(link.id.replace('tab-', ''));
  route();
  byId(readAddress().tab).focus({ preventScroll: true });
});

// The agent that serves the page writes its features into it.
const { features = '' } = document.body.dataset;
faults.available = features.includes('faults');
if (features.includes('key')) {
  faults.locked = () => keyRefused || !key.isKnown();
  byId(faults.available ? 'faults' : 'agents').append(key.keyForm(() => {
    keyRefused = false;
    notice();
    readCluster();
  }));
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
if (asksForRun) {
  // A background tab starts its run when a person opens it.
  while (document.hidden) await new Promise((changed) => { document.addEventListener('visibilitychange', changed, { once: true }); });

  // The canonical address of the live run starts none, so a reload of the page does not start another run.
  runForm.run();
}
