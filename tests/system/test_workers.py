"""Workers join, share, leave and die; nothing is lost."""
import json
import os
import signal
import subprocess
import time
import unittest

import hosts
from mill import BIN, ROLES, MillTest, wait_for


class WorkerTest(MillTest):
    world_options = dict(feeds=5, articles=40, words=300, dimensions=64, chat_ms=200, embed_ms=100)
    settings = dict(summarizer_calls=2, embedder_batch=5, embedder_calls=2)

    def begin(self):
        self.mill.start_all()
        run = self.mill.trigger()
        wait_for("the run to be under way", lambda: self.mill.stored() >= 10)
        return run

    def test_two_more_take_their_share(self):
        self.mill.start_all()
        self.mill.start("summarizer", "embedder")
        wait_for("both to be there", lambda: self.mill.log_count("ready worker=") >= 9)
        run = self.mill.trigger()
        seen = {}

        def shared():
            for w in json.loads(self.mill.cli("workers", "--json").stdout)["workers"]:
                if w["stage"] == "summarizer" and w["held"]:
                    seen[w["worker"]] = w["held"]
            return len(seen) == 2
        wait_for("two summarizers to hold articles", shared)
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.check_everything_stored_once()
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)

    def test_sigterm_loses_nothing(self):
        run = self.begin()
        for role in ("summarizer", "embedder", "chunker", "writer"):
            self.mill.start(role)
            wait_for("the new one", lambda: self.mill.log_count(f"ready worker={role}") >= 2)
            self.assertEqual(self.mill.end(self.mill.process(role)), 0)
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.check_everything_stored_once()

    def test_sigkill_loses_nothing(self):
        run = self.begin()
        for role in ("summarizer", "embedder", "chunker", "writer"):
            self.mill.start(role)
            self.mill.end(self.mill.process(role), signal.SIGKILL)
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.check_everything_stored_once()


