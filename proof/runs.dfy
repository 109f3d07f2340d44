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
