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

// ------------------------------------------------ why it holds

/// A member remembers the last round in which it proposed, and whether it voted there.
ghost predicate Remembers(s: State)
{
  |s.members| <= s.n && (forall a | TakesPart(s, a) :: a in s.members)
  && (forall p <- s.proposals :: p.agent in s.members && p.round >= 1 && (TakesPart(s, p.agent) ==> p.round <= s.memory[p.agent].round))
  && (forall v <- s.votes :: v.agent in s.members && v.round >= 1 && (TakesPart(s, v.agent) ==>
       v.round < s.memory[v.agent].round || (v.round == s.memory[v.agent].round && s.memory[v.agent].voted)))
}

ghost predicate VoteHasReason(s: State, v: Vote)
{
  match v.vote
  case Some(value) => exists q :: Quorum(s, q) && AllProposed(s, q, v.round, value)
  case None => exists p, q :: p in s.proposals && q in s.proposals && p.round == v.round && q.round == v.round && p.value != q.value
}

ghost predicate DecisionHasReason(s: State, d: Decision) { exists q :: Quorum(s, q) && AllVoted(s, q, d.round, Some(d.value)) }

/// The round may still decide v: some quorum holds no other vote.
ghost predicate Open(s: State, r: nat, v: Value)
{
  exists q :: Quorum(s, q) && forall u <- s.votes | u.agent in q && u.round == r :: u.vote == Some(v)
}

/// No round before r may still decide another value than v. This is what makes later rounds hold a decided value alone.
ghost predicate Safe(s: State, r: nat, v: Value) { forall e: nat, u | 1 <= e < r && Open(s, e, u) :: u == v }

ghost predicate Inv(s: State)
{
  Remembers(s) && OneProposal(s) && OneVote(s)
  && (forall v <- s.votes :: VoteHasReason(s, v))
  && (forall d <- s.decisions :: DecisionHasReason(s, d))
  && (forall p <- s.proposals :: Safe(s, p.round, p.value) && p.value in s.drawn)
  && (forall a <- s.memory | s.memory[a].decision.Some? :: Announced(s, a, s.memory[a].decision.value))
}

// Messages are only ever added, so reasons last.
ghost predicate Grows(s: State, t: State)
{
  s.members == t.members && s.n == t.n && s.proposals <= t.proposals && s.votes <= t.votes && s.decisions <= t.decisions && s.drawn <= t.drawn
}

lemma ReasonsLast(s: State, t: State)
  requires Grows(s, t)
  ensures forall v <- s.votes | VoteHasReason(s, v) :: VoteHasReason(t, v)
  ensures forall d <- s.decisions | DecisionHasReason(s, d) :: DecisionHasReason(t, d)
  ensures forall r: nat, v | Open(t, r, v) :: Open(s, r, v)
  ensures forall r: nat, v | Safe(s, r, v) :: Safe(t, r, v)
  ensures forall a, v | Announced(s, a, v) :: Announced(t, a, v)
{
  forall v <- s.votes | VoteHasReason(s, v) ensures VoteHasReason(t, v) {
    if v.vote.Some? { var q :| Quorum(s, q) && AllProposed(s, q, v.round, v.vote.value); assert Quorum(t, q) && AllProposed(t, q, v.round, v.vote.value); }
  }
  forall d <- s.decisions | DecisionHasReason(s, d) ensures DecisionHasReason(t, d) {
    var q :| Quorum(s, q) && AllVoted(s, q, d.round, Some(d.value));
    assert Quorum(t, q) && AllVoted(t, q, d.round, Some(d.value));
  }
  forall r: nat, v | Open(t, r, v) ensures Open(s, r, v) {
    var q :| Quorum(t, q) && forall u <- t.votes | u.agent in q && u.round == r :: u.vote == Some(v);
    assert Quorum(s, q);
  }
}

/// All votes of a round that name a value name the same one.
lemma VotesAgree(s: State, u: Vote, v: Vote)
  requires Inv(s) && u in s.votes && v in s.votes && u.round == v.round && u.vote.Some? && v.vote.Some?
  ensures u.vote == v.vote
{
  var p :| Quorum(s, p) && AllProposed(s, p, u.round, u.vote.value);
  var q :| Quorum(s, q) && AllProposed(s, q, v.round, v.vote.value);
  QuorumsMeet(s, p, q);
  var a :| a in p && a in q;
  assert Proposal(a, u.round, u.vote.value) in s.proposals && Proposal(a, v.round, v.vote.value) in s.proposals;
}

