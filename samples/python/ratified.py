"""The agent of agent.py with runs that describe themselves and the rule that cannot disagree: a majority must vote for a value."""
import os, random, time, uuid
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from flask import json, request
import agent
from agent import MAJORITY, ME, PEERS, app, lock

BOOT, N = uuid.uuid4().hex[:12], len(PEERS) + 1
pool = ThreadPoolExecutor(max(8, 8 * len(PEERS)))
run, floor, boots, unmet = None, "0..", {}, set(PEERS)

def order(run_id):
    """Runs are ordered by number, initiator and boot."""
    number, rest = run_id.split(".", 1)
    return int(number), *rest.rsplit(".", 1)

class Run:
    def __init__(self, descriptor):
        self.descriptor, self.id, self.members = descriptor, descriptor["id"], descriptor["members"]
        self.learner = self.members.get(ME) != BOOT or descriptor["n"] != N
        self.learners = {ME} if self.learner else set()
        self.round, self.phase, self.attempts, self.decision = descriptor["start_round"], "waiting", 0, None
        self.proposals, self.votes, self.window_ends, self.unacknowledged = {}, {}, None, set(PEERS)
        self.repeat_at, self.pause, self.poll_at = None, 0.2, time.monotonic() + 2

    def proposal(self):
        return {"agent_id": ME, "value": self.proposals[ME], "round": self.round}

    def vote(self):
        return {"agent_id": ME, "value": self.votes[ME], "proposal": self.proposals[ME], "round": self.round}

    def window(self):
        """Whether the wait for stragglers is over."""
        self.window_ends = self.window_ends or time.monotonic() + self.descriptor["window_ms"] / 1000
        return time.monotonic() >= self.window_ends

    def all_in(self, messages):
        return len(messages) >= len(set(self.members) - self.learners)

    def draw(self, number):
        self.attempts += 1
        chance = random if self.descriptor.get("seed") is None else random.Random(f'{self.descriptor["seed"]} {ME} {number}')
        self.enter(number, chance.randint(1, self.descriptor["values"]))

    def enter(self, number, value):
        self.round, self.phase, self.proposals, self.votes, self.window_ends = number, "proposing", {ME: value}, {}, None
        print(f"[{ME}] Round {number}, Attempt {self.attempts}, Value {value}", flush=True)
        self.speak()
        self.progress()

    def speak(self):
        self.pause = max(0.05, self.descriptor["window_ms"] / 1000)
        self.repeat_at = time.monotonic() + self.pause
        self.repeat()

    def repeat(self):
        path, body = ("/vote", self.vote()) if self.phase == "voting" else ("/proposal", self.proposal())
        send(path, body | {"run": self.descriptor})

    def progress(self):
        if self.phase == "proposing":
            values = list(self.proposals.values())
            common = max(set(values), key=values.count)
            if values.count(common) >= MAJORITY or (len(values) >= MAJORITY and (self.all_in(values) or self.window())):
                self.votes[ME] = common if values.count(common) >= MAJORITY else None
                self.phase, self.window_ends = "voting", None
                self.speak()
        if self.phase == "voting":
            voted = [value for value in self.votes.values() if value is not None]
            if voted and voted.count(voted[0]) >= MAJORITY:
                self.decide(voted[0], self.round)
            elif len(self.votes) >= MAJORITY and (self.all_in(self.votes) or self.window()):
                self.enter(self.round + 1, voted[0]) if voted else self.draw(self.round + 1)

    def decide(self, value, number):
        if self.decision is None:
            self.phase, self.decision = "decided", {"value": value, "round": number, "run": self.id}
            self.pause, self.repeat_at = 0.1, time.monotonic()

    def on_new_round(self, body):
        if self.phase == "waiting" and body["round"] == self.descriptor["start_round"]:
            self.draw(body["round"])
            if "value" in body:
                self.on_proposal(body)
            return {"status": "started", "round": body["round"]}
        if "value" in body and self.phase != "waiting":
            self.on_proposal(body)
        same = body["round"] == self.round and self.phase != "waiting"
        return {"status": "already-started", "round": self.round} if same else ignored("round-mismatch")

    def on_proposal(self, body, vote=False):
        sender, value = body["agent_id"], body["proposal" if vote else "value"]
        if sender not in self.members or sender == ME:
            return ignored("not-a-member")
        if self.phase == "waiting" and body["round"] == self.descriptor["start_round"]:
            self.draw(body["round"])
        elif self.phase == "waiting" or body["round"] > self.round:
            self.enter(body["round"], value)  # A copy, not a draw: the value may have been decided.
        if body["round"] < self.round:
            return ignored("round-mismatch")
        if self.proposals.setdefault(sender, value) != value or (vote and self.votes.setdefault(sender, body["value"]) != body["value"]):
            return {"status": "refused", "reason": "contradiction"}
        self.progress()
        return {"status": "ok"}

    def on_final(self, body):
        if self.decision and self.decision["value"] != body["value"]:
            return {"status": "refused", "reason": "disagreement"}
        self.decide(body["value"], body["round"])
        return {"status": "ack"}

