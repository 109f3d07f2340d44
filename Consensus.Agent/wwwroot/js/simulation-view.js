// The tab of simulated runs. It also shows how the classic rule disagrees and what a broken rule does wrong, each beside the
// ratified rule in the same schedule.

import { readAddress, showAddressSoon, stepOf } from './address.js';
import { call, errorText, getMutants, isFailedCall, queryText, simulate } from './api.js';
import { fillForm, html } from './dom.js';
import { describeArrow, plural } from './format.js';
import { hintOf } from './hints.js';
import { field, number, optionField, select } from './run-form.js';
import { RunPair } from './pair.js';
import { RunFileError, readRun } from './run-file.js';
import { RunView } from './run-view.js';
import { queryOf } from './why.js';

/** Fields in per cent. The agent and the command line take probabilities from 0 to 1. */
const PROBABILITIES = [
  ['drop', 'Drop, %', 'Probability for each call and each response'], ['duplicate', 'Duplicate, %', 'Probability for each call'],
  ['crash', 'Crash, %', 'Probability for each step; the agent restarts without its state'],
  ['partition', 'Partition, %', 'Probability for each step'],
  ['pause', 'Pause, %', 'Probability for each step'], ['reset', 'Reset, %', 'Probability for each step'],
];

const CHANGES = [['lose', 'Lose it'], ['delay', 'Delay it by 400 ms'], ['duplicate', 'Deliver it twice']];
const RESPONSE_CHANGES = [['lose_response', 'Lose it'], ['delay_response', 'Delay it by 400 ms']];

