// The form that starts a run, and the button that resets the serving agent.

import { call, errorText, startRun } from './api.js';
import { html, whileBusy } from './dom.js';
import { hint, hintOf } from './hints.js';

let fields = 0;

/** A form field below its label. The label shows the glossary entries of `terms`. */
export function field(label, terms, input) {
  const caption = hint(label, ...terms);
  caption.id = `field-${++fields}`;
  input.setAttribute('aria-labelledby', caption.id);
  return html('div', { class: 'field' }, caption, input);
}

export const select = (name, options) =>
  html('select', { name }, options.map(([value, text]) => html('option', { value }, text)));

export const number = (name, attributes) => html('input', { name, type: 'number', inputmode: 'numeric', ...attributes });

/** The input of a seed. Agents accept only whole numbers that JavaScript represents exactly. */
export const seed = (attributes) => number('seed', { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, ...attributes });

export const RULE_TERMS = ['ratified rule', 'classic rule'];
export const DRAW_TERMS = ['draw', 'fresh draw', 'plurality draw'];

/** The field of how messages travel. @param {string} otherwise what no choice means */
export const spreadField = (otherwise) => field('Spread', ['direct spread', 'relay'], select('spread', [['', otherwise], ['direct', 'direct'], ['relay', 'relay']]));

const NUMBERS = ['values', 'window_ms', 'seed'];

export class RunForm {
  /** @param {HTMLElement} host @param {{onStart: () => void, notice: (text?: string) => void}} options `onStart` runs after a start and after a reset */
  constructor(host, { onStart, notice }) {
    Object.assign(this, { onStart, notice });
    this.form = html('form', { class: 'options', id: 'options', onsubmit: (event) => { event.preventDefault(); this.run(); } },
      field('Rule', RULE_TERMS, select('rule', [['', 'as configured'], ['ratified', 'ratified'], ['classic', 'classic']])),
      field('Draw', DRAW_TERMS, select('draw', [['', 'as configured'], ['fresh', 'fresh'], ['plurality', 'plurality']])),
      field('Values 1 to', ['value'], number('values', { min: 1, max: 1_000_000_000, placeholder: '3' })),
      field('Window, ms', ['window'], number('window_ms', { min: 0, max: 60_000, placeholder: '200' })),
      spreadField('as configured'),
      field('Seed', ['seed'], seed({ placeholder: 'none' })),
      html('button', { type: 'submit', class: 'visually-hidden' }, 'Run with these options'));
    this.panel = html('details', { class: 'panel' }, html('summary', {}, 'Options'), this.form);
    this.runButton = html('button', { type: 'button', class: 'primary', id: 'run', onclick: () => this.run() }, 'Run');
    this.resetButton = html('button', { type: 'button', id: 'reset', ...hintOf('reset', 'floor'), onclick: () => this.reset() }, 'Reset');
    host.append(this.panel, this.resetButton, this.runButton);
    document.addEventListener('click', ({ target }) => { if (target !== this.runButton && !this.panel.contains(target)) this.panel.open = false; });
    this.panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.panel.open = false;
      this.panel.querySelector('summary').focus();
    });
  }

  /** Names the agent that served the page: Reset applies to it alone. */
  showServingAgent(agent) {
    this.resetButton.textContent = `Reset ${agent}`;
  }

  async run() {
    if (!this.form.checkValidity()) {
      // The browser shows the error of a field only if the field is visible.
      this.panel.open = true;
      this.form.reportValidity();
      return;
    }
    this.panel.open = false;
    const body = {};
    for (const [name, text] of new FormData(this.form)) if (text !== '') body[name] = NUMBERS.includes(name) ? Number(text) : text;
    await this.#send(this.runButton, async () => {
      const response = await startRun(body);
      const notices = [];
      if (response?.missing?.length) notices.push(`Started without ${response.missing.join(', ')}.`);
      if (response?.ignored?.length) notices.push(`The agent ignored ${response.ignored.join(', ')}.`);
      if (notices.length) this.notice(notices.join(' '));
      this.onStart();
    });
  }

  reset() {
    return this.#send(this.resetButton, async () => {
      await call('/reset', { method: 'POST', body: {} });
      this.onStart();
    });
  }

  #send(button, request) {
    return whileBusy([button], async () => {
      this.notice();
      try {
        await request();
      } catch (problem) {
        this.notice(errorText(problem));
      }
    });
  }
}
