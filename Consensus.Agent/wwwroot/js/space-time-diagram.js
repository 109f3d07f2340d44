// The space-time diagram of a run: it scrolls, zooms, describes what is below the pointer, and highlights one value.

import { chip, html, oncePerFrame, onPress, replaceIfChanged, svg } from './dom.js';
import { hintOf } from './hints.js';
import { LabelPlacement } from './label-placement.js';
import { LaneHeads } from './lane-heads.js';
import { layout } from './layout.js';
import { KIND_TERMS, legendButton } from './legend.js';
import { move } from './motion.js';
import { nearest } from './nearest.js';
import { makePrintable } from './print.js';
import { shareMenu } from './share.js';
import { arrowShape, background, endsOf, foldShape, markBox, markShape, partsOf, pendingShape, shortLabel } from './svg-shapes.js';
import { Tooltip } from './tooltip.js';
import { Verdict, verdictOf } from './verdict.js';
import { Viewport } from './viewport.js';
import { KINDS } from './vocabulary.js';
import { Why } from './why.js';

// With fewer arrows and marks, all of them are in the document at once.
const MAX_WHOLE = 400;

// A pointer may move this many pixels during a click.
const CLICK_DISTANCE = 4;

const ZOOMS = [0.5, 0.7, 1, 1.4, 2, 2.8, 4];

