// Run and Reset.

import { call, complaint, start } from './api.js';
import { html, onceAtATime } from './dom.js';

export const field = (label, input) => html('label', { class: 'field' }, html('span', {}, label), input);

export const select = (name, options) =>
  html('select', { name }, options.map(([value, text]) => html('option', { value }, text)));

export const number = (name, attributes) => html('input', { name, type: 'number', inputmode: 'numeric', ...attributes });

/** A seed: whole numbers that JavaScript holds exactly, as the agents take them. */
export const seed = (attributes) => number('seed', { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, ...attributes });

const NUMBERS = ['values', 'window_ms', 'seed'];

export class Controls {
  /** @param {HTMLElement} host @param {{started: () => void, notice: (text?: string) => void}} options */
  constructor(host, { started, notice }) {
    Object.assign(this, { started, notice });
    this.form = html('form', { class: 'options', id: 'options', onsubmit: (event) => { event.preventDefault(); this.run(); } },
      field('Rule', select('rule', [['', 'as configured'], ['ratified', 'ratified'], ['classic', 'classic']])),
      field('Draw', select('draw', [['', 'as configured'], ['fresh', 'fresh'], ['plurality', 'plurality']])),
      field('Values 1 to', number('values', { min: 1, max: 1_000_000_000, placeholder: '3' })),
      field('Window, ms', number('window_ms', { min: 0, max: 60_000, placeholder: '200' })),
      field('Seed', seed({ placeholder: 'none' })),
      html('button', { type: 'submit', class: 'unseen' }, 'Run with these options'));
    this.panel = html('details', { class: 'panel' }, html('summary', {}, 'Options'), this.form);
    this.go = html('button', { type: 'button', class: 'primary', id: 'run', onclick: () => this.run() }, 'Run');
    this.resetButton = html('button', { type: 'button', id: 'reset', onclick: () => this.reset() }, 'Reset');
    host.append(this.panel, this.resetButton, this.go);
    document.addEventListener('click', ({ target }) => { if (target !== this.go && !this.panel.contains(target)) this.panel.open = false; });
    this.panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.panel.open = false;
      this.panel.querySelector('summary').focus();
    });
  }

  serving(agent) {
    this.resetButton.textContent = `Reset ${agent}`;
    this.resetButton.title = `${agent} forgets its run; the others go on`;
  }

  async run() {
    if (!this.form.checkValidity()) {
      // A field in a closed panel cannot show what is wrong with it.
      this.panel.open = true;
      this.form.reportValidity();
      return;
    }
    this.panel.open = false;
    const body = {};
    for (const [name, text] of new FormData(this.form)) if (text !== '') body[name] = NUMBERS.includes(name) ? Number(text) : text;
    await this.#ask(this.go, async () => {
      const answer = await start(body);
      const notices = [];
      if (answer?.missing?.length) notices.push(`Started without ${answer.missing.join(', ')}.`);
      if (answer?.ignored?.length) notices.push(`The agent ignored ${answer.ignored.join(', ')}.`);
      if (notices.length) this.notice(notices.join(' '));
      this.started();
    });
  }

  reset() {
    return this.#ask(this.resetButton, async () => {
      await call('/reset', { method: 'POST', body: {} });
      this.started();
    });
  }

  #ask(button, ask) {
    return onceAtATime([button], async () => {
      this.notice();
      try {
        await ask();
      } catch (problem) {
        this.notice(complaint(problem));
      }
    });
  }
}
