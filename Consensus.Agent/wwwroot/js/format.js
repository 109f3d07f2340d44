// All texts that the page derives from data: numbers, arrows and steps. The agent words events, messages and results.

import { KINDS } from './vocabulary.js';

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

/** The label of an arrow. */
export function arrowLabel({ kind, value, message, response }) {
  switch (kind) {
    case 'new_round': return value ? `round ${message.round} · ${value}` : `round ${message.round}`;
    case 'proposal': return `${value}`;
    case 'vote': return value ? `✓ ${value}` : '✓ none';
    case 'final': return `= ${value}`;
    case 'state': return response ? 'run' : 'state?';
    default: return KINDS[kind];
  }
}

const nameOf = (lanes, lane) => lane < 0 ? 'an unknown sender' : lanes[lane].agent_id;

/** The description of an arrow: a title, and lines with details. */
export function describeArrow(arrow, lanes) {
  const { message, response } = arrow;
  const [from, to] = response ? [message.to, message.from] : [message.from, message.to];
  const title = `${nameOf(lanes, from)} ${response ? 'responds ' : ''}${to < 0 ? '' : `to ${nameOf(lanes, to)}: `}${arrow.text}`;
  const lines = [];
  if (response) lines.push(`response to the ${KINDS[message.kind]}, ${duration(message.answered - message.sent)} after it was sent`);
  else if (arrow.state === 'lost') lines.push('lost: no response');
  else if (arrow.state === 'in-flight') lines.push('in flight');
  else lines.push(`took ${duration(message.received - message.sent)}${message.estimated ? ' (estimated: only one end was recorded)' : ''}`);
  if (arrow.deciding) lines.push('completed the decision of its receiver');
  lines.push(`sent at ${duration(Math.max(0, message.sent))}`);
  if (!response && arrow.outcome) lines.push(arrow.outcome);
  return { title, lines };
}

/** The description of an agent's event, as a verb. A decision also says what supports it. */
export const describeMark = (mark) => `${mark.text}${mark.support ? ` by ${mark.support}` : ''}`;

/** The description of one step of an agent, for the line below the slider. */
export function describeStep(step, lanes) {
  const rejected = ({ message, outcome }) => message.status === 'ignored' || message.status === 'refused' ? ` (${outcome})` : '';
  const parts = [
    ...step.received.map((arrow) => `receives ${nameOf(lanes, arrow.message.from)}'s ${arrow.text}${rejected(arrow)}`),
    ...step.responses.map((arrow) => `receives ${nameOf(lanes, arrow.message.to)}'s ${arrow.text} in a response`),
    ...step.marks.map(describeMark),
  ];
  const kinds = [...new Set(step.sent.map((arrow) => KINDS[arrow.kind]))];
  if (kinds.length) parts.push(`sends ${list(kinds)} to ${list([...new Set(step.sent.map((arrow) => nameOf(lanes, arrow.message.to)))])}`);
  if (step.down) parts.push('crashes');
  return `${nameOf(lanes, step.lane)} ${(parts.length ? parts : step.joined.map(({ text }) => text)).join('; ')}`;
}
