"""Encrypted links: who has the right certificate works, who has not gets nothing and delivers nothing."""
import json
import os
import re
import shutil
import socket
import subprocess
import unittest

from mill import BIN, ROLES, SOURCE, MillTest, wait_for

LINKS = ["articles", "summaries", "chunks", "vectors", "results", "ticks", "events"]


def free_ports(count):
    """The first of so many free ports in a row."""
    for base in range(20000 + os.getpid() % 10000, 60000, count):
        taken = []
        try:
            for port in range(base, base + count):
                s = socket.socket()
                taken.append(s)
                s.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for s in taken:
                s.close()
    raise AssertionError("no free ports")


class SecurityTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=300, dimensions=64)

    def setUp(self):
        self.port = free_ports(15)
        self.settings = dict(broker_endpoint=f"tcp://127.0.0.1:{self.port}", security_curve="always",
                             collector_endpoint=f"tcp://127.0.0.1:{self.port + 14}")
        super().setUp()
        self.mill.cli("keys", "init")
        self.keys = f"{self.mill.env['NEWSMILL_DATA_DIR']}/keys"

    def issue(self, role):
        return json.loads(self.mill.cli("keys", "issue", role, "--json").stdout)

    def endpoint(self, socket_name):
        link, side = socket_name.split(".")
        return f"tcp://127.0.0.1:{self.port + 2 * LINKS.index(link) + (side == 'out')}"

    def intrude(self, key, socket_name, how, *more, server="own"):
        """How many messages it could send, got, or had answered."""
        endpoint = socket_name if "://" in socket_name else self.endpoint(socket_name)
        done = subprocess.run([f"{BIN}/intruder", key, server, endpoint, how, *more], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout.split()[1])

    def key(self, name):
        return f"{self.keys}/{name}/key"

    def broker_key(self):
        with open(self.key("embedder")) as f:
            return re.search(r'broker-key = "(.{40})"', f.read()).group(1)

    def workers(self, stage):
        return [w for w in json.loads(self.mill.cli("workers", "--json").stdout)["workers"] if w["stage"] == stage]

    def vector(self, name):
        return f"{SOURCE}/proto/vectors/{name}.hex"

    def refused_start(self, role, **settings):
        process = self.mill.start(role, **settings)
        self.assertEqual(process.wait(10), 100)
        self.mill.processes.remove(process)
        return self.mill.log_text()

    def test_a_whole_run_over_encrypted_links(self):
        self.mill.start_all()
        self.assertEqual(self.mill.run_once()["status"], "SUCCESS")
        self.check_everything_stored_once()
        self.assertEqual(self.mill.log_count("refused"), 0)

    def test_the_right_key_gets_through_and_no_other(self):
        self.mill.start("broker")
        wait_for("the broker", lambda: self.mill.log_count("ready worker=broker") == 1)
        article = self.vector("article-embedded")
        self.assertGreater(self.intrude(self.key("embedder"), "vectors.in", "push", article), 0)
        self.assertGreater(self.intrude(self.key("writer"), "vectors.out", "pull"), 0)
        other = self.issue("embedder")
        self.mill.cli("keys", "revoke", other["name"], check=True)
        shutil.copy(self.key("chunker"), f"{self.mill.folder}/forged")
        with open(f"{self.mill.folder}/forged", "r+") as f:
            text = f.read().replace('role = "chunker"', 'role = "embedder"')
            f.seek(0)
            f.write(text)
        cases = {
            "no key": ("none", "own"),
            "a key nobody knows": ("new", self.broker_key()),
            "another server's key": (self.key("embedder"), "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
            "another role": (self.key("chunker"), "own"),
            "a role it gave itself": (f"{self.mill.folder}/forged", "own"),
        }
        for what, (key, server) in cases.items():
            with self.subTest(what):
                self.assertEqual(self.intrude(key, "vectors.in", "push", article, server=server), 0)
                self.assertEqual(self.intrude(key, "vectors.out", "pull", server=server), 0)
        self.assertEqual(self.intrude(self.key("writer"), "vectors.out", "pull"), 0, "something was delivered")
        self.assertEqual(self.intrude(self.key("embedder"), "ticks.out", "sub"), 0)
        self.assertEqual(self.intrude(self.key("embedder"), "ticks.in", "push", self.vector("tick")), 0)
        log = self.mill.log_text()
        self.assertIn("its certificate is unknown or revoked", log)
        self.assertRegex(log, r"refused 127.0.0.1 at vectors.in: its role has no business there name=chunker role=chunker")
        self.assertRegex(log, r"refused a peer at vectors.in .*speaks no CURVE")
        self.assertRegex(log, r"refused a peer at vectors.in .*: it has another key for this server")

    def test_nobody_speaks_for_another_stage(self):
        self.mill.start("broker", "collector")
        wait_for("both", lambda: self.mill.log_count("ready worker=") == 2)
        wait_for("the collector to listen", lambda: len(self.workers("collector")) == 1)
        with open(self.vector("heartbeat")) as f:
            stage = bytes.fromhex(re.sub(r"#.*|\s", "", f.read()))
        name = re.search(rb"(summarizer|chunker|embedder|writer)-", stage).group(1).decode()
        other = "writer" if name != "writer" else "embedder"
        self.assertGreater(self.intrude(self.key(other), "results.in", "push", self.vector("heartbeat")), 0)
        self.assertEqual(self.workers(name), [])
        self.assertRegex(self.mill.log_text(), rf"refused a frame .* on results: it speaks for another stage .*from={other} ")
        self.assertGreater(self.intrude(self.key(name), "results.in", "push", self.vector("heartbeat")), 0)
        wait_for("its own word to be heard", lambda: len(self.workers(name)) == 1)

    def test_frames_that_do_not_belong_are_dropped_and_the_sender_named(self):
        self.mill.start("broker")
        wait_for("the broker", lambda: self.mill.log_count("ready worker=broker") == 1)
        with open(self.vector("article")) as f:
            good = re.sub(r"#.*|\s", "", f.read())
        for what, frame in {"another version": good[:4] + "02" + good[6:], "unknown type": good[:6] + "09" + good[8:]}.items():
            with open(f"{self.mill.folder}/frame.hex", "w") as f:
                f.write(frame)
            self.assertGreater(self.intrude(self.key("fetcher"), "articles.in", "push", f"{self.mill.folder}/frame.hex"), 0)
            wait_for(what, lambda: re.search(rf"on articles: {what}, from=fetcher address=127.0.0.1", self.mill.log_text()))
        self.assertEqual(self.intrude(self.key("summarizer"), "articles.out", "pull"), 0)

    def test_requests_need_a_key_too(self):
        self.mill.start("broker", "collector")
        wait_for("the collector", lambda: self.mill.log_count("ready worker=") == 2)
        with open(self.key("operator")) as f:
            server = re.search(r'collector-key = "(.{40})"', f.read()).group(1)
        endpoint, request = f"tcp://127.0.0.1:{self.port + 14}", '{"op":"status"}'
        self.assertEqual(self.intrude(self.key("operator"), endpoint, "ask", request, server=server), 1)
        self.assertEqual(self.intrude(self.key("embedder"), endpoint, "ask", request, server=server), 0)
        self.assertEqual(self.intrude("none", endpoint, "ask", request), 0)
        shutil.move(self.key("operator"), f"{self.mill.folder}/away")
        done = self.mill.cli("status", check=False)
        self.assertEqual(done.returncode, 111)
        self.assertIn("newsmill keys", done.stderr)

    def test_new_keys_are_taken_and_revoked_ones_cut_off_without_a_restart(self):
        self.mill.start(*[role for role in ROLES if role != "embedder"])
        wait_for("all", lambda: self.mill.log_count("ready worker=") == len(ROLES) - 1)
        first = self.issue("embedder")
        old = self.mill.start("embedder", security_key=first["file"])
        self.assertEqual(self.mill.run_once()["status"], "SUCCESS")
        self.check_everything_stored_once()
        self.mill.cli("keys", "revoke", first["name"])
        wait_for("it to be cut off", lambda: self.mill.log_count(f"cut off {first['name']} (127.0.0.1) at chunks.out") == 1, 10)
        wait_for("it to be told", lambda: "refused at " in self.mill.log_text(), 15)
        calls = self.world.stats()["embed_calls"]
        self.world.post("/admin/publish?feed=1&count=3")
        run = self.mill.trigger()
        with self.assertRaises(AssertionError):
            self.mill.wait_closed(run, 4)
        self.assertEqual(self.world.stats()["embed_calls"], calls, "a revoked worker got work")
        second = self.issue("embedder")
        self.mill.start("embedder", security_key=second["file"])
        self.mill.wait_closed(run, 30)
        self.assertEqual(self.mill.end(old), 0)
        self.check_everything_stored_once(self.total() + 3)

    def test_refused_today_it_is_let_in_when_its_certificate_comes(self):
        self.mill.start("broker", "collector")
        wait_for("both", lambda: self.mill.log_count("ready worker=") == 2)
        shutil.move(f"{self.keys}/clients/embedder", f"{self.mill.folder}/away")
        self.mill.start("embedder")
        wait_for("it to be refused", lambda: "refused at " in self.mill.log_text(), 15)
        shutil.copy(f"{self.keys}/clients/writer", f"{self.keys}/clients/writer.bak")
        shutil.move(f"{self.mill.folder}/away", f"{self.keys}/clients/embedder")
        wait_for("it to be let in", lambda: len(self.workers("embedder")) == 1, 20)
        self.assertLess(self.mill.log_count("refused at "), 3)
        shutil.move(f"{self.keys}/clients", f"{self.keys}/nobody")
        wait_for("all to be cut off when there are no certificates",
                 lambda: "nobody is let in" in self.mill.log_text() and "cut off embedder" in self.mill.log_text(), 10)

    def test_what_is_wrong_with_a_key_is_said_on_the_first_line(self):
        os.chmod(self.key("chunker"), 0o644)
        self.assertIn("can be read or changed by others (mode 0644): chmod 600", self.refused_start("chunker"))
        os.remove(self.key("writer"))
        self.assertRegex(self.refused_start("writer"), r"there is no key at .*/keys/writer/key: make one with `newsmill keys init`")
        self.assertIn("is for the role embedder, not for summarizer",
                      self.refused_start("summarizer", security_key=self.key("embedder")))
        with open(f"{self.keys}/junk", "w") as f:
            f.write("junk\n")
        os.chmod(f"{self.keys}/junk", 0o600)
        self.assertIn("is no secret certificate", self.refused_start("fetcher", security_key=f"{self.keys}/junk"))

    def test_plain_sockets_beyond_loopback_only_when_told(self):
        beyond = dict(broker_endpoint=f"tcp://*:{self.port}", security_curve="on")
        self.assertIn("there is no key", self.refused_start("broker", security_keys=f"{self.mill.folder}/none", **beyond))
        self.mill.start("broker", broker_endpoint=f"tcp://*:{self.port}", security_curve="off")
        wait_for("the broker", lambda: self.mill.log_count("ready worker=broker") == 1)
        self.assertIn("because security.curve is off", self.mill.log_text())
        self.assertGreater(self.intrude("none", "vectors.in", "push", self.vector("article-embedded")), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