def ignored(reason):
    return {"status": "ignored", "reason": reason, "current_round": run.round if run else agent.my.round}

def introduce(**more):
    return {"agent_id": ME, "boot": BOOT, "agents": N} | ({} if floor == "0.." else {"floor": floor}) | more

def join(descriptor):
    global run, floor
    agent.clear()
    run, floor = Run(descriptor), descriptor["id"]

def receive(path, body):
    """One message of a run that describes itself."""
    descriptor = body["run"]
    if run is None or descriptor["id"] != run.id:
        if order(descriptor["id"]) <= order(floor):
            return introduce(**ignored("stale-run"))
        join(descriptor)
    if path == "/final":
        answer = run.on_final(body)
    elif run.decision:
        answer = {"status": "ignored", "reason": "already-decided"}
    elif run.learner:
        answer = {"status": "ok"} | ({} if run.descriptor["n"] == N else {"reason": "cluster-size"})
    else:
        answer = run.on_new_round(body) if path == "/new_round" else run.on_proposal(body, path == "/vote")
    return answer | piggyback()

def piggyback():
    """What this agent proposes, votes or has decided: every response says it."""
    known = {"agent_id": ME, "run": run.id}
    if run.decision:
        return known | {"decision": run.decision}
    if run.learner:
        return known | introduce(learner=True)
    return known | ({"vote": run.vote()} if run.phase == "voting" else {"proposal": run.proposal()} if run.phase == "proposing" else {})

def learn(peer, answer):
    """A response is a message."""
    global run
    with lock:
        unmet.discard(peer)
        if "agent_id" in answer and "boot" in answer:
            boots[answer["agent_id"]] = answer["boot"]
            if run and run.members.get(answer["agent_id"], answer["boot"]) != answer["boot"]:
                run.learners.add(answer["agent_id"])  # It restarted.
        descriptor = answer.get("descriptor")
        if descriptor and order(descriptor["id"]) > order(floor):
            join(descriptor)
        if run is None or answer.get("run") != run.id:
            return
        if answer.get("learner"):
            run.learners.add(answer["agent_id"])
        if answer.get("decision"):
            run.decide(answer["decision"]["value"], answer["decision"]["round"])
        elif not run.decision and not run.learner and run.phase != "waiting":
            if isinstance(answer.get("vote"), dict):
                run.on_proposal(answer["vote"], vote=True)
            elif isinstance(answer.get("proposal"), dict):
                run.on_proposal(answer["proposal"])
            run.progress() if not run.decision else None