export class SpaceTimeDiagram {
  /**
   * @param {HTMLElement} host
   * @param {{label: string, unfold?: (range: {from: number, to: number}) => void, onResize: () => void}} options
   * `onResize` runs when the width has changed
   */
  constructor(host, { label, unfold, title, onResize, onMessages, address, tokens, onAgent, ask }) {
    Object.assign(this, { unfold, onResize, onMessages, address, tokens });
    this.zoom = 1;
    this.highlighted = null;
    // Kinds to show alone; none: all.
    this.shownKinds = new Set();
    this.buttons = new Map();
    this.verdict = new Verdict(Boolean(address));
    this.kinds = html('div', { class: 'kinds', role: 'group', 'aria-label': 'Message kinds to show alone' });
    this.values = html('div', { class: 'values', role: 'group', 'aria-label': 'Value to highlight' });
    this.zoomOut = html('button', { type: 'button', class: 'icon', 'aria-label': 'Zoom out', onclick: () => this.zoomBy(-1) }, '−');
    this.zoomIn = html('button', { type: 'button', class: 'icon', 'aria-label': 'Zoom in', onclick: () => this.zoomBy(1) }, '+');
    this.heads = new LaneHeads((lane) => this.#chooseLane(lane), onAgent);
    this.tray = html('div', { class: 'tray' });
    this.svg = svg('svg', { class: 'picture', role: 'img' });

    // The cover is a layer of its own, so a step moves it and repaints nothing else.
    this.cover = html('div', { class: 'cover', hidden: true });
    this.scroll = html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
      this.heads.root, html('div', { class: 'canvas' }, this.svg, this.cover, this.tray));
    this.tooltip = new Tooltip();
    this.why = new Why(ask, () => this.#styleAll());
    this.root = html('div', { class: 'diagram' }, title && html('h2', { class: 'title' }, title), this.verdict.root,
      html('div', { class: 'tools' }, this.kinds, this.values,
        html('div', { class: 'zoom' }, shareMenu(this), legendButton(), this.zoomOut, this.zoomIn)),
      this.scroll, this.why.root, this.tooltip.root);
    host.append(this.root);
    makePrintable(this);
    this.#addListeners();
  }

  /** Draws a model. The scroll position stays, unless the model is of another run. */
  show(model) {
    const another = this.model?.timeline.run !== model.timeline.run;
    const atEnd = this.scroll.scrollTop + this.scroll.clientHeight > this.scroll.scrollHeight - 60;
    this.model = model;
    const { tone, text, figures } = verdictOf(model.timeline);
    this.verdict.show(model, this.states, this.position);
    this.why.keepIn(model);
    this.svg.setAttribute('aria-label', `${text} ${figures ?? ''}`);
    this.#updateTools();
    this.draw(another ? () => 0 : atEnd && tone === 'open' ? (plan) => plan.height : undefined);
  }

  /** @param {(plan) => number} scrollTo the new scroll position; undefined keeps the position */
  draw(scrollTo) {
    const { model } = this;
    if (!model) return;
    const width = this.scroll.clientWidth;
    this.drawnWidth = width;
    const plan = this.plan = layout(model, { width, zoom: this.zoom, beside: this.beside?.(), tokens: this.tokens?.() });
    this.svg.setAttribute('width', plan.width);
    this.svg.setAttribute('height', plan.height);
    this.svg.setAttribute('viewBox', `0 0 ${plan.width} ${plan.height}`);
    this.heads.show(model.lanes, plan, this.lane, this.states);

    this.labels = new LabelPlacement(plan);
    this.targets = [];
    for (const arrow of model.arrows) {
      for (const ends of partsOf(endsOf(arrow, plan))) {
        this.targets.push({ arrow, ends, value: arrow.value, top: Math.min(ends.y1, ends.y2), bottom: Math.max(ends.y1, ends.y2) });
      }
    }
    for (const step of model.steps) {
      step.marks.forEach((mark, index) => {
        const box = markBox(mark, index, step, plan);
        this.labels.reserve(box);
        const [x, y] = [plan.x(step.lane), (box.top + box.bottom) / 2];
        this.targets.push({ mark, index, step, value: mark.value, top: box.top, bottom: box.bottom, x, y });
      });
    }
    this.lines = svg('g');
    this.above = svg('g');
    this.viewport = new Viewport(this.targets, this.targets.length < MAX_WHOLE,
      { add: (target) => this.#add(target), remove: ({ element, text }) => { element.remove(); text?.remove(); } });
    this.folds = plan.folds.map((fold) => this.#fold(fold));
    const requestOf = ({ id }) => model.arrows.find(({ message, response }) => message.id === id && !response);
    const pending = plan.tokens.filter((token) => token.response && requestOf(token)?.to)
      .map((token) => pendingShape(token, requestOf(token), plan));
    this.svg.replaceChildren(background(plan, model), ...this.folds, ...pending, this.lines, this.above);
    if (scrollTo) this.scroll.scrollTop = scrollTo(plan);
    this.#showTokens();
    this.coverAfter(this.position);
    this.#updateViewport();
    if (this.arrives) this.#moveTo(model.steps.at(-1));
    this.arrives = false;
  }

  /** Puts every arrow and mark into the document until the next drawing, for a copy of the whole picture. */
  showAll() {
    this.viewport.whole = true;
    this.viewport.first = this.viewport.last + 1;
    this.#updateViewport();
  }

  /** Shows the agents' states in the heads of the lanes and in the verdict. */
  showStates(states) {
    const key = (shown) => JSON.stringify(shown?.map(({ decision, down, learner }) => [decision?.value, down, learner]));
    const changed = key(states) !== key(this.states);
    this.states = states;
    if (this.model?.lanes.length !== states.length) return;
    if (changed) this.heads.show(this.model.lanes, this.plan, this.lane, states);
    this.verdict.show(this.model, states, this.position);
  }

  /** Covers everything after this many steps; undefined covers nothing. */
  coverAfter(count) {
    const { steps } = this.model;
    const [before, after] = [this.position, count].map((position) => position ?? steps.length);
    this.position = count;
    if (after === before + 1) this.#moveTo(steps[after - 1]);
    const step = count === undefined || count >= steps.length ? null : steps[Math.max(0, count - 1)];
    this.cover.hidden = !step;
    this.tray.hidden = Boolean(step);
    if (!step) return;
    const y = count === 0 ? 0 : step.bottom + 3;
    this.cover.style.transform = `translateY(${y}px)`;
    const { scrollTop, clientHeight } = this.scroll;
    if (y < scrollTop + 40 || y > scrollTop + clientHeight - this.heads.height - 60) this.scroll.scrollTop = y - clientHeight * 0.55;
  }

  /** Highlights one value; null, or the highlighted value again, ends the highlight. */
  highlight(value) {
    this.highlighted = value === this.highlighted ? null : value;
    this.#updateTools();
    this.#styleAll();
  }

  /** @param {boolean} [isFirst] whether this is the first of diagrams that zoom together */
  zoomBy(steps, isFirst = true) {
    const at = ZOOMS.indexOf(this.zoom) + steps;
    if (at < 0 || at >= ZOOMS.length) return;
    const middle = (this.scroll.scrollTop + this.scroll.clientHeight / 2) / Math.max(1, this.plan?.height ?? 1);
    this.zoom = ZOOMS[at];
    this.zoomOut.disabled = at === 0;
    this.zoomIn.disabled = at === ZOOMS.length - 1;
    if (isFirst) this.onZoom?.(steps);
    this.draw((plan) => middle * plan.height - this.scroll.clientHeight / 2);
  }

  /** Shows each message in flight in its receiver's lane. */
  #showTokens() {
    const focused = this.tray.contains(document.activeElement) ? document.activeElement.dataset.token : undefined;
    this.tray.replaceChildren(...this.plan.tokens.map(({ element, label, spoken, x, y }) => {
      element.replaceChildren(shortLabel(label, this.plan), html('span', { class: 'visually-hidden' }, spoken));
      element.style.maxWidth = `${this.plan.lane - 4}px`;
      element.style.transform = `translate(-50%, -50%) translate(${x}px, ${y}px)`;
      return element;
    }));
    if (focused) (this.tray.querySelector(`[data-token="${focused}"]`) ?? this.tray.firstChild ?? this.scroll).focus();
  }

  /** Moves the messages that arrive in a step along their arrows. */
  #moveTo(step) {
    if (step) move(this.targets.filter(({ arrow }) => arrow?.to === step), this.above);
  }

  #updateViewport() {
    this.viewport.update(this.scroll.scrollTop, this.scroll.scrollTop + this.scroll.clientHeight);
  }

  /** Adds an arrow or a mark. Arrows are below marks and labels. */
  #add(target) {
    const { arrow, mark, index, step, ends } = target;
    if (!target.element && arrow) Object.assign(target, arrowShape(arrow, ends, this.plan, this.labels));
    target.element ??= markShape(mark, index, step, this.plan);
    this.#style(target);
    (arrow ? this.lines : this.above).append(target.element);
    if (target.text) this.above.append(target.text);
  }

