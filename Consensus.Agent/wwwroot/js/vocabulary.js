// The words of the protocol that the page has to know before it reads anything. The agent's tests hold them equal to its own.

/** The kinds of messages, and their names. */
export const KINDS = {
  handshake: 'handshake', reset: 'reset', new_round: 'new round', proposal: 'proposal', vote: 'vote', final: 'final', state: 'state query',
};

/** The kinds of events that are marks in the diagram, and the notes beside the marks. */
export const NOTES = {
  drew: 'draws', copied: 'copies', adopted: 'adopts', voted: 'votes', decided: 'decides', learned: 'learns',
  was_reset: 'reset', booted: 'restarted', restored: 'recovered',
  joined_as_learner: 'learner', contradicted: 'equivocation', disagreed: 'violation',
};

/** The kinds of all events in the stream. */
export const EVENTS = ['joined', ...Object.keys(NOTES), 'sent', 'received', 'answered', 'lost'];

/** The largest run that can be explored. */
export const MAX_EXPLORED = { agents: 5, values: 4 };