export class SimulationView {
  constructor(host, { notice }) {
    Object.assign(this, { host, notice, changes: [], query: {} });
    const onsubmit = (event) => { event.preventDefault(); this.#run(); };
    this.form = html('form', { class: 'card simulation-form', 'aria-label': 'A simulated run', onsubmit },
      optionField('rule'),
      optionField('draw'),
      field('Agents', ['agent'], number('agents', { min: 1, max: 9, value: 3, required: true })),
      optionField('values', { value: 3, required: true }),
      optionField('spread', { open: 'auto' }),
      field('Latency', ['latency'], select('latency', [['uniform', 'uniform'], ['tail', 'long tail'], ['constant', 'constant']])),
      PROBABILITIES.map(
        ([name, label, title]) => field(label, [name], number(name, { min: 0, max: 100, step: 'any', value: 0, required: true, title }))),
      optionField('seed', { value: 1, required: true }),
      field('Broken rule', ['mutant'], this.mutant = select('mutant', [['', 'none']])),
      this.description = html('p', { class: 'broken-rule', 'aria-live': 'polite' }),
      html('div', { class: 'simulation-buttons' },
        html('button', { type: 'submit', class: 'primary' }, 'Simulate'),
        html('button', { type: 'button', id: 'next-seed', onclick: () => this.#nextSeed() }, 'Next seed'),
        this.breaking = html('button', {
          type: 'button', id: 'counterexample', class: 'danger', ...hintOf('counterexample'),
          onclick: () => this.#showCounterexample(),
        }),
        html('button', {
          type: 'button', id: 'open-file',
          title: 'A run that Share saved as JSON, or that conform --timeline FILE wrote',
          onclick: () => this.file.click(),
        }, 'Open a file')));
    this.defaults = Object.fromEntries(new FormData(this.form));
    this.file = html('input', { type: 'file', accept: '.json', hidden: true, onchange: () => this.#openFile() });
    this.mutant.addEventListener('change', () => this.#describeMutant());
    this.#describeMutant();
    this.sentence = html('p', { class: 'sentence', role: 'status' });
    this.changing = html('p', { class: 'changing', role: 'status', tabindex: -1 });
    this.stages = html('div', { class: 'stages' });
    host.append(this.form, this.file, this.sentence, this.changing, this.stages);
  }

  /** Shows what the address names; at first also the run of the form. */
  async open() {
    const named = readAddress().query.toString();
    if (this.opened && (!named || named === this.asked || named === this.#entries().toString())) {
      this.#remember();
      return;
    }
    const asked = new URLSearchParams(named);
    const { ending } = this;
    await this.#loadMutants();
    Object.assign(this, { opened: true, asked: named });

    // A button that was pressed meanwhile is what the person wants to see.
    if (this.ending !== ending) return;
    Object.assign(this, { changes: asked.getAll('change'), step: stepOf(asked.get('step')) });
    const broken = asked.get('counterexample');
    const values = Object.fromEntries([...asked].filter(([name]) => name in this.defaults)
      .map(([name, value]) => [name, PROBABILITIES.some(([chance]) => chance === name) ? Number(value) * 100 : value]));
    this.refused = fillForm(this.form, { ...this.defaults, ...values, ...(broken ? { mutant: broken } : {}) });
    this.#describeMutant();
    await (broken === null ? this.#run(true) : this.#showCounterexample(broken));
  }

  async #loadMutants() {
    if (this.mutants) return;
    this.mutants = await getMutants();
    this.mutant.append(...this.mutants.map(({ name }) => html('option', { value: name }, name.replaceAll('-', ' '))));
  }

  #describeMutant() {
    const chosen = this.mutants?.find(({ name }) => name === this.mutant.value);
    this.description.textContent = chosen?.description ?? '';
    this.breaking.textContent = chosen ? 'Show what goes wrong' : 'Show how the classic rule disagrees';
  }

  #query() {
    const query = { ...Object.fromEntries(new FormData(this.form)), ...this.refused };
    for (const [name] of PROBABILITIES) query[name] = probability(Number(query[name]));
    for (const name of ['mutant', 'spread']) if (!query[name]) delete query[name];
    if (this.changes.length) query.change = this.changes;
    return query;
  }

  #run(keepsChanges = false) {
    if (!keepsChanges) {
      if (!this.form.reportValidity()) return undefined;
      Object.assign(this, { changes: [], refused: {} });
    }
    const query = this.#query();
    return this.#send(async (signal) => {
      const timeline = await simulate(query, { signal });
      this.#describe(timeline.sentence, this.changes.length ? undefined : commandOf(query));
      const focused = this.changing.contains(document.activeElement);
      this.changing.replaceChildren(...(this.changes.length ? this.#undo() : ['Click a message to lose, delay or duplicate it.']));
      if (focused) this.changing.focus();
      this.#show([[query.rule, timeline]], query);
    });
  }

  /** Offers to lose, delay or duplicate messages. The run then goes on from there. */
  #offerChanges(arrows, { lanes }) {
    const rows = arrows.map((arrow) => {
      const { title } = describeArrow(arrow, lanes);
      return html('span', {}, `${title}: `, (arrow.response ? RESPONSE_CHANGES : CHANGES).map(([change, label]) =>
        html('button', {
          type: 'button', 'data-change': change, 'aria-label': `${label}: ${title}`,
          onclick: () => this.#change(arrow.message.id, change),
        }, label)));
    });
    this.changing.replaceChildren(...rows, ...this.#undo());
    this.changing.querySelector('button').focus();
  }

  #change(id, change) {
    this.changes = [...this.changes.filter((known) => !known.startsWith(`${id}-`)), `${id}-${change}`];
    return this.#run(true);
  }

  #undo() {
    return this.changes.length
      ? [html('button', { type: 'button', onclick: () => this.#run() }, `Undo ${plural(this.changes.length, 'change')}`)] : [];
  }

  #nextSeed() {
    const { seed } = this.form.elements;
    seed.value = Number(seed.value) + 1;
    return this.#run();
  }

  #showCounterexample(name = this.mutant.value) {
    return this.#send(async (signal) => {
      if (name) {
        const path = `simulate/mutants/${encodeURIComponent(name)}`;
        const { mutant, broken, ratified } = await call(path, { timeout: 60_000, signal });
        this.#describe(`${mutant.description} ${broken.sentence}`);
        this.#show([['broken', broken], ['ratified', ratified]], { counterexample: mutant.name }, path);
      } else {
        const { classic, ratified } = await call('simulate/counterexample', { timeout: 30_000, signal });
        this.#describe(classic.sentence);
        this.#show([['classic', classic], ['ratified', ratified]], { counterexample: '' }, 'simulate/counterexample');
      }
    });
  }

  async #openFile() {
    const [file] = this.file.files;
    this.ending?.abort();
    this.notice();
    try {
      const timeline = readRun(await file.text());
      this.#show([['observed', timeline]]);
      this.#describe(timeline.sentence);
    } catch (problem) {
      if (!(problem instanceof RunFileError)) throw problem;
      this.stages.replaceChildren();
      this.#describe();
      this.notice(`${file.name} cannot be shown: ${problem.message}. `
        + 'Choose a file that Share saved as JSON, or that conform --timeline FILE wrote.');
    }

    // Without this the same file could not be opened again.
    this.file.value = '';
  }

