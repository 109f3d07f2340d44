// The model of ratified.dfy is not empty: three agents take every step and decide.

include "ratified-proof.dfy"

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
