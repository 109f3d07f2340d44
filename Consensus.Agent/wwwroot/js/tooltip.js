// Describes the arrow or the mark below the pointer, beside the pointer.

import { html } from './dom.js';
import { describeArrow, describeMark, duration } from './format.js';

export class Tooltip {
  constructor() {
    this.root = html('div', { class: 'tip', hidden: true });
  }

  /**
   * @param {{mark?: object, arrow?: object} | null} target null hides the tooltip
   * @param {HTMLElement} container the tooltip stays inside
   */
  show(target, event, { lanes }, container) {
    this.root.hidden = !target;
    if (!target) return;
    const { mark } = target;
    const { title, lines } = mark
      ? { title: `${lanes[mark.lane].agent_id} ${describeMark(mark)}`, lines: [`at ${duration(Math.max(0, mark.at_ms))}`] }
      : describeArrow(target.arrow, lanes);
    this.root.replaceChildren(html('strong', {}, title), ...lines.map((line) => html('span', {}, line)));
    const box = container.getBoundingClientRect();
    const x = Math.min(event.clientX - box.left + 14, box.width - this.root.offsetWidth - 8);
    const below = event.clientY - box.top + 18;
    this.root.style.left = `${Math.max(4, x)}px`;
    this.root.style.top = `${below + this.root.offsetHeight > box.height ? below - this.root.offsetHeight - 34 : below}px`;
  }
}
