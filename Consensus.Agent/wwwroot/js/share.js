// Copies of a run: the picture as SVG and PNG, the run as JSON, Mermaid and ShiViz texts, and the address.

import { html, svg } from './dom.js';
import { statesAfter } from './timeline-model.js';
import { verdictOf } from './verdict.js';
import { toMermaid, toShiViz } from './run-texts.js';

const COPIED = ['fill', 'fill-opacity', 'stroke', 'stroke-width',
  'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'opacity', 'paint-order',
  'font-family', 'font-size', 'font-weight', 'text-anchor', 'display'];
const LETTER = 7.8;
const MERMAID_MAX = 50_000;

/** The menu of a diagram. */
export function shareMenu(diagram) {
  const name = () => `consensus-run-${diagram.model.timeline.run ?? 'none'}`;
  const status = html('p', { class: 'muted', role: 'status' });
  const button = (label, act) => html('button', { type: 'button', onclick: act }, label);
  return html('details', { class: 'share' }, html('summary', {}, 'Share'), html('div', {},
    button('Copy the address', async () => {
      await navigator.clipboard?.writeText(diagram.address?.(diagram.model, diagram.position) ?? location.href);
      status.textContent = navigator.clipboard ? 'Copied.' : 'Copy it from the address bar.';
    }),
    button('Picture as SVG', () => save(`${name()}.svg`, 'image/svg+xml', pictureOf(diagram))),
    button('Picture as PNG', async () => saveBlob(`${name()}.png`, await toPng(pictureOf(diagram)))),
    button('Run as JSON', () => save(`${name()}.json`, 'application/json', JSON.stringify(diagram.model.timeline))),
    button('Mermaid diagram', () => {
      const text = toMermaid(diagram.model);
      const warning = `Mermaid draws at most ${MERMAID_MAX.toLocaleString('en')} characters unless maxTextSize is raised. `
        + `This diagram has ${text.length.toLocaleString('en')}. Press again to save it.`;
      if (text.length > MERMAID_MAX && status.textContent !== warning) status.textContent = warning;
      else save(`${name()}.mmd`, 'text/plain', text);
    }),
    button('ShiViz log', () => save(`${name()}.log`, 'text/plain', toShiViz(diagram.model))), status));
}

/** The whole picture as SVG text. It holds its own colours, so that it looks the same without the page. */
export function pictureOf(diagram) {
  diagram.showAll();
  const { svg: shown, plan, model } = diagram;
  const copy = shown.cloneNode(true);
  const [from, to] = [[shown, ...shown.querySelectorAll('*')], [copy, ...copy.querySelectorAll('*')]];
  from.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const property of COPIED) to[index].setAttribute(property, style.getPropertyValue(property));
  });
  const style = getComputedStyle(diagram.root);
  const text = (x, y, size, words) => svg('text', {
    x, y, 'text-anchor': x === 12 ? 'start' : 'middle', 'font-family': style.fontFamily, 'font-size': size,
    'font-weight': 600, fill: style.color,
  }, words);
  const { heads, height: top } = headsOf(model, plan, text);
  const height = plan.height + top;
  const whole = svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width: plan.width, height, viewBox: `0 0 ${plan.width} ${height}` },
    svg('rect', { width: '100%', height: '100%', fill: getComputedStyle(document.documentElement).getPropertyValue('background-color') }),
    text(12, 20, 14, verdictOf(model.timeline).text),
    heads,
    svg('g', { transform: `translate(0 ${top})` }, [...copy.childNodes], plan.tokens.map((token) => tokenShape(token, text))));
  diagram.draw();
  return new XMLSerializer().serializeToString(whole);
}

/** The names and decisions of the agents: in two lines where one line would reach into the next lane. */
function headsOf(model, plan, text) {
  const fits = (words) => words.length * LETTER < plan.lane;
  const short = (id) => fits(id) ? id : id.replace(/^agent/, 'a');
  const cut = (id) => fits(id) ? id : `${id.slice(0, Math.max(1, Math.floor(plan.lane / LETTER) - 1))}…`;
  const nameOf = (lane) => cut(short(model.lanes[lane].agent_id));
  const heads = statesAfter(model).map(({ decision }, lane) => [nameOf(lane), decision ? `= ${decision.value}` : '']);
  const two = heads.some((words) => !fits(words.join(' ')));
  return {
    height: two ? 74 : 56,
    heads: heads.map((words, lane) => two ? words.map((line, index) => text(plan.x(lane), 46 + 18 * index, 13, line))
      : text(plan.x(lane), 46, 13, words.join(' ').trim())).flat(),
  };
}

/** A message in flight, which the page shows as a button. */
function tokenShape({ element, x, y }, text) {
  const { backgroundColor: fill, borderTopColor: stroke } = getComputedStyle(element);
  const words = element.firstChild.textContent;
  const half = words.length * LETTER / 2 + 8;
  return svg('g', { transform: `translate(${x} ${y})` },
    svg('rect', { x: -half, y: -12, width: 2 * half, height: 24, rx: 12, fill, stroke, 'stroke-width': 1.5 }), text(0, 4.5, 13, words));
}

async function toPng(text) {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  image.src = address;
  await image.decode();
  URL.revokeObjectURL(address);
  const scale = Math.min(2, 16_000 / Math.max(image.width, image.height));
  const canvas = html('canvas', { width: image.width * scale, height: image.height * scale });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, 'image/png'); });
}

const save = (name, type, text) => saveBlob(name, new Blob([text], { type }));

function saveBlob(name, blob) {
  const address = URL.createObjectURL(blob);
  html('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
