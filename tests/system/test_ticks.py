"""Every tick is accounted for: ran, skipped, missed."""
import unittest

from mill import MillTest, wait_for


class TickTest(MillTest):
    world_options = dict(feeds=1, articles=5, words=100, dimensions=64)

    def outcomes(self):
        rows = self.mill.postgres.rows('SELECT outcome, reason FROM "Tick" ORDER BY "scheduledAt"')
        return [r["outcome"] for r in rows]

    def test_a_tick_during_a_run_is_skipped(self):
        self.world.post("/admin/mode?target=chat&mode=stall&count=-1")
        self.mill.start_all()
        self.mill.trigger()
        wait_for("the model to be asked", lambda: self.world.stats()["chat_calls"] > 0)
        self.mill.start("ticker")  # its first tick is at once
        wait_for("the tick on record", lambda: self.outcomes() == ["skipped"])
        self.assertEqual(self.mill.log_count("Background job started"), 1)

    def test_absence_is_written_down(self):
        self.mill.postgres.execute("INSERT INTO \"Tick\" VALUES (date_trunc ('minute', now () AT TIME ZONE 'UTC')"
                                   " - interval '5 minutes', 'ran', NULL, NULL)")
        self.mill.start_all()
        self.mill.start("ticker")
        wait_for("the run of the new start", lambda: self.outcomes().count("ran") == 2)
        self.assertGreaterEqual(self.outcomes().count("missed"), 3)

    def test_failures_in_a_row_back_off(self):
        self.mill.postgres.execute(f"UPDATE \"Source\" SET url = '{self.world.url}/bad/500'")
        self.mill.start_all()
        for _ in range(3):
            self.mill.postgres.execute("UPDATE \"Source\" SET \"nextDueAt\" = now () AT TIME ZONE 'UTC'")
            self.assertEqual(self.mill.run_once()["status"], "FAILED")
        self.mill.start("ticker")
        wait_for("the tick to be let pass", lambda: self.outcomes() == ["skipped"])
        self.assertIn("backing off", self.mill.log_text())

    def test_two_tickers_tick_once(self):
        self.mill.start_all()
        self.mill.start("ticker", "ticker")
        wait_for("the standby", lambda: self.mill.log_count("another ticker is active") == 1)
        wait_for("the run", lambda: self.mill.log_count("✅ Background job completed") == 1)
        self.assertEqual(self.outcomes(), ["ran"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
