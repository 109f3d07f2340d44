// The table beside the diagram: what each agent holds, now or at the moment the slider shows.

import { arrange, chip, html } from './dom.js';

const PHASES = { proposing: 'proposing', voting: 'voting', decided: 'decided', waiting: 'waiting', idle: 'waiting' };

export class Agents {
  constructor(host) {
    this.rows = new Map();
    this.moment = html('p', { class: 'moment' });
    this.body = html('tbody');
    host.append(this.moment, html('div', { class: 'wide' }, html('table', {},
      html('thead', {}, html('tr', {}, ['Agent', 'Round', 'Value', 'Draws', 'Knows'].map((name) => html('th', { scope: 'col' }, name)))), this.body)));
  }

  /** `cluster`: how the agents stand now, where the newest run is shown. */
  show({ lanes, timeline }, known, at, cluster) {
    this.moment.textContent = at === undefined ? (cluster ? 'As it stands now' : 'At the end of the run') : 'At the moment of the slider';
    const shown = lanes.map((lane, index) => ({ lane, index })).filter(({ lane }) => !cluster || lane.part !== 'former');
    arrange(this.body, shown.map(({ lane, index }) => {
      const agent = cluster?.find((candidate) => candidate.agent_id === lane.agent_id);
      const row = { ...known[index], up: cluster ? Boolean(agent?.up) : lane.up, part: lane.part, isolated: at === undefined && Boolean(agent?.isolated) };
      const state = at === undefined && agent?.state?.run === timeline.run ? agent.state : null;
      if (state) {
        // The diagram may have folded what led here; the agent itself knows best.
        Object.assign(row, { round: state.round, value: state.my_value, attempts: state.attempts, phase: state.phase, learner: state.learner });
        row.decision = state.consensus_value ?? null;
        row.stalled = state.stalled;
      }
      return this.#row(lane.agent_id, row, lanes);
    }));
  }

  /** A step changes what one agent knows: the rows of the others stay as they are. */
  #row(id, row, lanes) {
    const key = JSON.stringify([row, [...row.proposals], [...row.votes], lanes.map((lane) => lane.agent_id)]);
    if (this.rows.get(id)?.key !== key) this.rows.set(id, { key, element: build(id, row, lanes) });
    return this.rows.get(id).element;
  }
}

function statusOf(row) {
  if (row.part === 'former') return 'left the cluster';
  if (!row.up) return 'down';
  if (row.isolated) return 'isolated';
  if (row.decision !== null && row.decision !== undefined) return 'decided';
  if (row.learner) return 'learner';
  return row.part === 'absent' ? 'not reached' : PHASES[row.phase] ?? row.phase;
}

function build(id, row, lanes) {
  const status = statusOf(row);
  const said = (values, mark) => lanes.length > 4 ? counted(values, mark) : [...values].sort(([a], [b]) => a - b).map(([from, value]) => html('span', { class: 'heard' }, `${mark}${short(lanes[from]?.agent_id ?? '?')}`, chip(value)));
  return html('tr', { class: row.up ? null : 'down', 'data-agent': id, 'data-status': status },
    html('th', { scope: 'row' }, html('span', { class: 'dot', 'aria-hidden': 'true' }), id, html('small', {}, status), row.stalled && html('small', { class: 'stalled' }, row.stalled)),
    html('td', {}, row.round ? row.round.toLocaleString('en') : '–'),
    html('td', {}, row.decision ? html('span', { class: 'final' }, chip(row.decision, 'decided'), html('span', { class: 'unseen' }, ' decided')) : row.value ? chip(row.value, 'proposes') : '–'),
    html('td', {}, String(row.attempts ?? 0)),
    html('td', {}, row.proposals.size || row.votes.size
      ? html('div', { class: 'knows' }, html('div', { 'aria-label': 'proposals' }, said(row.proposals, '')), row.votes.size > 0 && html('div', { 'aria-label': 'votes' }, said(row.votes, '✓')))
      : '–'));
}

/** Many agents: how many said what. */
function counted(values, mark) {
  const counts = new Map();
  for (const [, value] of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value, count]) => html('span', { class: 'heard' }, `${mark}${count} ×`, chip(value)));
}

const short = (id) => id.replace(/^agent/, 'a');
