"""More articles at once than can be stored soon, and a model ten times slower than usual.

NEWSMILL_OVERLOAD_ARTICLES sets how many; 50000 takes minutes. The figures are printed.
"""
import http.client
import json
import os
import threading
import time
import unittest

from mill import MillTest, wait_for

ARTICLES = int(os.environ.get("NEWSMILL_OVERLOAD_ARTICLES", 4000))
A_FEED = 200
WINDOW = 512

# Whatever waits does so in the database. A process has its code, its buffers, and at most the window's messages of some
# kilobytes each, twice where a batch is being encoded: none of that knows how long the backlog is.
MEMORY_MIB = 64
GROWTH_MIB = 4  # from a quarter of the backlog to all of it; an allocator is never quite even
STATUS_MS = 50


def memory_mib(pid, field):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return 0


class Watch:
    """Asks for the status as a dashboard would, and notes how long the answer took."""

    def __init__(self, mill):
        self.mill, self.latencies, self.status, self.over = mill, [], None, threading.Event()
        self.gateway = http.client.HTTPConnection("127.0.0.1", wait_for("the gateway to listen", self.port), timeout=10)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def port(self):
        try:
            with open(f"{self.mill.folder}/run/http.port") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def run(self):
        while not self.over.wait(0.05):
            start = time.monotonic()
            self.gateway.request("GET", "/api/job-status")
            reply = self.gateway.getresponse()
            self.status = json.loads(reply.read())
            self.latencies.append((time.monotonic() - start) * 1000 if reply.status == 200 else float("inf"))

    def stop(self):
        self.over.set()
        self.thread.join()
        self.gateway.close()

    def percentile(self, share):
        times = sorted(self.latencies)
        return times[min(int(len(times) * share), len(times) - 1)]


class Overload(MillTest):
    settings = dict(log_debug="false", delivery_heartbeat=3000, delivery_lease=40, fetcher_window=WINDOW,
                    embedder_memory="1MiB")  # the vectors it remembers fill it soon

    def setUp(self):
        super().setUp()
        self.mill.start_all()
        self.mill.start("gateway")

    def feeds(self):
        return []  # they come in waves

    def publish(self, first, count):
        values = ",".join(f"('{self.world.url}/feed/{k}.xml')" for k in range(first, first + count))
        self.mill.postgres.execute(f'INSERT INTO "Source" (url) VALUES {values}')

    def peaks(self):
        return {p.role: round(memory_mib(p.pid, "VmHWM"), 1) for p in self.mill.processes if p.poll() is None}

    def times(self, least, most):
        """Of the articles from one id to another: when a quarter, three quarters, all of them were stored, in seconds,
        and how far the order of storing is from that of intake."""
        return self.mill.postgres.rows(f"""
            WITH stored AS (SELECT id, extract (epoch FROM "createdAt")::float8 AS at,
                row_number () OVER (ORDER BY "createdAt", id) AS n, row_number () OVER (ORDER BY id) AS should
                FROM "Article" WHERE id BETWEEN {least} AND {most})
            SELECT count (*), min (at) AS first, max (at) AS last, max (n - should) AS overtaken,
                max (at) FILTER (WHERE n <= (SELECT count (*) / 4 FROM stored)) AS quarter,
                max (at) FILTER (WHERE n <= (SELECT count (*) * 3 / 4 FROM stored)) AS three FROM stored""")[0]


