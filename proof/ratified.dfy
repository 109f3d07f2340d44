// The ratified rule cannot disagree: a proof for every number of agents, values and rounds.
//
// The state holds what each agent remembers and every message that was ever sent in one run. A step may read any of those
// messages. So a message may be lost, late, repeated, reordered or passed on by another agent: there is no network to model.
// Steps are allowed that the code does not take (a decided agent goes on, a learner counts votes): a proof holds for fewer too.
// Round 1 is the run's start round.

type Agent(==, !new)
type Value(==, !new)

datatype Option<T> = None | Some(value: T)
datatype Proposal = Proposal(agent: Agent, round: nat, value: Value)
datatype Vote = Vote(agent: Agent, round: nat, vote: Option<Value>)
datatype Decision = Decision(agent: Agent, round: nat, value: Value)

/// What one agent remembers. A member proposes and votes; a learner (member is false) only waits for the decision.
datatype Memory = Memory(member: bool, round: nat, voted: bool, decision: Option<Value>)

datatype State = State(
  n: nat,                       // the size of the cluster: quorums are counted of it, whoever takes part
  members: set<Agent>,          // those that the run's descriptor lists: at most n
  memory: map<Agent, Memory>,
  proposals: set<Proposal>,     // every message ever sent
  votes: set<Vote>,
  decisions: set<Decision>,     // every decision ever held, learned ones too, also those forgotten since
  drawn: set<Value>)

// ------------------------------------------------ quorums

ghost predicate Quorum(s: State, q: set<Agent>) { q <= s.members && |q| >= s.n / 2 + 1 }

lemma SubsetIsSmaller<T>(x: set<T>, y: set<T>)
  requires x <= y
  ensures |x| <= |y|
{
  if x != {} { var a :| a in x; SubsetIsSmaller(x - {a}, y - {a}); }
}

lemma QuorumsMeet(s: State, p: set<Agent>, q: set<Agent>)
  requires |s.members| <= s.n && Quorum(s, p) && Quorum(s, q)
  ensures exists a :: a in p && a in q
{
  if p * q == {} { assert |p + q| == |p| + |q|; SubsetIsSmaller(p + q, s.members); }
  else { var a :| a in p * q; }
}

// ------------------------------------------------ the protocol

ghost predicate Init(s: State)
{
  |s.members| <= s.n && s.proposals == {} && s.votes == {} && s.decisions == {} && s.drawn == {}
  && forall a <- s.memory :: s.memory[a] == Memory(s.memory[a].member, 0, false, None) && (s.memory[a].member ==> a in s.members)
}

ghost predicate TakesPart(s: State, a: Agent) { a in s.memory && s.memory[a].member }
ghost predicate HasVoted(s: State, a: Agent) { TakesPart(s, a) && s.memory[a].round >= 1 && s.memory[a].voted }
ghost predicate MayVote(s: State, a: Agent) { TakesPart(s, a) && s.memory[a].round >= 1 && !s.memory[a].voted }

ghost predicate Proposed(s: State, a: Agent, r: nat) { exists v :: Proposal(a, r, v) in s.proposals }
ghost predicate Voted(s: State, a: Agent, r: nat) { exists v :: Vote(a, r, v) in s.votes }
ghost predicate AllProposed(s: State, q: set<Agent>, r: nat, v: Value) { forall a <- q :: Proposal(a, r, v) in s.proposals }
ghost predicate AllVoted(s: State, q: set<Agent>, r: nat, v: Option<Value>) { forall a <- q :: Vote(a, r, v) in s.votes }

/// The agent enters a round and proposes.
ghost function Enter(s: State, a: Agent, r: nat, v: Value): State requires a in s.memory
{
  s.(proposals := s.proposals + {Proposal(a, r, v)}, memory := s.memory[a := s.memory[a].(round := r, voted := false)])
}

ghost function CastVote(s: State, a: Agent, v: Option<Value>): State requires a in s.memory
{
  s.(votes := s.votes + {Vote(a, s.memory[a].round, v)}, memory := s.memory[a := s.memory[a].(voted := true)])
}

