"""Every feed that nobody should have to read, all in one run: each says what is wrong with it or gives what can be had, in
bounded time and memory, and the good feeds beside it come in as ever."""
import subprocess
import tempfile
import time
import unittest

import hostile
from mill import BIN, MillTest

# name, what its error says (a regular expression; None: it has none), articles of it that are stored
ROWS = [
    ("404", "HTTP 404", 0),
    ("410", "HTTP 410", 0),
    ("500", "HTTP 500", 0),
    ("204", "HTTP 204", 0),
    ("304", "HTTP 304.*nothing was asked", 0),
    ("loop", "redirects in a circle", 0),
    ("hops-1", "more than 5 redirects", 0),
    ("redirect-file", "neither http nor https", 0),
    ("redirect-gopher", "neither http nor https", 0),
    ("redirect-script", "neither http nor https", 0),
    ("redirect-nowhere", "HTTP 302|circle", 0),
    ("redirect-crlf", "HTTP 404", 0),
    ("drip", "not finished within|sent nothing|slow", 0),
    ("drip-head", "not finished within|sent nothing|slow", 0),
    ("silent", "sent nothing for|not finished within", 0),
    ("close", "broke midway", 0),
    ("endless", "larger than", 0),
    ("huge", "larger than", 0),
    ("bomb-gzip", "a bomb", 0),
    ("bomb-deflate", "a bomb", 0),
    ("bomb-br", "a bomb", 0),
    ("bomb-zstd", "a bomb", 0),
    ("bomb-twice", "a bomb", 0),
    ("bomb-inside", "neither XML nor JSON", 0),
    ("encodings", "unreadable answer.*encoding", 0),
    ("encoding-unknown", "unreadable answer.*encoding", 0),
    ("encoding-lie", "unreadable answer", 0),
    ("cut-length", "broke midway", 0),
    ("cut-gzip", None, 2),
    ("cut-chunk", "broke midway", 0),
    ("chunk-huge", "broke|unreadable", 0),
    ("chunk-garbage", "broke|unreadable", 0),
    ("header-huge", "header|more than", 0),
    ("headers-endless", "headers", 0),
    ("continue-endless", "headers", 0),
    ("header-cr", None, 1),
    ("header-nul", "unreadable answer", 0),
    ("header-folded", None, 1),
    ("header-bytes", None, 1),
    ("length-negative", "unreadable answer", 0),
    ("length-two", "neither XML|unreadable|broke", 0),
    ("http-nonsense", "unreadable answer", 0),
    ("http-version", "unreadable answer", 0),
    ("http-bare", "unreadable answer", 0),
    ("empty", "the document is empty", 0),
    ("blank", "the document is empty", 0),
    ("html", "root element is <html>", 0),
    ("utf8", None, 1),
    ("charset-latin", None, 1),
    ("charset-utf16", None, 1),
    ("charset-unknown", None, 1),
    ("nul", None, 1),
    ("laughs", None, 1),
    ("laughs-parameter", None, 1),
    ("laughs-attribute", None, 1),
    ("laughs-loop", None, 1),
    ("quadratic", None, 1),
    ("quadratic-short", None, 1),
    ("xxe-file", None, 1),
    ("xxe-http", None, 1),
    ("xxe-dtd", None, 1),
    ("xxe-parameter", None, 1),
    ("xxe-include", None, 1),
    ("stylesheet", None, 1),
    ("cut", None, 1),
    ("cut-cdata", None, 2),
    ("depth", None, 2),
    ("depth-open", None, 2),
    ("depth-feed", "root element is <x>", 0),
    ("depth-html", None, 1),
    ("depth-xhtml", None, 1),
    ("depth-json", "not JSON", 0),
    ("namespaces", None, 2),
    ("prefixes", None, 1),
    ("scope", None, 1),
    ("attributes", None, 1),
    ("attribute", "larger than", 0),
    ("attribute-fits", None, 1),
    ("name", None, 1),
    ("brackets", None, 1),
    ("ampersands", None, 1),
    ("comments", None, 1),
    ("sections", None, 1),
    ("html-comments", None, 1),
    ("html-tags", None, 1),
    ("html-scripts", None, 1),
    ("categories", None, 1),
    ("guid", None, 20),
    ("guid-long", None, 1),
    ("guid-alone", None, 20),
    ("title", None, 1),
    ("links", None, 11),
    ("links-json", None, 3),
    ("dates", None, 15),
    ("type-image", None, 1),
    ("type-broken", None, 1),
    ("type-none", None, 1),
]
APART = {"entries", "loop-back", *(f"hops-{n}" for n in range(31) if n != 1)}  # tested by itself, or asked for by others

TIMEOUT_MS, IDLE_MS = 15000, 8000
FETCH_MS = 3 * TIMEOUT_MS  # the fetcher reads one document after the other, and the rest waits
RUN_S = 240
MEMORY_MIB = 700  # several bodies of fetcher.max_body at once, and the tree of one
DOCUMENT_CPU_S, DOCUMENT_MEMORY_MIB = 5, 512  # as ulimit counts