class BacklogTest(Overload):
    world_options = dict(feeds=max(ARTICLES // A_FEED, 1) * 5 // 4 + 1, articles=A_FEED, words=60, dimensions=64)

    def tick(self):
        """A new ticker asks at once. What became of that."""
        known = self.mill.postgres.value('SELECT count (*) FROM "Tick"')
        self.asked += 1
        self.mill.start("ticker")
        wait_for("the tick on record", lambda: self.mill.postgres.value('SELECT count (*) FROM "Tick"') > known)
        return self.mill.postgres.rows('SELECT outcome, "runId" AS run FROM "Tick"'
                                       ' ORDER BY "scheduledAt" DESC LIMIT 1')[0]

    def drain(self, first, feeds):
        """Lets the articles of some feeds in by a tick, and ticks again while they are on their way."""
        low = self.mill.postgres.value('SELECT coalesce (max (id), 0) FROM "ArticleWork"')
        self.publish(first, feeds)
        count = feeds * A_FEED
        tick = self.tick()
        self.assertEqual(tick["outcome"], "ran")
        watch = Watch(self.mill)
        self.addCleanup(watch.stop)
        newest = 'SELECT max (id) FROM "ArticleWork"'
        wait_for("the backlog to stand", lambda: (self.mill.postgres.value(newest) or 0) - low >= count, 600)
        for _ in range(3):
            self.mill.end(self.mill.process("ticker"))
            if self.mill.run_row(tick["run"])["status"] == "RUNNING":
                again = self.tick()
                self.assertEqual(again["outcome"], "skipped" if again["run"] == tick["run"] else "ran")
                self.skipped += again["outcome"] == "skipped"
        wait_for("the run to be closed",
                 lambda: watch.status and not watch.status["scheduler"]["currentlyExecuting"], 1200)
        watch.stop()
        self.assertEqual(self.mill.run_row(tick["run"])["status"], "SUCCESS")
        for ticker in [p for p in self.mill.processes if p.role == "ticker"]:
            self.mill.end(ticker)
        t = self.times(low + 1, low + count)
        self.assertEqual(t["count"], count)
        half = count / 2
        figures = {"articles": count, "seconds": t["last"] - t["first"],
                   "start": count / 4 / (t["quarter"] - t["first"]), "middle": half / (t["three"] - t["quarter"]),
                   "end": count / 4 / (t["last"] - t["three"]), "overtaken": t["overtaken"],
                   "p50": watch.percentile(0.5), "p99": watch.percentile(0.99), "most": max(watch.latencies),
                   "status": len(watch.latencies),
                   "peaks": self.peaks()}
        print(json.dumps(figures, default=str), flush=True)
        return figures

    def check_ticks(self):
        """One for each ticker that began, one for each full minute while one was there, and no minute without."""
        ticks = self.mill.postgres.rows("""SELECT outcome, reason,
            "scheduledAt" = date_trunc ('minute', "scheduledAt") AS by_cron FROM "Tick" ORDER BY "scheduledAt\"""")
        count = {name: sum(t["outcome"] == name for t in ticks) for name in ("ran", "skipped", "missed")}
        print("ticks:", json.dumps(count), flush=True)
        self.assertEqual(sum(not t["by_cron"] for t in ticks), self.asked, ticks)
        self.assertEqual(sum(count.values()), len(ticks))
        self.assertGreater(self.skipped, 0)
        self.assertEqual({t["reason"] for t in ticks if t["outcome"] == "skipped"}, {"a run was in progress"})
        self.assertEqual(self.mill.postgres.rows("""SELECT minute
            FROM (SELECT min ("scheduledAt") AS first, max ("scheduledAt") AS last FROM "Tick") t,
                generate_series (date_trunc ('minute', first), last, '1 minute') AS minute
            WHERE NOT EXISTS (SELECT 1 FROM "Tick" WHERE date_trunc ('minute', "scheduledAt") = minute)"""), [])
        status = json.loads(self.mill.cli("status", "--json").stdout)
        self.assertEqual(status["ticks"], count)

    def test_backlog(self):
        self.asked = self.skipped = 0
        feeds = max(ARTICLES // A_FEED, 4)
        small = self.drain(1, feeds // 4)
        large = self.drain(1 + feeds // 4, feeds)
        self.check_everything_stored_once((feeds + feeds // 4) * A_FEED)
        self.check_ticks()
        for role, peak in large["peaks"].items():
            self.assertLess(peak, MEMORY_MIB, role)
            self.assertLess(peak, small["peaks"][role] + GROWTH_MIB, role)
        self.assertLess(large["overtaken"], 1.25 * WINDOW)
        self.assertGreater(large["middle"], small["middle"] / 2)
        self.assertLess(large["p99"], STATUS_MS)


class SlowModelTest(Overload):
    calls, batch, usual_ms, slow_ms, limit_s = 20, 5, 100, 1000, 8
    feed_count = max(min(ARTICLES, 8000) * 2 // 5 // A_FEED, 1)
    world_options = dict(feeds=feed_count, articles=A_FEED, words=60, dimensions=64, chat_ms=usual_ms)
    settings = dict(Overload.settings, summarizer_calls=calls, summarizer_batch=batch, run_time_limit=limit_s)

    def test_slow_model(self):
        self.world.post(f"/admin/delays?chat_ms={self.slow_ms}")
        self.publish(1, self.feed_count)
        runs = []
        while self.mill.stored() < self.total():
            self.assertLess(len(runs), 20 + self.total() // 100)
            runs.append(self.mill.wait_closed(self.mill.open_run()["run"]))
        t = self.times(1, self.total())
        rate, most = self.total() / (t["last"] - t["first"]), self.calls * self.batch * 1000 / self.slow_ms
        print(json.dumps({"articles": self.total(), "rate": rate, "most": most, "overtaken": t["overtaken"],
                          "runs": [(r["durationMs"], r["articlesProcessed"]) for r in runs],
                          "peaks": self.peaks()}), flush=True)
        self.check_everything_stored_once()
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)
        self.assertEqual({r["status"] for r in runs}, {"SUCCESS"})
        self.assertGreaterEqual(runs[0]["durationMs"], self.limit_s * 1000)
        self.assertGreater(len(runs), 1)
        self.assertGreater(rate, 0.8 * most)
        self.assertLess(t["overtaken"], 1.25 * WINDOW)
        for role, peak in self.peaks().items():
            self.assertLess(peak, MEMORY_MIB, role)


if __name__ == "__main__":
    unittest.main(verbosity=2)
