"""Counts afterwards: what the processes wrote down of each article (lib/base/history.h) against what is stored in the end.

    history.py HISTORY STATE       STATE: JSON, as Mill.state() yields it
    wrong(history, state)          what should not be, a line each
    Measures(history)              how long it took after each fault, and what was paid again
"""
import collections
import json
import sys

Event = collections.namedtuple("Event", "at process pid name fields")
LEASE, HEARTBEAT = "a lease", "a heartbeat"


def read(lines):
    """Events in the order they happened."""
    events = []
    for line in lines:
        at, process, pid, name, *fields = line.rstrip("\n").split(" ")
        events.append(Event(float(at), process, int(pid), name, dict(f.split("=", 1) for f in fields)))
    return sorted(events, key=lambda e: e.at)


def fnv1a(text):
    """As num_hash (lib/base/num.c)."""
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value


# ---- what must be true ----

def _wrong_intake(events, state):
    begun, taken, hashes = {}, set(), {}
    for e in events:
        if e.name == "taking":
            begun.setdefault((e.pid, e.fields["source"]), set()).add(e.fields["url"])
            hashes.setdefault(e.fields["url"], set()).add(int(e.fields["hash"], 16))
        elif e.name == "taken":
            taken |= begun.pop((e.pid, e.fields["source"]), set())
    rows = {w["url"] for w in state["work"]}
    yield from (f"{url} was taken in and is gone" for url in sorted(taken - rows))
    yield from (f"{url} is in the ledger and was never taken in" for url in sorted(rows - set(hashes)))
    yield from (f"{a['url']} is stored with another text than was taken in" for a in state["articles"]
                if fnv1a(a["content"]) not in hashes.get(a["url"], ()))


def _wrong_end(events, state):
    work, articles = {w["id"]: w for w in state["work"]}, {a["id"]: a for a in state["articles"]}
    urls = collections.Counter(a["url"] for a in state["articles"])
    yield from (f"{url} is stored {n} times" for url, n in urls.items() if n > 1)
    for w in work.values():
        if w["state"] not in ("done", "dead"):
            yield f"article {w['id']} ended nowhere: it is {w['state']}"
        if (w["state"] == "done") != (w["id"] in articles):
            yield f"article {w['id']} is {w['state']} and {'' if w['id'] in articles else 'not '}stored"
    yield from (f"article {i} is stored and not in the ledger" for i in articles if i not in work)
    for a in articles.values():
        if a["chunks"] != a["chunkCount"] or not a["chunks"]:
            yield f"article {a['id']} has {a['chunks']} of {a['chunkCount']} chunks"
        mark = next((word for word in a["title"].replace('"', " ").split() if word.startswith("mark")), None)
        if not mark or mark not in a["summary"]:
            yield f"article {a['id']} has another one's summary: {a['title']}: {a['summary']}"
    said = {int(e.fields["article"]) for e in events if e.name == "committed"}
    said |= {int(e.fields["article"]) for e in events
             if e.name == "heard" and e.fields["stage"] == "writer" and e.fields["outcome"] == "1"}
    yield from (f"article {i} was said to be stored and is not" for i in sorted(said) if i not in articles)


def _wrong_runs(events, state):
    counted = collections.Counter(a["runId"] for a in state["articles"])
    chunks = collections.Counter()
    for a in state["articles"]:
        chunks[a["runId"]] += a["chunkCount"]
    for run in state["runs"]:
        told = (run["articlesProcessed"], run["embeddingsCreated"])
        is_open = run["status"] == "RUNNING"
        if not is_open and told != (counted[run["id"]], chunks[run["id"]]):
            yield f"run {run['id']} ({run['status']}) says {told}, counted again {counted[run['id']], chunks[run['id']]}"
    runs = {r["id"]: r for r in state["runs"]}
    for e in events:
        run = runs.get(e.fields.get("run")) if e.name == "closed" else None
        if e.name == "closed" and (not run or run["status"] == "RUNNING"):
            yield f"run {e.fields['run']} was closed and is not"


def _wrong_leaving(events):
    """Who was told to leave, and left with 0, has nothing in hand of which nobody heard."""
    held, left = collections.defaultdict(set), {}
    for e in events:
        if e.name == "took":
            held[e.pid].add(e.fields["article"])
        elif e.name == "ended":
            held[e.pid].discard(e.fields["article"])
        elif e.name == "left":
            left[e.pid] = int(e.fields["in_hand"])
        elif e.name == "exited":
            pid, code = int(e.fields["victim"]), e.fields["code"]
            if code != "0":
                yield f"{e.process} {pid} was told to leave and left with {code}"
            elif left.get(pid, 0) or held[pid]:
                yield f"{e.process} {pid} left with {len(held[pid]) or left[pid]} articles in hand"