/// A value that was voted for was proposed.
lemma VotedWasProposed(s: State, v: Vote) returns (p: Proposal)
  requires Inv(s) && v in s.votes && v.vote.Some?
  ensures p in s.proposals && p.round == v.round && p.value == v.vote.value
{
  var q :| Quorum(s, q) && AllProposed(s, q, v.round, v.vote.value);
  QuorumsMeet(s, q, q);
  var a :| a in q;
  p := Proposal(a, v.round, v.vote.value);
}

// ------------------------------------------------ each step keeps it

/// A member may enter a later round with a value that is safe there.
lemma EnterKeeps(s: State, t: State, a: Agent, r: nat, v: Value)
  requires Inv(s) && TakesPart(s, a) && r > s.memory[a].round && Safe(s, r, v)
  requires t == Enter(s, a, r, v).(drawn := t.drawn) && s.drawn <= t.drawn && v in t.drawn
  ensures Inv(t)
{
  ReasonsLast(s, t);
}

lemma CastVoteKeeps(s: State, t: State, a: Agent, v: Option<Value>)
  requires Inv(s) && MayVote(s, a) && VoteHasReason(s, Vote(a, s.memory[a].round, v)) && t == CastVote(s, a, v)
  ensures Inv(t)
{
  ReasonsLast(s, t);
  var vote := Vote(a, s.memory[a].round, v);
  if v.Some? { var q :| Quorum(s, q) && AllProposed(s, q, vote.round, v.value); assert Quorum(t, q) && AllProposed(t, q, vote.round, v.value); }
  assert VoteHasReason(t, vote);
}

lemma HoldKeeps(s: State, t: State, d: Decision)
  requires Inv(s) && d.agent in s.memory && DecisionHasReason(s, d) && t == Hold(s, d)
  ensures Inv(t)
{
  ReasonsLast(s, t);
  var q :| Quorum(s, q) && AllVoted(s, q, d.round, Some(d.value));
  assert Quorum(t, q) && AllVoted(t, q, d.round, Some(d.value));
  assert Decision(d.agent, d.round, d.value) in t.decisions;
}

lemma VoteNoneHasReason(s: State, t: State, a: Agent, q: set<Agent>)
  requires Inv(s) && Takes(s, t, VoteNone(a, q))
  ensures VoteHasReason(s, Vote(a, s.memory[a].round, None))
{
  var r := s.memory[a].round;
  QuorumsMeet(s, q, q);
  var b :| b in q;
  var v :| Proposal(b, r, v) in s.proposals;
  assert !AllProposed(s, q, r, v);
  var c :| c in q && Proposal(c, r, v) !in s.proposals;
  var w :| Proposal(c, r, w) in s.proposals;
  assert Proposal(b, r, v).value != Proposal(c, r, w).value;
}

lemma AdoptedIsSafe(s: State, t: State, a: Agent, v: Value, q: set<Agent>)
  requires Inv(s) && Takes(s, t, Adopt(a, v, q))
  ensures Safe(s, s.memory[a].round + 1, v) && v in s.drawn
{
  var r := s.memory[a].round;
  var b :| b in q && Vote(b, r, Some(v)) in s.votes;
  var p := VotedWasProposed(s, Vote(b, r, Some(v)));
  forall e: nat, u | 1 <= e < r + 1 && Open(s, e, u) ensures u == v {
    if e == r {
      var o :| Quorum(s, o) && forall x <- s.votes | x.agent in o && x.round == r :: x.vote == Some(u);
      QuorumsMeet(s, o, q);
      var c :| c in o && c in q;
      var x :| Vote(c, r, x) in s.votes;
      VotesAgree(s, Vote(c, r, x), Vote(b, r, Some(v)));
    } else {
      assert Safe(s, p.round, p.value);
    }
  }
}

lemma DrawnIsSafe(s: State, t: State, a: Agent, v: Value, q: set<Agent>)
  requires Inv(s) && Takes(s, t, Draw(a, v, q))
  ensures Safe(s, s.memory[a].round + 1, v)
{
  var r := s.memory[a].round;
  forall e: nat, u | 1 <= e < r + 1 && Open(s, e, u) ensures u == v {
    if e == r {
      var o :| Quorum(s, o) && forall x <- s.votes | x.agent in o && x.round == r :: x.vote == Some(u);
      QuorumsMeet(s, o, q);
      var c :| c in o && c in q;
      assert Vote(c, r, None) in s.votes;
    } else {
      // Some agent voted for none, so two values were proposed in r. Both cannot be the one that round e may decide.
      QuorumsMeet(s, q, q);
      var c :| c in q;
      assert VoteHasReason(s, Vote(c, r, None));
      var x, y :| x in s.proposals && y in s.proposals && x.round == r && y.round == r && x.value != y.value;
      assert Safe(s, x.round, x.value) && Safe(s, y.round, y.value);
    }
  }
}

