"""How publishers are treated: few requests, conditional ones, none where they ask for a pause."""
import gzip
import hashlib
import unittest

from mill import MillTest


def feed(*ids, channel=""):
    """An RSS document with an item for each id."""
    items = "".join(f"<item><guid isPermaLink=\"false\">{id}</guid><link>http://told.example/{id}</link><title>Story {id}</title>"
                    f"<description>What happened at {id} is told here at some length.</description></item>" for id in ids)
    return f"<rss version=\"2.0\"><channel><title>Told</title><link>http://told.example/</link>{channel}{items}</channel></rss>".encode()


class MannersTest(MillTest):
    world_options = dict(feeds=1, articles=1, words=50, dimensions=64, any_address=1)
    settings = dict(fetcher_timeout=8000, fetcher_idle_timeout=4000)

    def feeds(self):
        return []

    def told(self, name, host="127.0.0.1", **answer):
        """A source that answers as told. Returns its address."""
        if answer:
            self.world.tell(name, **answer)
        url = f"http://{host}:{self.world.port}/told/{name}"
        self.mill.add_feed(url)
        return url

    def source(self, name):
        return self.mill.postgres.rows(f"SELECT *, round (extract (epoch FROM \"nextDueAt\" - \"lastFetchAt\"))::int AS wait"
                                       f" FROM \"Source\" WHERE url LIKE '%/told/{name}'")[0]

    def poll(self, again=True):
        """A run; all sources are due, or those alone that are."""
        if again:
            self.mill.postgres.execute("UPDATE \"Source\" SET \"nextDueAt\" = now () AT TIME ZONE 'UTC'")
        self.mill.run_once()


class ValidatorTest(MannersTest):
    def test_each_validator_is_kept_by_itself(self):
        good = dict(body=feed("one"))
        self.told("both", headers=[("ETag", '"a"'), ("Last-Modified", "Mon, 17 Nov 2025 02:40:00 GMT")], **good)
        self.mill.start_all()
        self.poll()
        source = self.source("both")
        self.assertEqual((source["etag"], source["lastModified"]), ('"a"', "Mon, 17 Nov 2025 02:40:00 GMT"))

        self.world.tell("both", 304, [("ETag", '"b"')])
        self.poll()
        asked = self.world.asked("both")[-1]
        self.assertEqual((asked["If-None-Match"], asked["If-Modified-Since"]), ('"a"', "Mon, 17 Nov 2025 02:40:00 GMT"))
        source = self.source("both")
        self.assertEqual((source["etag"], source["lastModified"]), ('"b"', "Mon, 17 Nov 2025 02:40:00 GMT"))

        self.world.tell("both", 500)
        self.poll()
        self.assertEqual(self.source("both")["etag"], '"b"', "a failure takes no validator away")

        self.world.tell("both", 200, [("Last-Modified", "Tue, 18 Nov 2025 02:40:00 GMT")], feed("one", "two"))
        self.poll()
        source = self.source("both")
        self.assertEqual((source["etag"], source["lastModified"]), (None, "Tue, 18 Nov 2025 02:40:00 GMT"))
        self.assertEqual(self.mill.stored(), 2)

        self.world.tell("both", 200, [("ETag", '"c"')], feed("one", "two"))  # the same body, not parsed again
        self.poll()
        source = self.source("both")
        self.assertEqual((source["etag"], source["lastModified"]), ('"c"', None))
        self.assertNotIn("If-None-Match", self.world.asked("both")[-1])

    def test_validators_are_no_dead_end(self):
        self.told("control", headers=[("ETag", '"a\x01b"')], body=feed("one"))
        self.told("picky", headers=[("ETag", '"ok"')], body=feed("two"))
        self.told("absurd", status=304)
        self.mill.start_all()
        self.poll()
        self.assertIsNone(self.source("control")["etag"])
        self.assertIn("304", self.source("absurd")["lastError"])
        self.world.tell("picky", 400)
        for _ in range(4):
            self.poll()
        conditional = ["If-None-Match" in asked for asked in self.world.asked("picky")]
        self.assertEqual(conditional, [False, True, True, True, False])
        self.assertEqual(self.source("control")["failures"], 0)

    def test_compression_is_asked_for(self):
        self.told("plain", body=feed("one"))
        self.mill.start_all()
        self.poll()
        asked = self.world.asked("plain")[0]
        for coding in ("gzip", "deflate"):
            self.assertIn(coding, asked["Accept-Encoding"])


