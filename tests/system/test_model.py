"""The model's bad days: what comes from the server, and what becomes of the articles. See docs/RELIABILITY.md."""
import json
import unittest

from mill import ROLES, MillTest, wait_for

CHAT, EMBED, BOTH = ["chat"], ["embed"], ["chat", "embed"]
ARTICLES = 5            # in a row: one call of summaries, one of vectors
STORED = "stored"       # all, in the same run; the text stands in the log
WAITS = "waits"         # the run fails with the text, nothing is dead, and all are stored once the server is well
DIES = "dies"           # the one with the mark, for the text; the others are stored
ALWAYS, MARKED = {"count": -1}, {"count": -1, "mark": True}
REFUSED = "the model refused: model server: "
NOW = "now () AT TIME ZONE 'UTC'"

# The server's mode (tests/support/rules.c), whose calls it hits and when, what becomes of the articles, the most calls
# there may be with one article in them, and what is said.
BAD_DAYS = [
    ("429", BOTH, {}, STORED, 2, "too many requests (429)"),
    ("429", BOTH, {"retry_after": 1}, STORED, 2, "too many requests (429)"),
    ("500", BOTH, {}, STORED, 2, "the server failed (500)"),
    ("502", CHAT, {}, STORED, 2, "the server failed (502)"),
    ("503", EMBED, {}, STORED, 2, "the server failed (503)"),
    ("503", BOTH, {"retry_after": 1}, STORED, 2, "the server failed (503)"),
    ("503", CHAT, ALWAYS | {"retry_after": 1}, WAITS, 5,
     "none could be stored: summarizer: model server: the server failed (503)"),
    ("529", CHAT, {}, STORED, 2, "the server failed (529)"),
    ("detail500", BOTH, {}, STORED, 2, "(500): Internal Server Error"),
    ("error200", BOTH, {}, STORED, 2, "(502): Provider returned error"),
    ("error200-429", BOTH, {}, STORED, 2, "(429): Rate limit exceeded"),
    ("empty", BOTH, {}, STORED, 2, "an empty answer"),
    ("cut", BOTH, {}, STORED, 2, ""),           # the client may ask again by itself, on a new connection
    ("torn", BOTH, {}, STORED, 2, "model server: "),
    ("inflight402", BOTH, {"retry_after": 1}, STORED, 2, "current in-flight requests"),

    ("401", BOTH, ALWAYS, WAITS, 1, REFUSED + "the key was not accepted (401)"),
    ("error200-401", BOTH, ALWAYS, WAITS, 1, REFUSED + "the key was not accepted (401)"),
    ("credit402", BOTH, ALWAYS, WAITS, 1, REFUSED + "payment is required (402): Insufficient credits"),
    ("key402", BOTH, ALWAYS, WAITS, 1, REFUSED + "payment is required (402): This key has no credit left"),
    ("key403", BOTH, ALWAYS, WAITS, 1, REFUSED + "not allowed (403): Key limit exceeded"),
    ("wrongdim", EMBED, ALWAYS, WAITS, 1, "the model refused: the model gives vectors of 32 numbers, 64 are"),

    ("dear402", BOTH, {}, STORED, 2, "or fewer max_tokens"),
    ("dear402", BOTH, ALWAYS, WAITS, 4, REFUSED + "payment is required (402): This request requires more"),
    ("budget402", BOTH, {}, STORED, 2, "payment is required (402)"),
    ("emptylist", CHAT, {}, STORED, 2, "the answer holds no choice"),
    ("emptylist", EMBED, {}, STORED, 2, "the model gave 0 vectors for 5 texts"),
    ("wrongcount", CHAT, {}, STORED, 2, "4 summaries for 5 articles"),
    ("wrongcount", EMBED, {}, STORED, 2, "the model gave 4 vectors for 5 texts"),
    ("wrongids", CHAT, {}, STORED, 2, "an id that was not asked for"),
    ("wrongids", EMBED, {}, STORED, 2, "an index that was not asked for"),
    ("truncated", CHAT, {}, STORED, 2, "the model ran out of tokens"),
    ("nan", EMBED, {}, STORED, 2, "holds a number that is not finite"),
    ("shuffled", BOTH, ALWAYS, STORED, 1, ""),

    ("poison", BOTH, MARKED, DIES, 4, "bad request (400)"),
    ("moderation403", BOTH, MARKED, DIES, 4, "not allowed (403): The model requires moderation"),
    ("detail422", BOTH, MARKED, DIES, 4, "(422): String should be shorter"),
    ("truncated", CHAT, MARKED, DIES, 4, "the model ran out of tokens"),
    ("nan", EMBED, MARKED, DIES, 4, "holds a number that is not finite"),
]

