"""`newsmill up --demo` and `run --once` as a newcomer types them: private database, supervision, stop, restart."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from mill import BIN, SOURCE, wait_for

sys.path.insert(0, f"{SOURCE}/tests/support")
import weights  # noqa: E402

STAGES = ["broker", "chunker", "collector", "embedder", "fetcher", "gateway", "summarizer", "ticker", "writer"]


class UpTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="newsmill-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o755)  # the private database's user must get through
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("NEWSMILL_") and k not in ("DATABASE_URL", "OPENROUTER_API_KEY", "DEBUG")}
        self.env.update(NEWSMILL_DATA_DIR=self.folder + "/data", NEWSMILL_HTTP_PORT="0",
                        NEWSMILL_DELIVERY_HEARTBEAT="200", NEWSMILL_MODEL_WEIGHTS="none")  # nothing is fetched
        self.log = open(f"{self.folder}/log", "w+")
        self.addCleanup(self.log.close)
        self.up = None

    def tearDown(self):
        if self.up and self.up.poll() is None:
            self.up.send_signal(signal.SIGINT)
            self.up.send_signal(signal.SIGINT)
            self.up.wait(60)

    def tool(self, *args, code=0, timeout=60):
        done = subprocess.run([f"{BIN}/newsmill", *args], env=self.env, cwd=self.folder, capture_output=True, text=True,
                              timeout=timeout)
        self.assertEqual(done.returncode, code, f"newsmill {args}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        self.up = subprocess.Popen([f"{BIN}/newsmill", "up", "--demo", "--embedders", "2"], env=self.env, cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=self.log)

    def ask(self, *args):
        """The document, or {} while nobody answers."""
        done = subprocess.run([f"{BIN}/newsmill", *args, "--json"], env=self.env, cwd=self.folder, capture_output=True,
                              text=True, timeout=20)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def alive(self):
        return {w["pid"]: w["stage"] for w in self.ask("workers").get("workers", ())
                if w["state"] == "alive" and os.path.exists(f"/proc/{w['pid']}")}

    def wait_until_whole(self):
        return wait_for("all processes", lambda: sorted(self.alive().values()) == sorted(STAGES + ["embedder"])
                        and self.alive())

    def succeeded(self):
        return self.ask("status").get("stats", {}).get("successfulRuns", 0)

    def stop(self, number=signal.SIGINT):
        self.up.send_signal(number)
        self.assertEqual(self.up.wait(45), 0)

    def leftovers(self):
        """Processes of this test's mill, by the data folder in their environment or arguments."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as env, open(f"/proc/{pid}/cmdline", "rb") as args:
                    if self.folder.encode() in env.read() + args.read() and int(pid) != os.getpid():
                        found.append(int(pid))
            except OSError:
                pass  # gone meanwhile, or nobody's business
        return found

    def test_a_newcomers_first_minutes(self):
        self.start()
        wait_for("a run to succeed", self.succeeded)
        run = self.ask("runs")["runs"][-1]
        self.assertEqual((run["status"], run["errorMessage"]), ("SUCCESS", None))
        self.assertGreaterEqual(run["articlesProcessed"], 20)
        self.assertGreaterEqual(run["embeddingsCreated"], run["articlesProcessed"])
        self.wait_until_whole()
        self.assertEqual(self.ask("status")["model"], {"summary": "local/centroid", "embedding": "local/hash-384", "fallback": True})
        self.assertIn("the fallback", self.tool("status"))
        self.tool("up", "--demo", code=111)  # one a data folder
        again = json.loads(self.tool("run", "--once", "--demo"))  # done by the running mill
        self.assertEqual(again["status"], "SUCCESS")
        self.assertIn(again["id"], [run["id"] for run in self.ask("runs")["runs"]])
        self.assertEqual(len(self.ask("sources")["sources"]), len(self.ask("feed", "list")))
        self.tool("feed", "add", "--no-check", "https://feed.invalid/rss")
        self.assertIn("https://feed.invalid/rss", self.tool("feed", "export"))
        self.tool("feed", "remove", "https://feed.invalid/rss")
        self.stop()
        self.assertEqual(self.leftovers(), [])
        self.assertIn(".rss", self.tool("feed", "list", "--demo"))  # the database starts for one command
        self.assertEqual(self.leftovers(), [])

    def test_who_is_killed_comes_back(self):
        self.start()
        before = self.wait_until_whole()
        for stage in ("embedder", "fetcher", "broker", "collector"):
            os.kill(next(pid for pid in before if before[pid] == stage), signal.SIGKILL)
        after = wait_for("all to be back", lambda: sorted(self.alive().values()) == sorted(STAGES + ["embedder"])
                         and len(set(before) - set(self.alive())) == 4)
        self.assertTrue(after)
        self.assertEqual(json.loads(self.tool("run", "--once", "--demo"))["status"], "SUCCESS")
        self.stop(signal.SIGTERM)
        self.assertEqual(self.leftovers(), [])

    def test_a_killed_mill_leaves_nobody_and_starts_again(self):
        self.start()
        wait_for("a run", self.succeeded)
        self.up.kill()
        self.up.wait(10)
        wait_for("everybody to leave", lambda: not self.leftovers())
        self.start()
        wait_for("one more", lambda: self.succeeded() > 1)
        self.stop()

    def test_weights_that_come_later_are_for_the_next_embedder_to_start(self):
        del self.env["NEWSMILL_MODEL_WEIGHTS"]
        self.env.update(npm_config_registry="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
        try:
            source = weights.weights()
        except (OSError, subprocess.SubprocessError) as error:
            self.skipTest(f"the weights are not to be had: {error}")
        self.start()
        self.wait_until_whole()
        self.assertEqual(self.ask("status")["model"]["embedding"], "local/hash-384")
        self.log.seek(0)
        self.assertIn(f"{self.folder}/data/minilm-l6-v2.weights: ", [line for line in self.log if "hashed words (" in line][0])
        self.tool("model", "pull", source)
        for pid in [pid for pid, stage in self.alive().items() if stage == "embedder"]:
            os.kill(pid, signal.SIGKILL)
        wait_for("the model", lambda: self.ask("status")["model"]["embedding"] == "local/minilm-l6-v2")
        self.stop()

    def test_run_once(self):
        first = json.loads(self.tool("run", "--once", "--demo"))
        self.assertEqual(first["status"], "SUCCESS")
        self.assertGreaterEqual(first["articlesProcessed"], 20)
        second = json.loads(self.tool("run", "--once", "--demo"))
        self.assertEqual((second["status"], second["articlesProcessed"]), ("SUCCESS", 0))
        self.assertEqual(self.leftovers(), [])
        self.env["NEWSMILL_MODEL_BASE_URL"] = "http://127.0.0.1:9/v1"  # vectors of another size
        self.tool("run", "--once", "--demo", code=100)
        self.assertEqual(self.leftovers(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
