// Many runs at once: each run, seen by itself, is a behaviour of ratified.dfy. So agreement holds in every run, however many
// initiators start runs, and whatever agents restart (with or without their memory), are reset, or roll a start back.

include "ratified.dfy"

type Boot(==, !new)

datatype RunId = RunId(number: nat, initiator: Agent, boot: Boot)

/// How ids with one number are ordered. Any order will do.
ghost function {:axiom} Order(initiator: Agent, boot: Boot): int

ghost predicate Less(x: RunId, y: RunId)
{
  x.number < y.number || (x.number == y.number && Order(x.initiator, x.boot) < Order(y.initiator, y.boot))
}

/// The current run of a process and what it remembers there.
datatype Current = Current(run: Option<RunId>, memory: Memory, floor: RunId)

/// A process: one boot of an agent, with the number of agents that it counts. `before` is what a start in progress rolls back to.
datatype Process = Process(boot: Boot, size: nat, now: Current, before: Option<Current>, abandoned: nat)

/// A run as its initiator described it: the size of the cluster, and the boots of those that may take part.
datatype Descriptor = Descriptor(n: nat, members: map<Agent, Boot>)

datatype Sent = Sent(proposals: set<Proposal>, votes: set<Vote>, decisions: set<Decision>, drawn: set<Value>)

datatype System = System(
  process: map<Agent, Process>,
  boots: set<Boot>,                          // all boots there ever were
  runs: map<RunId, Descriptor>,              // all that were ever created
  sent: map<RunId, Sent>)

const Learner := Memory(false, 0, false, None)
ghost function Fresh(member: bool): Memory { Memory(member, 0, false, None) }

ghost predicate IsListed(p: Process, a: Agent, run: Descriptor)
{
  run.n == p.size && a in run.members && run.members[a] == p.boot
}

ghost predicate Listed(y: System, a: Agent, id: RunId)
  requires a in y.process && id in y.runs
{
  IsListed(y.process[a], a, y.runs[id])
}

ghost predicate Created(p: Process, a: Agent, id: RunId) { id.initiator == a && id.boot == p.boot }

// ------------------------------------------------ what an agent does with runs

/// Leaves its run for a newer one. It takes part where the descriptor names its boot and it has not abandoned that run.
ghost predicate Join(y: System, z: System, a: Agent, id: RunId)
{
  a in y.process && id in y.runs && var p := y.process[a];
  Less(p.now.floor, id)
  && var member := Listed(y, a, id) && !(Created(p, a, id) && id.number <= p.abandoned);
  z == y.(process := y.process[a := p.(now := Current(Some(id), Fresh(member), id), before := None)])
}

/// Creates a run above its floor and joins it, in one step. The descriptor may name any boots, old ones too.
ghost predicate Create(y: System, z: System, a: Agent, id: RunId, run: Descriptor)
{
  a in y.process && var p := y.process[a];
  id == RunId(id.number, a, p.boot) && id.number > p.now.floor.number && id.number > p.abandoned
  && run.n == p.size && |run.members.Keys| <= run.n && run.members.Values <= y.boots
  && var before := if p.before.Some? && p.now.run.Some? && Created(p, a, p.now.run.value) then p.before else Some(p.now);
  z == y.(runs := y.runs[id := run], sent := y.sent[id := Sent({}, {}, {}, {})],
          process := y.process[a := p.(now := Current(Some(id), Fresh(IsListed(p, a, run)), id), before := before)])
}

/// The start ends with success: nothing is rolled back any more.
ghost predicate EndStart(y: System, z: System, a: Agent)
{
  a in y.process && z == y.(process := y.process[a := y.process[a].(before := None)])
}

/// No quorum joined: the initiator goes back to its run of before, and abandons the new one.
ghost predicate RollBack(y: System, z: System, a: Agent)
{
  a in y.process && var p := y.process[a];
  p.before.Some? && p.now.run.Some?
  && z == y.(process := y.process[a := p.(now := p.before.value, before := None, abandoned := p.now.run.value.number)])
}

/// Leaves its run and keeps its floor.
ghost predicate Reset(y: System, z: System, a: Agent)
{
  a in y.process && var p := y.process[a];
  z == y.(process := y.process[a := p.(now := Current(None, Learner, p.now.floor), before := None)])
}

/// What a disk may hold: nothing, or the floor, the run and the decision of any earlier moment.
ghost predicate OnDisk(y: System, a: Agent, disk: Current)
{
  CurrentIsSound(y, disk) && !disk.memory.member && disk.memory.round == 0 && !disk.memory.voted
  && (disk.run.None? ==> disk.memory.decision.None?)
  && (disk.run.Some? && disk.memory.decision.Some? ==>
       disk.run.value in y.sent && exists r :: Decision(a, r, disk.memory.decision.value) in y.sent[disk.run.value].decisions)
}

