"""What people and programs see: settings, status by both ways, the database away, an orderly stop."""
import json
import os
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

from mill import BIN, MillTest, wait_for


class SettingsTest(MillTest):
    world_options = dict(feeds=1, articles=1, words=50, dimensions=64)

    def test_every_fault_is_told_with_its_line(self):
        path = f"{self.mill.folder}/wrong.conf"
        with open(path, "w") as conf:
            conf.write("fetcher\n    parallel = many\n    widnow = 5\nchunker\n    size = 0\nnonsense\n    x = 1\n")
        done = subprocess.run([f"{BIN}/newsmill-fetcher", "-c", path], env=self.mill.env, capture_output=True, text=True,
                              timeout=10)
        self.assertEqual(done.returncode, 100)
        for line, key in ((2, "fetcher.parallel"), (3, "fetcher.widnow"), (5, "chunker.size"), (7, "nonsense.x")):
            self.assertIn(f"{path}:{line}: {key}:", done.stderr)
        self.assertNotIn("ready", done.stderr)
        check = self.mill.cli("config", "check", check=False)
        self.assertEqual(check.returncode, 0, check.stderr)

    def test_environment_faults_too(self):
        done = subprocess.run([f"{BIN}/newsmill-chunker"], env=dict(self.mill.env, NEWSMILL_CHUNKER_OVERLAP="600"),
                              capture_output=True, text=True, timeout=10)
        self.assertEqual(done.returncode, 100)
        self.assertIn("chunker.overlap", done.stderr)

    def test_another_dimension_is_refused(self):
        done = subprocess.run([f"{BIN}/newsmill-writer"], env=dict(self.mill.env, NEWSMILL_MODEL_DIMENSIONS="128"),
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 100)
        self.assertIn("128", done.stderr)
        self.assertIn("64", done.stderr)


class StatusTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=100, dimensions=64)

    def url(self):
        with open(f"{self.mill.folder}/run/http.port") as port:
            return f"http://127.0.0.1:{port.read().strip()}"

    def http(self, path, method="GET"):
        request = urllib.request.Request(self.url() + path, method=method, data=b"" if method == "POST" else None)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def test_a_ledger_that_does_not_balance_is_loud(self):
        self.mill.start_all()
        self.mill.start("gateway")
        wait_for("the gateway", lambda: os.path.exists(f"{self.mill.folder}/run/http.port"))
        for change, healthy in ((0, True), (1, False), (-1, True)):
            self.mill.postgres.execute(f'UPDATE "Ledger" SET intake = intake + {change}')
            self.mill.run_once()
            status = json.loads(self.http("/api/job-status")[1])
            metrics = self.http("/metrics")[1].decode()
            self.assertEqual((status["healthy"], status["conservation"]["ok"]), (healthy, healthy))
            self.assertIn(f"newsmill_conservation_ok {int(healthy)}\n", metrics)
            self.assertIn(f"newsmill_healthy {int(healthy)}\n", metrics)
            self.assertIn("balanced" if healthy else "NOT balanced", self.mill.cli("status").stdout)
        self.assertEqual(self.mill.log_count("error collector conservation is broken"), 1)

    def test_the_same_document_both_ways(self):
        self.mill.start_all()
        self.mill.start("gateway", "ticker")
        wait_for("a run", lambda: self.mill.log_count("✅ Background job completed: 20 articles") == 1)
        code, body = self.http("/api/job-status")
        self.assertEqual(code, 200)
        status = json.loads(body)
        self.assertTrue(status["healthy"])
        self.assertEqual(status["scheduler"], {"running": True, "cronExpression": "*/1 * * * *",
                                               "description": "Runs every 1 minute", "currentlyExecuting": False})
        self.assertEqual(set(status["stats"]), {"totalRuns", "successfulRuns", "failedRuns", "consecutiveFailures",
                                                "averageDurationMs"})
        self.assertEqual(set(status["lastRun"]), {"id", "startedAt", "completedAt", "status", "articlesProcessed",
                                                  "embeddingsCreated", "durationMs", "errorMessage",
                                                  "timeSinceLastRunMs"})
        self.assertRegex(status["lastRun"]["startedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(status["lastRun"]["articlesProcessed"], 20)
        self.assertGreaterEqual(status["lastRun"]["timeSinceLastRunMs"], 0)
        by_req = json.loads(self.mill.cli("status", "--json").stdout)
        for document in (status, by_req):
            document["lastRun"].pop("timeSinceLastRunMs")
            document.pop("workers")
        self.assertEqual(status, by_req)

    def test_http_answers(self):
        self.mill.start_all()
        self.mill.start("gateway")
        wait_for("the gateway", lambda: os.path.exists(f"{self.mill.folder}/run/http.port"))
        wait_for("everything ready", lambda: self.http("/readyz")[0] == 200)
        self.assertEqual(self.http("/healthz")[0], 200)
        code, body = self.http("/api/runs", "POST")
        self.assertEqual(code, 202)
        run = json.loads(body)["run"]
        self.mill.wait_closed(run)
        detail = json.loads(self.http(f"/api/runs/{run}")[1])
        self.assertEqual(len((detail.get("run") or detail)["sources"]), 2)
        self.assertEqual(self.http("/api/runs/00000000-0000-7000-8000-000000000000")[0], 404)
        self.assertEqual(self.http("/nothing")[0], 404)
        self.assertEqual(self.http("/healthz", "DELETE")[0], 405)
        metrics = self.http("/metrics")[1].decode()
        self.assertIn('newsmill_runs_total{status="success"} 1', metrics.lower())
        self.mill.end(self.mill.process("collector"))
        self.assertEqual(self.http("/api/job-status")[0], 503)

    def test_sigterm_finishes_the_run(self):
        self.world.post("/admin/delays?chat_ms=500")
        self.mill.start_all()
        run = self.mill.trigger()
        wait_for("the model to be asked", lambda: self.world.stats()["chat_calls"] > 0)
        self.assertEqual(self.mill.end(self.mill.process("collector")), 0)
        self.assertEqual(self.mill.run_row(run)["status"], "SUCCESS")
        for role in ("fetcher", "summarizer", "chunker", "embedder", "writer", "broker"):
            self.assertEqual(self.mill.end(self.mill.process(role)), 0, role)
        self.check_everything_stored_once()


class DatabaseTest(MillTest):
    world_options = dict(feeds=5, articles=20, words=100, dimensions=64, chat_ms=1000)
    settings = dict(summarizer_calls=2)

    def test_away_at_start(self):
        self.mill.postgres.stop()
        self.mill.start("broker", "collector", "writer", "embedder", "chunker", "summarizer", "fetcher")
        wait_for("three clear lines", lambda: self.mill.log_count("database is away") == 3)
        self.mill.postgres.start()
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") == 7)
        self.assertEqual(self.mill.run_once()["articlesProcessed"], self.total())
        self.check_everything_stored_once()

    def test_the_collector_takes_its_lock_again(self):
        self.mill.start_all()
        self.mill.run_once()
        held = "SELECT count (*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        wait_for("its lock alone", lambda: self.mill.postgres.value(held) == 1)
        self.mill.postgres.stop("immediate")
        self.mill.postgres.start()
        self.mill.run_once()
        wait_for("the lock of the new connection", lambda: self.mill.postgres.value(held) == 1)

    def test_away_in_the_middle(self):
        self.mill.start_all()
        run = self.mill.trigger()
        wait_for("the run to be under way", lambda: self.mill.stored() >= 10)
        self.mill.postgres.stop("immediate")
        wait_for("the loss to be noticed", lambda: self.mill.log_count("database is away") >= 1)
        self.mill.postgres.start()
        row = self.mill.wait_closed(run)
        self.assertEqual(row["status"], "FAILED")
        self.assertIn("the database was away", row["errorMessage"])
        wait_for("all articles", lambda: self.mill.stored() == self.total() or self.mill.run_once() and False)
        self.check_everything_stored_once()


if __name__ == "__main__":
    unittest.main(verbosity=2)
