"""One bad feed harms no other, and says what is wrong with it."""
import unittest

from mill import MillTest

# what is served: what the source must say of it
BAD = {
    "html": "", "empty": "", "cut": None, "huge": "large", "slow": "", "loop": "redirect", "bomb": "large",
    "entities": None, "xxe": None, "404": "404", "410": "410", "500": "500", "429": "429", "notext": None, "nul": None,
    "utf8": None,
}


class SourceTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=200, dimensions=64)
    settings = dict(fetcher_timeout=4000, fetcher_idle_timeout=2000, fetcher_max_body="1MiB")

    def test_bad_feeds_carry_their_errors(self):
        for name in BAD:
            self.mill.add_feed(f"{self.world.url}/bad/{name}")
        self.mill.start_all()
        row = self.mill.run_once()
        self.assertEqual(row["status"], "SUCCESS", row)
        sources = {r["url"]: r for r in self.mill.postgres.rows('SELECT * FROM "Source"')}
        for name, said in BAD.items():
            source = sources[f"{self.world.url}/bad/{name}"]
            self.assertIsNotNone(source["lastFetchAt"], name)
            if said is not None:
                self.assertIsNotNone(source["lastError"], name)
                self.assertIn(said, source["lastError"].lower(), name)
                self.assertEqual(source["failures"], 1, name)
        for url in self.feeds():
            self.assertIsNone(sources[url]["lastError"])
        good = self.mill.postgres.value("SELECT count (*) FROM \"Article\" WHERE title LIKE '%mark0%'")
        self.assertGreaterEqual(good, self.total())
        secret = self.mill.postgres.value("SELECT count (*) FROM \"Article\" WHERE content LIKE '%root:x:%'")
        self.assertEqual(secret, 0, "an external entity was followed")
        shown = self.mill.cli("sources").stdout
        self.assertIn("/bad/404", shown)
        wait = self.mill.postgres.value("SELECT extract (epoch FROM \"nextDueAt\" - \"lastFetchAt\")::int"
                                        " FROM \"Source\" WHERE url LIKE '%/bad/429'")
        self.assertGreaterEqual(wait, 100, "Retry-After was not honoured")

    def test_no_source_at_all_can_be_read(self):
        self.mill.postgres.execute(f"UPDATE \"Source\" SET url = '{self.world.url}/bad/500?' || id")
        self.mill.start_all()
        row = self.mill.run_once()
        self.assertEqual(row["status"], "FAILED")
        self.assertIn("no source could be read", row["errorMessage"])
        self.assertIn("500", row["errorMessage"])

    def test_private_addresses_are_refused_by_default(self):
        self.mill.env["NEWSMILL_FETCHER_ALLOW_PRIVATE"] = "false"
        self.mill.start_all()
        row = self.mill.run_once()
        self.assertEqual(row["status"], "FAILED")
        self.assertIn("private", row["errorMessage"])
        self.assertEqual(self.world.stats()["feed_200"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
