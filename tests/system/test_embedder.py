"""What the model is asked to embed: the same text once, and with a heading where the setting says so."""
import json
import unittest
import urllib.request

from mill import MillTest, wait_for
from pages import Pages, rss

TEXT = " ".join(f"word{k}" for k in range(250))


class EmbedderTest(MillTest):
    world_options = dict(feeds=1, articles=1, words=50, dimensions=64)
    settings = dict(chunker_size=100, chunker_overlap=0)

    def feeds(self):
        self.site = Pages()
        self.addCleanup(self.site.stop)
        self.inputs = []
        for path in ("/v1/chat/completions", "/v1/embeddings"):
            self.site.at[path] = self.model
        self.site.at["/a.xml"] = rss([("First", "http://a.example/1", TEXT)], title="Wire A")
        self.site.at["/b.xml"] = rss([("Second", "http://b.example/1", TEXT)], title="Wire B")
        return [f"{self.site.url}/a.xml", f"{self.site.url}/b.xml"]

    def model(self, request):
        if request.path.endswith("embeddings"):
            self.inputs += json.loads(request.body)["input"]
        passed = urllib.request.Request(self.world.url + request.path, request.body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(passed, timeout=20) as reply:
            return 200, {"Content-Type": "application/json"}, reply.read()

    def run_with(self, **settings):
        self.mill.env.update({f"NEWSMILL_{k.upper()}": v for k, v in settings.items()},
                             NEWSMILL_MODEL_BASE_URL=f"{self.site.url}/v1")
        self.mill.start_all()
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"], row["embeddingsCreated"]), ("SUCCESS", 2, 6), row)
        self.stored = [r["content"] for r in self.mill.postgres.rows('SELECT content FROM "ArticleChunk"')]
        words = TEXT.split()
        self.pieces = [" ".join(words[k:k + 100]) for k in (0, 100, 200)]
        self.assertEqual(sorted(self.stored), sorted(self.pieces * 2), "stored chunks are the text alone")

    def test_the_same_text_is_sent_once(self):
        self.run_with()
        self.assertEqual(sorted(self.inputs), sorted(self.pieces))
        different = self.mill.postgres.value('SELECT count (*) FROM "ArticleChunk" a JOIN "ArticleChunk" b'
                                             ' ON a.content = b.content AND a.embedding <> b.embedding')
        self.assertEqual(different, 0)
        wait_for("the heartbeat to tell", lambda: [w for w in json.loads(self.mill.cli("workers", "--json").stdout)["workers"]
                                                   if w["stage"] == "embedder" and w["statistics"]["reused"] == 3])

    def test_a_heading_is_read_and_not_stored(self):
        self.run_with(embedder_prefix="title_source")
        wanted = [f"{head}\n\n{piece}" for head in ("First\nWire A", "Second\nWire B") for piece in self.pieces]
        self.assertEqual(sorted(self.inputs), sorted(wanted))

    def test_the_title_alone(self):
        self.run_with(embedder_prefix="title")
        self.assertEqual(sorted(self.inputs), sorted(f"{t}\n\n{p}" for t in ("First", "Second") for p in self.pieces))


if __name__ == "__main__":
    unittest.main(verbosity=2)
