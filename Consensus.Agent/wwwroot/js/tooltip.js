// What the pointer is on, in words, beside the pointer.

import { duration, html } from './dom.js';
import { describeArrow, describeMark } from './format.js';

export class Tooltip {
  constructor() {
    this.root = html('div', { class: 'tip', hidden: true });
  }

  /** @param {{mark?: object, arrow?: object} | null} found what is to be described; null hides it @param {HTMLElement} within keeps it inside */
  show(found, event, { lanes }, within) {
    this.root.hidden = !found;
    if (!found) return;
    const { title, lines } = found.mark ? { title: describeMark(found.mark, lanes), lines: [`at ${duration(Math.max(0, found.mark.t))}`] } : describeArrow(found.arrow, lanes);
    this.root.replaceChildren(html('strong', {}, title), ...lines.map((line) => html('span', {}, line)));
    const box = within.getBoundingClientRect();
    const x = Math.min(event.clientX - box.left + 14, box.width - this.root.offsetWidth - 8);
    const below = event.clientY - box.top + 18;
    this.root.style.left = `${Math.max(4, x)}px`;
    this.root.style.top = `${below + this.root.offsetHeight > box.height ? below - this.root.offsetHeight - 34 : below}px`;
  }
}
