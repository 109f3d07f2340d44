// The verdict above a diagram: the result of the run in words, or at a past step the decisions until then.

import { html } from './dom.js';
import { list } from './format.js';

/** The verdict on a timeline without one. */
const OLD_FILE = {
  tone: 'open',
  text: 'An older version saved this file: it holds neither the result in words nor the states of the agents.',
};

/** The result of a run. */
export const verdictOf = (timeline) => timeline.verdict ?? OLD_FILE;

export class Verdict {
  /** @param {boolean} namesRun whether the id of the run is shown */
  constructor(namesRun) {
    this.namesRun = namesRun;
    this.root = html('p', { class: 'verdict', role: 'status' });
  }

  /** @param {object[]} states the agents' states at the step @param {number} [position] the number of steps shown; undefined at the end */
  show({ timeline, lanes }, states, position) {
    const { tone, text, figures } = position === undefined || !states ? verdictOf(timeline) : decisionsAt(lanes, states);
    const run = this.namesRun && timeline.run ? `run ${timeline.run}` : undefined;

    // An equal verdict stays, so that a screen reader says it once.
    const key = JSON.stringify([tone, text, figures, run]);
    if (key === this.shown) return;
    this.shown = key;
    this.root.className = `verdict ${tone}`;
    this.root.replaceChildren(html('strong', {}, text),
      ...[figures && html('span', { class: 'figures' }, figures), run && html('span', { class: 'run-id' }, run)].filter(Boolean));
  }
}

function decisionsAt(lanes, states) {
  const decided = lanes.map((lane, index) => ({ id: lane.agent_id, decision: states[index].decision })).filter(({ decision }) => decision);
  const values = new Set(decided.map(({ decision }) => decision.value));
  const tone = values.size > 1 ? 'bad' : decided.length === lanes.length ? 'good' : 'open';
  const text = decided.length ? `At this step ${list(decided.map(({ id, decision }) => `${id} has decided ${decision.value}`))}.`
    : 'At this step no agent has decided.';
  return { tone, text };
}
