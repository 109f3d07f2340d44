// The space-time diagram: scrolls, zooms, tells what the pointer is on, follows one value. Of a tall picture only what is
// in sight is in the document.

import { arrange, chip, eachFrame, html, onPress, svg } from './dom.js';
import { Labels } from './label-placement.js';
import { LaneHeads } from './lane-heads.js';
import { layout } from './layout.js';
import { arrowShape, backdrop, endsOf, foldShape, markBox, markShape, partsOf } from './svg-shapes.js';
import { Sight } from './viewport.js';
import { Tooltip } from './tooltip.js';
import { KINDS, verdict } from './format.js';

// A picture of fewer arrows and marks is in the document as a whole.
const WHOLE = 400;

// How far a pointer may stray in a click, in pixels.
const CLICK = 4;
const ZOOMS = [0.5, 0.7, 1, 1.4, 2, 2.8, 4];

export class Diagram {
  /** @param {HTMLElement} host @param {{label: string, unfold?: (range: {from: number, to: number}) => void, resized: () => void}} options `resized` asks for a drawing in another width */
  constructor(host, { label, unfold, title, resized }) {
    Object.assign(this, { unfold, resized });
    this.zoom = 1;
    this.followed = null;
    this.hidden = new Set();
    this.buttons = new Map();
    this.verdict = html('p', { class: 'verdict', role: 'status' });
    this.legend = html('div', { class: 'legend', role: 'group', 'aria-label': 'Kinds of messages to show' });
    this.values = html('div', { class: 'values', role: 'group', 'aria-label': 'Follow one value' });
    this.zoomOut = html('button', { type: 'button', class: 'icon', 'aria-label': 'Zoom out', onclick: () => this.zoomBy(-1) }, '−');
    this.zoomIn = html('button', { type: 'button', class: 'icon', 'aria-label': 'Zoom in', onclick: () => this.zoomBy(1) }, '+');
    this.heads = new LaneHeads();
    this.svg = svg('svg', { class: 'picture', role: 'img' });

    // A layer of its own: a step moves it, and nothing of the picture is painted anew.
    this.veil = html('div', { class: 'veil', hidden: true });
    this.scroll = html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, this.heads.root, html('div', { class: 'sheet' }, this.svg, this.veil));
    this.tip = new Tooltip();
    this.root = html('div', { class: 'diagram' }, title && html('h3', {}, title), this.verdict,
      html('div', { class: 'tools' }, this.legend, this.values, html('div', { class: 'zoom' }, this.zoomOut, this.zoomIn)), this.scroll, this.tip.root);
    host.append(this.root);
    this.#listen();
  }

  /** Draws a model; keeps the place, unless it is another run. */
  show(model) {
    const another = this.model?.timeline.run !== model.timeline.run;
    const atEnd = this.scroll.scrollTop + this.scroll.clientHeight > this.scroll.scrollHeight - 60;
    this.model = model;
    const said = verdict(model);
    this.verdict.className = `verdict ${said.tone}`;
    this.verdict.replaceChildren(html('strong', {}, said.text), ...(said.figures ? [html('span', { class: 'figures' }, said.figures)] : []));
    this.svg.setAttribute('aria-label', `${said.text} ${said.figures ?? ''}`);
    this.#legend();
    this.draw(another ? () => 0 : atEnd && said.tone === 'open' ? (plan) => plan.height : undefined);
  }

  /** @param {(plan) => number} place where to scroll to; undefined: it stays */
  draw(place) {
    const { model } = this;
    if (!model) return;
    const width = this.scroll.clientWidth;
    this.drawnWidth = width;
    const plan = this.plan = layout(model, { width, zoom: this.zoom });
    this.svg.setAttribute('width', plan.width);
    this.svg.setAttribute('height', plan.height);
    this.svg.setAttribute('viewBox', `0 0 ${plan.width} ${plan.height}`);
    this.heads.show(model.lanes, plan);

    this.labels = new Labels(plan);
    this.targets = [];
    for (const arrow of model.arrows) {
      for (const ends of partsOf(endsOf(arrow, plan))) {
        this.targets.push({ arrow, ends, value: arrow.value, top: Math.min(ends.y1, ends.y2), bottom: Math.max(ends.y1, ends.y2) });
      }
    }
    for (const step of model.steps) {
      step.marks.forEach((mark, index) => {
        const box = markBox(mark, index, step, plan);
        this.labels.keepFree(box);
        this.targets.push({ mark, index, step, value: mark.value, top: box.top, bottom: box.bottom, x: plan.x(step.lane), y: (box.top + box.bottom) / 2 });
      });
    }
    this.lines = svg('g');
    this.above = svg('g');
    this.sight = new Sight(this.targets, this.targets.length < WHOLE, { add: (target) => this.#add(target), remove: ({ element, text }) => { element.remove(); text?.remove(); } });
    this.folds = plan.folds.map((fold) => this.#fold(fold));
    this.svg.replaceChildren(backdrop(plan, model), ...this.folds, this.lines, this.above);
    if (place) this.scroll.scrollTop = place(plan);
    this.cut(this.cutAt);
    this.refresh();
  }

  /** Veils all that comes after this many steps; undefined: nothing. */
  cut(count) {
    this.cutAt = count;
    const { steps } = this.model;
    const step = count === undefined || count >= steps.length ? null : steps[Math.max(0, count - 1)];
    this.veil.hidden = !step;
    if (!step) return;
    const y = count === 0 ? 0 : step.out + 3;
    this.veil.style.transform = `translateY(${y}px)`;
    const { scrollTop, clientHeight } = this.scroll;
    if (y < scrollTop + 40 || y > scrollTop + clientHeight - this.heads.height - 60) this.scroll.scrollTop = y - clientHeight * 0.55;
  }

  /** Follows one value, or with null none. */
  followValue(value) {
    this.followed = value === this.followed ? null : value;
    this.#legend();
    this.#dimAll();
  }

  zoomBy(steps) {
    const at = ZOOMS.indexOf(this.zoom) + steps;
    if (at < 0 || at >= ZOOMS.length) return;
    const middle = (this.scroll.scrollTop + this.scroll.clientHeight / 2) / Math.max(1, this.plan?.height ?? 1);
    this.zoom = ZOOMS[at];
    this.zoomOut.disabled = at === 0;
    this.zoomIn.disabled = at === ZOOMS.length - 1;
    this.draw((plan) => middle * plan.height - this.scroll.clientHeight / 2);
  }

  refresh() {
    this.sight.look(this.scroll.scrollTop, this.scroll.scrollTop + this.scroll.clientHeight);
  }

  /** Lines are below all else. */
  #add(target) {
    const { arrow, mark, index, step, ends } = target;
    if (!target.element) Object.assign(target, arrow ? arrowShape(arrow, ends, this.plan, this.labels) : { element: markShape(mark, index, step, this.plan) });
    this.#dim(target);
    (arrow ? this.lines : this.above).append(target.element);
    if (target.text) this.above.append(target.text);
  }

  #fold(fold) {
    const { element, roundAt } = foldShape(fold, this.plan, this.model.lanes);
    const open = (round) => this.unfold?.({ from: Math.max(fold.from, Math.min(round - 4, fold.to - 9)), to: Math.min(fold.to, Math.max(round + 5, fold.from + 9)) });
    element.addEventListener('click', (event) => open(roundAt(this.#point(event).y)));
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      open(fold.from + 4);
    });
    return element;
  }

  #legend() {
    const counts = new Map();
    for (const arrow of this.model.arrows) if (!arrow.answer) counts.set(arrow.kind, (counts.get(arrow.kind) ?? 0) + 1);
    arrange(this.legend, Object.keys(KINDS).filter((kind) => counts.has(kind)).map((kind) => {
      const button = this.#button(kind, `key k-${kind}`, () => this.#toggle(kind), html('i', { 'aria-hidden': 'true' }), `${KINDS[kind]} `, html('b'));
      button.setAttribute('aria-pressed', String(!this.hidden.has(kind)));
      button.lastChild.textContent = counts.get(kind).toLocaleString('en');
      return button;
    }));
    const few = this.model.values.length > 1 && this.model.values.length <= 8;
    arrange(this.values, (few ? this.model.values : this.followed ? [this.followed] : []).map((value) => {
      const button = this.#button(value, null, () => this.followValue(value), chip(value));
      button.setAttribute('aria-label', `Follow value ${value}`);
      button.setAttribute('aria-pressed', String(this.followed === value));
      return button;
    }));
  }

  /** The button for a kind or a value, made at its first use: one that stays keeps the focus. */
  #button(of, look, onclick, ...children) {
    if (!this.buttons.has(of)) this.buttons.set(of, html('button', { type: 'button', class: look, onclick }, ...children));
    return this.buttons.get(of);
  }

  #toggle(kind) {
    if (!this.hidden.delete(kind)) this.hidden.add(kind);
    this.#legend();
    this.#dimAll();
  }

  #dim({ element, text, value, arrow }) {
    element.classList.toggle('lit', this.followed !== null && value === this.followed);
    for (const part of [element, text]) {
      part?.classList.toggle('dim', this.followed !== null && value !== this.followed);
      if (arrow) part?.classList.toggle('off', this.hidden.has(arrow.kind));
    }
  }

  #dimAll() {
    for (const target of this.sight.shown) this.#dim(target);
  }

  #point(event) {
    const box = this.svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #nearest({ x, y }) {
    let best = null;
    let least = 8;
    for (const target of this.targets ?? []) {
      if (target.arrow && this.hidden.has(target.arrow.kind)) continue;
      const distance = target.mark ? Math.hypot(target.x - x, target.y - y) - 8 : toSegment(x, y, target.ends);
      if (distance < least) [best, least] = [target, distance];
    }
    return best;
  }

  #listen() {
    this.scroll.addEventListener('scroll', eachFrame(() => this.plan && this.refresh()), { passive: true });
    new ResizeObserver(() => { if (this.model && this.scroll.clientWidth !== this.drawnWidth && this.scroll.clientWidth) this.resized(); }).observe(this.scroll);
    let last = null;
    const hover = eachFrame(() => last && this.#hover(last));
    this.svg.addEventListener('pointermove', (event) => { last = event; hover(); });
    this.svg.addEventListener('pointerleave', () => { last = null; this.#hover(null); });
    this.svg.addEventListener('click', (event) => {
      const found = this.plan && !this.panned && this.#nearest(this.#point(event));
      if (found?.value) this.followValue(found.value);
    });
    this.scroll.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    this.scroll.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '+' || event.key === '=') this.zoomBy(1);
      else if (event.key === '-') this.zoomBy(-1);
      else if (event.key === 'Escape') this.followValue(null);
    });
    this.#pan();
  }

  /** Drag with a mouse to pan; fingers scroll by themselves. The end of a drag is no click. */
  #pan() {
    onPress(this.scroll, (from) => {
      this.panned = false;
      if (from.pointerType !== 'mouse') return {};
      const { scrollLeft, scrollTop } = this.scroll;
      return {
        moved: (event) => {
          const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
          this.panned ||= Math.hypot(x, y) > CLICK;
          if (this.panned) this.scroll.scrollTo(scrollLeft - x, scrollTop - y);
        },
      };
    });
  }

  #hover(event) {
    const found = event && this.plan ? this.#nearest(this.#point(event)) : null;
    this.hot?.classList.remove('hot');
    this.hot = found?.element;
    this.hot?.classList.add('hot');
    this.svg.classList.toggle('pointing', Boolean(found));
    this.tip.show(found, event, this.model, this.root);
  }
}

function toSegment(x, y, { x1, y1, x2, y2 }) {
  if (y < Math.min(y1, y2) - 9 || y > Math.max(y1, y2) + 9) return Infinity;
  const [dx, dy] = [x2 - x1, y2 - y1];
  const part = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - part * dx, y - y1 - part * dy);
}