lemma StepKeeps(s: State, t: State, step: Step)
  requires Inv(s) && Takes(s, t, step)
  ensures Inv(t) && Grows(s, t)
{
  match step
  case Propose(a, v) => EnterKeeps(s, t, a, 1, v);
  case CatchUp(a, p) => EnterKeeps(s, t, a, p.round, p.value);
  case VoteFor(a, v, q) => CastVoteKeeps(s, t, a, Some(v));
  case VoteNone(a, q) => VoteNoneHasReason(s, t, a, q); CastVoteKeeps(s, t, a, None);
  case Decide(a, r, v, q) => HoldKeeps(s, t, Decision(a, r, v));
  case Adopt(a, v, q) => AdoptedIsSafe(s, t, a, v, q); EnterKeeps(s, t, a, s.memory[a].round + 1, v);
  case Draw(a, v, q) => DrawnIsSafe(s, t, a, v, q); EnterKeeps(s, t, a, s.memory[a].round + 1, v);
  case Learn(a, d) => HoldKeeps(s, t, d.(agent := a));
  case Restart(a, restored) => ReasonsLast(s, t);
}

// ------------------------------------------------ the theorems

lemma InvIsSafe(s: State)
  requires Inv(s)
  ensures Agreement(s) && Validity(s)
{
  forall d <- s.decisions, e <- s.decisions ensures d.value == e.value {
    if d.round <= e.round { DecidedAlike(s, d, e); } else { DecidedAlike(s, e, d); }
  }
  forall d <- s.decisions ensures d.value in s.drawn {
    var p := DecidedWasProposed(s, d);
  }
}

lemma DecidedWasProposed(s: State, d: Decision) returns (p: Proposal)
  requires Inv(s) && d in s.decisions
  ensures p in s.proposals && p.round == d.round && p.value == d.value
{
  var q :| Quorum(s, q) && AllVoted(s, q, d.round, Some(d.value));
  QuorumsMeet(s, q, q);
  var a :| a in q;
  p := VotedWasProposed(s, Vote(a, d.round, Some(d.value)));
}

lemma DecidedAlike(s: State, d: Decision, e: Decision)
  requires Inv(s) && d in s.decisions && e in s.decisions && d.round <= e.round
  ensures d.value == e.value
{
  var p :| Quorum(s, p) && AllVoted(s, p, d.round, Some(d.value));
  if d.round == e.round {
    var q :| Quorum(s, q) && AllVoted(s, q, e.round, Some(e.value));
    QuorumsMeet(s, p, q);
    var a :| a in p && a in q;
    assert Vote(a, d.round, Some(d.value)) in s.votes && Vote(a, e.round, Some(e.value)) in s.votes;
  } else {
    QuorumsMeet(s, p, p);
    var a :| a in p;
    assert Vote(a, d.round, Some(d.value)) in s.votes;
    forall u <- s.votes | u.agent in p && u.round == d.round ensures u.vote == Some(d.value) {
      assert Vote(u.agent, d.round, Some(d.value)) in s.votes;
    }
    assert Open(s, d.round, d.value);
    var later := DecidedWasProposed(s, e);
    assert Safe(s, later.round, later.value);
  }
}

/// In every state of every behaviour: no two decisions differ, whenever, wherever and however they were reached.
lemma Theorem(states: seq<State>)
  requires Behaviour(states)
  ensures forall s <- states :: Inv(s) && Agreement(s) && Validity(s) && OneProposal(s) && OneVote(s)
{
  for i := 0 to |states|
    invariant forall j | 0 <= j < i :: Inv(states[j])
  {
    if i > 0 { var step :| Takes(states[i - 1], states[i], step); StepKeeps(states[i - 1], states[i], step); }
  }
  forall s <- states ensures Agreement(s) && Validity(s) { InvIsSafe(s); }
}