# With a time-out of a second.
SLOW_DAYS = [
    ("stall", BOTH, {}, STORED, 2, "model server: "),
    ("drip", BOTH, {}, STORED, 2, "model server: "),
]


class ModelTest(MillTest):
    world_options = dict(feeds=1, articles=0, words=200, dimensions=64)
    settings = dict(summarizer_linger=200, embedder_linger=200, embedder_batch=ARTICLES, delivery_max_attempts=1)

    def setUp(self):
        super().setUp()
        self.published = 0
        self.mill.start_all()

    def misbehave(self, target, mode, count=1, **more):
        self.world.post(f"/admin/mode?target={target}&mode={mode}&count={count}"
                        + "".join(f"&{k}={v}" for k, v in more.items()))

    def behave(self):
        for target in BOTH:
            self.misbehave(target, "off")

    def publish(self, count):
        self.world.post(f"/admin/publish?feed=1&count={count}")
        self.published += count

    def run_now(self):
        """A run to which all sources and articles are due."""
        self.mill.postgres.execute(f'UPDATE "Source" SET "nextDueAt" = {NOW}; UPDATE "ArticleWork" SET "dueAt" = {NOW}')
        return self.mill.run_once()

    def check_all_stored(self):
        """After whatever a row left behind."""
        self.behave()
        if "dead" in self.mill.states():
            self.mill.cli("dead", "replay", "all")
        if "pending" in self.mill.states():
            self.run_now()
        self.check_everything_stored_once(self.published)


class BadDays(ModelTest):
    def check(self, target, mode, when, fate, most_calls, says):
        begun, before = len(self.mill.log_text()), self.published
        self.publish(ARTICLES)
        self.world.post("/admin/reset")
        mark = f"mark0001x{before + 2:04}"
        self.misbehave(target, mode, **{k: mark if k == "mark" else v for k, v in when.items()})
        row = self.run_now()
        stats, states = self.world.stats(), self.mill.states()
        stored = {STORED: ARTICLES, WAITS: 0, DIES: ARTICLES - 1}[fate]
        self.assertGreaterEqual(stats[f"{target}_wrong"], 1, "no call went wrong")
        status = "FAILED" if fate == WAITS else "SUCCESS"
        self.assertEqual((row["articlesProcessed"], row["status"]), (stored, status), row)
        left = {STORED: {}, WAITS: {"pending": ARTICLES}, DIES: {"dead": 1}}[fate]
        self.assertEqual({k: v for k, v in states.items() if k != "done"}, left)
        if fate == WAITS:
            self.assertIn(says, row["errorMessage"])
        elif fate == DIES:
            dead = self.mill.postgres.rows("SELECT title, reason FROM \"ArticleWork\" WHERE state = 'dead'")[0]
            self.assertIn(mark, dead["title"])
            self.assertIn(says, dead["reason"])
        elif says:
            failures = [line for line in self.mill.log_text()[begun:].splitlines() if "model call failed: " in line]
            self.assertTrue(any(says in line for line in failures), failures)
        tries = {"chat": stats["most_tries_per_article"], "embed": stats["most_embed_tries_per_article"]}
        self.assertLessEqual(tries[target], most_calls, "calls with the same article")
        if fate == STORED:  # what was done and lost, or not done, was asked again
            self.assertEqual(tries[target], most_calls, "calls with the same article")

    def check_rows(self, rows):
        for mode, targets, when, *rest in rows:
            for target in targets:
                with self.subTest(target=target, mode=mode, **when):
                    self.check(target, mode, when, *rest)
                with self.subTest(target=target, mode=mode, **when, then="the server is well"):
                    self.check_all_stored()
                    if target == "embed":
                        self.assertEqual(self.world.stats()["most_tries_per_article"], 1, "calls for the same summary")

    def test_each_day(self):
        self.check_rows(BAD_DAYS)


