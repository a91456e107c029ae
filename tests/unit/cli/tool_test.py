"""newsmill, as far as it can be tried without a mill: messages, exit codes, and that its manual page tells all."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

BIN = os.environ["NEWSMILL_BIN"]
SOURCE = os.environ["NEWSMILL_SOURCE"]

FEED = """<rss version="2.0"><channel><title>T</title><item><title>One &amp; two</title>
<link>https://a.example/1</link></item></channel></rss>"""


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="newsmill-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("NEWSMILL_") and k not in ("DATABASE_URL", "OPENROUTER_API_KEY", "DEBUG")}
        self.env["NEWSMILL_DATA_DIR"] = self.folder + "/data"

    def tool(self, *args, code=0, **options):
        done = subprocess.run([f"{BIN}/newsmill", *args], env=self.env, cwd=self.folder, capture_output=True, text=True,
                              timeout=20, **options)
        self.assertEqual(done.returncode, code, f"newsmill {args}: {done.stdout}{done.stderr}")
        if code >= 100:
            self.assertEqual(done.stdout, "")
            self.assertIn("newsmill", done.stderr + "newsmill" * (args[:1] == ("config",)))
        return done.stdout + done.stderr

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)
        return name

    def commands(self):
        return re.findall(r"^  ([a-z]+) ", self.tool(), re.M)

    def test_help_and_version(self):
        self.assertEqual(self.tool(), self.tool("help"))
        self.assertEqual(self.tool(), self.tool("--help"))
        self.assertIn("up", self.commands())
        for command in self.commands():
            self.assertIn(f"usage: newsmill {command}", self.tool("help", command))
            self.assertEqual(self.tool("help", command), self.tool(command, "--help"))
        self.assertRegex(self.tool("version"), r"^newsmill \d+\.\d+\.\d+\n$")
        self.assertEqual(self.tool("-V"), self.tool("version"))
        self.assertIn("version", json.loads(self.tool("version", "--json")))

    def test_wrong_usage_leaves_with_100_and_says_what_is_right(self):
        for args, said in ((["stauts"], "newsmill status"), (["sour"], "newsmill sources"), (["qqqqqqqqq"], "help"),
                           (["up", "--embeders", "2"], "--embeders"), (["up", "--embedders", "-1"], "0 to 64"),
                           (["up", "--embedders"], "wants a value"), (["up", "now"], "too much"), (["run"], "--once"),
                           (["run", "--once=1"], "takes no value"), (["runs", "--limit=0"], "1 to 1000"),
                           (["feed"], "usage: newsmill feed"), (["feed", "remote"], '"remote"'),
                           (["feed", "add"], "missing"), (["feed", "add", "file:///x"], "no http"),
                           (["feed", "parse"], "missing"), (["dead", "show", "x"], '"x"'), (["dead", "show"], "missing"),
                           (["dead", "drop", "1", "all"], '"all"'), (["db", "drop"], '"drop"'), (["config"], "missing"),
                           (["status", "-c"], "-c wants a value"), (["status", "-c", "nowhere"], "nowhere"),
                           (["status", "-o", "no.such=1"], "no.such"), (["help", "nothing"], "nothing"),
                           (["model"], "usage: newsmill model"), (["model", "push"], '"push"'), (["model", "pull", "a", "b"], "too much"),
                           (["model", "pull", "--forced"], "--forced"), (["model", "show", "x"], "too much"),
                           (["model", "serve", "--port", "65536"], "0 to 65535"), (["model", "serve", "--threads", "0"], "1 to 256"),
                           (["model", "pull", "-o", "model.weights=none"], "model.weights"),
                           (["extract", "nowhere"], "nowhere"), (["feed", "parse", "nowhere"], "nowhere")):
            with self.subTest(args):
                self.assertIn(said, self.tool(*args, code=100))

    def test_without_a_mill_they_say_so_at_once(self):
        for args in (["status"], ["trigger"], ["runs"], ["runs", "x"], ["sources"], ["workers"], ["watch"]):
            with self.subTest(args):
                begin = time.monotonic()
                self.assertIn("newsmill up", self.tool(*args, code=111))
                self.assertLess(time.monotonic() - begin, 2)
        self.assertFalse(os.path.exists(self.folder + "/data"), "asking makes nothing")

    def test_every_wrong_setting_is_told(self):
        self.write("newsmill.conf", "fetcher\n    paralel = 1\nchunker\n    size = none\n")
        said = self.tool("config", "check", code=100)
        self.assertIn("newsmill.conf:2: fetcher.paralel", said)
        self.assertIn("newsmill.conf:4: chunker.size", said)
        self.assertIn("newsmill.conf:2", self.tool("up", code=100))
        self.assertFalse(os.path.exists(self.folder + "/data"), "nothing was started")

    def test_settings_are_shown_without_secrets(self):
        self.env["NEWSMILL_HTTP_TOKEN"] = "hush-hush"
        shown = self.tool("config", "show", "-o", "chunker.size=700")
        self.assertIn("chunker.size = 700", shown)
        self.assertNotIn("hush-hush", shown)
        document = json.loads(self.tool("config", "show", "--json", "--demo"))
        self.assertEqual(document["http.token"], "********")
        self.assertEqual(document["data.dir"], self.folder + "/data/demo")
        self.assertIs(document["fetcher.allow_private"], True)

    def test_deep_folders_get_short_sockets(self):
        self.env["NEWSMILL_DATA_DIR"] = self.folder + "/" + 120 * "x"
        document = json.loads(self.tool("config", "show", "--json"))
        self.assertRegex(document["broker.endpoint"], r"^ipc:///tmp/newsmill-\d+-[0-9a-f]{16}$")
        self.assertEqual(document["collector.endpoint"], document["broker.endpoint"] + "/status")
        self.env["NEWSMILL_COLLECTOR_ENDPOINT"] = "tcp://127.0.0.1:5"
        document = json.loads(self.tool("config", "show", "--json"))
        self.assertEqual(document["collector.endpoint"], "tcp://127.0.0.1:5")

    def test_feed_parse(self):
        document = json.loads(self.tool("feed", "parse", self.write("feed.xml", FEED)))
        self.assertEqual(document["title"], "T")
        self.assertEqual(document["entries"][0]["title"], "One & two")
        self.assertIn("error", json.loads(self.tool("feed", "parse", self.write("page.html", "<p>no feed"), code=1)))
        self.assertIn("error", json.loads(self.tool("feed", "parse", self.write("empty", ""), code=1)))
        relative = FEED.replace("https://a.example/1", "/1")
        document = json.loads(self.tool("feed", "parse", self.write("feed.xml", relative), "--url", "https://b.example/f"))
        self.assertEqual(document["entries"][0]["url"], "https://b.example/1")
        document = json.loads(self.tool("feed", "parse", "-", input=FEED))
        self.assertEqual(document["format"], "rss")

    def test_extract(self):
        text = self.tool("extract", self.write("page.html", "<script>x</script><p>Caf&eacute; &amp; bar</p><p>Two"))
        self.assertEqual(text.split(), ["Caf\u00e9", "&", "bar", "Two"])
        self.assertEqual(self.tool("extract", self.write("empty", "")).strip(), "")
        page = "<html lang=en><title>T</title><nav>menu</nav><article><p id=a>One.</p><p>Two.</p></article>"
        document = json.loads(self.tool("extract", "-", "--json", "--rules", "keep: #a", input=page))
        self.assertEqual(document, {"title": "T", "author": None, "published": None, "canonical": None, "language": "en",
                                    "text": "One.", "words": 1})
        self.assertIn("is expected", self.tool("extract", "page.html", "--rules", "article", code=100))

    def test_the_manual_page_tells_every_command_and_option(self):
        with open(f"{SOURCE}/cli/newsmill.1") as file:
            page = file.read()
        for command in self.commands():
            self.assertTrue(re.search(rf"(?m)^\.It Ic {command}\b", page), command)
            for option in re.findall(r"--([a-z-]+)", self.tool("help", command)):
                self.assertTrue(re.search(rf"(?m)^\.It .*Fl \\-{option}\b", page), f"--{option} of {command}")
        if shutil.which("mandoc"):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", f"{SOURCE}/cli/newsmill.1"],
                                  capture_output=True, text=True)
            self.assertEqual(lint.stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
