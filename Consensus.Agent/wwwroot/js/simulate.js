// Simulated runs, drawn like real ones; and the classic rule's disagreement beside the ratified rule's agreement.

import { Problem, call, complaint, simulate } from './api.js';
import { field, number, select } from './controls.js';
import { html } from './dom.js';
import { View } from './view.js';

export class Simulation {
  constructor(host, { notice }) {
    Object.assign(this, { notice });
    this.form = html('form', { class: 'card simform', 'aria-label': 'A simulated run', onsubmit: (event) => { event.preventDefault(); this.#run(); } },
      field('Rule', select('rule', [['ratified', 'ratified'], ['classic', 'classic']])),
      field('Agents', number('agents', { min: 1, max: 9, value: 3, required: true })),
      field('Values 1 to', number('values', { min: 1, max: 1000, value: 3, required: true })),
      field('Lost, %', number('drop', { min: 0, max: 90, value: 0, required: true })),
      field('Crashes, %', number('crash', { min: 0, max: 20, value: 0, required: true })),
      field('Seed', number('seed', { min: 0, max: 2_000_000_000, value: 1, required: true })),
      html('button', { type: 'submit', class: 'primary' }, 'Simulate'),
      html('button', { type: 'button', id: 'another', onclick: () => { this.form.elements.seed.value = Number(this.form.elements.seed.value) + 1; this.#run(); } }, 'Next seed'),
      html('button', { type: 'button', id: 'disagree', class: 'loud', onclick: () => this.#disagree() }, 'Show how the classic rule disagrees'));
    this.sentence = html('p', { class: 'sentence', role: 'status' });
    this.stages = html('div', { class: 'stages' });
    host.append(this.form, this.sentence, this.stages);
  }

  #run() {
    if (!this.form.reportValidity()) return;
    const asked = Object.fromEntries(new FormData(this.form));
    return this.#ask(async () => this.#show([[asked.rule, await simulate(asked)]]));
  }

  #disagree() {
    return this.#ask(async () => {
      const { classic, ratified } = await call('/simulate/counterexample', { timeout: 30_000 });
      this.#show([['classic', classic], ['ratified', ratified]]);
    });
  }

  async #ask(ask) {
    this.notice();
    for (const button of this.form.querySelectorAll('button')) button.disabled = true;
    try {
      await ask();
    } catch (problem) {
      if (!(problem instanceof Problem) && !(problem instanceof TypeError)) throw problem;
      this.notice(complaint(problem));
    } finally {
      for (const button of this.form.querySelectorAll('button')) button.disabled = false;
    }
  }

  #show(runs) {
    this.sentence.textContent = runs[0][1].sentence ?? '';
    this.stages.replaceChildren();
    this.stages.classList.toggle('two', runs.length > 1);
    for (const [rule, timeline] of runs) {
      const stage = html('section', { class: 'stage', 'data-rule': rule, 'aria-label': `${rule} rule` });
      this.stages.append(stage);
      new View(stage, { label: `Space-time diagram, ${rule} rule`, title: runs.length > 1 ? `${rule} rule` : undefined }).show(timeline);
    }
  }
}
