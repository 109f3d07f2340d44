// All texts that the page derives from data: numbers, messages, events, and the verdict on a run.

/** A time in ms with a readable unit. */
export function duration(ms) {
  if (ms < 0.095) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_500) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** "a", "a and b", "a, b and c". */
export const list = (items) => items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** The names of the message kinds. */
export const KINDS = {
  handshake: 'handshake', reset: 'reset', new_round: 'new round', proposal: 'proposal', vote: 'vote', final: 'final', state: 'state query',
};

/** The label of an arrow. */
export function arrowLabel({ kind, value, message, response }) {
  switch (kind) {
    case 'new_round': return value ? `round ${message.round} · ${value}` : `round ${message.round}`;
    case 'proposal': return `${value}`;
    case 'vote': return value ? `✓ ${value}` : '✓ none';
    case 'final': return `= ${value}`;
    case 'state': return response ? '' : 'state?';
    default: return KINDS[kind];
  }
}

const REASONS = {
  'round-mismatch': 'ignored: another round', 'stale-round': 'ignored: an older round', 'already-decided': 'already decided',
  'stale-run': 'ignored: a stale run', 'not-a-member': 'ignored: not a member of the run', contradiction: 'refused: equivocation',
  disagreement: 'refused: the agent decided another value', 'out-of-range': 'refused: out of range',
};

export const content = (kind, value, round, proposal) => {
  switch (kind) {
    case 'new_round': return value ? `opens round ${round} and proposes ${value}` : `opens round ${round}`;
    case 'proposal': return `proposes ${value} in round ${round}`;
    case 'vote': return `votes for ${value ?? 'none'} in round ${round}${proposal ? ` (proposed ${proposal})` : ''}`;
    case 'final': return `decided ${value} in round ${round}`;
    case 'handshake': return 'asks for boot and floor before a run';
    case 'reset': return 'requests a reset';
    default: return 'requests the run and its decision';
  }
};

const nameOf = (lanes, lane) => lane < 0 ? 'an unknown sender' : lanes[lane].agent_id;

/** The description of an arrow: a title, and lines with details. */
export function describeArrow(arrow, lanes) {
  const { message, response } = arrow;
  const [from, to] = response ? [message.to, message.from] : [message.from, message.to];
  const [value, round, proposal] = response ? [message.news.value, message.news.round, message.news.proposal] : [message.value, message.round, message.proposal];
  const title = `${nameOf(lanes, from)} ${response ? 'responds ' : ''}${to < 0 ? '' : `to ${nameOf(lanes, to)}: `}${content(arrow.kind, value, round, proposal)}`;
  const lines = [];
  if (response) lines.push(`response to the ${KINDS[message.kind]}, ${duration(message.answered - message.sent)} after it was sent`);
  else if (arrow.state === 'lost') lines.push('lost: no response');
  else if (arrow.state === 'in-flight') lines.push('in flight');
  else lines.push(`took ${duration(message.received - message.sent)}${message.guessed ? ' (estimated: only one end was recorded)' : ''}`);
  if (arrow.deciding) lines.push('completed the decision of its receiver');
  lines.push(`sent at ${duration(Math.max(0, message.sent))}`);
  if (!response && (message.reason || message.status)) lines.push(`response: ${REASONS[message.reason] ?? message.status}`);
  return { title, lines };
}

/** The description of an agent's event. */
export function describeMark(mark, lanes) {
  const agent = nameOf(lanes, mark.lane);
  const sender = mark.other ?? 'another agent';
  switch (mark.kind) {
    case 'drew': return `${agent} draws ${mark.value} in round ${mark.round} (attempt ${mark.attempt ?? 1})`;
    case 'copied': return `${agent} catches up to round ${mark.round} and copies ${mark.value}`;
    case 'adopted': return `${agent} enters round ${mark.round} and adopts ${mark.value}, which received a vote`;
    case 'voted': return `${agent} votes for ${mark.value ?? 'none: no value had a quorum'} in round ${mark.round}`;
    case 'decided': return `${agent} decides ${mark.value} in round ${mark.round}${mark.support ? ` by ${mark.support}` : ''}`;
    case 'learned': return `${agent} learns the decision ${mark.value} from ${sender}`;
    case 'was_reset': return `${agent} is reset`;
    case 'booted': return `${agent} restarts without the run`;
    case 'restored': return mark.value === undefined ? `${agent} recovers the run, but not its own proposals and votes` : `${agent} recovers the decision ${mark.value}`;
    case 'joined_as_learner': return `${agent} joins as a learner and waits for the decision`;
    case 'contradicted': return `${agent} detects equivocation by ${sender} in round ${mark.round}`;
    case 'disagreed': return `${agent} detects that ${sender} decided ${mark.value}: agreement is violated`;
    default: return `${agent}: ${mark.kind}`;
  }
}