/// A new process with a boot that was never used. It knows what its disk returns, and is a learner there.
ghost predicate NewProcess(y: System, z: System, a: Agent, boot: Boot, size: nat, disk: Current)
{
  a in y.process && boot !in y.boots && OnDisk(y, a, disk)
  && z == y.(boots := y.boots + {boot}, process := y.process[a := Process(boot, size, disk, None, 0)])
}

/// A step of the rule in the agent's current run, which reads and sends messages of that run only.
ghost predicate InRun(y: System, z: System, a: Agent, step: Step, t: State)
{
  a in y.process && y.process[a].now.run.Some? && var id := y.process[a].now.run.value;
  id in y.runs && id in y.sent && step.a == a && !step.Restart? && Takes(Run(y, id), t, step) && a in t.memory
  && z == y.(sent := y.sent[id := Sent(t.proposals, t.votes, t.decisions, t.drawn)],
             process := y.process[a := y.process[a].(now := y.process[a].now.(memory := t.memory[a]))])
}

ghost predicate Moves(y: System, z: System, a: Agent)
{
  (exists id :: Join(y, z, a, id)) || (exists id, run :: Create(y, z, a, id, run)) || EndStart(y, z, a) || RollBack(y, z, a)
  || Reset(y, z, a) || (exists boot, size, disk :: NewProcess(y, z, a, boot, size, disk)) || (exists step, t :: InRun(y, z, a, step, t))
}

ghost predicate Start(y: System)
{
  y.runs.Keys == {} && y.sent.Keys == {}
  && forall a <- y.process :: y.process[a].boot in y.boots && y.process[a].now.run == None && y.process[a].before == None
}

// ------------------------------------------------ one run, seen by itself

/// Whether the agent may still join the run as a member.
ghost predicate MayJoin(y: System, a: Agent, id: RunId)
  requires a in y.process && id in y.runs
{
  var p := y.process[a];
  Listed(y, a, id) && !Created(p, a, id) && Less(if p.before.Some? then p.before.value.floor else p.now.floor, id)
}

/// What the agent remembers of a run: what it has there now, what it would roll back to, or what it would join with.
ghost function MemoryIn(y: System, a: Agent, id: RunId): Memory
  requires a in y.process && id in y.runs
{
  var p := y.process[a];
  if p.now.run == Some(id) then p.now.memory
  else if p.before.Some? && p.before.value.run == Some(id) then p.before.value.memory
  else Fresh(MayJoin(y, a, id))
}

ghost function Run(y: System, id: RunId): State
  requires id in y.runs && id in y.sent
{
  var m := y.sent[id];
  State(y.runs[id].n, y.runs[id].members.Keys, map a | a in y.process :: MemoryIn(y, a, id), m.proposals, m.votes, m.decisions, m.drawn)
}

// ------------------------------------------------ why it holds

ghost predicate CurrentIsSound(y: System, c: Current)
{
  c.run.Some? ==> c.run.value in y.runs && !Less(c.floor, c.run.value)
}

ghost predicate ProcessIsSound(y: System, a: Agent)
  requires a in y.process
{
  var p := y.process[a];
  p.boot in y.boots && CurrentIsSound(y, p.now)
  // A process has seen every run that it created, or abandoned it: so the next one has another id.
  && (forall id <- y.runs | Created(p, a, id) :: id.number <= p.abandoned || (id.number <= p.now.floor.number && !Less(p.now.floor, id)))
  // While a start is in progress, the agent is in the run that it created.
  && (p.before.Some? ==>
       CurrentIsSound(y, p.before.value) && !Less(p.now.floor, p.before.value.floor) && p.before.value.run != p.now.run
       && p.now.run == Some(p.now.floor) && Created(p, a, p.now.floor) && p.abandoned < p.now.floor.number)
}

ghost predicate Sound(y: System)
{
  y.runs.Keys == y.sent.Keys
  && (forall id <- y.runs :: id.boot in y.boots && y.runs[id].members.Values <= y.boots && |y.runs[id].members.Keys| <= y.runs[id].n)
  && (forall a <- y.process :: ProcessIsSound(y, a))
}

lemma MoveIsSound(y: System, z: System, a: Agent)
  requires Sound(y) && Moves(y, z, a)
  ensures Sound(z)
{
  assert forall b <- y.process :: ProcessIsSound(y, b);
  assert a in y.process && z.process.Keys == y.process.Keys && forall b <- y.process | b != a :: z.process[b] == y.process[b];
  forall b <- z.process ensures ProcessIsSound(z, b) {
    if b != a { assert ProcessIsSound(y, b); }
  }
}

