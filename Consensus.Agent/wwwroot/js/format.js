// Everything that is said in words: the verdict of a run, a message, a mark.

import { duration, list, plural } from './dom.js';

export const KINDS = {
  handshake: 'handshake', reset: 'reset', new_round: 'new round', proposal: 'proposal', vote: 'vote', final: 'final', state: 'state',
};

/** The label on an arrow. */
export function label({ kind, value, message, answer }) {
  switch (kind) {
    case 'new_round': return value ? `round ${message.round} · ${value}` : `round ${message.round}`;
    case 'proposal': return `${value}`;
    case 'vote': return value ? `✓ ${value}` : '✓ none';
    case 'final': return `= ${value}`;
    case 'handshake': return 'hello';
    case 'state': return answer ? '' : 'state?';
    default: return KINDS[kind];
  }
}

const STATUS = {
  'round-mismatch': 'ignored: another round', 'stale-round': 'ignored: an older round', 'already-decided': 'already decided',
  'stale-run': 'ignored: an older run', 'not-a-member': 'ignored: not a member of the run', contradiction: 'refused: contradicts what was said',
  disagreement: 'refused: another decision is held', 'out-of-range': 'refused: out of range',
};

const told = (kind, value, round, proposal) => {
  switch (kind) {
    case 'new_round': return value ? `opens round ${round} and proposes ${value}` : `opens round ${round}`;
    case 'proposal': return `proposes ${value} in round ${round}`;
    case 'vote': return `votes for ${value ?? 'none'} in round ${round}${proposal ? ` (proposed ${proposal})` : ''}`;
    case 'final': return `has decided ${value} in round ${round}`;
    case 'handshake': return 'asks who is there, to start a run';
    case 'reset': return 'asks for a reset';
    default: return 'asks for the run and its decision';
  }
};

const name = (lanes, lane) => lane < 0 ? 'someone outside' : lanes[lane].agent_id;

/** An arrow in full: one line what, and lines with the details. */
export function describeArrow(arrow, lanes) {
  const { message, answer } = arrow;
  const [from, to] = answer ? [message.to, message.from] : [message.from, message.to];
  const [value, round, proposal] = answer ? [message.news.value, message.news.round, message.news.proposal] : [message.value, message.round, message.proposal];
  const title = `${name(lanes, from)} ${answer ? 'answers ' : ''}${to < 0 ? '' : `to ${name(lanes, to)}: `}${told(arrow.kind, value, round, proposal)}`;
  const lines = [];
  if (answer) lines.push(`answer to its ${KINDS[message.kind]}, ${duration(message.answered - message.sent)} after it was sent`);
  else if (arrow.state === 'lost') lines.push('lost: no answer came');
  else if (arrow.state === 'flying') lines.push('on its way');
  else lines.push(`took ${duration(message.received - message.sent)}${message.guessed ? ' (one end is a guess: only the other was recorded)' : ''}`);
  lines.push(`sent at ${duration(Math.max(0, message.sent))}`);
  if (!answer && (message.reason || message.status)) lines.push(`answered: ${STATUS[message.reason] ?? message.status}`);
  return { title, lines };
}

export function describeMark(mark, lanes) {
  const who = name(lanes, mark.lane);
  const other = mark.other ? `from ${mark.other}` : 'from another agent';
  switch (mark.kind) {
    case 'drew': return `${who} draws ${mark.value} in round ${mark.round} (attempt ${mark.attempt ?? 1})`;
    case 'copied': return `${who} catches up to round ${mark.round} with the value it heard, ${mark.value}`;
    case 'adopted': return `${who} enters round ${mark.round} with ${mark.value}, which was voted for`;
    case 'voted': return `${who} votes for ${mark.value ?? 'none: no value had a quorum'} in round ${mark.round}`;
    case 'decided': return `${who} decides ${mark.value} in round ${mark.round}`;
    case 'learned': return `${who} learns ${other} that ${mark.value} is decided`;
    case 'was_reset': return `${who} is reset`;
    case 'booted': return `${who} starts again and has forgotten the run`;
    case 'restored': return mark.value === undefined ? `${who} still knows the run, and has forgotten what it said in it` : `${who} has kept the decision ${mark.value}`;
    case 'joined_as_learner': return `${who} is a learner: it takes no part and waits for the decision`;
    case 'contradicted': return `${who} hears ${mark.other ?? 'an agent'} contradict itself in round ${mark.round}`;
    case 'disagreed': return `${who} hears that ${mark.other ?? 'another agent'} decided ${mark.value}: agreement is violated`;
    default: return `${who}: ${mark.kind}`;
  }
}