def call(peer, path, body=None):
    """One request; the response as JSON, or None."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(peer + path, data, {"Content-Type": "application/json"}), timeout=1) as response:
            answer = json.loads(response.read())
    except HTTPError as refused:
        answer = json.loads(refused.read() or "{}")
    except (OSError, ValueError):
        return None
    learn(peer, answer)
    if path == "/final" and answer.get("status") in ("ack", "refused") or answer.get("reason") == "stale-run":
        with lock:
            if run and body and run.id == body.get("run", {}).get("id"):
                run.unacknowledged.discard(peer)
    return answer

def send(path, body, peers=None):
    return [pool.submit(call, peer, path, body) for peer in (PEERS if peers is None else peers)]

def tick():
    """Ends windows, repeats what was sent, and asks for decisions."""
    asked = 0
    while True:
        time.sleep(0.01)
        with lock:
            now = time.monotonic()
            if unmet and now >= asked:
                asked = now + 0.5
                send("/state", None, list(unmet))
            if run is None:
                continue
            if not run.decision and now >= run.poll_at:
                run.poll_at = now + 2
                send("/state", None)
            if run.phase in ("proposing", "voting"):
                run.progress()
            if run.repeat_at and now >= run.repeat_at:
                run.pause = min(2, run.pause * 2)
                run.repeat_at = now + run.pause
                if run.decision:
                    send("/final", run.decision | {"agent_id": ME, "run": run.descriptor}, list(run.unacknowledged))
                elif run.phase in ("proposing", "voting"):
                    run.repeat()

def problem(status, reason, detail):
    return app.response_class(json.dumps({"status": status, "reason": reason, "detail": detail}), status, mimetype="application/problem+json")

def responses(futures):
    """Waits for all, or for a majority and 200 ms more."""
    done, late = wait(futures, 0.2)
    while late and sum(1 for one in done if one.result()) + 1 < MAJORITY:
        more, late = wait(late, return_when="FIRST_COMPLETED")
        done |= more
    done |= wait(late, 0.2)[0]
    return [one.result() if one in done else None for one in futures]

def start(body):
    answers = responses(send("/reset", {"handshake": True}))
    met = [answer for answer in answers if answer is not None]
    missing = [peer for peer, answer in zip(PEERS, answers) if answer is None]
    if len(met) + 1 < MAJORITY:
        return problem(503, "too-few-agents", f"Nothing was started: bring up {', '.join(missing)}.")
    if any("boot" not in answer for answer in met):
        if body.get("rule") == "ratified":
            return problem(409, "original-peer", "A peer knows only the original contract: leave the rule out.")
        clear()
        return agent.run() | {"rule": "classic", "missing": missing}
    ids = [answer["agent_id"] for answer in met] + [ME]
    if len(set(ids)) < len(ids):
        return problem(409, "duplicate-agent-id", "Two agents have one AGENT_ID: give each its own.")
    if any(answer["agents"] != N for answer in met):
        return problem(409, "cluster-size", "Agents count different numbers of agents: give each all others in PEERS.")
    with lock:
        number = 1 + max([order(floor)[0]] + [order(answer["floor"])[0] for answer in met if "floor" in answer])
        descriptor = {"id": f"{number}.{ME}.{BOOT}", "n": N, "start_round": body.get("round", 1), "rule": "ratified", "values": body.get("values", 3),
                      "draw": "fresh", "window_ms": body.get("window_ms", 200), "members": {**boots, ME: BOOT}}
        if body.get("seed") is not None:
            descriptor["seed"] = body["seed"]
        join(descriptor)
        run.draw(run.round)
        opened = send("/new_round", run.proposal() | {"run": descriptor})
    if any(answer and answer.get("reason") == "stale-run" for answer in responses(opened)) and floor == descriptor["id"]:
        return start(body)
    return {"status": "triggered", "round": descriptor["start_round"], "run": descriptor["id"], "rule": "ratified",
            "members": descriptor["members"], "missing": missing}

def clear():
    global run
    with lock:
        run = None
        agent.clear()

@app.before_request
def described():
    """Messages that name no run are left to agent.py, while this agent is in no run."""
    body = request.get_json(force=True, silent=True) or {}
    with lock:
        if request.path == "/reset":
            if body.get("handshake"):
                return introduce(status="reset")
            clear()
        elif request.path in ("/new_round", "/proposal", "/vote", "/final"):
            if "run" not in body:
                return ignored("round-mismatch") if run or request.path == "/vote" else None
            answer = receive(request.path, body)
            conflict = answer["status"] == "refused" or (request.path == "/new_round" and answer.get("reason") == "already-decided")
            return answer, 409 if conflict else 200
        elif request.path == "/consensus" and run:
            if run.decision:
                return run.decision | {"reached": True, "attempts": run.attempts}
            gone = set(run.members) & run.learners
            stalled = len(run.members) - len(gone) < MAJORITY
            return {"reached": False, "round": run.round, "run": run.id} | (
                {"stalled": True, "reason": f"{', '.join(sorted(gone))} restarted: POST /run again"} if stalled else {}), 202
        elif request.path == "/state":
            if run is None:
                return agent.state() | introduce()
            decided = run.decision or {"value": None, "round": None}
            return introduce(round=run.round, my_value=run.proposals.get(ME), proposals=run.proposals, votes=run.votes, attempts=run.attempts,
                             consensus_value=decided["value"], consensus_round=decided["round"], run=run.id, descriptor=run.descriptor,
                             **({"decision": run.decision} if run.decision else {}), **({"learner": True} if run.learner else {}))
    if request.path == "/run":
        return agent.run() if body.get("rule") == "classic" else start(body)

if __name__ == "__main__":
    Thread(target=tick, daemon=True).start()
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
