"""Every point at which a process may fail, and every way to: whatever happens, each article is stored once in the end.

The points are found in the sources (FAULT_POINT, FAULT_DONE: lib/base/fault.h), so a new one joins by itself. Processes that
die are started again, as `newsmill up` and every supervisor does; runs are opened as ticks would.
"""
import glob
import os
import re
import time
import unittest

from mill import ROLES, SOURCE, MillTest, wait_for

# How: before a step it may fail, after one it may be done and nobody hear of it.
ACTIONS = ["kill", "error", "delay 500"]
WORKERS = ["summarizer", "chunker", "embedder", "writer"]
# Who gets to the points of the shared runtime: by file of lib/stage, and by point where that says more.
RUNTIME = {"batch.c": ["summarizer", "embedder"], "heartbeat.c": [*WORKERS, "fetcher"], "messages.c": WORKERS, "articles.c": WORKERS[:3]}
# Points that only a failure leads to: the model refuses all texts until the fault has happened. It is asked for them by
# halves then, down to each alone.
AFTER_FAILURE = {"collector.writing", "collector.written"}
RECOVERY_S = 45
ARTICLES = 4


def points():
    """(process, point), of all that there are; NEWSMILL_FAULT_POINTS, a regular expression, picks some."""
    found = []
    for path in sorted(glob.glob(f"{SOURCE}/lib/stage/*.c") + glob.glob(f"{SOURCE}/stages/*/*.c") + glob.glob(f"{SOURCE}/broker/*.c")):
        folder = os.path.basename(os.path.dirname(path))
        roles = RUNTIME[os.path.basename(path)] if folder == "stage" and os.path.basename(path) in RUNTIME else [folder]
        with open(path) as source:
            names = re.findall(r'FAULT_(?:POINT|DONE) \("(\w+)"\)', source.read())
        found += [(role, name) for name in names for role in roles]
    return [pair for pair in found if re.search(os.environ.get("NEWSMILL_FAULT_POINTS", ""), ".".join(pair))]


class FaultTest(MillTest):
    world_options = dict(feeds=2, articles=1, words=700, dimensions=64)

    def setUp(self):
        super().setUp()
        self.faults = f"{self.mill.folder}/faults"
        os.mkdir(self.faults)
        self.mill.env["NEWSMILL_FAULT_DIR"] = self.faults
        self.kills = 0

    def is_over(self, path):
        """The fault has happened, and all is stored. Runs follow each other, as they do every minute."""
        self.kills += len(self.mill.restart_dead())
        if self.provoked and not os.path.exists(path):
            self.world.post("/admin/mode?target=chat&mode=off")
            self.provoked = False
        if not os.path.exists(path) and self.mill.stored() == self.expected:
            return self.mill.states() == {"done": self.expected}
        if time.monotonic() > self.next_tick:
            self.next_tick = time.monotonic() + 2
            if os.path.exists(path) and "/ticker." in path:
                self.tick()
            else:
                self.mill.open_run()
        return False

    def tick(self):
        """By a new ticker, whose first one is at once."""
        for process in [p for p in self.mill.processes if p.role == "ticker"]:
            self.mill.end(process)
        self.mill.start("ticker")

    def try_fault(self, role, point, action):
        path = f"{self.faults}/{role}.{point}"
        with open(path + ".new", "w") as file:
            file.write(action)
        os.rename(path + ".new", path)
        for feed in range(1, 3):
            self.world.post(f"/admin/publish?feed={feed}&count={ARTICLES // 2}")
        self.expected += ARTICLES
        self.provoked = f"{role}.{point}" in AFTER_FAILURE
        if self.provoked:
            self.world.post("/admin/mode?target=chat&mode=400&count=-1")
        before, start, self.next_tick = self.world.stats(), time.monotonic(), 0
        wait_for(f"{role}.{point} {action}, and all to be stored", lambda: self.is_over(path), RECOVERY_S)
        after = self.world.stats()
        repeated = after["chat_items"] - before["chat_items"] - ARTICLES
        print(f"{role + '.' + point:24} {action:11} {time.monotonic() - start:5.1f} s, summarised again {repeated}", flush=True)
        return repeated

    def test_every_point_and_every_action(self):
        self.mill.start_all()
        self.mill.start("gateway")
        self.expected, self.next_tick, self.provoked = self.total(), 0, False
        wait_for("the first articles", lambda: self.is_over(self.faults + "/none"))
        all_points = points()
        self.assertLessEqual({role for role, _ in all_points}, {*ROLES, "gateway", "ticker"})
        self.assertTrue(all_points)
        for role, point in all_points:
            for action in ACTIONS:
                with self.subTest(role=role, point=point, action=action):
                    refused = 3 * ARTICLES if f"{role}.{point}" in AFTER_FAILURE else 0
                    self.assertLessEqual(self.try_fault(role, point, action), 2 * ARTICLES + refused)
        self.check_everything_stored_once(self.expected)
        print(f"{len(all_points)} points, {len(all_points) * len(ACTIONS)} faults, {self.kills} processes died", flush=True)
        self.assertGreaterEqual(self.kills, len(all_points), "each point was reached")


if __name__ == "__main__":
    unittest.main(verbosity=2)
