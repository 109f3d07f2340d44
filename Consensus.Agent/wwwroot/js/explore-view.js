// The tab in which a person chooses what happens next. The address names the state, so that a link to it can be shared.

import { readAddress, showAddress } from './address.js';
import { getMutants } from './api.js';
import { fillForm, html } from './dom.js';
import { duration } from './format.js';
import { hintOf } from './hints.js';
import { field, number, optionField, select } from './run-form.js';
import { Explorer } from './explorer.js';
import { MAX_EXPLORED } from './vocabulary.js';

const GOALS = [['decision', 'a decision'], ['later', 'a decision in round 2'],
  ['adoption', 'an adopted value'], ['copy', 'a copied value'], ['stall', 'a stall'],
  ['disagreement', 'a disagreement'], ['violation', 'a violated property']];
const DEFAULTS = { rule: 'ratified', agents: '3', values: '3', spread: '', mutant: '' };

export class ExploreView {
  /** @param {HTMLElement} host @param {{notice: (text?: string) => void}} options */
  constructor(host, { notice }) {
    const button = (label, act, attributes) => html('button', { type: 'button', onclick: act, ...attributes }, label);
    this.restarts = 0;
    this.mutant = select('mutant', [['', 'none']]);
    this.description = html('p', { class: 'broken-rule', 'aria-live': 'polite' });
    const goal = html('select', { name: 'goal', 'aria-label': 'What to reach' },
      GOALS.map(([value, text]) => html('option', { value }, text)));
    this.form = html('form', {
      class: 'card simulation-form', 'aria-label': 'What to explore', onsubmit: (event) => event.preventDefault(),
      onchange: ({ target }) => { if (target !== goal) this.#restart(); },
    },
      this.origin = html('p', { class: 'explored-run', hidden: true }),
      ...this.fields = [
        optionField('rule'),
        field('Agents', ['agent'], number('agents', { min: 1, max: MAX_EXPLORED.agents, value: 3, required: true })),
        optionField('values', { max: MAX_EXPLORED.values, value: 3, required: true }),
        optionField('spread', { open: 'auto' }),
        field('Broken rule', ['mutant'], this.mutant)],
      this.description,
      html('div', { class: 'simulation-buttons' },
        this.backButton = button('Back', () => this.explorer.back(), { id: 'explore-back' }),
        this.forwardButton = button('Forward', () => this.explorer.forward(), { id: 'explore-forward' }),
        button('Start over', () => this.#restart()), button('Surprise me', () => this.explorer.surprise(), { id: 'surprise' }),
        html('span', { class: 'seek' },
          button('Show the shortest way to', () => this.explorer.seek(goal.value), { id: 'seek', ...hintOf('counterexample') }), goal)));
    host.append(this.form);
    this.explorer = new Explorer(host, { notice, onPath: (path, state, isStep) => this.#remember(path, isStep) });
    host.addEventListener('keydown', (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest('input, select, .scroll')) return;
      if (event.key === 'ArrowLeft') this.explorer.back();
      else if (event.key === 'ArrowRight') this.explorer.forward();
    });
  }

  /** Shows what the address names. */
  async open() {
    const { query } = readAddress();
    const { restarts } = this;
    this.mutants ??= await getMutants();
    if (this.mutant.options.length === 1) {
      this.mutant.append(...this.mutants.map(({ name }) => html('option', { value: name }, name.replaceAll('-', ' '))));
    }

    // An option that was chosen meanwhile is what the person wants to see.
    if (this.restarts !== restarts) return;
    this.from = query.has('run') ? { run: query.get('run'), at: query.get('at') ?? '' } : undefined;
    this.refused = fillForm(
      this.form, Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query.get(name) ?? value])));
    this.#describe();
    await this.explorer.show(this.#query(), query.get('path') ?? '');
  }

  #query() {
    return this.from
      ?? { ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, this.form.elements[name].value])), ...this.refused };
  }

  #restart() {
    this.restarts += 1;
    this.from = undefined;
    this.refused = {};
    if (!this.form.reportValidity()) return;
    this.#describe();
    this.explorer.show(this.#query(), '', true);
  }

  /** Says what the chosen rule breaks, or which recorded run the path goes on from. That run has its own options. */
  #describe() {
    this.origin.hidden = !this.from;
    if (this.from) {
      this.origin.replaceChildren('From run ', html('code', {}, this.from.run), `, ${duration(Number(this.from.at))} after its start.`);
    }
    for (const option of this.fields) option.hidden = Boolean(this.from);
    this.description.textContent = this.from ? '' : this.mutants?.find(({ name }) => name === this.mutant.value)?.description ?? '';
  }

  /** The address names the rules and the path. The browser's history then goes back and forward by steps too. */
  #remember(path, isStep) {
    showAddress('explore', Object.entries({ ...this.#query(), path }).filter(([name, value]) => value && value !== DEFAULTS[name]), isStep);
    this.backButton.disabled = !path;
    this.forwardButton.disabled = !this.explorer.undone.length;
  }
}
