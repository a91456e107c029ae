"""A run stores everything, and a second one finds nothing to do."""
import re
import unittest

from mill import ROLES, MillTest, wait_for


class RunTest(MillTest):
    def test_stores_all_then_nothing(self):
        mill = self.mill
        mill.start_all()
        first = mill.run_once()
        self.assertEqual((first["status"], first["articlesProcessed"]), ("SUCCESS", self.total()))
        self.assertEqual(first["embeddingsCreated"], mill.postgres.value('SELECT count (*) FROM "ArticleChunk"'))
        self.assertGreaterEqual(first["durationMs"], 0)
        self.assertRegex(first["id"], re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]"))
        self.check_everything_stored_once()
        stats = self.world.stats()
        self.assertEqual(stats["most_calls_per_article"], 1)
        self.assertLessEqual(stats["chat_calls"], self.total() // 5 + 10)

        second = mill.run_once()
        self.assertEqual((second["status"], second["articlesProcessed"], second["embeddingsCreated"]), ("SUCCESS", 0, 0))
        after = self.world.stats()
        self.assertEqual(after["chat_calls"], stats["chat_calls"])
        self.assertEqual(after["embed_calls"], stats["embed_calls"])
        self.assertEqual(after["feed_304"], self.world_options["feeds"])
        self.assertIn("✅ Background job completed: 0 articles, 0 embeddings in", mill.log_text())

    def test_all_leave_with_nothing_left_behind(self):
        """With the sanitizers on, the exit status tells of leaks too."""
        self.mill.start_all()
        self.mill.start("gateway", "ticker")
        self.mill.run_once()
        self.mill.cli("status")
        for role in ["ticker", "gateway", *reversed(ROLES)]:
            self.assertEqual(self.mill.end(self.mill.process(role)), 0, role)
        self.check_everything_stored_once()

    def test_a_new_article_among_known_ones(self):
        self.mill.start_all()
        self.mill.run_once()
        self.world.post("/admin/publish?feed=2&count=1")
        self.assertEqual(self.mill.run_once()["articlesProcessed"], 1)
        self.check_everything_stored_once(self.total() + 1)

    def test_other_formats_are_the_same_articles(self):
        self.mill.start_all()
        self.mill.run_once()
        for name in ("1.atom", "1.json"):
            self.mill.add_feed(f"{self.world.url}/feed/{name}")
        self.assertEqual(self.mill.run_once()["articlesProcessed"], 0)
        self.check_everything_stored_once()

    def test_tokens_and_cost_are_counted(self):
        self.mill.start_all()
        run = self.mill.run_once()["id"]
        stages = {r["stage"]: r for r in self.mill.postgres.rows(f"SELECT * FROM \"RunStage\" WHERE \"runId\" = '{run}'")}
        self.assertEqual(stages["summarizer"]["done"], self.total())
        self.assertEqual(stages["summarizer"]["calls"], self.world.stats()["chat_calls"])
        self.assertGreater(stages["summarizer"]["tokensIn"], 0)
        self.assertGreater(stages["summarizer"]["cost"], 0)
        self.assertEqual(stages["writer"]["done"], self.total())

    def test_the_first_run_is_at_once_and_cron_follows(self):
        self.mill.start_all()
        self.mill.start("ticker")
        wait_for("the first run", lambda: self.mill.stored() == self.total(), 15)
        wait_for("the tick on record", lambda: self.mill.postgres.rows(
            "SELECT 1 FROM \"Tick\" WHERE outcome = 'ran'"), 5)
        self.assertEqual(self.mill.log_count("🔄 Background job started"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
