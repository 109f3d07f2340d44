// Step through a run: a slider over its moments, forward, back and by itself.

import { duration, html } from './dom.js';
import { describeStep } from './format.js';

const PLAY_MS = 6000;

export class Stepper {
  /** @param {HTMLElement} host @param {() => void} moved called after `at` has changed: the number of steps shown; undefined at the end */
  constructor(host, moved) {
    this.moved = moved;
    this.at = undefined;
    const button = (label, text, act) => html('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act }, text);
    this.slider = html('input', { type: 'range', min: 0, max: 0, value: 0, 'aria-label': 'Moment of the run', oninput: () => { this.stop(); this.go(Number(this.slider.value)); } });
    this.play = button('Play', '▷', () => this.playing ? this.stop() : this.start());
    this.say = html('p', { class: 'say', 'aria-live': 'polite' });
    this.root = html('div', { class: 'stepper', role: 'group', 'aria-label': 'Step through the run' },
      button('To the beginning', '|◀', () => this.go(0)), button('One step back', '◂', () => this.go(this.count - 1)), this.play,
      button('One step forward', '▸', () => this.go(this.count + 1)), button('To the end', '▶|', () => this.go(Infinity)), this.slider, this.say);
    host.append(this.root);
  }

  get count() { return this.at ?? this.model?.steps.length ?? 0; }

  /** Another state of the same run keeps the place; another run begins at its end, as it stands now. */
  show(model) {
    if (this.model?.timeline.run !== model.timeline.run) {
      this.at = undefined;
      this.stop();
    }
    this.model = model;
    this.root.hidden = model.steps.length === 0;
    this.slider.max = model.steps.length;
    this.#tell();
  }

  go(count) {
    const end = this.model?.steps.length ?? 0;
    const at = Math.max(0, Math.min(end, count));
    this.at = at === end ? undefined : at;
    if (this.at === undefined) this.stop();
    this.#tell();
    this.moved();
  }

  start() {
    if (this.at === undefined) this.go(0);
    this.play.textContent = '❚❚';
    this.play.setAttribute('aria-label', 'Pause');
    const pause = Math.max(60, Math.min(400, PLAY_MS / Math.max(1, this.model.steps.length)));
    this.playing = setInterval(() => this.go(this.count + 1), pause);
  }

  stop() {
    clearInterval(this.playing);
    this.playing = undefined;
    this.play.textContent = '▷';
    this.play.setAttribute('aria-label', 'Play');
  }

  #tell() {
    const { count, model } = this;
    this.slider.value = count;
    const step = model.steps[count - 1];
    const happens = step && describeStep(step, model.lanes);
    this.slider.setAttribute('aria-valuetext', step ? `Step ${count} of ${model.steps.length}: ${happens}` : 'Before the first step');

    // A screen reader reads the value text of a focused slider. A live region would repeat it.
    this.say.setAttribute('aria-live', document.activeElement === this.slider ? 'off' : 'polite');
    this.say.replaceChildren(...(step
      ? [html('b', {}, `${count}/${model.steps.length} · ${duration(Math.max(0, step.t))}`), ` ${happens}`]
      : [model.steps.length ? 'Before the first step.' : '']));
  }
}
