// Why something happened: sentences below the picture, and in the picture its causal past, the quorums, and a guilty step.

import { errorText, isFailedCall } from './api.js';
import { html } from './dom.js';

const REFUSED = new Set(['ignored', 'refused']);
const ENTERS = new Set(['drew', 'copied', 'adopted']);

/** What a step can be asked for: its last event, else a message that it did not accept, else that its run is stalled. */
export function questionOf(step) {
  if (!step?.model) return null;
  const { lane, at_ms } = step;
  const [mark, refused] = [step.marks.at(-1) ?? step.joined.at(-1), step.received.find(({ message }) => REFUSED.has(message.status))];
  if (mark?.kind === 'booted') return null;
  const kind = mark?.kind ?? (refused ? 'ignored' : null);
  if (kind) return { lane, kind, at_ms, round: mark?.round || undefined };

  // What shows a stall is often a response that nothing is drawn of.
  const { steps, timeline } = step.model;
  const stall = timeline.states?.find((state) => state.stalled && steps.findLast((before) => before.at_ms <= state.at_ms) === step);
  return stall ? { lane: stall.lane, kind: 'stalled', at_ms: stall.at_ms } : null;
}

/** A question as the agent reads it in a query. */
export const queryOf = ({ agent, kind, at_ms: at, round }) => [agent, kind, at, ...(round ? [round] : [])].join(',');

export class Why {
  /**
   * @param {((question: {agent: string, kind: string, at_ms: number, round?: number}, model) => Promise<object>) | undefined} ask
   * undefined: the picture explains nothing
   * @param {() => void} onChange runs when an answer is shown or closed
   */
  constructor(ask, onChange) {
    Object.assign(this, { ask, onChange, shown: null });
    this.words = html('p', { role: 'status' });
    this.root = html('section', { class: 'why', hidden: true, 'aria-label': 'Why it happened' },
      this.words,
      html('button', { type: 'button', class: 'icon', 'aria-label': 'Close the explanation', onclick: () => this.close() }, '×'));
  }

  /** Explains what a step did, if it did anything that can be explained. */
  explain(step, model) {
    const question = this.ask && questionOf(step);
    if (question) this.about(question, model);
  }

  /** Asks why, and shows the answer unless another question came meanwhile. */
  async about(question, model) {
    this.asked = question;
    let answer = null;
    let text = 'No record tells why this happened.';
    try {
      answer = await this.ask({ ...question, agent: model.lanes[question.lane].agent_id }, model);
    } catch (problem) {
      if (!isFailedCall(problem)) throw problem;
      text = errorText(problem);
    }
    if (this.asked !== question) return;
    this.shown = answer && { ...answer, ...question, run: model.timeline.run };
    this.root.hidden = false;
    this.words.replaceChildren(...(answer ? answer.sentences.map((sentence) => html('span', {}, `${sentence} `)) : [text]));
    this.onChange();
  }

  close() {
    Object.assign(this, { shown: null, asked: null });
    this.root.hidden = true;
    this.onChange();
  }

  /** Closes the answer where a picture does not hold what was asked for. */
  keepIn({ timeline, steps }) {
    const { shown } = this;
    const isDrawn = shown?.kind === 'stalled' || steps.some((step) => step.lane === shown?.lane && step.at_ms === shown.at_ms);
    if (shown && (shown.run !== timeline.run || !isDrawn)) this.close();
  }

  /** Whether a step, or the arrival of a message, is in the causal past. */
  isPast(step) { return Boolean(step) && step.at_ms <= (this.shown.past[step.lane] ?? -Infinity); }

  /** The classes of a mark: in a quorum, in all quorums, or of the guilty step. */
  classesOf({ kind, round, lane, at_ms: at }, { lanes }) {
    const id = lanes[lane].agent_id;
    const inQuorum = this.shown?.quorums.some(
      (quorum) => quorum.agents.includes(id) && quorum.round === round && (quorum.votes ? kind === 'voted' : ENTERS.has(kind)));
    const { guilty } = this.shown ?? {};
    return { quorum: inQuorum, shared: inQuorum && this.shown.shared.includes(id), guilty: guilty?.lane === lane && guilty.at_ms === at };
  }
}
