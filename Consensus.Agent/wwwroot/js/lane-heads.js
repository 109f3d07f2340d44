// The heads of the lanes: each agent's name, decision and status. They stay visible above the picture.

import { chip, html } from './dom.js';
import { hint } from './hints.js';
import { DIGIT_WIDTH } from './layout.js';

const LETTER_WIDTH = 7.6;
const GAP = 14;
const NARROW = 74;

export class LaneHeads {
  /** @param {(lane: number) => void} onChoose runs after a press of an agent's name */
  constructor(onChoose) {
    this.root = html('div', { class: 'heads' });
    this.root.addEventListener('click', ({ target }) => { if (target.matches('.name')) onChoose(Number(target.dataset.lane)); });
  }

  /**
   * Puts each decision beside the agent's name, or below if a lane is too narrow for both.
   * @param {object[]} states the agents' states at the playback position
   */
  show(lanes, plan, chosen, states) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.lane : undefined;
    const name = ({ agent_id: id }) => plan.lane < NARROW ? id.replace(/^agent/, 'a') : id;
    const stacked = lanes.some((lane, index) => name(lane).length * LETTER_WIDTH + (states[index].decision === null ? 0 : String(states[index].decision.value).length * DIGIT_WIDTH + GAP) + GAP > plan.lane);
    this.root.style.width = `${plan.width}px`;
    this.root.classList.toggle('stacked', stacked);
    this.root.classList.toggle('tall', stacked || lanes.some((lane, index) => statusOf(lane, states[index])));
    this.root.replaceChildren(...lanes.map((lane, index) => {
      const [{ decision }, status] = [states[index], statusOf(lane, states[index])];
      const head = html('div', { class: `head${lane.part === 'former' ? ' former' : status === 'down' ? ' down' : ''}`, 'data-agent': lane.agent_id, title: lane.dropped ? `${lane.dropped.toLocaleString('en')} older events are no longer recorded` : undefined },
        html('button', { type: 'button', class: 'name', 'data-lane': index, 'aria-pressed': String(index === chosen), 'aria-label': `Messages of ${lane.agent_id} alone` }, name(lane)), decision && chip(decision.value, `decided ${decision.value} in round ${decision.round}`), status && html('span', { class: 'status' }, status === 'learner' ? hint(status, 'learner') : status));
      head.style.left = `${plan.x(index)}px`;
      head.style.maxWidth = `${plan.lane}px`;
      return head;
    }));
    if (focused !== undefined) this.root.querySelector(`[data-lane="${focused}"]`)?.focus();
    this.height = this.root.offsetHeight;
  }
}

function statusOf(lane, { known, down, learner }) {
  if (lane.part === 'former') return 'left';
  if (known ? down : !lane.up) return 'down';
  if (known ? learner : lane.part === 'learner') return 'learner';
  return lane.part === 'absent' ? 'not reached' : known === false ? 'state unknown' : '';
}