def wrong(events, state):
    return [*_wrong_intake(events, state), *_wrong_end(events, state), *_wrong_runs(events, state), *_wrong_leaving(events)]


# ---- how it went ----

class Measures:
    """recoveries: seconds from what made an article be lost until it is on its way again, by what tells of the loss; while the
    broker, the collector in office or the database stood still nobody could help, so the seconds count from the end of that.
    repeated: model calls made again, by the pid that was killed with them under way. elsewhere: those made again for other
    reasons. kills: pids. asked: how often the model was asked, by (stage, article)."""

    def __init__(self, events):
        self.recoveries = {HEARTBEAT: [], LEASE: []}
        self.kills, self.repeated, self.elsewhere = [], collections.defaultdict(set), set()
        self.asked = collections.Counter()
        self._held = collections.defaultdict(dict)  # pid: the attempt, by article
        self._newest = {}                           # attempt, by article
        self._open, self._last, self._stored = {}, {}, set()
        self._ended_well = {}
        self._calls, self._faults = {}, []
        self._under_way = {}                        # of those that were killed: call, by what was asked
        self._outages, self._in_office = [], None   # [from, to, fault]; pid of the collector
        for e in events:
            getattr(self, "_" + e.name, lambda e: None)(e)

    def _taken_from(self, pid, at):
        for article, attempt in self._held.pop(pid, {}).items():
            if article not in self._stored and attempt == self._newest.get(article):  # no copy is on its way
                self._open[article] = (at, HEARTBEAT)

    def _recovered(self, told_by, since, at):
        for begin, end, _ in self._outages:
            if begin < at and end > since:
                since = min(end, at)
        self.recoveries[told_by].append(at - since)

    def _fault(self, e):
        self._faults.append(e.at)
        if e.fields["kind"] in ("database", "disk"):
            self._outages.append([e.at, float("inf"), e.fields["kind"]])

    def _over(self, e):
        for outage in self._outages:
            if outage[2] == e.fields["kind"]:
                outage[1] = min(outage[1], e.at)

    def _kill(self, e):
        victim = int(e.fields["victim"])
        self._faults.append(e.at)
        self.kills.append(victim)
        self._under_way.update({key: call for key, call in self._calls.items() if call[0] == victim and key[1] in self._held[victim]})
        self._taken_from(victim, e.at)

    def _freeze(self, e):
        self._faults.append(e.at)
        if e.fields["role"] == "broker" or int(e.fields["victim"]) == self._in_office:
            self._outages.append([e.at, float("inf"), "freeze"])
        self._taken_from(int(e.fields["victim"]), e.at)

    def _heard(self, e):
        self._in_office = e.pid

    def _took(self, e):
        self._held[e.pid][e.fields["article"]] = e.fields["attempt"]
        self._last[e.fields["article"]] = e.at

    def _ended(self, e):
        self._held[e.pid].pop(e.fields["article"], None)
        self._last[e.fields["article"]] = e.at
        self._ended_well[e.fields["article"]] = e.fields["outcome"] == "done"

    def _dispatched(self, e):
        article = e.fields["article"]
        lost = e.fields["attempt"] != "1" and self._ended_well.get(article, True) and article not in self._stored
        if article in self._open:
            at, told_by = self._open.pop(article)
            self._recovered(told_by, at, e.at)
        elif lost:
            last = self._last.get(article, e.at)
            self._recovered(LEASE, next((at for at in self._faults if at >= last), last), e.at)
        self._last[article] = e.at
        self._ended_well[article] = True
        self._newest[article] = e.fields["attempt"]

    def _committed(self, e):
        self._stored.add(e.fields["article"])
        self._open.pop(e.fields["article"], None)

    def _asked(self, e):
        key = (e.process, e.fields["article"], e.fields.get("chunk"))
        call = (e.pid, e.fields["call"])
        before, killed = self._calls.get(key), self._under_way.pop(key, None)
        self.asked[e.process, e.fields["article"]] += e.fields.get("chunk", "0") == "0"
        if killed:
            self.repeated[killed[0]].add(killed)
        elif before:
            self.elsewhere.add(before)
        self._calls[key] = call


def main():
    with open(sys.argv[1]) as history, open(sys.argv[2]) as state:
        lines = wrong(read(history), json.load(state))
    print("\n".join(lines) or "nothing is wrong")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
