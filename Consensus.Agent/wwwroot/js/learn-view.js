// The lessons. Each lesson follows a path of the explorer, some steps and some words at a time, and ends with a task.

import { addressOf, readAddress, showAddress } from './address.js';
import { call, exploreFuture, isFailedCall } from './api.js';
import { html } from './dom.js';
import { Explorer } from './explorer.js';
import { plural } from './format.js';
import { hint } from './hints.js';
import { store, stored } from './storage.js';

// A game compares with so many futures, in a network that is slow against the windows of 200 ms.
const NETWORK = { futures: 1000, delay: 1000 };

// The lessons whose tasks are done in this tab.
const DONE = 'consensus-lessons';
const isDone = (lesson) => (stored(DONE) ?? '').split(',').includes(String(lesson));

/** What a task asks for, by its name in lessons.json. */
const GOALS = {
  'all decided': ({ agents }) => agents.every(({ state }) => Boolean(state?.consensus_value)),
  decision: ({ timeline }) => timeline.lanes.some(({ value }) => value !== undefined),
  later: ({ timeline }) => timeline.events.some(({ kind, round }) => kind === 'decided' && round > 1),
  violation: ({ properties }) => properties.some(({ holds }) => !holds),
  learner: ({ agents }) => agents.some(({ state }) => state?.learner),
  'round 3': (state) => undecidedRounds(state) >= 2,
};

const firstDecision = ({ timeline }) => timeline.events.find(({ kind }) => kind === 'decided');

/** For how many rounds no agent decided. */
const undecidedRounds = (state) => (firstDecision(state)?.round ?? Math.max(...state.agents.map((agent) => agent.state?.round ?? 0))) - 1;

