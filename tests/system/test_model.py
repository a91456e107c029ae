"""What the model does wrong, and what becomes of the articles."""
import unittest

from mill import MillTest, wait_for


class ModelTest(MillTest):
    world_options = dict(feeds=2, articles=20, words=200, dimensions=64)

    def misbehave(self, target, mode, count=1, **more):
        self.world.post(f"/admin/mode?target={target}&mode={mode}&count={count}"
                        + "".join(f"&{k}={v}" for k, v in more.items()))

    def run_through(self, target, mode, **more):
        self.mill.start_all()
        self.misbehave(target, mode, **more)
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", self.total()), row)
        self.check_everything_stored_once()

    def test_chat_429_with_retry_after(self):
        self.run_through("chat", "429", retry_after=1)
        self.assertIn("model call failed", self.mill.log_text())

    def test_chat_500(self):
        self.run_through("chat", "500", count=2)

    def test_chat_error_in_200(self):
        self.run_through("chat", "error200")

    def test_chat_wrong_count_is_bisected(self):
        self.run_through("chat", "wrongcount")

    def test_chat_wrong_ids(self):
        self.run_through("chat", "wrongids")

    def test_chat_truncated(self):
        self.run_through("chat", "truncated")

    def test_chat_cut(self):
        self.run_through("chat", "cut")

    def test_embeddings_429(self):
        self.run_through("embed", "429", retry_after=1)

    def test_embeddings_wrong_dimension(self):
        self.mill.start_all()
        self.misbehave("embed", "wrongdim", count=-1)
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("FAILED", 0))
        self.assertIn("the model refused: the model gives vectors of 32 numbers, 64 are configured", row["errorMessage"])
        self.assertEqual(self.mill.states(), {"pending": self.total()})

    def test_embeddings_nan(self):
        self.run_through("embed", "nan")

    def test_embeddings_empty(self):
        self.run_through("embed", "empty")

    def test_embeddings_shuffled(self):
        self.run_through("embed", "shuffled", count=-1)

    def test_one_bad_article_dies_alone(self):
        self.mill.env["NEWSMILL_DELIVERY_MAX_ATTEMPTS"] = "1"
        self.mill.start_all()
        self.misbehave("chat", "poison", count=-1, mark="mark0001x0007")
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", self.total() - 1), row)
        dead = self.mill.postgres.rows("SELECT title, reason FROM \"ArticleWork\" WHERE state = 'dead'")
        self.assertEqual(len(dead), 1)
        self.assertIn("mark0001x0007", dead[0]["title"])
        self.assertIn("summarizer", dead[0]["reason"])

        self.misbehave("chat", "off")
        self.mill.cli("dead", "replay", "all")
        self.assertEqual(self.mill.run_once()["articlesProcessed"], 1)
        self.check_everything_stored_once()

    def test_wrong_key_opens_the_breaker(self):
        self.mill.start_all()
        self.misbehave("chat", "401", count=-1)
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("FAILED", 0))
        self.assertIn("the model refused", row["errorMessage"])
        self.assertEqual(self.mill.states(), {"pending": self.total()})
        self.misbehave("chat", "off")
        wait_for("the articles to be due again", lambda: self.mill.postgres.value(
            "SELECT count (*) FROM \"ArticleWork\" WHERE state = 'pending' AND \"dueAt\" <= now () AT TIME ZONE 'UTC'")
            == self.total())
        self.assertEqual(self.mill.run_once()["articlesProcessed"], self.total())
        self.check_everything_stored_once()

    def test_three_failures_are_critical(self):
        self.mill.start_all()
        self.misbehave("chat", "401", count=-1)
        for _ in range(3):
            self.mill.postgres.execute("UPDATE \"ArticleWork\" SET \"dueAt\" = now () AT TIME ZONE 'UTC'")
            self.world.post("/admin/publish?feed=1&count=1")
            self.assertEqual(self.mill.run_once()["status"], "FAILED")
        self.assertEqual(self.mill.log_count("🚨 CRITICAL: Background job has failed 3 times consecutively!"), 1)
        self.assertEqual(self.mill.log_count("❌ Background job failed: the model refused"), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
