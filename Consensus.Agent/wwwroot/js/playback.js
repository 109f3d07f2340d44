// Playback of a run: a slider over its steps, and buttons to step and to play.

import { html } from './dom.js';
import { describeStep, duration } from './format.js';
import { questionOf } from './why.js';

const PLAY_MS = 6000;

export class Playback {
  /**
   * @param {HTMLElement} host
   * @param {{onMove: () => void, onMessages?: (arrows: object[], model: object) => void, step?: number,
   * describe?: (step: object) => string, explore?: (step: object, model: object) => string | undefined}} options `onMove` runs after
   * a change of `position`: the number of steps shown; undefined at the end. `step` is the position of the first run. `onMessages`
   * offers what can be done to the messages of a step. `explore` is the address of the explorer at a step, and `onWhy` explains a step
   */
  constructor(host, { onMove, onMessages, step, explore, onWhy, describe = (shown) => describeStep(shown, this.model.lanes) }) {
    Object.assign(this, { onMove, onMessages, onWhy, describe, explore, first: step });
    this.position = undefined;
    const button = (label, text, act) =>
      html('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act }, text);
    this.slider = html('input', {
      type: 'range', min: 0, max: 0, value: 0, 'aria-label': 'Step of the run',
      oninput: () => { this.stop(); this.go(Number(this.slider.value)); },
    });
    this.play = button('Play', '▷', () => this.timer ? this.stop() : this.start());
    this.text = html('p', { class: 'step-text', 'aria-live': 'polite' });
    this.change = html('button', {
      type: 'button', class: 'change-step', hidden: true, onclick: () => onMessages(messagesOf(this.step), this.model),
    }, 'Change a message of this step');
    this.why = html('button', { type: 'button', class: 'why-step', hidden: true, onclick: () => onWhy(this.step) }, 'Why?');
    this.link = html('a', {
      class: 'explore-from', hidden: true,
      title: 'Choose what happens next from this step on, with the messages that are in flight',
    }, 'Explore from here');
    this.root = html('div', { class: 'playback', role: 'group', 'aria-label': 'Step through the run' },
      button('To the beginning', '|◀', () => this.go(0)), button('One step back', '◂', () => this.go(this.count - 1)), this.play,
      button('One step forward', '▸', () => this.go(this.count + 1)),
      button('To the end', '▶|', () => this.go(Infinity)), this.slider, this.why, this.change, this.link, this.text);
    host.append(this.root);
  }

  get step() { return this.model.steps[this.count - 1]; }

  get count() { return this.position ?? this.model?.steps.length ?? 0; }

  /** A new model of the same run keeps the position. Another run starts at its end. */
  show(model) {
    if (this.model?.timeline.run !== model.timeline.run) {
      const { length } = model.steps;
      this.position = this.first < length ? this.first : undefined;
      if (length) this.first = undefined;
      this.stop();
    }
    this.model = model;
    this.root.hidden = model.steps.length === 0;
    this.slider.max = model.steps.length;
    this.#update();
  }

  go(count) {
    const end = this.model?.steps.length ?? 0;
    const position = Math.max(0, Math.min(end, count));
    this.position = position === end ? undefined : position;
    if (this.position === undefined) this.stop();
    this.#update();
    this.onMove();
  }

  start() {
    if (this.position === undefined) this.go(0);
    this.play.textContent = '❚❚';
    this.play.setAttribute('aria-label', 'Pause');
    const interval = Math.max(60, Math.min(400, PLAY_MS / Math.max(1, this.model.steps.length)));
    this.timer = setInterval(() => this.go(this.count + 1), interval);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.play.textContent = '▷';
    this.play.setAttribute('aria-label', 'Play');
  }

  #update() {
    const { count, model, step } = this;
    this.slider.value = count;
    const explored = step && this.explore?.(step, model);
    this.link.hidden = !explored;
    if (explored) this.link.href = explored;
    this.why.hidden = !this.onWhy || !questionOf(step);
    this.change.hidden = !this.onMessages || !step || messagesOf(step).length === 0;
    const description = step && this.describe(step);
    this.slider.setAttribute('aria-valuetext', step ? `Step ${count} of ${model.steps.length}: ${description}` : 'Before the first step');

    // A screen reader reads the value text of a focused slider. A live region would repeat it.
    this.text.setAttribute('aria-live', document.activeElement === this.slider ? 'off' : 'polite');
    this.text.replaceChildren(...(step
      ? [html('b', {}, `${count}/${model.steps.length} · ${duration(Math.max(0, step.at_ms))}`), ` ${description}`]
      : [model.steps.length ? 'Before the first step.' : '']));
  }
}

/** The messages that a step sends or receives. */
const messagesOf = ({ received, responses, sent }) => [...received, ...responses, ...sent];
