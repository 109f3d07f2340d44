// From the merged timeline to what is drawn: steps (one moment of one agent), arrows between them, marks on them.
// Also replays what each agent knew at a step.

const MARKS = new Set(['drew', 'copied', 'adopted', 'voted', 'decided', 'learned', 'was_reset', 'booted', 'restored', 'joined_as_learner', 'contradicted', 'disagreed']);

/** One moment of one agent: what came in, what it made of it, what went out. */
class Step {
  constructor(t, lane) {
    Object.assign(this, { t, lane, marks: [], joins: false, received: [], told: [], sent: [] });
  }
}

export function build(timeline) {
  const steps = timeline.lanes.map(() => new Map());
  const at = (lane, t) => {
    if (!steps[lane].has(t)) steps[lane].set(t, new Step(t, lane));
    return steps[lane].get(t);
  };

  for (const event of timeline.events) {
    const step = at(event.lane, event.t);
    if (MARKS.has(event.kind)) step.marks.push(event);
    else step.joins = true;
  }

  const arrows = [];
  timeline.messages.forEach((message, index) => {
    const from = message.from < 0 ? null : at(message.from, message.sent);
    const to = message.received === undefined || message.to < 0 ? null : at(message.to, message.received);
    if (!from && !to) return;
    const state = to ? 'delivered' : message.lost_at !== undefined ? 'lost' : 'flying';
    const arrow = { message, index, from, to, state, kind: message.kind, value: message.value, answer: false };
    from?.sent.push(arrow);
    to?.received.push(arrow);
    arrows.push(arrow);
    if (message.news && to && from) {
      const back = { message, index, from: to, to: at(message.from, message.answered), state: 'delivered', kind: message.news.kind, value: message.news.value, answer: true };
      back.to.told.push(back);
      arrows.push(back);
    }
  });

  const order = steps.flatMap((moments) => [...moments.values()]).sort((a, b) => a.t - b.t || a.lane - b.lane);
  order.forEach((step, index) => { step.index = index; });
  const values = new Set(timeline.events.map((event) => event.value));
  for (const round of timeline.rounds) round.values.forEach((value) => values.add(value));
  return { timeline, lanes: timeline.lanes, steps: order, arrows, values: [...values].filter(Boolean).sort((a, b) => a - b) };
}

const EMPTY = () => ({ round: 0, phase: 'waiting', value: null, attempts: 0, decision: null, decidedIn: null, how: null, learner: false, proposals: new Map(), votes: new Map() });

/** What each agent knew after the first `count` steps. */
export function replay(model, count = model.steps.length) {
  const atEnd = count === model.steps.length;
  const known = model.lanes.map((lane) => ({ ...EMPTY(), learner: lane.part === 'learner' && atEnd }));
  for (let i = 0; i < count; i++) apply(known[model.steps[i].lane], model.steps[i]);

  // The events that led to a decision may be gone.
  if (atEnd) known.forEach((agent, lane) => decide(agent, model.lanes[lane].value, model.lanes[lane].round, 'restored'));
  return known;
}

function apply(agent, step) {
  for (const mark of step.marks) {
    switch (mark.kind) {
      case 'drew': case 'copied': case 'adopted':
        agent.proposals.clear();
        agent.votes.clear();
        Object.assign(agent, { round: mark.round, value: mark.value, phase: 'proposing', how: mark.kind, attempts: mark.attempt ?? agent.attempts });
        agent.proposals.set(step.lane, mark.value);
        break;
      case 'voted':
        agent.phase = 'voting';
        agent.votes.set(step.lane, mark.value ?? null);
        break;
      case 'decided': case 'learned': case 'restored':
        decide(agent, mark.value, mark.round, mark.kind);
        break;
      case 'joined_as_learner': agent.learner = true; break;
      case 'was_reset': Object.assign(agent, EMPTY()); break;
    }
  }
  for (const arrow of step.received) hear(agent, arrow.message.from, arrow.message);
  for (const arrow of step.told) hear(agent, arrow.message.to, arrow.message.news);
}

function decide(agent, value, round, how) {
  if (agent.decision !== null || value === undefined) return;
  Object.assign(agent, { phase: 'decided', round: Math.max(agent.round, round), decision: value, decidedIn: round, how });
}

function hear(agent, from, { kind, round, value, proposal, reason }) {
  if (round !== agent.round || reason === 'contradiction' || reason === 'not-a-member') return;
  if (kind === 'vote') {
    agent.votes.set(from, value ?? null);
    if (proposal) agent.proposals.set(from, proposal);
  } else if ((kind === 'proposal' || kind === 'new_round') && value) {
    agent.proposals.set(from, value);
  }
}
