"""What the models may take a day: reserved before a call, settled after, and nothing is dropped when it is spent."""
import json
import subprocess
import unittest

from mill import MillTest, wait_for


class BudgetTest(MillTest):
    world_options = dict(feeds=4, articles=10, words=300, dimensions=64)

    def spent(self):
        row = self.mill.postgres.rows('SELECT sum ("tokensIn" + "tokensOut") AS tokens, sum (cost) AS usd FROM "Spend"')[0]
        return row["tokens"] or 0, row["usd"] or 0

    def budget(self):
        return json.loads(self.mill.cli("status", "--json").stdout)["budget"]

    def begin(self, budget, **settings):
        self.mill.env["NEWSMILL_MODEL_DAILY_BUDGET"] = budget
        self.mill.env.update(settings)
        self.mill.start_all()

    def next_day(self):
        """All that was spent was spent yesterday."""
        self.mill.end(self.mill.process("collector"))
        self.mill.postgres.execute('UPDATE "Spend" SET day = day - 1;'
                                   'UPDATE "Budget" SET "pausedUntil" = "pausedUntil" - interval \'1 day\'')
        self.mill.start("collector")
        wait_for("the new collector", lambda: self.mill.cli("status", "--json", check=False).returncode == 0)

    def check_paused_and_resumed(self, limit, index):
        first = self.mill.run_once()
        self.assertEqual(first["status"], "SUCCESS", first)
        self.assertTrue(0 < first["articlesProcessed"] < self.total(), first)
        done = first["articlesProcessed"]
        self.assertEqual(self.mill.states(), {"done": done, "pending": self.total() - done})
        spent = self.spent()[index]
        self.assertTrue(limit / 2 < spent <= limit, spent)
        said = self.budget()
        self.assertEqual((said["limit"], said["paused"]), (limit, True))
        self.assertAlmostEqual(said["spent"], spent)
        self.assertIn("model.daily_budget is reached", said["reason"])
        self.assertRegex(said["pausedUntil"], r"T00:00:00\.000Z$")
        self.assertIn("articles wait until 00:00 UTC", self.mill.cli("status").stdout)

        second = self.mill.run_once()
        self.assertEqual((second["status"], second["articlesProcessed"]), ("SUCCESS", 0))
        self.assertEqual(self.spent()[index], spent)
        self.assertEqual(self.mill.log_count("articles wait until 00:00 UTC"), 1)

        self.next_day()
        third = self.mill.run_once()
        self.assertGreater(third["articlesProcessed"], 0)
        self.assertTrue(self.mill.log_count("articles wait until 00:00 UTC") == 2)

    def test_tokens(self):
        self.begin("20000 tokens")
        self.check_paused_and_resumed(20000, 0)

    def test_money_at_the_price_that_calls_tell(self):
        self.begin("0.003 USD")
        self.check_paused_and_resumed(0.003, 1)

    def test_a_budget_that_holds_all_is_not_noticed(self):
        self.begin("100 USD")
        self.assertEqual(self.mill.run_once()["articlesProcessed"], self.total())
        self.assertFalse(self.budget()["paused"])
        self.check_everything_stored_once()

    def test_what_no_day_has_room_for_does_not_stop_the_others(self):
        self.begin("60000 tokens")
        self.world.tell("long.xml", headers=[("Content-Type", "application/rss+xml")], body=(
            "<rss version='2.0'><channel><title>Long</title><item><title>A long read</title><link>http://long.example/1</link>"
            f"<description>{'word ' * 40000}</description></item></channel></rss>").encode())
        self.mill.add_feed(f"{self.world.url}/told/long.xml")
        for _ in range(2):
            self.mill.run_once()
        self.assertGreater(self.mill.stored(), 5)
        dead = self.mill.postgres.rows("SELECT title, reason FROM \"ArticleWork\" WHERE state = 'dead'")
        self.assertEqual([d["title"] for d in dead], ["A long read"])
        self.assertIn("more than model.daily_budget has for a whole day", dead[0]["reason"])

    def test_a_fetcher_that_stands_still_while_it_reserves_is_not_waited_for(self):
        self.begin("100 USD")
        held = subprocess.Popen([f"{self.mill.postgres.bin}/psql", "-Xq", "-d", self.mill.postgres.url, "-c",
                                 'BEGIN; SELECT 1 FROM "Budget" FOR UPDATE; SELECT pg_sleep (4)'], stdout=subprocess.DEVNULL)
        wait_for("the lock", lambda: self.mill.postgres.value("SELECT count (*) FROM pg_locks WHERE mode = 'RowShareLock'"
                                                              " AND relation = '\"Budget\"'::regclass"))
        run = self.mill.trigger()
        wait_for("the fetcher to do its other work meanwhile", lambda: self.mill.postgres.value(
            "SELECT count (*) FROM \"RunSource\" WHERE state = 'fresh'") == 4, 3)
        self.world.post("/admin/publish?feed=1&count=1")
        self.assertIsNone(held.poll())
        self.assertEqual(self.mill.stored(), 0)
        held.wait()
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.assertEqual(self.mill.log_count("could not be dispatched"), 0)

    def test_two_fetchers_reserve_together(self):
        self.begin("20000 tokens")
        self.mill.start("fetcher", "fetcher")
        wait_for("the other fetchers", lambda: self.mill.log_count("ready worker=fetcher") >= 3)
        self.mill.run_once()
        self.assertLessEqual(self.spent()[0], 20000)

    def test_a_server_that_tells_no_cost_has_no_budget_in_money(self):
        for target in ("chat", "embed"):
            self.world.post(f"/admin/mode?target={target}&mode=unpriced&count=-1")
        self.begin("5 USD")
        self.mill.run_once()
        self.assertIn("give it in tokens", self.budget()["reason"])
        self.assertLessEqual(self.mill.stored(), 10)
        self.assertEqual(self.mill.states().get("dead", 0), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