class DocumentTest(unittest.TestCase):
    def test_no_document_takes_long_or_much(self):
        server = hostile.Hostile()
        self.addCleanup(server.stop)
        with tempfile.TemporaryDirectory() as folder:
            for name in hostile.DOCUMENTS:
                with self.subTest(name):
                    path = f"{folder}/document"
                    with open(path, "wb") as out:
                        out.write(server.documents[name])
                    limits = f"ulimit -t {DOCUMENT_CPU_S}; ulimit -v {DOCUMENT_MEMORY_MIB * 1024}; exec "
                    parse = f'"{BIN}/newsmill" feed parse "{path}" --url http://hostile.example/'
                    done = subprocess.run(limits + parse, shell=True, capture_output=True, timeout=120)
                    self.assertIn(done.returncode, (0, 1), done.stderr[-500:])

    def test_the_rows_are_all_there_is(self):
        self.assertEqual({name for name, *_ in ROWS}, (hostile.DOCUMENTS.keys() | hostile.ANSWERS.keys()) - APART)


class HostileTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=200, dimensions=64)
    settings = dict(fetcher_timeout=TIMEOUT_MS, fetcher_idle_timeout=IDLE_MS, fetcher_per_host=100, fetcher_per_domain=100,
                    fetcher_full_text="never")

    def setUp(self):
        self.hostile = hostile.Hostile()
        self.addCleanup(self.hostile.stop)
        super().setUp()

    def peak_mib(self, process):
        with open(f"/proc/{process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) // 1024

    def sources(self):
        rows = self.mill.postgres.rows(
            'SELECT s.*, r."durationMs", r.discovered, (SELECT count (*) FROM "Article" a WHERE a."sourceId" = s.id) AS articles'
            ' FROM "Source" s LEFT JOIN LATERAL (SELECT * FROM "RunSource" WHERE "sourceId" = s.id ORDER BY "runId" DESC LIMIT 1) r'
            " ON true")
        return {row["url"]: row for row in rows}

    def check_rows(self):
        sources = self.sources()
        for name, error, articles in ROWS:
            with self.subTest(name):
                source = sources[f"{self.hostile.url}/{name}"]
                if error is None:
                    self.assertIsNone(source["lastError"])
                else:
                    self.assertRegex(source["lastError"] or "no error", error)
                self.assertLessEqual(source["durationMs"], FETCH_MS)
                self.assertEqual((source["articles"], source["enabled"]), (articles, name != "410"))

    def check_articles(self):
        db = self.mill.postgres
        self.assertEqual(db.rows("SELECT url FROM \"Article\" WHERE url !~ '^(https?://|urn:newsmill:)'"), [])
        self.assertEqual(db.value("SELECT count (*) FROM \"Article\" WHERE content LIKE '%root:x:%'"), 0, "a file was read")
        self.assertEqual(db.value("SELECT count (*) FROM \"Article\" WHERE length (title) > 2000"), 0)
        self.assertEqual(db.rows("SELECT content FROM \"Article\" WHERE content LIKE '%of the dates%'"
                                 " AND (\"publishedAt\" IS NOT NULL) <> (content LIKE 'date%')"), [], "dates")
        self.assertEqual(self.hostile.forbidden(), {})

    def test_all_at_once(self):
        for name, *_ in ROWS:
            self.mill.add_feed(f"{self.hostile.url}/{name}")
        self.mill.start_all()
        fetcher = self.mill.process("fetcher")
        started = time.monotonic()
        row = self.mill.run_once(RUN_S)
        self.assertEqual(row["status"], "SUCCESS", row)
        first = time.monotonic() - started
        self.check_rows()
        self.check_articles()
        for url in self.feeds():
            self.assertIsNone(self.sources()[url]["lastError"])
        good = self.mill.postgres.value("SELECT count (*) FROM \"Article\" WHERE title LIKE '%mark0%'")
        self.assertEqual(good, self.total())
        # what the first answers left behind - validators, hashes - must do no harm in the next fetch
        self.mill.postgres.execute('UPDATE "Source" SET "nextDueAt" = now () AT TIME ZONE \'UTC\', "bodyHash" = 0')
        self.assertEqual(self.mill.run_once(RUN_S)["status"], "SUCCESS")
        self.check_rows()
        self.check_articles()
        self.assertEqual([p.role for p in self.mill.processes if p.poll() is not None], [], "processes that died")
        peak = self.peak_mib(fetcher)
        print(f"{len(ROWS)} feeds: first run {first:.1f} s, fetcher's peak {peak} MiB", flush=True)
        self.assertLessEqual(peak, MEMORY_MIB)

    def test_fifty_thousand_entries(self):
        self.mill.add_feed(f"{self.hostile.url}/entries")
        self.mill.start_all()
        self.assertEqual(self.mill.run_once(RUN_S)["status"], "SUCCESS")
        source = self.sources()[f"{self.hostile.url}/entries"]
        self.assertIsNone(source["lastError"])
        self.assertLessEqual(source["discovered"], 10_000)
        self.assertGreaterEqual(source["articles"], 100)
        self.assertLessEqual(self.peak_mib(self.mill.process("fetcher")), MEMORY_MIB)


if __name__ == "__main__":
    unittest.main(verbosity=2)
