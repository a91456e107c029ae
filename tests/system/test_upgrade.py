"""Processes of two releases side by side, and migrations while the mill turns."""
import os
import shutil
import subprocess
import threading
import time
import unittest

from mill import BIN, ROLES, SOURCE, MillTest, wait_for

RECEIVERS_FIRST = ROLES  # as docs/DEPLOY.md has it
AGAIN_MOST = 20  # what was on its way through the broker when that left
OLD = {"NEWSMILL_FAULT_OLD": "1"}


class UpgradeTest(MillTest):
    world_options = dict(feeds=5, articles=40, words=300, dimensions=64, chat_ms=300, embed_ms=100)
    settings = dict(summarizer_calls=2, embedder_batch=5)

    def begin(self, **env):
        self.mill.start(*ROLES, env=env)
        wait_for("all processes to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        run = self.mill.trigger()
        wait_for("the run to be under way", lambda: self.mill.stored() >= 5)
        return run

    def restart(self, role):
        self.assertEqual(self.mill.end(self.mill.process(role)), 0, role)
        self.mill.start(role)

    def upgrade(self, roles):
        self.begin(**OLD)
        for role in roles:
            before = self.mill.stored()
            self.restart(role)
            wait_for("more to be stored", lambda: self.mill.stored() > before or self.mill.stored() == self.total())
        wait_for("all to be stored", lambda: self.mill.stored() == self.total() or self.mill.run_once() and False, 90)
        self.check_everything_stored_once()

    def test_receivers_first_is_not_noticed(self):
        self.upgrade(RECEIVERS_FIRST)
        self.assertEqual(self.mill.log_count("refused a frame"), 0)
        self.assertLessEqual(self.world.stats()["chat_items"], self.total() + AGAIN_MOST)

    def test_senders_first_is_noticed_and_loses_nothing(self):
        self.upgrade(reversed(RECEIVERS_FIRST))
        self.assertIn("another version", self.mill.log_text())

    def test_two_releases_stay_side_by_side(self):
        self.begin(**OLD)
        self.restart("broker")
        self.restart("collector")
        self.mill.start("summarizer", "chunker", "embedder", "writer", "fetcher")
        wait_for("all to be stored", lambda: self.mill.stored() == self.total())
        self.check_everything_stored_once()
        self.assertEqual(self.mill.log_count("refused a frame"), 0)


class MigrationTest(MillTest):
    world_options = dict(feeds=2, articles=5, words=300, dimensions=64)

    def migrate(self, sql):
        """With one migration more."""
        share = f"{self.mill.folder}/share/newsmill"
        shutil.copytree(f"{SOURCE}/sql", f"{share}/sql", dirs_exist_ok=True)
        number = len(os.listdir(f"{share}/sql")) + 1
        with open(f"{share}/sql/{number:03}_next.sql", "w") as file:
            file.write(sql)
        os.makedirs(f"{self.mill.folder}/bin", exist_ok=True)
        shutil.copy(f"{BIN}/newsmill", f"{self.mill.folder}/bin/newsmill")
        return subprocess.run([f"{self.mill.folder}/bin/newsmill", "db", "migrate"], env=self.mill.env, capture_output=True, text=True,
                              timeout=60)

    def test_the_release_before_goes_on_with_a_newer_schema(self):
        self.mill.start_all()
        done = self.migrate('ALTER TABLE "Article" ADD later TEXT;')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.mill.end(self.mill.process("writer"))
        self.mill.start("writer")
        self.assertEqual(self.mill.run_once()["articlesProcessed"], self.total())
        self.check_everything_stored_once()

    def test_one_that_takes_something_away_says_so(self):
        done = self.migrate("INSERT INTO \"Setting\" VALUES ('compatible', '99');")
        self.assertEqual(done.returncode, 0, done.stderr)
        process = self.mill.start("writer")
        self.assertNotEqual(process.wait(20), 0)
        self.assertIn("the database is of a newer newsmill", self.mill.log_text())

    def test_nobody_waits_long_behind_a_migration_that_waits(self):
        held = subprocess.Popen([f"{self.mill.postgres.bin}/psql", "-Xq", "-d", self.mill.postgres.url, "-c",
                                 'BEGIN; LOCK TABLE "Article" IN ACCESS SHARE MODE; SELECT pg_sleep (8)'], stdout=subprocess.DEVNULL)
        wait_for("the lock", lambda: self.mill.postgres.value("SELECT count (*) FROM pg_locks WHERE mode = 'AccessShareLock'"
                                                              " AND relation = '\"Article\"'::regclass"))
        result = {}
        migration = threading.Thread(target=lambda: result.update(done=self.migrate('ALTER TABLE "Article" ADD later TEXT;')))
        start = time.monotonic()
        migration.start()
        longest = 0
        while migration.is_alive():
            asked = time.monotonic()
            self.mill.stored()
            longest = max(longest, time.monotonic() - asked)
        held.wait()
        self.assertEqual(result["done"].returncode, 0, result["done"].stderr)
        self.assertIn("waits for a table that is in use", result["done"].stderr)
        self.assertGreater(time.monotonic() - start, 3, "it had to wait")
        self.assertLess(longest, 3, "a reader waited behind it")


if __name__ == "__main__":
    unittest.main(verbosity=2)
