// The table of the agents: the state of each agent now, or at the playback position.

import { chip, html, replaceIfChanged } from './dom.js';
import { hint } from './hints.js';

const COLUMNS = [['Agent', 'agent'], ['Round', 'round'], ['Value', 'value'], ['Attempts', 'attempt'], ['Knows', 'known messages']];
const STATUS_TERMS = { decided: 'decision', isolated: 'isolate', learner: 'learner' };
const PHASES = { proposing: 'proposing', voting: 'voting', decided: 'decided', waiting: 'waiting', idle: 'waiting' };

export class AgentTable {
  constructor(host) {
    this.rows = new Map();
    this.caption = html('p', { class: 'table-caption' });
    this.body = html('tbody');
    host.append(this.caption, html('div', { class: 'wide' }, html('table', {},
      html('thead', {}, html('tr', {}, COLUMNS.map(([name, term]) => html('th', { scope: 'col' }, hint(name, term))))), this.body)));
  }

  /**
   * @param {object[]} states the agents' states at `position`
   * @param {{cluster?: object[], end?: string}} [options] `cluster`: the current status of the agents, if the newest run is shown;
   * `end` describes the state after the last step
   */
  show({ lanes, timeline }, states, position, { cluster, end = cluster ? 'Current state' : 'At the end of the run' } = {}) {
    const atEnd = position === undefined;
    this.caption.textContent = atEnd ? end : 'At the selected step';
    const shown = lanes.map((lane, index) => ({ lane, index })).filter(({ lane }) => !cluster || lane.role !== 'former');
    replaceIfChanged(this.body, shown.map(({ lane, index }) => {
      const agent = cluster?.find((candidate) => candidate.agent_id === lane.agent_id);
      const { decision, ...state } = states[index];
      const up = state.known && !(atEnd && cluster) ? !state.down : cluster ? Boolean(agent?.up) : lane.up;
      const row = { ...state, decision: decision?.value, up, role: lane.role, isolated: atEnd && Boolean(agent?.isolated) };
      const snapshot = atEnd && agent?.state && agent.state.run === timeline.run ? agent.state : null;
      if (snapshot) {
        // The timeline may lack events of folded rounds. The agent's snapshot is complete.
        Object.assign(row, {
          known: true, round: snapshot.round, value: snapshot.my_value, attempts: snapshot.attempts,
          phase: snapshot.phase, learner: snapshot.learner,
        });
        row.decision = snapshot.consensus_value;
        row.stalled = snapshot.stalled;
      }
      return this.#row(lane.agent_id, row, lanes);
    }));
  }

  /** The element of a row. A step changes one agent, so the other rows keep their elements. */
  #row(id, row, lanes) {
    const key = JSON.stringify([row, [...row.proposals], [...row.votes], lanes.map((lane) => lane.agent_id)]);
    if (this.rows.get(id)?.key !== key) this.rows.set(id, { key, element: rowElement(id, row, lanes) });
    return this.rows.get(id).element;
  }
}

function statusOf(row) {
  if (row.role === 'former') return 'left the cluster';
  if (!row.up) return 'down';
  if (row.isolated) return 'isolated';
  if (row.decision) return 'decided';
  if (row.known ? row.learner : row.role === 'learner') return 'learner';
  if (!row.known && row.role !== 'absent') return 'state unknown';
  return row.role === 'absent' ? 'not reached' : PHASES[row.phase] ?? row.phase;
}

function rowElement(id, row, lanes) {
  const status = statusOf(row);
  const messages = (values, mark) => lanes.length > 4 ? countByValue(values, mark) : [...values].sort(([a], [b]) => a - b)
    .map(([from, value]) => html('span', { class: 'known' }, `${mark}${shortName(lanes[from]?.agent_id ?? '?')}`, chip(value)));
  return html('tr', { class: row.up ? null : 'down', 'data-agent': id, 'data-status': status },
    html('th', { scope: 'row' }, html('span', { class: 'dot', 'aria-hidden': 'true' }), id,
      html('small', {}, STATUS_TERMS[status] ? hint(status, STATUS_TERMS[status]) : status),
      row.stalled && html('small', { class: 'stalled' }, hint('stalled', 'stall'), `: ${row.stalled}`)),
    html('td', {}, row.round ? row.round.toLocaleString('en') : '–'),
    html('td', {}, row.decision
      ? html('span', { class: 'final' }, chip(row.decision, 'decided'), html('span', { class: 'visually-hidden' }, ' decided'))
      : row.value ? chip(row.value, 'proposes') : '–'),
    html('td', {}, String(row.attempts ?? 0)),
    html('td', {}, row.proposals.size || row.votes.size
      ? html('div', { class: 'knows' }, html('div', { 'aria-label': 'proposals' }, messages(row.proposals, '')),
        row.votes.size > 0 && html('div', { 'aria-label': 'votes' }, messages(row.votes, '✓')))
      : '–'));
}

/** With many agents, the number of messages for each value. */
function countByValue(values, mark) {
  const counts = new Map();
  for (const [, value] of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])
    .map(([value, count]) => html('span', { class: 'known' }, `${mark}${count} ×`, chip(value)));
}

const shortName = (id) => id.replace(/^agent/, 'a');