class PauseTest(MannersTest):
    settings = dict(fetcher_per_domain=1)

    def test_a_pause_is_the_whole_domains(self):
        names = [f"held{k}" for k in range(6)]
        for k, name in enumerate(names):
            self.told(name, f"site{k}.news.localhost", status=429, headers=[("Retry-After", "300")])
        self.told("other", "www.other.localhost", body=feed("one"))
        self.mill.start_all()
        self.poll()
        self.assertEqual(sum(len(self.world.asked(name)) for name in names), 1, "one answer is enough for all of them")
        self.assertEqual(self.mill.stored(), 1)
        held = self.mill.postgres.rows("SELECT name, reason, extract (epoch FROM \"heldUntil\" - now () AT TIME ZONE 'UTC') AS left"
                                       " FROM \"Domain\"")
        self.assertEqual([row["name"] for row in held], ["news.localhost"])
        self.assertIn("429", held[0]["reason"])
        self.assertTrue(250 < held[0]["left"] <= 300, held)
        self.assertEqual(self.mill.log_count("asks for a pause"), 1)
        shown = [line for line in self.mill.cli("sources").stdout.splitlines() if "/told/held" in line]
        self.assertEqual([line.split().count("held") for line in shown], [1] * 6, shown)
        self.assertIn("429", shown[0])

        self.mill.end(self.mill.process("fetcher"))  # another one sees it too
        self.mill.start("fetcher")
        self.poll()
        self.assertEqual(sum(len(self.world.asked(name)) for name in names), 1)
        self.assertEqual(len(self.world.asked("other")), 2)

        for name in names:
            self.world.tell(name, body=feed(name))
        self.mill.postgres.execute("UPDATE \"Domain\" SET \"heldUntil\" = now () AT TIME ZONE 'UTC'")
        self.poll()
        self.assertEqual(self.mill.stored(), 7)
        self.assertNotIn("held", [word for line in self.mill.cli("sources").stdout.splitlines() for word in line.split()])

    def test_redirects_do_not_get_around_a_pause(self):
        self.told("asked", "www.cdn.localhost", status=429, headers=[("Retry-After", "300")])
        self.told("good", body=feed("one"))
        self.mill.start_all()
        self.poll()
        self.told("way", "www.site.localhost", status=302, headers=[("Location", f"http://x.cdn.localhost:{self.world.port}/told/asked")])
        self.poll()
        self.assertEqual(len(self.world.asked("way")), 1)
        self.assertEqual(len(self.world.asked("asked")), 1)
        self.assertIn("cdn.localhost asked for a pause", self.source("way")["lastError"])

    def test_a_pause_that_comes_during_a_run_ends_it_for_the_domain(self):
        self.mill.env["NEWSMILL_FETCHER_PARALLEL"] = "2"  # most of them wait in the database
        for k in range(20):
            self.told(f"busy{k}", f"site{k}.news.localhost", status=503, headers=[("Retry-After", "60")])
        self.mill.start_all()
        self.poll()
        self.assertEqual(sum(len(self.world.asked(f"busy{k}")) for k in range(20)), 1)
        self.assertEqual(self.source("busy0")["lastStatus"], 503)
        self.assertIsNone(self.source("busy19")["lastStatus"])


