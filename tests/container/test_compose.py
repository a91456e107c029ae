"""One host: docker compose up from a clean checkout, workers that come and go during a run."""
import json
import time
import unittest
import urllib.request

from compose import BIN, ContainerTest, main, run, wait_for

FEEDS, ARTICLES = 4, 30
LONG_RUNNING = {"database", "broker", "ticker", "fetcher", "summarizer", "chunker", "embedder", "writer", "collector", "gateway"}


class DemoTest(ContainerTest):
    def test_up_from_a_clean_checkout(self):
        mill = self.project("demo", profiles=["demo"])
        mill("build", "--quiet")
        start = time.monotonic()
        mill("up", "--detach", "--wait", "--wait-timeout", "180")
        print(f"healthy after {time.monotonic() - start:.0f} s", flush=True)
        states = {c["Service"]: (c["State"], c["Health"]) for c in mill.containers()}
        for service in LONG_RUNNING:
            self.assertEqual(states[service], ("running", "healthy"), service)
        wait_for("the sample articles", lambda: mill.stored() >= 24, 60)
        wait_for("the first run in the status", lambda: mill.status()["stats"]["successfulRuns"] >= 1, 30)
        inside = json.loads(mill("exec", "-T", "collector", "newsmill", "status", "--json"))
        self.assertTrue(inside["healthy"])
        shown = json.loads(mill("exec", "-T", "embedder", "sh", "-c", "newsmill model show --json || true"))
        self.assertEqual((inside["model"]["embedding"], inside["model"]["fallback"]), (shown["model"], shown["fallback"]))
        self.assertIn("SUCCESS", mill("run", "--rm", "-T", "newsmill", "runs"))
        wait_for("more with the next tick", lambda: mill.stored() > 24, 90)
        published = [p for c in mill.containers() for p in c["Publishers"] or [] if p["PublishedPort"]]
        self.assertEqual({(p["URL"], p["PublishedPort"]) for p in published}, {("127.0.0.1", mill.port)})
        for c in mill.containers():
            if c["Service"] not in LONG_RUNNING:
                continue
            info = json.loads(run("docker", "inspect", c["Name"]))[0]
            self.assertTrue(info["HostConfig"]["ReadonlyRootfs"], c["Service"])
            self.assertEqual(info["HostConfig"]["CapDrop"], ["ALL"], c["Service"])
            self.assertNotIn(info["Config"]["User"], ("", "0", "root"), c["Service"])
        start = time.monotonic()
        mill("stop")
        print(f"stopped after {time.monotonic() - start:.0f} s", flush=True)
        for c in mill.containers():
            if c["Service"] in LONG_RUNNING:
                self.assertEqual((c["Service"], c["ExitCode"]), (c["Service"], 0))


