// The options of a run. A test writes this file from the agent's table of options (RunOption): CONSENSUS_REWRITE=1 rewrites it.

export const RUN_OPTIONS = {
  rule: { label: 'Rule', terms: ['ratified rule', 'classic rule'], choices: ['ratified', 'classic'] },
  draw: { label: 'Draw', terms: ['draw', 'fresh draw', 'plurality draw'], choices: ['fresh', 'plurality'] },
  values: { label: 'Values 1 to', terms: ['value'], min: 1, max: 1000000000, placeholder: '3' },
  window_ms: { label: 'Window, ms', terms: ['window'], min: 0, max: 60000, placeholder: '200' },
  spread: { label: 'Spread', terms: ['direct spread', 'relay'], choices: ['direct', 'relay'] },
  seed: { label: 'Seed', terms: ['seed'], min: -9007199254740991, max: 9007199254740991, placeholder: 'none' },
};
