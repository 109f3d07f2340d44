// Builds the model that the page draws from the merged timeline: steps (all events of one agent at one time), the arrows
// between them, and the marks on them. Also adds up the changes of each agent's state.

import { KINDS, NOTES } from './vocabulary.js';

/** All events of one agent at one time: messages received, responses received, marks, messages sent. */
class Step {
  constructor(atMs, lane) {
    Object.assign(this, { at_ms: atMs, lane, marks: [], joined: [], received: [], responses: [], sent: [] });
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
    const step = stepAt(event.lane, event.at_ms);
    (event.kind in NOTES ? step.marks : step.joined).push({ ...event, text: textOf(event) });
  }

  for (const { lane, at_ms: at, down } of timeline.states ?? []) if (down) stepAt(lane, at).down = true;

  const arrows = [];
  for (const message of timeline.messages) {
    const from = message.from < 0 ? null : stepAt(message.from, message.sent);
    const to = message.received === undefined || message.to < 0 ? null : stepAt(message.to, message.received);
    if (!from && !to) continue;
    const state = to ? 'delivered' : message.lost_at !== undefined ? 'lost' : 'in-flight';
    const arrow = {
      message, from, to, state, kind: message.kind, value: message.value, response: false, deciding: message.completes,
      text: textOf(message), outcome: timeline.texts?.[message.outcome],
    };
    from?.sent.push(arrow);
    to?.received.push(arrow);
    arrows.push(arrow);

    // Only a response with new information gets an arrow of its own.
    if (message.piggybacked && to && from) {
      const response = {
        message, from: to, to: stepAt(message.from, message.answered), state: 'delivered', kind: message.piggybacked.kind,
        value: message.piggybacked.value, response: true, deciding: message.response_completes, request: arrow,
        text: textOf(message.piggybacked),
      };
      response.to.responses.push(response);
      arrows.push(response);
    }
  }

  const order = steps.flatMap((ofLane) => [...ofLane.values()]).sort((a, b) => a.at_ms - b.at_ms || a.lane - b.lane);
  const values = new Set(timeline.events.map((event) => event.value));
  for (const round of timeline.rounds) round.values.forEach((value) => values.add(value));
  const model = { timeline, lanes: timeline.lanes, steps: order, arrows, values: [...values].filter(Boolean).sort((a, b) => a - b) };
  model.spans = spansOf(model);
  for (const step of order) step.model = model;
  return model;
}

/** The steps of all models in order of time, with their time. Those of one time are together. */
export const stepsByTime = (models) =>
  Map.groupBy(models.flatMap((model) => model.steps).sort((a, b) => a.at_ms - b.at_ms), (step) => step.at_ms);

/** The state of each agent after the first `count` steps. A change without news of a part leaves the part as it is. */
export function statesAfter({ timeline, lanes, steps }, count = steps.length) {
  const { at_ms: at, lane: last } = steps[count - 1] ?? { at_ms: -Infinity };
  const states = lanes.map((lane) => initialState(lane));
  for (const change of timeline.states ?? []) {
    if (count === steps.length || change.at_ms < at || (change.at_ms === at && change.lane <= last)) merge(states, change, lanes);
  }

  // Of an agent whose state is not known, only its events say that it decided.
  for (const { lane, marks } of steps.slice(0, count)) {
    if (!lanes[lane].state_known) states[lane].decision ??= decisionIn(marks);
  }
  if (count === steps.length) {
    lanes.forEach(({ state_known: known, value, round }, lane) => { if (!known && value) states[lane].decision ??= { value, round }; });
  }
  return states;
}

const initialState = ({ state_known: known }) => ({
  known, round: 0, phase: 'waiting', value: null, attempts: 0, decision: null, learner: false, proposals: new Map(), votes: new Map(),
});

function merge(states, { lane, fresh, proposals, votes, ...parts }, lanes) {
  if (fresh) states[lane] = initialState(lanes[lane]);
  const state = Object.assign(states[lane], parts);
  for (const [known, added] of [[state.proposals, proposals], [state.votes, votes]]) {
    for (const [from, value] of Object.entries(added ?? {})) known.set(Number(from), value);
  }
}

const DECISIONS = new Set(['decided', 'learned', 'restored']);

const decisionIn = (marks) => marks.find(({ kind, value }) => value && DECISIONS.has(kind)) ?? null;

/**
 * Each lane as spans of one run and round: from a step on, until the next span. The spans come from the agent's states, or from
 * its events where its state is not known.
 */
function spansOf({ timeline, lanes, steps }) {
  const spans = lanes.map(() => []);
  const states = lanes.map((lane) => initialState(lane));
  const add = (lane, step, { run, round, decision }) => {
    const line = decision ? 'decided' : run || round ? 'joined' : '';
    const last = spans[lane].at(-1) ?? { line: '', round: 0 };
    if (step && (last.line !== line || last.run !== run || last.round !== round)) spans[lane].push({ step, run, round, line });
  };
  const next = lanes.map((_, lane) => ({ at: 0, steps: steps.filter((step) => step.lane === lane) }));
  for (const change of timeline.states ?? []) {
    const own = next[change.lane];
    while (own.steps[own.at]?.at_ms < change.at_ms) own.at++;
    merge(states, change, lanes);
    add(change.lane, own.steps[own.at], states[change.lane]);
  }
  for (const step of steps) {
    if (lanes[step.lane].state_known) continue;
    const state = states[step.lane];
    for (const { round } of [...step.joined, ...step.marks]) state.round = Math.max(state.round, round);
    state.decision ??= decisionIn(step.marks);
    add(step.lane, step, state);
  }
  return spans;
}