class FaultTest(ContainerTest):
    """A world beside the fetcher, slow enough that a run lasts through all of it."""

    OVERRIDE = f"""services:
  world:
    image: newsmill
    network_mode: service:fetcher
    volumes: ["{BIN}/fakeworld:/usr/local/bin/fakeworld:ro"]
    command: [fakeworld, --any-address, "1", --port, "8081", --feeds, "{FEEDS}", --articles, "{ARTICLES}", --words, "300",
              --dimensions, "64", --chat-ms, "1500", --embed-ms, "4000"]
    healthcheck: {{test: ["CMD", "true"], interval: 1s}}
"""

    def test_scaled_killed_and_cut_off_during_a_run(self):
        with open(f"{self.checkout.folder}/world.yml", "w", encoding="utf-8") as file:
            file.write(self.OVERRIDE)
        mill = self.project("faults", ["docker-compose.yml", "world.yml"], feeds_opml="http://127.0.0.1:8081/opml",
                            fetcher_allow_private="true", model_base_url="http://fetcher:8081/v1", model_dimensions=64)
        with open(f"{self.checkout.folder}/slow.conf", "w", encoding="utf-8") as file:
            file.write("embedder\n    batch = 2\n    calls = 1\nsummarizer\n    calls = 2\n")
        mill.env["NEWSMILL_CONF"] = f"{self.checkout.folder}/slow.conf"
        mill("build", "--quiet")
        mill("up", "--detach", "--wait", "--wait-timeout", "180")
        wait_for("the run to be under way", lambda: mill.stored() >= 2, 90)
        mill("up", "--detach", "--no-recreate", "--scale", "embedder=4")
        wait_for("four embedders", lambda: len(mill.workers("embedder")) == 4, 60)
        four = {w["worker"] for w in mill.workers("embedder")}
        shared = set()

        def all_share():
            shared.update(w["worker"] for w in mill.workers("embedder") if w["held"])
            return shared >= four
        wait_for("all four to hold articles", all_share, 60)
        victims = mill.containers("embedder")
        run("docker", "kill", victims[0]["Name"])
        cut = victims[1]["Name"]
        networks = [f"{mill.name}_work", f"{mill.name}_internet"]
        for network in networks:
            run("docker", "network", "disconnect", network, cut)
        disconnected = time.monotonic()
        mill("stop", "broker")
        mill("start", "broker")
        self.assertLess(mill.stored(), FEEDS * ARTICLES, "the run was over before the faults were")
        mill("up", "--detach", "--no-recreate", "--scale", "embedder=2")
        time.sleep(max(0, disconnected + 30 - time.monotonic()))
        if cut in {c["Name"] for c in mill.containers("embedder")}:
            for network in networks:
                run("docker", "network", "connect", network, cut)
        wait_for("all articles", lambda: mill.states() == {"done": FEEDS * ARTICLES}, 400)
        self.check_stored_once(mill, FEEDS * ARTICLES)
        wait_for("two embedders", lambda: len(mill.workers("embedder")) == 2, 90)
        self.assertTrue(mill.status()["conservation"]["ok"])

    def test_cut_off_it_rejoins_by_itself_and_finds_a_broker_that_moved(self):
        with open(f"{self.checkout.folder}/subnet.yml", "w", encoding="utf-8") as file: # so that an address can be asked for
            file.write("networks: {work: {ipam: {config: [{subnet: 10.213.71.0/24}]}}}\n")
        mill = self.project("cut", ["docker-compose.yml", "subnet.yml"], profiles=["demo"])
        mill("build", "--quiet")
        mill("up", "--detach", "--wait", "--wait-timeout", "180")
        wait_for("the sample articles", lambda: mill.stored() >= 24, 60)
        (worker,) = mill.workers("embedder")
        name = mill.containers("embedder")[0]["Name"]
        for network in ("work", "internet"):
            run("docker", "network", "disconnect", f"{mill.name}_{network}", name)
        wait_for("it to be missed", lambda: not mill.workers("embedder"), 60)
        wait_for("it to be unhealthy", lambda: mill.containers("embedder")[0]["Health"] == "unhealthy", 90)
        for network in ("work", "internet"):
            run("docker", "network", "connect", f"{mill.name}_{network}", name)
        wait_for("it to be back", lambda: [w for w in mill.workers("embedder") if w["worker"] == worker["worker"]], 60)
        wait_for("it to be healthy", lambda: mill.containers("embedder")[0]["Health"] == "healthy", 60)
        before = mill.address("broker", "work")
        mill("stop", "broker")
        squatter = f"{mill.name}-squatter"
        self.addCleanup(run, "docker", "rm", "--force", squatter, check=False)
        run("docker", "run", "--detach", "--name", squatter, "--network", f"{mill.name}_work", "--ip", before, "newsmill", "sleep", "600")
        mill("start", "broker")
        self.assertNotEqual(mill.address("broker", "work"), before, "the broker was to come back with another address")
        known = mill.stored()
        wait_for("new articles through it", lambda: mill.stored() > known, 90)
        self.assertIn("all links stand again", mill.log("embedder"))


if __name__ == "__main__":
    main()