/// In this run nothing changes, but one agent may forget what it remembered, or restore a decision that it held.
ghost predicate ForgetsOrStays(y: System, z: System, a: Agent, id: RunId)
  requires a in y.process && a in z.process && id in y.runs && id in z.runs
{
  z.process.Keys == y.process.Keys && (forall b <- y.process | b != a :: z.process[b] == y.process[b])
  && z.runs[id] == y.runs[id] && id in y.sent && id in z.sent && z.sent[id] == y.sent[id]
  && var before, after := MemoryIn(y, a, id), MemoryIn(z, a, id);
  after == before || (after == Memory(false, 0, false, after.decision)
    && (after.decision.Some? ==> Announced(Run(y, id), a, after.decision.value)))
}

lemma ThatIsAStep(y: System, z: System, a: Agent, id: RunId)
  requires a in y.process && a in z.process && id in y.runs && id in z.runs && ForgetsOrStays(y, z, a, id)
  ensures Run(z, id) == Run(y, id) || Next(Run(y, id), Run(z, id))
{
  var s, t := Run(y, id), Run(z, id);
  assert forall b <- y.process | b != a :: t.memory[b] == s.memory[b];
  if MemoryIn(z, a, id) == MemoryIn(y, a, id) {
    assert t.memory == s.memory;
  } else {
    assert t.memory == s.memory[a := MemoryIn(z, a, id)];
    assert Takes(s, t, Restart(a, MemoryIn(z, a, id).decision));
  }
}

lemma JoinForgets(y: System, z: System, a: Agent, joined: RunId, id: RunId)
  requires Sound(y) && Join(y, z, a, joined) && id in y.runs
  ensures ForgetsOrStays(y, z, a, id)
{
  assert ProcessIsSound(y, a);
}

lemma CreateForgets(y: System, z: System, a: Agent, created: RunId, run: Descriptor, id: RunId)
  requires Sound(y) && Create(y, z, a, created, run) && id in y.runs
  ensures id in z.runs && ForgetsOrStays(y, z, a, id)
{
  assert ProcessIsSound(y, a);
}

lemma RollBackForgets(y: System, z: System, a: Agent, id: RunId)
  requires Sound(y) && (RollBack(y, z, a) || EndStart(y, z, a)) && id in y.runs
  ensures ForgetsOrStays(y, z, a, id)
{
  assert ProcessIsSound(y, a);
}

lemma ResetForgets(y: System, z: System, a: Agent, id: RunId)
  requires Sound(y) && Reset(y, z, a) && id in y.runs
  ensures ForgetsOrStays(y, z, a, id)
{
  assert ProcessIsSound(y, a);
}

lemma NewProcessForgets(y: System, z: System, a: Agent, boot: Boot, size: nat, disk: Current, id: RunId)
  requires Sound(y) && NewProcess(y, z, a, boot, size, disk) && id in y.runs
  ensures ForgetsOrStays(y, z, a, id)
{
  assert ProcessIsSound(y, a);
}

lemma InRunFollows(y: System, z: System, a: Agent, step: Step, t: State, id: RunId)
  requires Sound(y) && InRun(y, z, a, step, t) && id in y.runs
  ensures id in z.runs && id in z.sent && (Run(z, id) == Run(y, id) || Next(Run(y, id), Run(z, id)))
{
  if y.process[a].now.run == Some(id) {
    assert Run(z, id).memory == t.memory;
    assert Run(z, id) == t;
    assert Next(Run(y, id), t);
  } else {
    assert ForgetsOrStays(y, z, a, id);
    ThatIsAStep(y, z, a, id);
  }
}

/// Every run that exists takes a step of the rule, or none.
lemma EachRunFollows(y: System, z: System, a: Agent, id: RunId)
  requires Sound(y) && Moves(y, z, a) && id in y.runs
  ensures id in z.runs && id in z.sent && (Run(z, id) == Run(y, id) || Next(Run(y, id), Run(z, id)))
{
  if step, t :| InRun(y, z, a, step, t) {
    InRunFollows(y, z, a, step, t, id);
  } else {
    if joined :| Join(y, z, a, joined) { JoinForgets(y, z, a, joined, id); }
    else if created, run :| Create(y, z, a, created, run) { CreateForgets(y, z, a, created, run, id); }
    else if RollBack(y, z, a) || EndStart(y, z, a) { RollBackForgets(y, z, a, id); }
    else if Reset(y, z, a) { ResetForgets(y, z, a, id); }
    else { var boot, size, disk :| NewProcess(y, z, a, boot, size, disk); NewProcessForgets(y, z, a, boot, size, disk, id); }
    ThatIsAStep(y, z, a, id);
  }
}

