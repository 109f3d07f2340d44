"""An agent by the original contract: a majority of equal proposals in a round decides. It can disagree with its peers."""
import logging, os, random
from threading import RLock, Thread, Timer
from types import SimpleNamespace
from urllib.request import Request, urlopen
from flask import Flask, json, request

ME, PEERS = os.environ["AGENT_ID"], [peer for peer in os.environ.get("PEERS", "").split(",") if peer]
MAJORITY = (len(PEERS) + 1) // 2 + 1
app, lock, my = Flask(ME), RLock(), SimpleNamespace()

def clear():
    my.round, my.value, my.proposals, my.attempts, my.decision = 0, None, {}, 0, {}

def post(peer, path, body):
    try:
        urlopen(Request(peer + path, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=1).close()
    except OSError:
        pass  # A peer may be down.

def send(path, **body):
    """Sends a message to all peers, and waits until each has answered or failed."""
    calls = [Thread(target=post, args=(peer, path, body)) for peer in PEERS]
    [call.start() for call in calls], [call.join() for call in calls]

def enter(number, opens):
    """Draws a value and proposes it. Who opens a round proposes after the others have entered it."""
    my.round, my.value, my.attempts = number, random.randint(1, 3), my.attempts + 1
    my.proposals = {ME: my.value}
    print(f"[{ME}] Round {number}, Attempt {my.attempts}, Value {my.value}", flush=True)
    Timer(0.2, window_over, [my.proposals]).start()
    Thread(target=propose, args=(number, my.value, opens)).start()

def propose(number, value, opens):
    if opens:
        send("/new_round", round=number)
    send("/proposal", agent_id=ME, value=value, round=number)

def window_over(proposals):
    with lock:
        if not my.decision and my.proposals is proposals:  # Not a later round, nor the same one after a reset.
            enter(my.round + 1, opens=True)

def ignored(reason):
    return {"status": "ignored", "reason": reason, "current_round": my.round}

@app.post("/new_round")
def new_round():
    number = request.get_json(force=True)["round"]
    with lock:
        if my.decision:
            return ignored("already-decided"), 409
        if number < my.round:
            return ignored("stale-round")
        if number > my.round:
            enter(number, opens=False)
            return {"status": "started", "round": number}
        return {"status": "already-started", "round": number}

@app.post("/proposal")
def proposal():
    message = request.get_json(force=True)
    with lock:
        if message["round"] != my.round:
            return ignored("round-mismatch")
        my.proposals[message["agent_id"]] = message["value"]
        if not my.decision and list(my.proposals.values()).count(message["value"]) >= MAJORITY:
            my.decision = {"value": message["value"], "round": my.round}
            Thread(target=send, args=["/final"], kwargs=my.decision).start()
        return {"status": "ok"}

@app.post("/final")
def final():
    message = request.get_json(force=True)
    with lock:
        my.decision = my.decision or {"value": message["value"], "round": message["round"]}
        return {"status": "ack"}

@app.post("/reset")
def reset():
    with lock:
        clear()
        return {"status": "reset"}

@app.post("/run")
def run():
    number = (request.get_json(force=True, silent=True) or {}).get("round", 1)
    send("/reset")
    with lock:
        clear()
        enter(number, opens=True)
        return {"status": "triggered", "round": number}

@app.get("/consensus")
def consensus():
    with lock:
        return {"reached": True, "attempts": my.attempts} | my.decision if my.decision else ({"reached": False, "round": my.round}, 202)

@app.get("/state")
def state():
    with lock:
        return {"agent_id": ME, "round": my.round, "my_value": my.value, "proposals": my.proposals, "attempts": my.attempts,
                "consensus_value": my.decision.get("value"), "consensus_round": my.decision.get("round")}

clear()
logging.getLogger("werkzeug").setLevel(logging.ERROR)
if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