class SlowDays(BadDays):
    settings = BadDays.settings | dict(model_timeout=1000)

    def test_each_day(self):
        self.check_rows(SLOW_DAYS)


class Gate(ModelTest):
    settings = dict(summarizer_calls=1, delivery_max_attempts=1)
    heard_ms = 300          # from the answer to the last worker: a few messages

    def check_gate(self, seconds):
        """No call came between the word having spread and the time it named."""
        calls = json.loads(self.world.get("/admin/calls?target=chat"))
        answered = next(call["at_ms"] for call in calls if call["wrong"])
        since = [call["at_ms"] - answered for call in calls]
        self.assertEqual([ms for ms in since if self.heard_ms < ms < seconds * 1000], [], since)
        self.assertTrue(any(ms >= seconds * 1000 for ms in since), since)

    def test_one_workers_wait_is_all_workers_wait(self):
        self.mill.start("summarizer")
        wait_for("a second summarizer", lambda: self.mill.log_count("ready worker=") > len(ROLES))
        self.world.post("/admin/delays?chat_ms=50")
        self.misbehave("chat", "429", retry_after=2)
        self.publish(60)
        self.assertEqual(self.run_now()["status"], "SUCCESS")
        self.assertEqual(self.world.stats()["max_chat_at_once"], 2)
        self.check_gate(2)
        self.check_all_stored()

    def test_wait_that_is_too_long_for_a_run_fails_it(self):
        self.misbehave("chat", "429", retry_after=600)
        for _ in range(2):
            self.publish(1)
            row = self.run_now()
            self.assertEqual((row["status"], self.mill.states()), ("FAILED", {"pending": self.published}), row)
            self.assertIn("none could be stored: summarizer: the provider wants no calls for", row["errorMessage"])
        self.assertEqual(self.world.stats()["chat_calls"], 1)

    def test_worker_that_starts_meanwhile_waits_too_though_it_be_another_run(self):
        self.misbehave("chat", "429", retry_after=6)
        self.publish(ARTICLES)
        run = self.mill.trigger()
        wait_for("a call that goes wrong", lambda: self.world.stats()["chat_wrong"] == 1)
        for role in ("fetcher", "summarizer"):
            self.assertEqual(self.mill.end(self.mill.process(role)), 0)
        wait_for("the articles to be handed back", lambda: self.mill.states() == {"pending": ARTICLES})
        self.mill.postgres.execute(f"UPDATE \"ArticleWork\" SET \"dueAt\" = {NOW} + interval '1 hour'")
        self.mill.wait_closed(run)
        self.mill.start("fetcher", "summarizer")
        self.assertEqual(self.run_now()["status"], "SUCCESS")
        self.check_gate(6)
        self.check_all_stored()


class Critical(ModelTest):
    def test_three_failures_are_critical(self):
        self.misbehave("chat", "401", count=-1)
        for _ in range(3):
            self.publish(1)
            self.assertEqual(self.run_now()["status"], "FAILED")
        self.assertEqual(self.mill.log_count("🚨 CRITICAL: Background job has failed 3 times consecutively!"), 1)
        self.assertEqual(self.mill.log_count("❌ Background job failed: the model refused"), 3)
        self.check_all_stored()


if __name__ == "__main__":
    unittest.main(verbosity=2)
