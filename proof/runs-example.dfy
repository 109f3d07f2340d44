// The model of runs.dfy is not empty: two agents join, decide, restart with and without a disk, start a second run and roll it back.

include "runs-proof.dfy"

lemma Then(systems: seq<System>, z: System, a: Agent) returns (more: seq<System>)
  requires History(systems) && Moves(Last(systems), z, a)
  ensures History(more) && Last(more) == z
{
  assert Changes(Last(systems), z);
  more := systems + [z];
}

ghost function Process0(boot: Boot, none: RunId): Process { Process(boot, 2, Current(None, Learner, none), None, 0) }

/// Both agents are in the run, which one of them created, and hold this memory.
ghost function Both(a: Agent, b: Agent, x: Boot, y: Boot, id: RunId, none: RunId, m: Memory, sent: Sent): System
{
  System(map[a := Process(x, 2, Current(Some(id), m, id), Some(Current(None, Learner, none)), 0), b := Process(y, 2, Current(Some(id), m, id), None, 0)],
    {x, y}, map[id := Descriptor(2, map[a := x, b := y])], map[id := sent])
}

/// One agent creates a run, and the other joins it.
lemma BothJoin(a: Agent, b: Agent, x: Boot, y: Boot, id: RunId, none: RunId) returns (systems: seq<System>)
  requires a != b && x != y && id == RunId(1, a, x) && none.number == 0
  ensures History(systems) && Last(systems) == Both(a, b, x, y, id, none, Fresh(true), Sent({}, {}, {}, {}))
{
  var run := Descriptor(2, map[a := x, b := y]);
  assert run.members.Keys == {a, b} && |{a, b}| == 2 && run.members.Values == {x, y};
  var s0 := System(map[a := Process0(x, none), b := Process0(y, none)], {x, y}, map[], map[]);
  systems := [s0];
  var s1 := s0.(runs := map[id := run], sent := map[id := Sent({}, {}, {}, {})],
    process := s0.process[a := s0.process[a].(now := Current(Some(id), Fresh(true), id), before := Some(s0.process[a].now))]);
  assert s0.runs[id := run] == s1.runs && s0.sent[id := Sent({}, {}, {}, {})] == s1.sent;
  assert Create(s0, s1, a, id, run);
  systems := Then(systems, s1, a);
  var s2 := Both(a, b, x, y, id, none, Fresh(true), Sent({}, {}, {}, {}));
  assert s2.process == s1.process[b := s1.process[b].(now := Current(Some(id), Fresh(true), id), before := None)];
  assert Join(s1, s2, b, id);
  systems := Then(systems, s2, b);
}

ghost function Last(systems: seq<System>): System requires |systems| > 0 { systems[|systems| - 1] }

ghost function After(y: System, a: Agent, id: RunId, t: State): System
  requires a in y.process && a in t.memory
{
  y.(sent := y.sent[id := Sent(t.proposals, t.votes, t.decisions, t.drawn)],
     process := y.process[a := y.process[a].(now := y.process[a].now.(memory := t.memory[a]))])
}

lemma ThenInRun(systems: seq<System>, a: Agent, id: RunId, step: Step, t: State) returns (more: seq<System>)
  requires History(systems) && a in Last(systems).process && Last(systems).process[a].now.run == Some(id)
  requires id in Last(systems).runs && id in Last(systems).sent
  requires step.a == a && !step.Restart? && a in t.memory && Takes(Run(Last(systems), id), t, step)
  ensures History(more) && Last(more) == After(Last(systems), a, id, t)
{
  var y := Last(systems);
  assert InRun(y, After(y, a, id, t), a, step, t);
  more := Then(systems, After(y, a, id, t), a);
}

