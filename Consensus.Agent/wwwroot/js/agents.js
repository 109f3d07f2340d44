// The table beside the diagram: what each agent holds, now or at the moment the slider shows.

import { chip, html } from './dom.js';

const PHASES = { proposing: 'proposing', voting: 'voting', decided: 'decided', waiting: 'waiting', idle: 'waiting' };

export class Agents {
  constructor(host) {
    this.moment = html('p', { class: 'moment' });
    this.body = html('tbody');
    host.append(this.moment, html('div', { class: 'wide' }, html('table', {},
      html('thead', {}, html('tr', {}, ['Agent', 'Round', 'Value', 'Draws', 'Knows'].map((name) => html('th', { scope: 'col' }, name)))), this.body)));
  }

  /** `cluster`: how the agents stand now, where the newest run is shown. */
  show({ lanes, timeline }, known, at, cluster) {
    this.moment.textContent = at === undefined ? (cluster ? 'As it stands now' : 'At the end of the run') : 'At the moment of the slider';
    this.body.replaceChildren(...lanes.map((lane, index) => {
      const agent = cluster?.find((candidate) => candidate.agent_id === lane.agent_id);
      const up = cluster ? Boolean(agent?.up) : lane.up;
      const row = { ...known[index] };
      const state = at === undefined && agent?.state?.run === timeline.run ? agent.state : null;
      if (state) {
        // The diagram may have folded what led here; the agent itself knows best.
        Object.assign(row, { round: state.round, value: state.my_value, attempts: state.attempts, phase: state.phase, learner: state.learner });
        row.decision = state.consensus_value ?? null;
      }
      return this.#row(lane, lanes, row, up, state?.stalled);
    }));
  }

  #row(lane, lanes, row, up, stalled) {
    const status = !up ? 'down' : row.decision !== null && row.decision !== undefined ? 'decided' : row.learner ? 'learner' : lane.part === 'absent' ? 'not reached' : PHASES[row.phase] ?? row.phase;
    const said = (values, mark) => lanes.length > 4 ? counted(values, mark) : [...values].sort(([a], [b]) => a - b).map(([from, value]) => html('span', { class: 'heard' }, `${mark}${short(lanes[from]?.agent_id ?? '?')} `, chip(value)));
    return html('tr', { class: up ? null : 'down', 'data-agent': lane.agent_id, 'data-status': status },
      html('th', { scope: 'row' }, html('span', { class: 'dot', 'aria-hidden': 'true' }), lane.agent_id, html('small', {}, status), stalled && html('small', { class: 'stalled' }, stalled)),
      html('td', {}, row.round ? row.round.toLocaleString('en') : '–'),
      html('td', {}, row.decision ? html('span', { class: 'final' }, chip(row.decision, 'decided'), html('span', { class: 'unseen' }, ' decided')) : row.value ? chip(row.value, 'proposes') : '–'),
      html('td', {}, String(row.attempts ?? 0)),
      html('td', {}, row.proposals.size || row.votes.size
        ? html('div', { class: 'knows' }, html('div', { 'aria-label': 'proposals' }, said(row.proposals, '')), row.votes.size > 0 && html('div', { 'aria-label': 'votes' }, said(row.votes, '✓')))
        : '–'));
  }
}

/** Many agents: how many said what. */
function counted(values, mark) {
  const counts = new Map();
  for (const [, value] of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value, count]) => html('span', { class: 'heard' }, `${mark}${count} × `, chip(value)));
}

const short = (id) => id.replace(/^agent/, 'a');