class LostTest(MillTest):
    world_options = dict(feeds=2, articles=20, words=300, dimensions=64)
    settings = dict(delivery_lease=120)

    def test_what_waited_for_one_that_died_comes_again_long_before_its_lease_ends(self):
        self.mill.start_all()
        for role in ("summarizer", "embedder"):
            self.mill.process(role).send_signal(signal.SIGSTOP)
        self.mill.trigger()
        wait_for("all to be dispatched", lambda: self.mill.states() == {"leased": self.total()})
        for role in ("summarizer", "embedder"):
            self.mill.end(self.mill.process(role), signal.SIGKILL)
            self.mill.start(role)
        wait_for("all articles", lambda: self.mill.stored() == self.total(), 20)
        self.check_everything_stored_once()

    def test_a_new_collector_misses_who_died_before_it(self):
        self.world.post("/admin/delays?chat_ms=30000")
        self.mill.start_all()
        self.mill.trigger()
        wait_for("articles in hand", lambda: self.mill.postgres.value(
            """SELECT count (*) FROM "Heartbeat", json_array_elements (workers) w WHERE w ->> 'stage' = 'summarizer'
               AND json_array_length (w -> 'held') > 0""") == 1)
        for role in ("summarizer", "collector"):
            self.mill.end(self.mill.process(role), signal.SIGKILL)
        self.world.post("/admin/delays?chat_ms=0")
        self.mill.start("collector", "summarizer")
        wait_for("all articles", lambda: self.mill.stored() == self.total(), 20)
        self.assertGreater(self.mill.postgres.value('SELECT count (*) FROM "ArticleWork" WHERE crashes = 1'), 0)
        self.check_everything_stored_once()

    def test_nobody_is_missed_while_no_broker_carries_what_they_say(self):
        self.world.post("/admin/delays?chat_ms=5000")
        self.mill.start_all()
        self.mill.trigger()
        wait_for("articles in hand", lambda: self.mill.postgres.value(
            """SELECT count (*) FROM "Heartbeat", json_array_elements (workers) w WHERE w ->> 'stage' = 'summarizer'
               AND json_array_length (w -> 'held') > 0""") == 1)
        broker = self.mill.process("broker")
        broker.send_signal(signal.SIGSTOP)
        time.sleep(2)
        broker.send_signal(signal.SIGCONT)
        self.world.post("/admin/delays?chat_ms=0")
        wait_for("all articles", lambda: self.mill.stored() == self.total(), 20)
        self.assertEqual(self.mill.postgres.value('SELECT max (crashes) FROM "ArticleWork"'), 0)
        self.check_everything_stored_once()
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)

    def test_who_is_killed_while_it_leaves_was_not_killed_by_its_articles(self):
        self.world.post("/admin/delays?chat_ms=30000")
        self.mill.start_all()
        self.mill.trigger()
        wait_for("the model to be asked", lambda: self.world.stats()["chat_calls"] > 0)
        self.mill.process("summarizer").terminate()
        wait_for("it to tell that it leaves", lambda: self.mill.postgres.value(
            """SELECT count (*) FROM "Heartbeat", json_array_elements (workers) w WHERE w ->> 'stage' = 'summarizer'
               AND json_array_length (w -> 'held') > 0 AND (w ->> 'state')::int = 2""") == 1)
        self.mill.end(self.mill.process("summarizer"), signal.SIGKILL)
        self.world.post("/admin/delays?chat_ms=0")
        self.mill.start("summarizer")
        wait_for("all articles", lambda: self.mill.stored() == self.total(), 20)
        self.assertEqual(self.mill.postgres.value('SELECT max (crashes) FROM "ArticleWork"'), 0)
        self.check_everything_stored_once()

    def test_a_new_collector_misses_nobody_who_left_between_runs(self):
        self.mill.start_all()
        for starts, pause_s in ((2, 0), (3, 2)):
            self.mill.run_once()
            time.sleep(pause_s)
            for role in sorted(ROLES, key=lambda role: role != "collector"):
                self.mill.end(self.mill.process(role), signal.SIGTERM if pause_s == 0 else signal.SIGKILL)
            self.mill.start(*ROLES)
            wait_for("all to be ready", lambda count=starts * len(ROLES): self.mill.log_count("ready worker=") >= count)
            time.sleep(2)
            self.assertEqual(self.mill.log_count("missed 3 heartbeats"), 0)

    def check_nothing_was_lost(self):
        self.assertEqual(self.mill.log_count("lost on their way"), 0)
        self.assertEqual(self.mill.postgres.value('SELECT max (dispatches) FROM "ArticleWork"'), 1)
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)
        self.check_everything_stored_once()

    def test_what_goes_from_hand_to_hand_is_not_lost(self):
        self.world.post("/admin/delays?chat_ms=2500")  # longer than it takes to count as lost
        self.mill.start_all()
        run = self.mill.trigger()
        self.mill.wait_closed(run)
        self.check_nothing_was_lost()

    def test_who_stands_still_for_a_moment_has_lost_nothing(self):
        for role in ("summarizer", "broker"):
            with self.subTest(role):
                if role == "summarizer":
                    self.mill.start_all()
                else:
                    self.world.post("/admin/publish?feed=1&count=10")
                time.sleep(2)  # all are idle, and were heard of
                stopped = self.mill.process(role)
                stopped.send_signal(signal.SIGSTOP)
                self.mill.trigger()
                time.sleep(1.6)  # longer than it takes to count as lost, shorter than three heartbeats of an idle one
                stopped.send_signal(signal.SIGCONT)
                total = self.total() + (10 if role == "broker" else 0)
                wait_for("all articles", lambda: self.mill.stored() == total)
        self.assertEqual(self.mill.log_count("lost on their way"), 0)
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)

    def test_what_waits_for_full_hands_is_not_lost(self):
        self.world.post("/admin/delays?chat_ms=4000")
        self.mill.start("summarizer", summarizer_calls=1, summarizer_batch=2)
        self.mill.start(*[role for role in ROLES if role != "summarizer"])
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        self.mill.trigger()
        wait_for("some articles", lambda: self.mill.stored() >= 4)
        self.world.post("/admin/delays?chat_ms=0")
        wait_for("all articles", lambda: self.mill.stored() == self.total())
        self.check_nothing_was_lost()


class ClockTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=100, dimensions=64)

    def run_with_a_collector_off_by(self, seconds):
        clock = hosts.Clock(f"{self.mill.folder}/clock")
        if not clock.library:
            self.skipTest("libfaketime is not installed")
        if subprocess.run([f"{BIN}/newsmill-collector", "-V"], env={**os.environ, **clock.env}, capture_output=True).returncode:
            self.skipTest("libfaketime does not go with the sanitizers")
        clock.step(seconds)
        self.mill.start("collector", env=clock.env)
        self.mill.start(*[role for role in ROLES if role != "collector"])
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", self.total()), row)
        clock.step(0)
        self.world.post("/admin/publish?feed=1&count=3")
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", 3), row)
        self.check_everything_stored_once(self.total() + 3)

    def test_a_collector_ahead_and_set_right(self):
        self.run_with_a_collector_off_by(3600)

    def test_a_collector_behind_and_set_right(self):
        self.run_with_a_collector_off_by(-3600)


class LateTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=100, dimensions=64, chat_ms=2000)
    settings = dict(run_time_limit=5, fetcher_window=10, summarizer_calls=1)

    def test_what_a_run_left_at_its_limit_counts_for_it(self):
        self.mill.start_all()
        first = self.mill.run_once()
        self.assertLess(first["articlesProcessed"], self.total())
        before = self.mill.stored()
        wait_for("what was under way", lambda: self.mill.stored() > before and "leased" not in self.mill.states())
        while self.mill.stored() < self.total():
            self.mill.run_once()
        self.mill.run_once()
        self.assertEqual(self.mill.postgres.value('SELECT sum ("articlesProcessed") FROM "JobRun"'), self.total())
        self.assertEqual(self.world.stats()["most_calls_per_article"], 1)
        self.check_everything_stored_once()


class SuspectTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=100, dimensions=64, chat_ms=100)

    def test_one_at_a_time_and_all_in_the_end(self):
        self.mill.start("broker", "collector", "fetcher")
        wait_for("the three", lambda: self.mill.log_count("ready worker=") >= 3)
        self.mill.trigger()
        wait_for("all to be leased", lambda: self.mill.states() == {"leased": self.total()})
        for role in ("broker", "fetcher"):
            self.mill.end(self.mill.process(role), signal.SIGKILL)
        self.mill.postgres.execute("UPDATE \"ArticleWork\" SET state = 'pending', \"leaseUntil\" = NULL, crashes = 2")
        # A twin of one that is behind it in the queue: neither may wait for the other for ever.
        self.mill.postgres.execute('UPDATE "ArticleWork" SET "twinOf" = (SELECT max (id) FROM "ArticleWork")'
                                   ' WHERE id = (SELECT min (id) FROM "ArticleWork")')
        self.mill.start(*[role for role in ROLES if role != "collector"])
        most = 0

        def turn():
            nonlocal most
            states = self.mill.states()
            most = max(most, states.get("leased", 0))
            return states == {"done": self.total()} or self.mill.trigger() and False
        wait_for("all to be done", turn, 60)
        self.assertEqual(most, 1)


class AgainTest(MillTest):
    world_options = dict(feeds=5, articles=60, words=300, dimensions=64, chat_ms=1000)

    def test_hundreds_come_again_at_once(self):
        self.mill.start_all()
        run = self.mill.trigger()
        wait_for("the summarizer to have them", lambda: self.world.stats()["chat_calls"] >= 20)
        self.mill.end(self.mill.process("summarizer"), signal.SIGKILL)
        self.mill.start("summarizer")
        wait_for("all articles", lambda: self.mill.stored() == self.total() or self.mill.run_once() and False)
        self.mill.wait_closed(run)
        self.check_everything_stored_once()


class RestartTest(MillTest):
    world_options = dict(feeds=5, articles=40, words=300, dimensions=64, chat_ms=200, embed_ms=100)
    settings = dict(summarizer_calls=2, embedder_batch=5)

    def restart(self, role):
        self.mill.start_all()
        run = self.mill.trigger()
        wait_for("the run to be under way", lambda: self.mill.stored() >= 10)
        self.mill.end(self.mill.process(role), signal.SIGKILL)
        self.mill.start(role)
        row = self.mill.wait_closed(run)
        wait_for("all articles", lambda: self.mill.stored() == self.total() or self.mill.run_once() and False)
        self.check_everything_stored_once()
        return row

    def test_broker(self):
        self.restart("broker")

    def test_collector(self):
        row = self.restart("collector")
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", self.total()))
        self.assertIn("adopted the open run", self.mill.log_text())

    def test_fetcher(self):
        self.restart("fetcher")

    def test_a_second_collector_takes_over(self):
        self.mill.start_all()
        self.mill.start("collector")
        wait_for("the standby", lambda: self.mill.log_count("another collector is active") == 1)
        run = self.mill.trigger()
        wait_for("the run to be under way", lambda: self.mill.stored() >= 10)
        self.mill.end(self.mill.process("collector"), signal.SIGKILL)
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.check_everything_stored_once()


if __name__ == "__main__":
    unittest.main(verbosity=2)
