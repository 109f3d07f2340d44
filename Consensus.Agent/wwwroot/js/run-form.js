// The form that starts a run, and the button that resets the serving agent.

import { call, errorText, startRun } from './api.js';
import { html, whileBusy } from './dom.js';
import { hint, hintOf } from './hints.js';
import { RUN_OPTIONS } from './run-options.js';

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

/**
 * The field of an option of a run.
 * @param {string} name
 * @param {{open?: string}} [look] `open` is what no choice means; without it one choice is taken. The rest are attributes of a number
 */
export function optionField(name, { open, ...attributes } = {}) {
  const { label, terms, choices, ...range } = RUN_OPTIONS[name];
  return field(label, terms, choices
    ? select(name, [...(open ? [['', open]] : []), ...choices.map((choice) => [choice, choice])])
    : number(name, { ...range, ...attributes }));
}

export class RunForm {
  /**
   * @param {HTMLElement} host
   * @param {{onStart: () => void, notice: (text?: string) => void}} options `onStart` runs after a start and after a reset
   */
  constructor(host, { onStart, notice }) {
    Object.assign(this, { onStart, notice });
    this.form = html('form', { class: 'options', id: 'options', onsubmit: (event) => { event.preventDefault(); this.run(); } },
      Object.keys(RUN_OPTIONS).map((name) => optionField(name, { open: 'as configured' })),
      html('button', { type: 'submit', class: 'visually-hidden' }, 'Run with these options'));
    this.panel = html('details', { class: 'panel' }, html('summary', {}, 'Options'), this.form);
    this.runButton = html('button', { type: 'button', class: 'primary', id: 'run', onclick: () => this.run() }, 'Run');
    this.resetButton = html('button', { type: 'button', id: 'reset', ...hintOf('reset', 'floor'), onclick: () => this.reset() }, 'Reset');
    host.append(this.panel, this.resetButton, this.runButton);
    document.addEventListener('click', ({ target }) => {
      if (target !== this.runButton && !this.panel.contains(target)) this.panel.open = false;
    });
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
    for (const [name, text] of new FormData(this.form)) if (text !== '') body[name] = RUN_OPTIONS[name]?.choices ? text : Number(text);
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
      await call('reset', { method: 'POST', body: {} });
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
