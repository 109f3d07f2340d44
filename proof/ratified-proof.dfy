// Why the rule of ratified.dfy cannot disagree: an invariant, that each step keeps it, and what follows from it.

include "ratified.dfy"

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
