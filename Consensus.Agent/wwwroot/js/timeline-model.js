// Builds the model that the page draws from the merged timeline: steps (all events of one agent at one time), the arrows
// between them, and the marks on them. Also replays what each agent knew after a step.

import { KINDS, NOTES } from './vocabulary.js';

const RELAYING = new Set(['proposal', 'vote']);

/** All events of one agent at one time: messages received, responses received, marks, messages sent. */
class Step {
  constructor(t, lane) {
    Object.assign(this, { t, lane, marks: [], joined: [], received: [], responses: [], sent: [] });
  }
}

export function buildModel(timeline) {
  const steps = timeline.lanes.map(() => new Map());
  const stepAt = (lane, t) => {
    if (!steps[lane].has(t)) steps[lane].set(t, new Step(t, lane));
    return steps[lane].get(t);
  };

  // Files of older versions hold no texts.
  const textOf = ({ text, kind }) => timeline.texts?.[text] ?? KINDS[kind] ?? kind;

  for (const event of timeline.events) {
    const step = stepAt(event.lane, event.t);
    (event.kind in NOTES ? step.marks : step.joined).push({ ...event, text: textOf(event) });
  }

  const arrows = [];
  for (const message of timeline.messages) {
    const from = message.from < 0 ? null : stepAt(message.from, message.sent);
    const to = message.received === undefined || message.to < 0 ? null : stepAt(message.to, message.received);
    if (!from && !to) continue;
    const state = to ? 'delivered' : message.lost_at !== undefined ? 'lost' : 'in-flight';
    const arrow = { message, from, to, state, kind: message.kind, value: message.value, response: false, text: textOf(message), outcome: timeline.texts?.[message.outcome] };
    from?.sent.push(arrow);
    to?.received.push(arrow);
    arrows.push(arrow);

    // Only a response with new information gets an arrow of its own.
    if (message.news && to && from) {
      const response = { message, from: to, to: stepAt(message.from, message.answered), state: 'delivered', kind: message.news.kind, value: message.news.value, response: true, request: arrow, text: textOf(message.news) };
      response.to.responses.push(response);
      arrows.push(response);
    }
  }

  const order = steps.flatMap((ofLane) => [...ofLane.values()]).sort((a, b) => a.t - b.t || a.lane - b.lane);
  const values = new Set(timeline.events.map((event) => event.value));
  for (const round of timeline.rounds) round.values.forEach((value) => values.add(value));
  const model = { timeline, lanes: timeline.lanes, relay: relayOf(timeline), steps: order, arrows, values: [...values].filter(Boolean).sort((a, b) => a - b) };
  explainDecisions(model);
  return model;
}

/** The lane of the initiator that relays; -1 where every agent sends to every agent. */
function relayOf({ descriptor, lanes }) {
  return descriptor?.spread === 'relay' ? lanes.findIndex((lane) => lane.agent_id === descriptor.id.split('.').slice(1, -1).join('.')) : -1;
}

/** Marks the message that completed each decision, and counts the votes for it; the proposals, under the classic rule. */
function explainDecisions({ timeline, lanes, relay, steps }) {
  const states = lanes.map(initialState);
  const votes = timeline.descriptor?.rule === 'ratified';
  for (const step of steps) {
    apply(states[step.lane], step, relay);
    const decided = step.marks.find(({ kind }) => kind === 'decided');
    if (!decided) continue;
    const known = votes ? states[step.lane].votes : states[step.lane].proposals;
    const count = [...known.values()].filter((value) => value === decided.value).length;

    // Of relayed votes the page knows only what it can infer.
    if (count >= (relay < 0 ? 1 : timeline.quorum)) decided.support = `${count} of ${timeline.n} ${votes ? 'votes' : 'proposals'}`;
    const last = [...step.received, ...step.responses].at(-1);
    if (last) last.deciding = true;
  }
}

const initialState = () => ({ round: 0, phase: 'waiting', value: null, attempts: 0, decision: null, learner: false, proposals: new Map(), votes: new Map() });

/** The state of each agent after the first `count` steps. */
export function replay(model, count = model.steps.length) {
  const atEnd = count === model.steps.length;
  const states = model.lanes.map((lane) => ({ ...initialState(), learner: lane.part === 'learner' && atEnd }));
  for (let i = 0; i < count; i++) apply(states[model.steps[i].lane], model.steps[i], model.relay);

  // The events that led to a decision may no longer be recorded.
  if (atEnd) states.forEach((state, lane) => decide(state, model.lanes[lane].value, model.lanes[lane].round));
  return states;
}

function apply(state, step, relay) {
  for (const mark of step.marks) {
    switch (mark.kind) {
      case 'drew': case 'copied': case 'adopted':
        state.proposals.clear();
        state.votes.clear();
        Object.assign(state, { round: mark.round, value: mark.value, phase: 'proposing', attempts: mark.attempt ?? state.attempts });
        state.proposals.set(step.lane, mark.value);
        break;
      case 'voted':
        state.phase = 'voting';
        state.votes.set(step.lane, mark.value ?? null);
        break;
      case 'decided': case 'learned': case 'restored':
        decide(state, mark.value, mark.round);
        break;
      case 'joined_as_learner': state.learner = true; break;
      case 'was_reset': Object.assign(state, initialState()); break;
    }
  }
  for (const arrow of step.received) {
    receive(state, arrow.message.from, arrow.message);
    for (const relayed of arrow.relayed ?? []) receive(state, relayed.from, relayed);
  }
  for (const arrow of step.responses) receive(state, arrow.message.to, arrow.message.news);

  // A relay passes on all that it knows of its round.
  if (step.lane === relay) for (const arrow of step.sent) arrow.relayed = RELAYING.has(arrow.kind) ? relayedMessages(state, relay) : [];
}

function relayedMessages({ round, proposals, votes }, relay) {
  return [...proposals].filter(([from]) => from !== relay).map(([from, value]) =>
    votes.has(from) ? { from, kind: 'vote', round, value: votes.get(from) ?? undefined, proposal: value } : { from, kind: 'proposal', round, value });
}

function decide(state, value, round) {
  if (state.decision !== null || value === undefined) return;
  Object.assign(state, { phase: 'decided', round: Math.max(state.round, round), decision: value });
}

function receive(state, from, { kind, round, value, proposal, reason }) {
  if (round !== state.round || reason === 'contradiction' || reason === 'not-a-member') return;
  if (kind === 'vote') {
    state.votes.set(from, value ?? null);
    if (proposal) state.proposals.set(from, proposal);
  } else if ((kind === 'proposal' || kind === 'new_round') && value) {
    state.proposals.set(from, value);
  }
}
