// The tab of simulated runs. It also shows how the classic rule disagrees and what a broken rule does wrong, each beside the
// ratified rule in the same schedule.

import { call, errorText, getMutants, isFailedCall, queryText, simulate } from './api.js';
import { html, whileBusy } from './dom.js';
import { describeArrow, plural } from './format.js';
import { hintOf } from './hints.js';
import { DRAW_TERMS, RULE_TERMS, field, number, seed, select } from './run-form.js';
import { RunView } from './run-view.js';

/** Fields in per cent. The agent and the command line take probabilities from 0 to 1. */
const PROBABILITIES = [
  ['drop', 'Drop, %', 'Probability for each call and each response'], ['duplicate', 'Duplicate, %', 'Probability for each call'],
  ['crash', 'Crash, %', 'Probability for each step; the agent restarts without its state'], ['partition', 'Partition, %', 'Probability for each step'],
  ['pause', 'Pause, %', 'Probability for each step'], ['reset', 'Reset, %', 'Probability for each step'],
];

export class SimulationView {
  constructor(host, { notice }) {
    Object.assign(this, { notice });
    this.form = html('form', { class: 'card simulation-form', 'aria-label': 'A simulated run', onsubmit: (event) => { event.preventDefault(); this.#run(); } },
      field('Rule', RULE_TERMS, select('rule', [['ratified', 'ratified'], ['classic', 'classic']])),
      field('Draw', DRAW_TERMS, select('draw', [['fresh', 'fresh'], ['plurality', 'plurality']])),
      field('Agents', ['agent'], number('agents', { min: 1, max: 9, value: 3, required: true })),
      field('Values 1 to', ['value'], number('values', { min: 1, max: 1_000_000_000, value: 3, required: true })),
      field('Latency', ['latency'], select('latency', [['uniform', 'uniform'], ['tail', 'long tail'], ['constant', 'constant']])),
      PROBABILITIES.map(([name, label, title]) => field(label, [name], number(name, { min: 0, max: 100, step: 'any', value: 0, required: true, title }))),
      field('Seed', ['seed'], seed({ value: 1, required: true })),
      field('Broken rule', ['mutant'], this.mutant = select('mutant', [['', 'none']])),
      this.description = html('p', { class: 'broken-rule', 'aria-live': 'polite' }),
      html('div', { class: 'simulation-buttons' },
        html('button', { type: 'submit', class: 'primary' }, 'Simulate'),
        html('button', { type: 'button', id: 'next-seed', onclick: () => this.#nextSeed() }, 'Next seed'),
        this.breaking = html('button', { type: 'button', id: 'counterexample', class: 'danger', ...hintOf('counterexample'), onclick: () => this.#showCounterexample() }),
        html('button', { type: 'button', id: 'open-file', title: 'A run that Share saved as JSON, or that conform --timeline FILE wrote', onclick: () => this.file.click() }, 'Open a file')));
    this.file = html('input', { type: 'file', accept: '.json', hidden: true, onchange: () => this.#openFile() });
    this.mutant.addEventListener('change', () => this.#describeMutant());
    this.#describeMutant();
    this.sentence = html('p', { class: 'sentence', role: 'status' });
    this.changing = html('p', { class: 'changing', role: 'status' });
    this.changes = [];
    this.stages = html('div', { class: 'stages' });
    host.append(this.form, this.file, this.sentence, this.changing, this.stages);
  }

  /** Opens the tab. The first time, it simulates the run of the address, or of the form. */
  async open() {
    if (this.opened) return;
    this.opened = true;
    const asked = new URLSearchParams(location.hash.split('?')[1]);
    for (const [name, value] of asked) {
      if (this.form.elements[name]) this.form.elements[name].value = PROBABILITIES.some(([chance]) => chance === name) ? Number(value) * 100 : value;
    }
    this.changes = asked.getAll('change');
    const mutants = this.#loadMutants(asked.get('mutant'));
    if (asked.has('mutant')) await mutants;
    this.#run(true);
  }

  async #loadMutants(chosen) {
    this.mutants = await getMutants();
    this.mutant.append(...this.mutants.map(({ name }) => html('option', { value: name, selected: name === chosen }, name.replaceAll('-', ' '))));
    this.#describeMutant();
  }

  #describeMutant() {
    const chosen = this.mutants?.find(({ name }) => name === this.mutant.value);
    this.description.textContent = chosen?.description ?? '';
    this.breaking.textContent = chosen ? 'Show what goes wrong' : 'Show how the classic rule disagrees';
  }

  #query() {
    const query = Object.fromEntries(new FormData(this.form));
    for (const [name] of PROBABILITIES) query[name] = probability(Number(query[name]));
    if (!query.mutant) delete query.mutant;
    if (this.changes.length) query.change = this.changes;
    return query;
  }

  #run(keepsChanges = false) {
    if (!this.form.reportValidity()) return undefined;
    if (!keepsChanges) this.changes = [];
    const query = this.#query();
    return this.#send(async () => {
      this.latest = query;
      const timeline = await simulate(query);
      if (this.latest !== query) return;
      this.#describe(timeline.sentence, this.changes.length ? undefined : commandOf(query));
      this.changing.replaceChildren(...(this.changes.length ? this.#undo() : ['Click a message to lose, delay or duplicate it.']));
      this.#show([[query.rule, timeline]], query);

      // A link to this address shows the same run.
      if (!document.body.classList.contains('embed')) history.replaceState(null, '', `/#simulate?${queryText(query)}`);
    });
  }

  /** Offers to lose, delay or duplicate a message. The run then goes on from there. */
  #offerChanges(arrow, { lanes }) {
    const { id } = arrow.message;
    const choices = [['lose', 'Lose it'], ['delay', 'Delay it by 400 ms'], ['duplicate', 'Deliver it twice']].map(([change, label]) =>
      html('button', { type: 'button', 'data-change': change, onclick: () => { this.changes = [...this.changes.filter((known) => !known.startsWith(`${id}-`)), `${id}-${change}`]; this.#run(true); } }, label));
    this.changing.replaceChildren(`${describeArrow({ ...arrow, response: false, kind: arrow.message.kind }, lanes).title}: `, ...choices, ...this.#undo());
    choices[0].focus();
  }

  #undo() {
    return this.changes.length ? [html('button', { type: 'button', onclick: () => this.#run() }, `Undo ${plural(this.changes.length, 'change')}`)] : [];
  }

  #nextSeed() {
    const { seed } = this.form.elements;
    seed.value = Number(seed.value) + 1;
    return this.#run();
  }

  #showCounterexample() {
    return this.#send(async () => {
      if (this.mutant.value) {
        const { mutant, broken, ratified } = await call(`/simulate/mutants/${this.mutant.value}`, { timeout: 60_000 });
        this.#describe(`${mutant.description} ${broken.sentence}`);
        this.#show([['broken', broken], ['ratified', ratified]]);
      } else {
        const { classic, ratified } = await call('/simulate/counterexample', { timeout: 30_000 });
        this.#describe(classic.sentence);
        this.#show([['classic', classic], ['ratified', ratified]]);
      }
    });
  }

  async #openFile() {
    const [file] = this.file.files;
    this.latest = file;
    this.notice();
    try {
      const timeline = JSON.parse(await file.text());
      this.#show([['observed', timeline]]);
      this.#describe(timeline.sentence);
    } catch {
      this.stages.replaceChildren();
      this.#describe();
      this.notice(`${file.name} holds no run: choose a file that Share saved as JSON, or that conform --timeline FILE wrote.`);
    }

    // Without this the same file could not be opened again.
    this.file.value = '';
  }

  #send(request) {
    return whileBusy([...this.form.querySelectorAll('button')], async () => {
      this.notice();
      try {
        await request();
      } catch (problem) {
        if (!isFailedCall(problem)) throw problem;
        this.notice(errorText(problem));
      }
    });
  }

  #describe(sentence, command) {
    this.sentence.replaceChildren(sentence ?? '', ...(command ? [' ', html('code', {}, command)] : []));
  }

  #show(runs, query) {
    const two = runs.length > 1;
    this.stages.replaceChildren();
    this.stages.classList.toggle('two', two);
    for (const [rule, timeline] of runs) {
      const name = rule === 'observed' ? 'observed run' : `${rule} rule`;
      const stage = html('section', { class: 'stage', 'data-rule': rule, 'aria-label': name });
      this.stages.append(stage);
      const detail = [];
      const view = new RunView(stage, {
        label: `Space-time diagram, ${name}`, title: two ? name : undefined,
        onMessage: query && ((arrow, model) => this.#offerChanges(arrow, model)),
        // The same query gives the same run, now with the events of these rounds.
        unfold: query && ((range) => this.#send(async () => {
          detail.push(range);
          view.show(await simulate(query, detail.slice(-8)));
        })),
      });
      if (two && rule === 'ratified') view.diagram.root.querySelector('h3').after(html('p', { class: 'explanation' }, timeline.sentence));
      view.show(timeline);
    }
  }
}

/** Per cent as a probability, rounded so that binary fractions do not show. */
const probability = (percent) => String(Math.round(percent * 10_000) / 1_000_000);

/** The command that runs the same simulation. */
function commandOf({ mutant, ...query }) {
  if (mutant) return undefined;
  const defaults = { rule: 'ratified', draw: 'fresh', agents: '3', values: '3', latency: 'uniform', seed: '' };
  const options = Object.entries(query).filter(([name, value]) => value !== (defaults[name] ?? '0')).map(([name, value]) => `--${name} ${value}`);
  return ['simulate', ...options].join(' ');
}