  /** Sends a request, which ends the one before it. */
  async #send(request) {
    this.ending?.abort();
    const { signal } = this.ending = new AbortController();
    this.notice();
    this.stages.setAttribute('aria-busy', 'true');
    try {
      await request(signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (!isFailedCall(problem)) throw problem;
      this.notice(errorText(problem));
    } finally {
      if (!signal.aborted) this.stages.removeAttribute('aria-busy');
    }
  }

  #describe(sentence, command) {
    this.sentence.replaceChildren(sentence ?? '', ...(command ? [' ', html('code', {}, command)] : []));
  }

  /** @param {object} query what the address names; nothing for a file @param {string} path where two runs come from */
  #show(runs, query = {}, path) {
    const { step } = this;
    Object.assign(this, { step: undefined, position: undefined, query });
    this.stages.replaceChildren();
    this.stages.classList.toggle('two', runs.length > 1);
    const changeable = Boolean(query.seed);
    if (!changeable) {
      this.changes = [];
      this.changing.replaceChildren();
    }
    const placed = runs.map(([rule, timeline]) => {
      const name = rule === 'observed' ? 'observed run' : `${rule} rule`;
      const stage = html('section', { class: 'stage', 'data-rule': rule, 'aria-label': name });
      this.stages.append(stage);
      return { name, stage, timeline, options: {
        label: `Space-time diagram, ${name}`,
        ask: path && (async (question) => (await call(`${path}?${queryText({ why: queryOf(question) })}`))[rule].explanation),
      } };
    });
    const onMove = (position) => {
      this.position = position;
      this.#remember();
    };
    if (runs.length === 1) this.#showOne(placed[0], step, changeable, onMove);
    else this.#showTwo(placed, step, onMove);
  }

  #showOne({ stage, timeline, options }, step, changeable, onMove) {
    const { query } = this;
    const detail = [];
    const view = new RunView(stage, {
      ...options, step,
      ask: changeable && (async (question) => (await simulate({ ...query, why: queryOf(question) })).explanation),
      onStates: (model, states, position) => onMove(position),
      onMessages: changeable ? (arrows, model) => this.#offerChanges(arrows, model) : undefined,
      // The same query gives the same run, now with the events of these rounds.
      unfold: changeable && ((range) => this.#send(async (signal) => {
        detail.push(range);
        view.show(await simulate(query, { detail: detail.slice(-8), signal }));
      })),
    });
    view.show(timeline);
  }

  #showTwo(placed, step, onMove) {
    const runs = placed.map((run) => ({ ...run, options: { ...run.options, title: run.name } }));
    const pair = new RunPair(this.stages, runs, { step, onMove });
    const last = pair.views.at(-1);
    last.diagram.root.querySelector('.title').after(html('p', { class: 'explanation' }, last.model.timeline.sentence));
    onMove(pair.playback.position);
  }

  /** A link to the address shows the same run at the same step. */
  #remember() {
    showAddressSoon('simulate', [...this.#entries()]);
  }

  #entries() {
    return new URLSearchParams(queryText({ ...this.query, ...(this.position === undefined ? {} : { step: this.position }) }));
  }
}

/** Per cent as a probability, rounded so that binary fractions do not show. */
const probability = (percent) => String(Math.round(percent * 10_000) / 1_000_000);

/** The command that runs the same simulation. */
function commandOf({ mutant, ...query }) {
  if (mutant) return undefined;
  const defaults = { rule: 'ratified', draw: 'fresh', agents: '3', values: '3', latency: 'uniform', seed: '' };
  const options = Object.entries(query).filter(([name, value]) => value !== (defaults[name] ?? '0'))
    .map(([name, value]) => `--${name} ${value}`);
  return ['simulate', ...options].join(' ');
}