/// An agent's decision never changes while it remembers it.
lemma Integrity(s: State, t: State, a: Agent)
  requires Inv(s) && Next(s, t) && a in s.memory && s.memory[a].decision.Some?
  ensures a in t.memory && (t.memory[a].decision == s.memory[a].decision || (t.memory[a].decision == None && !t.memory[a].member))
{
  var step :| Takes(s, t, step);
  StepKeeps(s, t, step);
  InvIsSafe(t);
}

/// Durability: whatever a disk returns, an agent that holds a decision holds the one that it announced, before any restart too.
lemma Durability(s: State, a: Agent, v: Value)
  requires Inv(s) && a in s.memory && s.memory[a].decision.Some? && Announced(s, a, v)
  ensures s.memory[a].decision == Some(v)
{
  InvIsSafe(s);
}

// ------------------------------------------------ the model can do something: three agents take every step and decide

lemma Follow(states: seq<State>, t: State, step: Step) returns (more: seq<State>)
  requires Behaviour(states) && Takes(states[|states| - 1], t, step)
  ensures Behaviour(more) && more[|more| - 1] == t
{
  more := states + [t];
}

/// Two agents propose v and w, vote for none, and go on: one draws, the other catches up.
lemma FirstRound(a: Agent, b: Agent, c: Agent, v: Value, w: Value) returns (states: seq<State>)
  requires a != b && b != c && a != c && v != w
  ensures Behaviour(states) && states[|states| - 1] == AfterFirstRound(a, b, c, v, w)
{
  var q, start := {a, b}, Memory(true, 0, false, None);
  assert |{a, b, c}| == 3 && |q| == 2;
  var s0 := State(3, {a, b, c}, map[a := start, b := start, c := start], {}, {}, {}, {});
  states := [s0];
  var s1 := Enter(s0, a, 1, v).(drawn := {v});       states := Follow(states, s1, Propose(a, v));
  var s2 := Enter(s1, b, 1, w).(drawn := {v, w});    states := Follow(states, s2, Propose(b, w));
  assert Proposal(a, 1, v) in s2.proposals && Proposal(b, 1, w) in s2.proposals;
  var s3 := CastVote(s2, a, None);                   states := Follow(states, s3, VoteNone(a, q));
  var s4 := CastVote(s3, b, None);                   states := Follow(states, s4, VoteNone(b, q));
  var s5 := Enter(s4, a, 2, v);                      states := Follow(states, s5, Draw(a, v, q));
  var s6 := Enter(s5, b, 2, v);                      states := Follow(states, s6, CatchUp(b, Proposal(a, 2, v)));
  assert s6 == AfterFirstRound(a, b, c, v, w);
}

ghost function AfterFirstRound(a: Agent, b: Agent, c: Agent, v: Value, w: Value): State
{
  State(3, {a, b, c}, map[a := Memory(true, 2, false, None), b := Memory(true, 2, false, None), c := Memory(true, 0, false, None)],
    {Proposal(a, 1, v), Proposal(b, 1, w), Proposal(a, 2, v), Proposal(b, 2, v)}, {Vote(a, 1, None), Vote(b, 1, None)}, {}, {v, w})
}

/// Both vote for v. One decides it, the other adopts it, and the third restarts and learns it.
lemma Example(a: Agent, b: Agent, c: Agent, v: Value, w: Value) returns (states: seq<State>)
  requires a != b && b != c && a != c && v != w
  ensures Behaviour(states) && Decision(a, 2, v) in states[|states| - 1].decisions && Decision(c, 2, v) in states[|states| - 1].decisions
{
  states := FirstRound(a, b, c, v, w);
  var q, s := {a, b}, AfterFirstRound(a, b, c, v, w);
  assert |q| == 2;
  var s1 := CastVote(s, a, Some(v));                 states := Follow(states, s1, VoteFor(a, v, q));
  var s2 := CastVote(s1, b, Some(v));                states := Follow(states, s2, VoteFor(b, v, q));
  assert Vote(a, 2, Some(v)) in s2.votes && Vote(b, 2, Some(v)) in s2.votes;
  var s3 := Enter(s2, b, 3, v);                      states := Follow(states, s3, Adopt(b, v, q));
  var s4 := Hold(s3, Decision(a, 2, v));             states := Follow(states, s4, Decide(a, 2, v, q));
  var s5 := s4.(memory := s4.memory[c := Memory(false, 0, false, None)]);
  states := Follow(states, s5, Restart(c, None));
  var s6 := Hold(s5, Decision(c, 2, v));             states := Follow(states, s6, Learn(c, Decision(a, 2, v)));
}
