// The heads of the lanes: each agent's name, its decision, and what sets it apart. They stay in sight above the picture.

import { chip, html } from './dom.js';
import { DIGIT } from './layout.js';

const LETTER = 7.6;
const GAP = 14;
const TIGHT = 74;

export class LaneHeads {
  constructor() {
    this.root = html('div', { class: 'heads' });
  }

  /** Name and decision stand side by side where every lane has room for both; else the decision stands below. */
  show(lanes, plan) {
    const name = ({ agent_id: id }) => plan.lane < TIGHT ? id.replace(/^agent/, 'a') : id;
    const stacked = lanes.some((lane) => name(lane).length * LETTER + (lane.value === undefined ? 0 : String(lane.value).length * DIGIT + GAP) + GAP > plan.lane);
    this.root.style.width = `${plan.width}px`;
    this.root.classList.toggle('stacked', stacked);
    this.root.classList.toggle('tall', stacked || lanes.some((lane) => tagOf(lane)));
    this.root.replaceChildren(...lanes.map((lane, index) => {
      const tag = tagOf(lane);
      const head = html('div', { class: `head${lane.part === 'former' ? ' former' : lane.up ? '' : ' down'}`, 'data-agent': lane.agent_id, title: lane.dropped ? `${lane.dropped.toLocaleString('en')} older events are gone` : undefined },
        html('span', { class: 'name' }, name(lane)), lane.value !== undefined && chip(lane.value, `decided ${lane.value} in round ${lane.round}`), tag && html('span', { class: 'tag' }, tag));
      head.style.left = `${plan.x(index)}px`;
      head.style.maxWidth = `${plan.lane}px`;
      return head;
    }));
    this.height = this.root.offsetHeight;
  }
}

function tagOf(lane) {
  if (lane.part === 'former') return 'left';
  if (!lane.up) return 'down';
  return lane.part === 'learner' ? 'learner' : lane.part === 'absent' ? 'not reached' : '';
}
