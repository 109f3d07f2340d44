// A run as text for other tools: a Mermaid sequence diagram, and a log for ShiViz.

import { describeMark, describeStep } from './format.js';

/** A sequence diagram. (https://mermaid.js.org/syntax/sequenceDiagram.html) */
export function toMermaid({ lanes, steps, arrows }) {
  // Other names may hold characters or words of Mermaid's own.
  const plain = (lane) => /^agent\d+$/.test(lanes[lane].agent_id);
  const id = (lane) => lane < 0 ? 'outside' : plain(lane) ? lanes[lane].agent_id : `participant${lane}`;
  const line = (arrow, head) => {
    const { message, response } = arrow;
    const [from, to] = response ? [message.to, message.from] : [message.from, message.to];
    return `  ${id(from)}${head}${id(to)}: ${arrow.text}`;
  };
  const lines = ['sequenceDiagram',
    ...lanes.map(({ agent_id: name }, lane) => `  participant ${id(lane)}${plain(lane) ? '' : ` as ${escaped(name)}`}`)];
  if (arrows.some(({ message }) => message.from < 0 || message.to < 0)) lines.push('  participant outside');
  for (const step of steps) {
    lines.push(...step.received.map((arrow) => line(arrow, '->>')), ...step.responses.map((arrow) => line(arrow, '-->>')));
    lines.push(...step.marks.map((mark) => `  Note over ${id(step.lane)}: ${escaped(describeMark(mark))}`));
    lines.push(...step.sent.filter(({ state }) => state === 'lost').map((arrow) => line(arrow, '-x')));
  }
  lines.push(...arrows.filter(({ state }) => state === 'in-flight').map((arrow) => `${line(arrow, '-)')} (in flight)`));
  return `${lines.join('\n')}\n`;
}

/** Text as Mermaid reads it. (https://mermaid.js.org/syntax/sequenceDiagram.html#entity-codes-to-escape-characters) */
const escaped = (text) => text.replace(/[#;]/g, (character) => `#${character.codePointAt(0)};`);

/** A log with vector clocks. ShiViz reads it with its default pattern. (https://bestchai.bitbucket.io/shiviz) */
export function toShiViz({ lanes, steps }) {
  const clocks = new Map();
  const last = lanes.map(() => ({}));
  const names = hostNames(lanes);
  const lines = [];
  for (const step of steps) {
    const clock = { ...last[step.lane] };
    for (const arrow of [...step.received, ...step.responses]) {
      for (const [agent, time] of Object.entries(clocks.get(arrow.from) ?? {})) clock[agent] = Math.max(clock[agent] ?? 0, time);
    }
    const agent = names[step.lane];
    clock[agent] = (last[step.lane][agent] ?? 0) + 1;
    clocks.set(step, clock);
    last[step.lane] = clock;
    lines.push(describeStep(step, lanes), `${agent} ${JSON.stringify(clock)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The agents' names without spaces, which end a name in the log. Different agents keep different names. */
function hostNames(lanes) {
  const names = [];
  for (const { agent_id: id } of lanes) {
    const name = id.replace(/\s/g, '_');
    let unique = name;
    const isTaken = () => names.includes(unique) || lanes.some(({ agent_id: other }) => other === unique && other !== id);
    for (let count = 2; isTaken(); count++) unique = `${name}_${count}`;
    names.push(unique);
  }
  return names;
}
