// The heads of the lanes: each agent's name, decision and status. They stay visible above the picture.

import { chip, html } from './dom.js';
import { hint } from './hints.js';
import { DIGIT_WIDTH } from './layout.js';

const LETTER_WIDTH = 7.6;
const GAP = 14;
const MENU = 30;
const NARROW = 74;

export class LaneHeads {
  /**
   * @param {(lane: number) => void} onChoose runs after a press of an agent's name
   * @param {(lane: number, button: HTMLElement) => void} [onMenu] runs after a press of the button that offers the agent's steps
   */
  constructor(onChoose, onMenu) {
    this.onMenu = onMenu;
    this.root = html('div', { class: 'heads' });
    this.root.addEventListener('click', ({ target }) => {
      if (target.matches('.name')) onChoose(Number(target.dataset.lane));
      else if (target.matches('.agent-menu')) onMenu(Number(target.dataset.menu), target);
    });
  }

  /**
   * Puts each decision beside the agent's name, or below if a lane is too narrow for both.
   * @param {object[]} states the agents' states at the playback position
   */
  show(lanes, plan, chosen, states) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset : {};
    const name = ({ agent_id: id }) => plan.lane < NARROW ? id.replace(/^agent/, 'a') : id;
    const stacked = lanes.some((lane, index) => name(lane).length * LETTER_WIDTH + (this.onMenu ? MENU : 0) + GAP
      + (states[index].decision === null ? 0 : String(states[index].decision.value).length * DIGIT_WIDTH + GAP) > plan.lane);
    this.root.style.width = `${plan.width}px`;
    this.root.classList.toggle('stacked', stacked);
    this.root.classList.toggle('tall', stacked || lanes.some((lane, index) => statusOf(lane, states[index])));
    this.root.replaceChildren(...lanes.map((lane, index) => {
      const [{ decision }, status] = [states[index], statusOf(lane, states[index])];
      const dropped = lane.dropped ? `${lane.dropped.toLocaleString('en')} older steps are no longer recorded` : undefined;
      const head = html('div', {
        class: `head${lane.role === 'former' ? ' former' : status === 'down' ? ' down' : ''}`,
        'data-agent': lane.agent_id, title: dropped,
      },
        html('button', {
          type: 'button', class: 'name', 'data-lane': index, title: lane.agent_id,
          'aria-pressed': String(index === chosen), 'aria-label': `Messages of ${lane.agent_id} alone`,
        }, name(lane)),
        decision && chip(decision.value, `decided ${decision.value} in round ${decision.round}`),
        this.onMenu && html('button', {
          type: 'button', class: 'agent-menu', 'data-menu': index, 'aria-haspopup': 'true',
          'aria-label': `Steps of ${lane.agent_id}`,
        }, '⋯'),
        status && html('span', { class: 'status' }, status === 'learner' ? hint(status, 'learner') : status));
      head.style.left = `${plan.x(index)}px`;
      head.style.maxWidth = `${plan.lane}px`;
      return head;
    }));
    this.root.querySelector(`[data-lane="${focused.lane}"], [data-menu="${focused.menu}"]`)?.focus();
    this.height = this.root.offsetHeight;
  }
}

function statusOf(lane, { known, down, learner }) {
  if (lane.role === 'former') return 'left';
  if (known ? down : !lane.up) return 'down';
  if (known ? learner : lane.role === 'learner') return 'learner';
  return lane.role === 'absent' ? 'not reached' : known === false ? 'state unknown' : '';
}