class FailureTest(MannersTest):
    def test_a_feed_that_is_gone_is_switched_off_and_on_again(self):
        url = self.told("gone", status=410)
        self.told("good", body=feed("one"))
        self.mill.start_all()
        self.poll()
        self.poll()
        self.assertEqual(len(self.world.asked("gone")), 1)
        source = self.source("gone")
        self.assertFalse(source["enabled"])
        self.assertIn("gone for good", source["disabledReason"])
        self.assertEqual(self.mill.log_count("is switched off"), 1)
        shown = next(line for line in self.mill.cli("sources").stdout.splitlines() if "/told/gone" in line)
        self.assertIn(" off ", shown)
        self.assertIn("410", shown)

        self.world.tell("gone", body=feed("two"))
        self.assertIn("switched on", self.mill.cli("feed", "enable", url).stdout)
        self.poll()
        self.assertEqual(self.mill.stored(), 2)
        self.assertIsNone(self.source("gone")["disabledReason"])
        self.mill.cli("feed", "disable", url)
        self.poll()
        self.assertEqual(len(self.world.asked("gone")), 2)
        self.assertEqual(self.mill.cli("feed", "enable", "http://nowhere.example/", check=False).returncode, 1)

    def test_refusals_wait_longer_than_trouble(self):
        for status in (401, 403, 404, 500, 502):
            self.told(f"s{status}", status=status)
        self.told("good", body=feed("one"))
        self.mill.start_all()
        for _ in range(3):
            self.poll()
        waits = {status: self.source(f"s{status}")["wait"] for status in (401, 403, 404, 500, 502)}
        for status in (401, 403, 404):
            self.assertTrue(895 <= waits[status] <= 1200, waits)
        for status in (500, 502):
            self.assertTrue(89 <= waits[status] <= 120, waits)
        self.world.tell("s404", body=feed("two"))
        self.poll()
        source = self.source("s404")
        self.assertEqual((source["failures"], source["lastError"], source["wait"]), (0, None, 0))

    def test_a_challenge_is_told_from_a_refusal(self):
        page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
        self.told("header", status=403, headers=[("cf-mitigated", "challenge"), ("Server", "cloudflare")], body=b"<p>")
        self.told("page", status=503, headers=[("Server", "cloudflare")], body=page)
        self.told("plain", status=403, headers=[("Server", "cloudflare")], body=b"<p>Error 1020</p>")
        self.told("anubis", body=b"<html><script id=\"anubis_challenge\" type=\"application/json\">{}</script></html>")
        self.mill.start_all()
        self.poll()
        for name, who in (("header", "Cloudflare"), ("page", "Cloudflare"), ("anubis", "Anubis")):
            self.assertIn(f"a challenge of {who}", self.source(name)["lastError"])
        self.assertIn("HTTP 403: the publisher refuses us", self.source("plain")["lastError"])


    def test_a_pause_makes_no_wait_shorter(self):
        self.told("zero", status=503, headers=[("Retry-After", "0")])
        self.told("good", body=feed("one"))
        self.mill.start_all()
        for _ in range(4):
            self.poll()
        self.assertGreaterEqual(self.source("zero")["wait"], 180)


class MoveTest(MannersTest):
    def moving(self, name, status, to):
        return self.told(name, status=status, headers=[("Location", to)])

    def place(self, name):
        return f"http://127.0.0.1:{self.world.port}/told/{name}"

    def test_a_permanent_move_is_adopted_after_some_good_readings(self):
        self.moving("old301", 301, "/told/new301")
        self.moving("old308", 308, "/told/new308")
        self.moving("old302", 302, "/told/new302")
        self.moving("old307", 307, "/told/new307")
        self.moving("mixed", 301, "/told/hop")
        self.world.tell("hop", 302, [("Location", "/told/end")])
        for name in ("new301", "new308", "new302", "new307", "end"):
            self.world.tell(name, headers=[("ETag", '"1"')], body=feed(name))
        self.mill.start_all()
        self.poll()
        self.world.tell("new301", 304)  # counts as well: what was read there is still so
        self.poll()
        urls = {row["url"] for row in self.mill.postgres.rows('SELECT url FROM "Source"')}
        self.assertEqual(urls, {self.place(name) for name in ("old301", "old308", "old302", "old307", "mixed")})
        for _ in range(3):
            self.poll()
        urls = {row["url"] for row in self.mill.postgres.rows('SELECT url FROM "Source"')}
        self.assertEqual(urls, {self.place(name) for name in ("new301", "new308", "old302", "old307", "mixed")})
        self.assertEqual(len(self.world.asked("old301")), 3)
        self.assertEqual(self.mill.log_count("has moved for good"), 2)

    def test_a_slip_is_not_adopted(self):
        self.moving("old", 301, "/told/nofeed")
        self.world.tell("nofeed", body=b"<html><body>Parked</body></html>")
        self.mill.start_all()
        for _ in range(4):
            self.poll()
        self.assertEqual(self.source("old")["moves"], 0)
        for answer in (dict(status=301), dict(status=301), dict(status=500), dict(status=301), dict(status=301)):
            self.world.tell("old", headers=[("Location", "/told/new")], **answer)
            self.world.tell("new", body=feed("one"))
            self.poll()
        self.assertEqual(self.source("old")["moves"], 2, "not in a row")

    def test_a_source_that_moves_to_another_ones_address_ends(self):
        self.moving("old", 301, "/told/new")
        self.told("new", body=feed("one"))
        self.mill.start_all()
        for _ in range(4):
            self.poll()
        old, new = self.source("old"), self.source("new")
        self.assertFalse(old["enabled"])
        self.assertTrue(new["enabled"])
        self.assertIn(self.place("new"), old["disabledReason"])
        self.assertEqual(self.mill.log_count("is switched off"), 1)
        self.assertEqual(self.mill.stored(), 1)