/// A run that is created has not existed before, and nobody has proposed or voted in it.
lemma NewRunBegins(y: System, z: System, a: Agent, id: RunId)
  requires Sound(y) && Moves(y, z, a) && id in z.runs && id !in y.runs
  ensures id in z.sent && Init(Run(z, id))
{
  assert forall b <- y.process :: ProcessIsSound(y, b);
}

ghost predicate AllRuns(y: System) { Sound(y) && forall id <- y.runs :: Inv(Run(y, id)) }

lemma MoveKeeps(y: System, z: System, a: Agent)
  requires AllRuns(y) && Moves(y, z, a)
  ensures AllRuns(z)
{
  MoveIsSound(y, z, a);
  forall id <- z.runs ensures Inv(Run(z, id)) {
    if id !in y.runs {
      NewRunBegins(y, z, a, id);
      InitHolds(Run(z, id));
    } else {
      EachRunFollows(y, z, a, id);
      NextKeeps(Run(y, id), Run(z, id));
    }
  }
}

lemma InitHolds(s: State) requires Init(s) ensures Inv(s) { }

lemma NextKeeps(s: State, t: State)
  requires Inv(s) && (t == s || Next(s, t))
  ensures Inv(t)
{
  if t != s { var step :| Takes(s, t, step); StepKeeps(s, t, step); }
}

ghost predicate Changes(y: System, z: System) { exists a :: Moves(y, z, a) }

ghost predicate History(systems: seq<System>)
{
  |systems| > 0 && Start(systems[0]) && forall i | 0 < i < |systems| :: Changes(systems[i - 1], systems[i])
}

/// No two decisions of one run differ, ever.
lemma EveryRunAgrees(systems: seq<System>, at: nat, id: RunId)
  requires History(systems) && at < |systems| && id in systems[at].runs
  ensures id in systems[at].sent && Agreement(Run(systems[at], id)) && Validity(Run(systems[at], id))
{
  AllRunsHold(systems, at);
  InvIsSafe(Run(systems[at], id));
}

lemma AllRunsHold(systems: seq<System>, at: nat)
  requires History(systems) && at < |systems|
  ensures AllRuns(systems[at])
{
  if at > 0 {
    AllRunsHold(systems, at - 1);
    assert Changes(systems[at - 1], systems[at]);
    var a :| Moves(systems[at - 1], systems[at], a);
    MoveKeeps(systems[at - 1], systems[at], a);
  }
}

/// The initiator's new id is one that no run has.
lemma NewIdIsNew(y: System, z: System, a: Agent, id: RunId, run: Descriptor)
  requires Sound(y) && Create(y, z, a, id, run)
  ensures id !in y.runs
{
  assert ProcessIsSound(y, a);
}

// ------------------------------------------------ disks

ghost function Persisted(now: Current): Current { now.(memory := Memory(false, 0, false, now.memory.decision)) }

/// What an agent holds in a run may be on its disk.
lemma HeldIsOnDisk(y: System, a: Agent)
  requires AllRuns(y) && a in y.process && y.process[a].now.run.Some?
  ensures OnDisk(y, a, Persisted(y.process[a].now))
{
  var now := y.process[a].now;
  assert ProcessIsSound(y, a) && Run(y, now.run.value).memory[a] == now.memory;
}

/// What was on a disk once may still be there after any step: the disk may return it however old it is.
lemma DiskMayBeOld(y: System, z: System, b: Agent, a: Agent, disk: Current)
  requires AllRuns(y) && Moves(y, z, b) && OnDisk(y, a, disk)
  ensures OnDisk(z, a, disk)
{
  if disk.run.Some? {
    var id := disk.run.value;
    EachRunFollows(y, z, b, id);
    if Run(z, id) != Run(y, id) {
      var step :| Takes(Run(y, id), Run(z, id), step);
      StepKeeps(Run(y, id), Run(z, id), step);
    }
    assert Run(y, id).decisions <= Run(z, id).decisions;
  }
}

/// After a restart an agent holds what it announced in that run, or nothing.
lemma RestoredIsAnnounced(y: System, z: System, a: Agent, boot: Boot, size: nat, disk: Current, v: Value)
  requires AllRuns(y) && NewProcess(y, z, a, boot, size, disk) && disk.run.Some? && disk.memory.decision.Some?
  requires Announced(Run(z, disk.run.value), a, v)
  ensures z.process[a].now.memory.decision == Some(v)
{
  assert NewProcess(y, z, a, boot, size, disk);
  MoveKeeps(y, z, a);
  assert Run(z, disk.run.value).memory[a] == disk.memory;
  Durability(Run(z, disk.run.value), a, v);
}

// ------------------------------------------------ the model can do something: two agents, two runs

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
