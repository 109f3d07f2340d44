"""An agent by the original contract: a majority of equal proposals in a round decides. It can disagree with its peers."""
import logging, os, random
from threading import RLock, Thread, Timer
from urllib.request import Request, urlopen
from flask import Flask, json, request

ME, PEERS = os.environ["AGENT_ID"], [peer for peer in os.environ.get("PEERS", "").split(",") if peer]
MAJORITY = (len(PEERS) + 1) // 2 + 1
app, lock = Flask(ME), RLock()
logging.getLogger("werkzeug").setLevel(logging.ERROR)

def clear():
    global current, mine, proposals, attempts, decision
    current, mine, proposals, attempts, decision = 0, None, {}, 0, None
clear()

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
    global current, mine, proposals, attempts
    current, mine, attempts = number, random.randint(1, 3), attempts + 1
    proposals = {ME: mine}
    print(f"[{ME}] Round {number}, Attempt {attempts}, Value {mine}", flush=True)
    Timer(0.2, window_over, (proposals,)).start()
    def speak(value=mine):
        if opens:
            send("/new_round", round=number)
        send("/proposal", agent_id=ME, value=value, round=number)
    Thread(target=speak).start()

def window_over(of):
    with lock:
        if not decision and proposals is of:  # Not a later round, nor the same one after a reset.
            enter(current + 1, opens=True)

@app.post("/new_round")
def new_round():
    number = request.get_json(force=True)["round"]
    with lock:
        if decision:
            return {"status": "ignored", "reason": "already-decided"}, 409
        if number < current:
            return {"status": "ignored", "reason": "stale-round", "current_round": current}
        if number > current:
            enter(number, opens=False)
            return {"status": "started", "round": number}
        return {"status": "already-started", "round": number}

@app.post("/proposal")
def proposal():
    global decision
    body = request.get_json(force=True)
    with lock:
        if body["round"] != current:
            return {"status": "ignored", "reason": "round-mismatch", "current_round": current}
        proposals[body["agent_id"]] = body["value"]
        if not decision and list(proposals.values()).count(body["value"]) >= MAJORITY:
            decision = body["value"], current
            Thread(target=send, args=("/final",), kwargs={"value": body["value"], "round": current}).start()
        return {"status": "ok"}

@app.post("/final")
def final():
    global decision
    body = request.get_json(force=True)
    with lock:
        decision = decision or (body["value"], body["round"])
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
        if decision:
            return {"reached": True, "value": decision[0], "round": decision[1], "attempts": attempts}
        return {"reached": False, "round": current}, 202

@app.get("/state")
def state():
    with lock:
        value, number = decision or (None, None)
        return {"agent_id": ME, "round": current, "my_value": mine, "proposals": proposals, "attempts": attempts,
                "consensus_value": value, "consensus_round": number}

if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