/** What one step says, for the line under the slider. */
export function describeStep(step, lanes) {
  const parts = [
    ...step.received.map((arrow) => `hears ${name(lanes, arrow.message.from)}'s ${KINDS[arrow.kind]}${arrow.value ? ` ${arrow.value}` : ''}`),
    ...step.told.map((arrow) => `is told ${name(lanes, arrow.message.to)}'s ${KINDS[arrow.kind]}${arrow.value ? ` ${arrow.value}` : ''}`),
    ...step.marks.map((mark) => describeMark(mark, lanes).replace(`${name(lanes, mark.lane)} `, '')),
  ];
  const kinds = [...new Set(step.sent.map((arrow) => KINDS[arrow.kind]))];
  if (kinds.length) parts.push(`sends ${list(kinds)} to ${list([...new Set(step.sent.map((arrow) => name(lanes, arrow.message.to)))])}`);
  return `${name(lanes, step.lane)} ${parts.join(', ') || 'joins the run'}`;
}

/** The run in one sentence, and whether it is good. */
export function verdict({ timeline, lanes, arrows }) {
  if (!timeline.run && !timeline.messages.length) return { tone: 'quiet', text: 'No run yet. Start one.' };
  const decided = lanes.filter((lane) => lane.value !== undefined);
  const sent = arrows.filter((arrow) => !arrow.answer);
  const lost = sent.filter((arrow) => arrow.state === 'lost').length;
  const kept = decided.length > 0 && !timeline.events.some((event) => event.kind === 'decided' || event.kind === 'learned');
  const left = Object.keys(timeline.descriptor?.members ?? {}).filter((id) => !lanes.some((lane) => lane.agent_id === id && lane.part !== 'former')).length;
  const figures = `${plural(sent.length, 'message')}${kept ? ' since' : ''}${lost ? `, ${lost} lost` : ''}${timeline.folded.length ? ' shown' : ''}${left ? `, ${left} of its agents left the cluster` : ''}`;
  if (timeline.agree === false) {
    return { tone: 'bad', text: `${list(decided.map((lane) => `${lane.agent_id} decided ${lane.value}`))}: they disagree.`, figures };
  }
  if (!decided.length) {
    return { tone: 'open', text: `Undecided in round ${Math.max(1, timeline.last_round)}.`, figures };
  }
  const first = timeline.descriptor?.start_round ?? 1;
  const rounds = Math.min(...decided.map((lane) => lane.round)) - first + 1;
  const unaware = lanes.filter((lane) => lane.value === undefined && lane.part !== 'former').map((lane) => lane.agent_id);
  const who = unaware.length === 0 && decided.length > 3 ? `All ${decided.length} agents` : list(decided.map((lane) => lane.agent_id));
  const took = timeline.duration_ms === undefined ? '' : ` in ${duration(timeline.duration_ms)}`;
  const before = kept && timeline.events.some((event) => event.kind === 'restored') ? ', before this start' : '';
  const missing = unaware.length ? ` ${list(unaware)} ${unaware.length === 1 ? 'does' : 'do'} not know yet.` : '';
  return {
    tone: missing ? 'open' : 'good',
    text: `${who} ${decided.length === 1 ? 'decided' : 'agreed on'} ${decided[0].value} after ${plural(rounds, 'round')}${took}${before}.${missing}`,
    figures,
  };
}
