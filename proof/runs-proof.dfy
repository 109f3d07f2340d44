// Why each run of runs.dfy, seen by itself, is a behaviour of ratified.dfy, and what a disk may return.

include "ratified-proof.dfy"
include "runs.dfy"

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
