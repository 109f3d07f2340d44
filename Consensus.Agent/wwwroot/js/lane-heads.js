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

  /** Puts each decision beside the agent's name, or below if a lane is too narrow for both. */
  show(lanes, plan, chosen) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.lane : undefined;
    const name = ({ agent_id: id }) => plan.lane < NARROW ? id.replace(/^agent/, 'a') : id;
    const stacked = lanes.some((lane) => name(lane).length * LETTER_WIDTH + (lane.value === undefined ? 0 : String(lane.value).length * DIGIT_WIDTH + GAP) + GAP > plan.lane);
    this.root.style.width = `${plan.width}px`;
    this.root.classList.toggle('stacked', stacked);
    this.root.classList.toggle('tall', stacked || lanes.some((lane) => statusOf(lane)));
    this.root.replaceChildren(...lanes.map((lane, index) => {
      const status = statusOf(lane);
      const head = html('div', { class: `head${lane.part === 'former' ? ' former' : lane.up ? '' : ' down'}`, 'data-agent': lane.agent_id, title: lane.dropped ? `${lane.dropped.toLocaleString('en')} older events are no longer recorded` : undefined },
        html('button', { type: 'button', class: 'name', 'data-lane': index, 'aria-pressed': String(index === chosen), 'aria-label': `Messages of ${lane.agent_id} alone` }, name(lane)), lane.value !== undefined && chip(lane.value, `decided ${lane.value} in round ${lane.round}`), status && html('span', { class: 'status' }, status === 'learner' ? hint(status, 'learner') : status));
      head.style.left = `${plan.x(index)}px`;
      head.style.maxWidth = `${plan.lane}px`;
      return head;
    }));
    if (focused !== undefined) this.root.querySelector(`[data-lane="${focused}"]`)?.focus();
    this.height = this.root.offsetHeight;
  }
}

function statusOf(lane) {
  if (lane.part === 'former') return 'left';
  if (!lane.up) return 'down';
  return lane.part === 'learner' ? 'learner' : lane.part === 'absent' ? 'not reached' : '';
}