export class LearnView {
  /** @param {HTMLElement} host @param {{notice: (text?: string) => void}} options */
  constructor(host, { notice }) {
    const button = (label, act, attributes) => html('button', { type: 'button', onclick: act, ...attributes }, label);
    // `at` is the place shown, and `wanted` the place that a person asked for last: the words move together with the picture.
    Object.assign(this, { host, at: null, wanted: { lesson: 0, part: 0 } });
    this.list = html('ol', { class: 'lessons', 'aria-label': 'Lessons' });
    this.title = html('h2', { id: 'lesson-title' });
    this.words = html('p', { class: 'words', role: 'status' });
    this.progress = html('span', { class: 'muted' });
    this.debrief = html('p', { class: 'debrief', role: 'status' });
    this.previous = button('Back', () => this.#go(-1), { id: 'lesson-back' });
    this.next = button('Next', () => this.#go(1), { id: 'lesson-next', class: 'primary' });
    this.again = button('Start the task again', () => this.#show(this.at));
    this.answer = button('Show me', () => this.explorer.show(this.#query(this.at), this.#lesson.task.answer), { id: 'lesson-answer' });
    this.explore = html('a', { class: 'muted' }, 'Go on from here in Explore');
    this.card = html('section', { class: 'card lesson', 'aria-labelledby': 'lesson-title' }, 
      html('div', { class: 'lesson-title' }, this.title, this.explore), this.words, this.debrief,
      html('div', { class: 'lesson-buttons' }, this.previous, this.next, this.progress, this.answer, this.again));
    // The agent wrote the words into the page, so that they are there before the script.
    host.replaceChildren(this.list, this.card);
    this.explorer = new Explorer(host, { notice, onPath: (path, state) => this.#onPath(path, state) });
    host.ownerDocument.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Shows the lesson and the part that the address names. */
  async open() {
    this.lessons ??= await call('lessons.json');
    const { query } = readAddress();
    const within = (text, end) => Math.max(0, Math.min(end - 1, (Number(text) || 1) - 1));
    const lesson = within(query.get('lesson'), this.lessons.length);
    const place = { lesson, part: within(query.get('part'), this.#parts(lesson)) };
    if (!this.at) this.#write(place);
    await this.#show(place);
  }

  get #lesson() { return this.lessons[this.at.lesson]; }

  #parts(lesson) { return this.lessons[lesson].parts.length + (this.lessons[lesson].task ? 1 : 0); }

  #isTask({ lesson, part }) { return part === this.lessons[lesson].parts.length; }

  #isLast({ lesson, part }) { return lesson === this.lessons.length - 1 && part === this.#parts(lesson) - 1; }

  #query(place) {
    const { query, task } = this.lessons[place.lesson];
    return { ...query, ...(this.#isTask(place) ? task.query : {}) };
  }

  #go(by) {
    let { lesson, part } = this.wanted;
    if (by > 0 && (this.#isLast(this.wanted) || (this.#isTask(this.wanted) && this.next.disabled))) return;
    part += by;
    if (part < 0 && lesson > 0) part = this.#parts(lesson -= 1) - 1;
    else if (part >= this.#parts(lesson)) [lesson, part] = [lesson + 1, 0];
    if (part >= 0) this.#show({ lesson, part }, true);
  }

  /** Shows a place in the lessons: its words as soon as its picture is there. */
  async #show(place, isStep = false) {
    this.wanted = place;
    const { path, parts, task } = this.lessons[place.lesson];
    // A task offers messages, and the kinds of steps that its answer takes.
    this.explorer.only = this.#isTask(place)
      ? new Set(['d', 'r', ...task.answer.slice(task.path.length).split('-').filter(Boolean).map((step) => step[0])]) : null;
    this.explorer.coin = this.#isTask(place) && task.coin;
    const arriving = this.arriving = { place, isStep };
    await this.explorer.show(
      this.#query(place), this.#isTask(place) ? task.path : path.split('-').slice(0, parts[place.part][0]).join('-'));
    if (this.arriving !== arriving) return;
    this.arriving = null;
    this.wanted = this.at;
  }

  #write(place) {
    this.at = place;
    const { title, parts, task } = this.#lesson;
    const isTask = this.#isTask(place);
    this.list.replaceChildren(...this.lessons.map((lesson, index) => html('li', {},
      html('a', {
        href: addressOf('learn', entriesOf({ lesson: index, part: 0 })),
        'aria-current': index === place.lesson ? 'step' : null, onclick: (event) => this.#choose(event, index),
      },
        `${index + 1}. ${lesson.title}`, isDone(index) && html('span', { 'aria-label': ', done' }, ' ✓')))));
    this.list.scrollLeft = this.list.children[place.lesson].offsetLeft - this.list.offsetLeft - 40;
    this.title.textContent = `${place.lesson + 1}. ${title}`;
    this.words.replaceChildren(...marked(isTask ? task.text : parts[place.part][1]));
    this.card.classList.toggle('task', isTask);
    this.card.classList.remove('done');
    this.debrief.textContent = '';
    this.explorer.root.classList.toggle('watching', !isTask);
    this.again.hidden = this.answer.hidden = !isTask;
    this.progress.textContent = `${place.part + 1} of ${this.#parts(place.lesson)}`;
    this.previous.disabled = place.lesson === 0 && place.part === 0;
    this.next.disabled = isTask || this.#isLast(place);
  }

  #choose(event, index) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#show({ lesson: index, part: 0 }, true);
  }

  #onPath(path, state) {
    if (this.arriving) {
      const { place, isStep } = this.arriving;
      this.arriving = null;
      this.#write(place);
      showAddress('learn', entriesOf(place), isStep);
    }
    this.explore.href = addressOf('explore', Object.entries({ ...this.#query(this.at), path }));
    if (!this.#isTask(this.at)) return;
    const done = GOALS[this.#lesson.task.goal](state);
    this.next.disabled = !done || this.#isLast(this.at);
    this.card.classList.toggle('done', done);
    const { lesson } = this.at;
    if (done && !isDone(lesson)) {
      store(DONE, [stored(DONE), lesson].filter((known) => known !== null).join(','));
      this.list.children[lesson].firstChild.append(html('span', { 'aria-label': ', done' }, ' ✓'));
    }
    this.debrief.textContent = done ? this.#lesson.task.debrief : '';
    if (this.#lesson.task.coin && (done || firstDecision(state))) this.#score(state);
    this.progress.textContent = done ? 'Done. Go on.' : 'To do before you go on';
  }

  /** Compares a game with networks that delay messages at random. */
  async #score(state) {
    const [{ task }, rounds] = [this.#lesson, undecidedRounds(state)];
    this.scored = state;
    try {
      const network = this.network ??= await exploreFuture('futures', { ...this.#query(this.at), path: task.path, ...NETWORK });
      const decided = network.rounds.findLast(({ number }) => number <= rounds)?.futures ?? 0;
      const kept = network.futures - decided;
      if (this.scored !== state || this.explorer.state !== state) return;
      const share = kept ? `one in ${(network.futures / kept).toFixed(kept * 2 > network.futures ? 1 : 0)}` : `none of ${network.futures}`;
      const score = rounds
        ? `You kept them undecided for ${plural(rounds, 'round')}; ${share} networks with random delays of up to ${NETWORK.delay} ms would.`
        : 'They decided in round 1.';
      this.debrief.textContent = `${score} ${GOALS[task.goal](state) ? task.debrief : 'Start the task again.'}`;
    } catch (problem) {
      if (!isFailedCall(problem)) throw problem;
    }
  }

  #onKey(event) {
    if (this.host.hidden || event.altKey || event.ctrlKey || event.metaKey || event.target.closest('input, select, .scroll')) return;
    if (event.key === 'ArrowRight' || event.key === 'PageDown' || (event.key === ' ' && !event.target.closest('button, a, summary'))) {
      event.preventDefault();
      this.#go(1);
    } else if (event.key === 'ArrowLeft' || event.key === 'PageUp') {
      event.preventDefault();
      this.#go(-1);
    }
  }
}

const entriesOf = ({ lesson, part }) => [['lesson', String(lesson + 1)], ['part', String(part + 1)]];

/** Words with hints: {term} or {term|label}. */
const marked = (text) => text.split(/\{([^}]+)\}/).map((part, index) => {
  if (index % 2 === 0) return part;
  const [term, label] = part.split('|');
  return hint(label ?? term, term);
});
