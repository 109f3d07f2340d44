// Simulated runs, drawn like real ones; and the classic rule's disagreement beside the ratified rule's agreement.

import { Problem, call, complaint, simulate } from './api.js';
import { field, number, seed, select } from './run-form.js';
import { html, onceAtATime } from './dom.js';
import { View } from './run-view.js';

/** Fields in per cent; the agent and the command line take probabilities. */
const CHANCES = [
  ['drop', 'Lost, %', 'Of calls and answers'], ['duplicate', 'Doubled, %', 'Of calls'], ['crash', 'Crashes, %', 'Of steps: the agent comes back without its memory'],
  ['partition', 'Cuts, %', 'Of steps: links are cut for a while'], ['pause', 'Pauses, %', 'Of steps: the agent stands still for a while'], ['reset', 'Resets, %', 'Of steps'],
];

export class Simulation {
  constructor(host, { notice }) {
    Object.assign(this, { notice });
    this.form = html('form', { class: 'card simform', 'aria-label': 'A simulated run', onsubmit: (event) => { event.preventDefault(); this.#run(); } },
      field('Rule', select('rule', [['ratified', 'ratified'], ['classic', 'classic']])),
      field('Draw', select('draw', [['fresh', 'fresh'], ['plurality', 'plurality']])),
      field('Agents', number('agents', { min: 1, max: 9, value: 3, required: true })),
      field('Values 1 to', number('values', { min: 1, max: 1_000_000_000, value: 3, required: true })),
      field('Latency', select('latency', [['uniform', 'uniform'], ['tail', 'long tail'], ['constant', 'constant']])),
      CHANCES.map(([name, label, title]) => {
        const input = field(label, number(name, { min: 0, max: 100, step: 'any', value: 0, required: true }));
        input.title = title;
        return input;
      }),
      field('Seed', seed({ value: 1, required: true })),
      html('div', { class: 'simbuttons' },
        html('button', { type: 'submit', class: 'primary' }, 'Simulate'),
        html('button', { type: 'button', id: 'another', onclick: () => this.#another() }, 'Next seed'),
        html('button', { type: 'button', id: 'disagree', class: 'loud', onclick: () => this.#disagree() }, 'Show how the classic rule disagrees')));
    this.sentence = html('p', { class: 'sentence', role: 'status' });
    this.stages = html('div', { class: 'stages' });
    host.append(this.form, this.sentence, this.stages);
  }

  /** The tab is seen: at first with the run that the form describes. */
  opened() {
    if (!this.begun) this.#run();
  }

  #asked() {
    const asked = Object.fromEntries(new FormData(this.form));
    for (const [name] of CHANCES) asked[name] = fraction(Number(asked[name]));
    return asked;
  }

  #run() {
    if (!this.form.reportValidity()) return undefined;
    const asked = this.#asked();
    return this.#ask(async () => {
      const timeline = await simulate(asked);
      this.#say(timeline.sentence, command(asked));
      this.#show([[asked.rule, timeline]], asked);
    });
  }

  #another() {
    const { seed } = this.form.elements;
    seed.value = Number(seed.value) + 1;
    return this.#run();
  }

  #disagree() {
    return this.#ask(async () => {
      const { classic, ratified } = await call('/simulate/counterexample', { timeout: 30_000 });
      this.#say(classic.sentence);
      this.#show([['classic', classic], ['ratified', ratified]]);
    });
  }

  #ask(ask) {
    this.begun = true;
    return onceAtATime([...this.form.querySelectorAll('button')], async () => {
      this.notice();
      try {
        await ask();
      } catch (problem) {
        if (!(problem instanceof Problem) && !(problem instanceof TypeError) && problem.name !== 'TimeoutError') throw problem;
        this.notice(complaint(problem));
      }
    });
  }

  #say(sentence, line) {
    this.sentence.replaceChildren(sentence ?? '', ...(line ? [' ', html('code', {}, line)] : []));
  }

  #show(runs, asked) {
    const two = runs.length > 1;
    this.stages.replaceChildren();
    this.stages.classList.toggle('two', two);
    for (const [rule, timeline] of runs) {
      const stage = html('section', { class: 'stage', 'data-rule': rule, 'aria-label': `${rule} rule` });
      this.stages.append(stage);
      const detail = [];
      const view = new View(stage, {
        label: `Space-time diagram, ${rule} rule`, title: two ? `${rule} rule` : undefined,
        // The same question has the same answer, with more rounds told.
        unfold: (range) => this.#ask(async () => {
          detail.push(range);
          view.show(await simulate(asked, detail.slice(-8)));
        }),
      });
      if (two && rule !== 'classic') view.diagram.root.querySelector('h3').after(html('p', { class: 'aside' }, timeline.sentence));
      view.show(timeline);
    }
  }
}

/** Per cent as a probability, without the noise of binary fractions. */
const fraction = (percent) => String(Math.round(percent * 10_000) / 1_000_000);

/** The same world on the command line. */
function command(asked) {
  const standing = { rule: 'ratified', draw: 'fresh', agents: '3', values: '3', latency: 'uniform', seed: '' };
  const options = Object.entries(asked).filter(([name, value]) => value !== (standing[name] ?? '0')).map(([name, value]) => `--${name} ${value}`);
  return ['simulate', ...options].join(' ');
}