class HintTest(MannersTest):
    settings = dict(fetcher_respect_hints="true", fetcher_adaptive="true", fetcher_max_interval=7200)

    def test_hints_set_when_a_source_is_due(self):
        dated = feed("one", "two", "three").replace(b"</link><title>Story one", b"</link><pubDate>Mon, 17 Nov 2025 02:00:00 GMT"
                                                    b"</pubDate><title>Story one")
        dated = dated.replace(b"</link><title>Story two", b"</link><pubDate>Mon, 17 Nov 2025 01:00:00 GMT</pubDate><title>Story two")
        dated = dated.replace(b"</link><title>Story three", b"</link><pubDate>Mon, 17 Nov 2025 00:00:00 GMT</pubDate><title>Story")
        self.told("plain", body=feed("a"))
        self.told("maxage", headers=[("Cache-Control", "public, max-age=600")], body=feed("b"))
        self.told("ttl", headers=[("ETag", '"1"')], body=feed("c", channel="<ttl>30</ttl>"))
        self.told("long", headers=[("Cache-Control", "max-age=999999")], body=feed("d"))
        self.told("gaps", body=dated)
        self.mill.start_all()
        self.poll()
        expect = {"plain": 0, "maxage": 590, "ttl": 1790, "long": 7190, "gaps": 1790}
        self.assertEqual({name: self.source(name)["wait"] for name in expect}, expect)
        self.poll(again=False)
        self.assertEqual({name: len(self.world.asked(name)) for name in expect}, dict.fromkeys(expect, 1) | {"plain": 2})
        self.world.tell("ttl", 304)  # what the feed said is remembered
        self.poll()
        self.assertEqual(self.source("ttl")["wait"], 1790)


class AgentTest(MannersTest):
    settings = dict(fetcher_contact="https://desk.example/contact")

    def test_publishers_see_who_asks_and_where_to_complain(self):
        self.told("usual", body=feed("one"))
        url = self.told("own", body=feed("two"))
        self.mill.cli("feed", "set", url, "--agent", "Desk/7 (+https://own.example/)")
        self.mill.start_all()
        self.poll()
        self.assertRegex(self.world.asked("usual")[0]["User-Agent"], r"^newsmill/[0-9.]+ .*\(\+https://desk.example/contact\)$")
        self.assertEqual(self.world.asked("own")[0]["User-Agent"], "Desk/7 (+https://own.example/)")
        self.mill.cli("feed", "set", url, "--agent", "")
        self.poll()
        self.assertTrue(self.world.asked("own")[1]["User-Agent"].startswith("newsmill/"))
        self.assertEqual(self.mill.cli("feed", "set", url, "--agent", "a\nHost: b", check=False).returncode, 100)