ghost function Hold(s: State, d: Decision): State requires d.agent in s.memory
{
  s.(decisions := s.decisions + {d}, memory := s.memory[d.agent := s.memory[d.agent].(decision := Some(d.value))])
}

datatype Step = Propose(a: Agent, v: Value) | CatchUp(a: Agent, p: Proposal) | VoteFor(a: Agent, v: Value, q: set<Agent>)
  | VoteNone(a: Agent, q: set<Agent>) | Decide(a: Agent, r: nat, v: Value, q: set<Agent>) | Adopt(a: Agent, v: Value, q: set<Agent>)
  | Draw(a: Agent, v: Value, q: set<Agent>) | Learn(a: Agent, d: Decision) | Restart(a: Agent, restored: Option<Value>)

ghost predicate Takes(s: State, t: State, step: Step)
{
  step.a in s.memory && var r := s.memory[step.a].round;
  match step
  // Enters the start round with any value.
  case Propose(a, v) => TakesPart(s, a) && r == 0 && t == Enter(s, a, 1, v).(drawn := s.drawn + {v})
  // Moves to a later round that another agent is in, and copies that agent's proposal.
  case CatchUp(a, p) => TakesPart(s, a) && p in s.proposals && p.round > r && t == Enter(s, a, p.round, p.value)
  // Votes for the value that a quorum proposed.
  case VoteFor(a, v, q) => MayVote(s, a) && Quorum(s, q) && AllProposed(s, q, r, v) && t == CastVote(s, a, Some(v))
  // Votes for none after a quorum of proposals that are not all for one value.
  case VoteNone(a, q) => MayVote(s, a) && Quorum(s, q) && (forall b <- q :: Proposed(s, b, r))
    && !(exists v :: AllProposed(s, q, r, v)) && t == CastVote(s, a, None)
  // Decides the value that a quorum voted for, in any round.
  case Decide(a, e, v, q) => Quorum(s, q) && AllVoted(s, q, e, Some(v)) && t == Hold(s, Decision(a, e, v))
  // Goes on after a quorum of votes, some of them for v, and proposes v.
  case Adopt(a, v, q) => HasVoted(s, a) && Quorum(s, q) && (forall b <- q :: Voted(s, b, r))
    && (exists b <- q :: Vote(b, r, Some(v)) in s.votes) && t == Enter(s, a, r + 1, v)
  // Goes on after a quorum of votes for none, with any value.
  case Draw(a, v, q) => HasVoted(s, a) && Quorum(s, q) && AllVoted(s, q, r, None)
    && t == Enter(s, a, r + 1, v).(drawn := s.drawn + {v})
  // Takes over the decision of another agent.
  case Learn(a, d) => d in s.decisions && t == Hold(s, d.(agent := a))
  // Forgets what it proposed and voted, by a restart or a reset, and is a learner from then on. A disk may return a decision
  // that the agent held before, even an old one.
  case Restart(a, restored) =>
    (restored.Some? ==> Announced(s, a, restored.value))
    && t == s.(memory := s.memory[a := Memory(false, 0, false, restored)])
}

/// The agent holds this decision or held it once, so others may have seen it.
ghost predicate Announced(s: State, a: Agent, v: Value) { exists r :: Decision(a, r, v) in s.decisions }

ghost predicate Next(s: State, t: State) { exists step :: Takes(s, t, step) }

ghost predicate Behaviour(states: seq<State>)
{
  |states| > 0 && Init(states[0]) && forall i | 0 < i < |states| :: Next(states[i - 1], states[i])
}

// ------------------------------------------------ what must hold

ghost predicate Agreement(s: State) { forall d <- s.decisions, e <- s.decisions :: d.value == e.value }
ghost predicate Validity(s: State) { forall d <- s.decisions :: d.value in s.drawn }
ghost predicate OneProposal(s: State) { forall p <- s.proposals, q <- s.proposals | p.agent == q.agent && p.round == q.round :: p == q }
ghost predicate OneVote(s: State) { forall u <- s.votes, v <- s.votes | u.agent == v.agent && u.round == v.round :: u == v }