/// Both propose and vote v, and one decides it.
lemma OneDecides(before: seq<System>, a: Agent, b: Agent, id: RunId, v: Value) returns (systems: seq<System>)
  requires History(before) && a != b && Last(before).process.Keys == {a, b} && id in Last(before).runs && id in Last(before).sent
  requires Last(before).runs[id].n == 2 && Last(before).runs[id].members.Keys == {a, b} && Last(before).sent[id] == Sent({}, {}, {}, {})
  requires Last(before).process[a].now == Current(Some(id), Fresh(true), id) && Last(before).process[b].now == Last(before).process[a].now
  ensures History(systems) && Last(systems).process.Keys == {a, b} && id in Last(systems).runs && id in Last(systems).sent
  ensures Last(systems).boots == Last(before).boots && Decision(a, 1, v) in Last(systems).sent[id].decisions
  ensures Last(systems).process[a].now == Current(Some(id), Memory(true, 1, true, Some(v)), id)
{
  var q := {a, b};
  assert |q| == 2;
  systems := before;
  var s0 := Run(Last(systems), id);
  var s1 := Enter(s0, a, 1, v).(drawn := s0.drawn + {v});
  systems := ThenInRun(systems, a, id, Propose(a, v), s1);
  assert Run(Last(systems), id) == s1;
  var s2 := Enter(s1, b, 1, v);
  systems := ThenInRun(systems, b, id, CatchUp(b, Proposal(a, 1, v)), s2);
  assert Run(Last(systems), id) == s2;
  assert AllProposed(s2, q, 1, v);
  var s3 := CastVote(s2, a, Some(v));
  systems := ThenInRun(systems, a, id, VoteFor(a, v, q), s3);
  assert Run(Last(systems), id) == s3;
  var s4 := CastVote(s3, b, Some(v));
  systems := ThenInRun(systems, b, id, VoteFor(b, v, q), s4);
  assert Run(Last(systems), id) == s4;
  assert AllVoted(s4, q, 1, Some(v));
  var s5 := Hold(s4, Decision(a, 1, v));
  systems := ThenInRun(systems, a, id, Decide(a, 1, v, q), s5);
}

/// The decided agent restarts with its disk, the other without. That one creates a second run and rolls it back.
lemma RestartAndRollBack(before: seq<System>, a: Agent, b: Agent, x: Boot, y: Boot, id: RunId, v: Value, none: RunId) returns (systems: seq<System>)
  requires History(before) && a != b && Last(before).process.Keys == {a, b} && id in Last(before).runs && id in Last(before).sent
  requires Last(before).process[a].now == Current(Some(id), Memory(true, 1, true, Some(v)), id)
  requires Decision(a, 1, v) in Last(before).sent[id].decisions
  requires x !in Last(before).boots && y !in Last(before).boots && x != y && none.number == 0
  ensures History(systems) && Last(systems).process.Keys == {a, b} && id in Last(systems).runs && RunId(2, b, y) in Last(systems).runs
  ensures Last(systems).process[a].now == Current(Some(id), Memory(false, 0, false, Some(v)), id) && Last(systems).process[b].abandoned == 2
{
  systems := before;
  var s0 := Last(systems);
  var kept := Current(Some(id), Memory(false, 0, false, Some(v)), id);
  var s1 := s0.(boots := s0.boots + {x}, process := s0.process[a := Process(x, 2, kept, None, 0)]);
  assert OnDisk(s0, a, kept) && NewProcess(s0, s1, a, x, 2, kept);
  systems := Then(systems, s1, a);
  var empty := Current(None, Learner, none);
  var s2 := s1.(boots := s1.boots + {y}, process := s1.process[b := Process(y, 2, empty, None, 0)]);
  assert NewProcess(s1, s2, b, y, 2, empty);
  systems := Then(systems, s2, b);
  var run, second := Descriptor(2, map[a := x, b := y]), RunId(2, b, y);
  assert run.members.Keys == {a, b} && |{a, b}| == 2 && run.members.Values == {x, y};
  var s3 := s2.(runs := s2.runs[second := run], sent := s2.sent[second := Sent({}, {}, {}, {})],
    process := s2.process[b := s2.process[b].(now := Current(Some(second), Fresh(true), second), before := Some(empty))]);
  assert Create(s2, s3, b, second, run);
  systems := Then(systems, s3, b);
  var s4 := s3.(process := s3.process[b := s3.process[b].(now := empty, before := None, abandoned := 2)]);
  assert RollBack(s3, s4, b);
  systems := Then(systems, s4, b);
}

/// A join, a decision, both kinds of restart, a second run and its rollback, in one history.
lemma TwoRuns(a: Agent, b: Agent, boots: seq<Boot>, v: Value, none: RunId) returns (systems: seq<System>)
  requires a != b && |boots| == 4 && none.number == 0 && forall i, j | 0 <= i < j < 4 :: boots[i] != boots[j]
  ensures History(systems) && |Last(systems).runs| >= 2
  ensures a in Last(systems).process && Last(systems).process[a].now.memory.decision == Some(v)
{
  var id := RunId(1, a, boots[0]);
  systems := BothJoin(a, b, boots[0], boots[1], id, none);
  systems := OneDecides(systems, a, b, id, v);
  systems := RestartAndRollBack(systems, a, b, boots[2], boots[3], id, v, none);
  SubsetIsSmaller({id, RunId(2, b, boots[3])}, Last(systems).runs.Keys);
}