/** The description of one step of an agent, for the line below the slider. */
export function describeStep(step, lanes) {
  const received = (sender, arrow, how = '') => `receives ${nameOf(lanes, sender)}'s ${KINDS[arrow.kind]}${arrow.value ? ` ${arrow.value}` : ''}${how}`;
  const parts = [
    ...step.received.map((arrow) => received(arrow.message.from, arrow)),
    ...step.responses.map((arrow) => received(arrow.message.to, arrow, ' in a response')),
    ...step.marks.map((mark) => describeMark(mark, lanes).replace(`${nameOf(lanes, mark.lane)} `, '')),
  ];
  const kinds = [...new Set(step.sent.map((arrow) => KINDS[arrow.kind]))];
  if (kinds.length) parts.push(`sends ${list(kinds)} to ${list([...new Set(step.sent.map((arrow) => nameOf(lanes, arrow.message.to)))])}`);
  return `${nameOf(lanes, step.lane)} ${parts.join(', ') || 'joins the run'}`;
}

/** What a broken property means, by its name. */
export const PROPERTIES = {
  agreement: 'Agreement is violated', validity: 'Validity is violated', integrity: 'Integrity is violated', durability: 'A decision is lost', termination: 'Termination is violated',
  'one proposal': 'An agent proposes twice in one round', 'one vote': 'An agent votes twice in one round', 'learners silent': 'A learner takes part',
  'cluster size': 'Cluster sizes differ',
};

/** The verdict on a run: one sentence, its tone, and figures. */
export function verdict({ timeline, lanes, arrows }) {
  if (!timeline.run && !timeline.messages.length) return { tone: 'none', text: 'No run yet. Start one.' };
  const decided = lanes.filter((lane) => lane.value !== undefined);
  const sent = arrows.filter((arrow) => !arrow.response);
  const lost = sent.filter((arrow) => arrow.state === 'lost').length;

  // After a restart, the events that led to a decision are no longer recorded.
  const recovered = decided.length > 0 && !timeline.events.some((event) => event.kind === 'decided' || event.kind === 'learned');
  const left = Object.keys(timeline.descriptor?.members ?? {}).filter((id) => !lanes.some((lane) => lane.agent_id === id && lane.part !== 'former')).length;
  const figures = `${plural(sent.length, 'message')}${recovered ? ' since the restart' : ''}${lost ? `, ${lost} lost` : ''}${timeline.folded.length ? ' shown' : ''}${left ? `, ${left} of its agents left the cluster` : ''}`;
  if (timeline.violation) {
    return { tone: 'bad', text: `${PROPERTIES[timeline.violation.property] ?? timeline.violation.property}: ${timeline.violation.explanation}`, figures };
  }
  if (timeline.agree === false) {
    return { tone: 'bad', text: `${list(decided.map((lane) => `${lane.agent_id} decided ${lane.value}`))}: they disagree.`, figures };
  }
  if (!decided.length) {
    return { tone: 'open', text: `Undecided in round ${Math.max(1, timeline.last_round)}.`, figures };
  }
  const first = timeline.descriptor?.start_round ?? 1;
  const rounds = Math.min(...decided.map((lane) => lane.round)) - first + 1;
  const undecided = lanes.filter((lane) => lane.value === undefined && lane.part !== 'former').map((lane) => lane.agent_id);
  const agents = undecided.length === 0 && decided.length > 3 ? `All ${decided.length} agents` : list(decided.map((lane) => lane.agent_id));
  const time = timeline.duration_ms === undefined ? '' : ` in ${duration(timeline.duration_ms)}`;
  const before = recovered && timeline.events.some((event) => event.kind === 'restored') ? ', before the restart' : '';
  const rest = undecided.length ? ` ${list(undecided)} ${undecided.length === 1 ? 'has' : 'have'} no decision yet.` : '';
  return {
    tone: rest ? 'open' : 'good',
    text: `${agents} ${decided.length === 1 ? 'decided' : 'agreed on'} ${decided[0].value} after ${plural(rounds, 'round')}${time}${before}.${rest}`,
    figures,
  };
}