  #fold(fold) {
    const { element, roundAt } = foldShape(fold, this.plan);
    const open = (round) => this.unfold?.({
      from: Math.max(fold.from, Math.min(round - 4, fold.to - 9)),
      to: Math.min(fold.to, Math.max(round + 5, fold.from + 9)),
    });
    element.addEventListener('click', (event) => open(roundAt(this.#point(event).y)));
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      open(fold.from + 4);
    });
    return element;
  }

  #updateTools() {
    const counts = new Map();
    for (const arrow of this.model.arrows) if (!arrow.response) counts.set(arrow.kind, (counts.get(arrow.kind) ?? 0) + 1);
    replaceIfChanged(this.kinds, Object.keys(KINDS).filter((kind) => counts.has(kind)).map((kind) => {
      const button = this.#button(kind, { class: `kind k-${kind}`, ...hintOf(...KIND_TERMS[kind]) },
        () => this.#toggleKind(kind), html('i', { 'aria-hidden': 'true' }), `${KINDS[kind]} `, html('b'));
      button.setAttribute('aria-pressed', String(this.shownKinds.has(kind)));
      button.lastChild.textContent = counts.get(kind).toLocaleString('en');
      return button;
    }));
    const few = this.model.values.length > 1 && this.model.values.length <= 8;
    replaceIfChanged(this.values, (few ? this.model.values : this.highlighted ? [this.highlighted] : []).map((value) => {
      const button = this.#button(value, {}, () => this.highlight(value), chip(value));
      button.setAttribute('aria-label', `Highlight value ${value}`);
      button.setAttribute('aria-pressed', String(this.highlighted === value));
      return button;
    }));
  }

  /** The button of a kind or a value. Each button is made once, so that it keeps its focus. */
  #button(key, attributes, onclick, ...children) {
    if (!this.buttons.has(key)) this.buttons.set(key, html('button', { type: 'button', ...attributes, onclick }, ...children));
    return this.buttons.get(key);
  }

  /** Shows the messages of one agent alone; the same agent again shows all. */
  #chooseLane(lane) {
    this.lane = lane === this.lane ? undefined : lane;
    this.heads.show(this.model.lanes, this.plan, this.lane, this.states);
    this.#styleAll();
  }

  #isHidden({ kind, message }) {
    return (this.shownKinds.size > 0 && !this.shownKinds.has(kind))
      || (this.lane !== undefined && message.from !== this.lane && message.to !== this.lane);
  }

  #toggleKind(kind) {
    if (!this.shownKinds.delete(kind)) this.shownKinds.add(kind);
    this.#updateTools();
    this.#styleAll();
  }

  #style({ element, text, value, arrow, mark, step }) {
    const isLit = this.why.shown ? this.why.isPast(arrow ? arrow.to : step) : this.highlighted === null ? null : value === this.highlighted;
    element.classList.toggle('highlighted', isLit === true);
    const classes = mark ? Object.entries(this.why.classesOf(mark, this.model)) : [];
    for (const [name, holds] of classes) element.classList.toggle(name, Boolean(holds));
    for (const part of [element, text]) {
      part?.classList.toggle('dimmed', isLit === false);
      if (arrow) part?.classList.toggle('filtered', this.#isHidden(arrow));
    }
  }

  #styleAll() {
    if (this.viewport) for (const target of this.viewport.shown) this.#style(target);
  }

  #point(event) {
    const box = this.svg.getBoundingClientRect();
    // A style may scale the picture.
    const scale = this.plan ? box.width / this.plan.width : 1;
    return { x: (event.clientX - box.left) / scale, y: (event.clientY - box.top) / scale };
  }

  #nearest(point) {
    return nearest(this.targets ?? [], point, (arrow) => this.#isHidden(arrow));
  }

  #addListeners() {
    this.scroll.addEventListener('scroll', oncePerFrame(() => this.plan && this.#updateViewport()), { passive: true });
    new ResizeObserver(() => {
      if (this.model && this.scroll.clientWidth !== this.drawnWidth && this.scroll.clientWidth) this.onResize();
    }).observe(this.scroll);
    let lastMove = null;
    const hover = oncePerFrame(() => lastMove && this.#hover(lastMove));
    this.svg.addEventListener('pointermove', (event) => { lastMove = event; hover(); });
    this.svg.addEventListener('pointerleave', () => { lastMove = null; this.#hover(null); });
    this.svg.addEventListener('click', (event) => {
      const target = this.plan && !this.panned && this.#nearest(this.#point(event));
      if (target?.arrow && this.onMessages) this.onMessages([target.arrow], this.model);
      else if (target?.mark && this.why.ask) this.why.about({ ...target.mark, round: target.mark.round || undefined }, this.model);
      else if (target?.value) this.highlight(target.value);
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
      else if (event.key === 'Enter' && event.target === this.scroll)
        this.why.explain(this.model.steps[(this.position ?? this.model.steps.length) - 1], this.model);
      else if (event.key === 'Escape') {
        this.highlight(null);
        this.why.close();
      }
    });
    this.#pan();
  }

  /** Pans while a mouse drags; a touch scrolls natively. The end of a drag is no click. */
  #pan() {
    onPress(this.scroll, (start) => {
      this.panned = false;
      if (start.pointerType !== 'mouse') return {};
      const { scrollLeft, scrollTop } = this.scroll;
      return {
        onMove: (event) => {
          const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
          this.panned ||= Math.hypot(x, y) > CLICK_DISTANCE;
          if (this.panned) this.scroll.scrollTo(scrollLeft - x, scrollTop - y);
        },
      };
    });
  }

  #hover(event) {
    const target = event && this.plan ? this.#nearest(this.#point(event)) : null;
    this.hovered?.classList.remove('hovered');
    this.hovered = target?.element;
    this.hovered?.classList.add('hovered');
    this.svg.classList.toggle('pointing', Boolean(target));
    this.tooltip.show(target, event, this.model, this.root);
  }
}