class LimitTest(MannersTest):
    settings = dict(fetcher_timeout=15000, fetcher_idle_timeout=1500, fetcher_first_intake=20, fetcher_max_redirects=2)

    def test_bombs_and_drips_end_early_and_say_so(self):
        self.mill.add_feed(f"{self.world.url}/bad/bomb")
        self.told("drip", body=feed(*"abcdefgh"), ms=100)
        self.told("gzip", headers=[("Content-Encoding", "gzip")], body=gzip.compress(feed("one") + b" " * 900000))
        much = feed(*(hashlib.sha256(str(k).encode()).hexdigest() for k in range(10000)))
        self.told("much", headers=[("Content-Encoding", "gzip")], body=gzip.compress(much))
        self.mill.start_all()
        self.poll()
        bomb = self.mill.postgres.rows("SELECT * FROM \"Source\" WHERE url LIKE '%/bomb'")[0]
        self.assertIn("a bomb: the body is more than 100 times larger than what was sent", bomb["lastError"])
        self.assertIn("too slow", self.source("drip")["lastError"])
        took = self.mill.postgres.value("SELECT \"durationMs\" FROM \"RunSource\" JOIN \"Source\" ON id = \"sourceId\""
                                        " WHERE url LIKE '%/drip' ORDER BY \"runId\" DESC LIMIT 1")
        self.assertLess(took, 8000, "it went on to the time limit")
        for name in ("gzip", "much"):  # large out of proportion, but small; large, but in proportion
            self.assertIsNone(self.source(name)["lastError"])

    def test_redirects_have_an_end(self):
        for k in range(4):
            self.told(f"hop{k}", status=302, headers=[("Location", f"/told/hop{k + 1}")])
        self.world.tell("hop4", body=feed("one"))
        self.mill.start_all()
        self.poll()
        self.assertIn("more than 2 redirects", self.source("hop1")["lastError"])
        self.assertIsNone(self.source("hop2")["lastError"])

    def test_of_a_new_source_the_newest_entries_are_taken(self):
        old = [f"old{k}" for k in range(100)]
        self.told("archive", body=feed("newest", *old))
        self.mill.start_all()
        self.poll()
        self.assertEqual(self.mill.stored(), 20)
        titles = {row["title"] for row in self.mill.postgres.rows('SELECT title FROM "Article"')}
        self.assertEqual(titles, {"Story newest"} | {f"Story old{k}" for k in range(19)})
        self.assertIn("taking the newest 20 of 101 entries", self.mill.log_text())
        self.world.tell("archive", body=feed(*(f"new{k}" for k in range(30)), "newest", *old))
        self.poll()
        self.assertEqual(self.mill.stored(), 50, "later ones are taken, however many, and old ones never")
        books = self.mill.postgres.rows('SELECT * FROM "Ledger"')[0]
        self.assertEqual((books["discovered"], books["intake"], books["duplicate"]), (232, 50, 182))

    def test_the_newest_are_found_by_date_in_any_order(self):
        ids = [f"d{k}" for k in range(30)]  # oldest first
        body = feed(*ids)
        for k, id in enumerate(ids):
            body = body.replace(f"</link><title>Story {id}<".encode(), f"</link><pubDate>Mon, 17 Nov 2025 {k // 2:02}:{k % 2 * 30:02}:00"
                                f" GMT</pubDate><title>Story {id}<".encode())
        self.told("dated", body=body)
        self.mill.start_all()
        self.poll()
        titles = {row["title"] for row in self.mill.postgres.rows('SELECT title FROM "Article"')}
        self.assertEqual(titles, {f"Story d{k}" for k in range(10, 30)})


class ManySourcesTest(MannersTest):
    world_options = dict(feeds=120, articles=1, words=20, dimensions=64, any_address=1, feed_ms=100)
    settings = dict(fetcher_per_host=3)

    def feeds(self):
        return [f"http://127.0.0.{1 + k % 10}:{self.world.port}/feed/{k}.xml" for k in range(1, 121)]

    def test_all_are_polled_and_no_host_is_crowded(self):
        self.mill.start_all()
        self.poll()
        self.world.post("/admin/reset")
        self.poll()
        stats = self.world.stats()
        self.assertEqual(stats["feed_304"], 120)
        self.assertLessEqual(stats["max_address_at_once"], 3)
        self.assertGreater(stats["max_feeds_at_once"], 10, "they were fetched one after the other")
        states = self.mill.postgres.rows('SELECT state, status, count (*) FROM "RunSource" GROUP BY 1, 2')
        self.assertIn({"state": "unchanged", "status": 304, "count": 120}, states)
        late = self.mill.postgres.value('SELECT count (*) FROM "Source" WHERE "lastSuccessAt" IS NULL OR failures > 0')
        self.assertEqual(late, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
