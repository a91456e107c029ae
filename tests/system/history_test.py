"""The checker of histories finds what is planted, and nothing else."""
import copy
import unittest

import history

TEXT = "Bitcoin rose."
LINES = f"""\
1.000 fetcher 10 taking source=1 hash={history.fnv1a(TEXT):x} url=http://a/1
1.100 fetcher 10 taken source=1
1.200 fetcher 10 dispatched article=7 attempt=1
1.300 summarizer 20 took article=7 attempt=1
1.310 summarizer 20 asked call=a.1 article=7
1.500 campaign 1 kill role=summarizer victim=20
4.000 fetcher 10 dispatched article=7 attempt=2
4.100 summarizer 21 took article=7 attempt=2
4.110 summarizer 21 asked call=b.1 article=7
4.200 summarizer 21 ended article=7 attempt=2 outcome=done
4.300 writer 30 took article=7 attempt=2
4.500 writer 30 committed article=7 chunks=1
4.501 writer 30 ended article=7 attempt=2 outcome=done
4.510 collector 40 heard article=7 attempt=2 stage=writer outcome=1
4.600 collector 40 closed run=r articles=1 chunks=1
5.000 writer 30 left in_hand=0
5.100 writer 1 exited victim=30 code=0
""".splitlines()
STATE = {"work": [{"id": 7, "url": "http://a/1", "state": "done"}],
         "articles": [{"id": 7, "url": "http://a/1", "title": "mark0001x0001 rose", "summary": "About mark0001x0001.",
                       "content": TEXT, "runId": "r", "chunkCount": 1, "chunks": 1}],
         "runs": [{"id": "r", "status": "SUCCESS", "articlesProcessed": 1, "embeddingsCreated": 1}]}


class HistoryTest(unittest.TestCase):
    def found(self, change=lambda state: None, lines=None):
        state = copy.deepcopy(STATE)
        change(state)
        return history.wrong(history.read(lines or LINES), state)

    def test_nothing_is_wrong(self):
        self.assertEqual(self.found(), [])

    def test_what_is_planted_is_found(self):
        def article(**change):
            return lambda s: s["articles"][0].update(change)
        cases = [("is gone", lambda s: s.update(work=[], articles=[])),
                 ("not stored", lambda s: s.update(articles=[])),
                 ("was said to be stored and is not", lambda s: s.update(articles=[])),
                 ("never taken in", lambda s: s["work"].append({"id": 8, "url": "http://a/2", "state": "dead"})),
                 ("ended nowhere", lambda s: s["work"][0].update(state="pending")),
                 ("stored 2 times", lambda s: s["articles"].append(dict(s["articles"][0], id=9))),
                 ("not in the ledger", lambda s: s["articles"].append(dict(s["articles"][0], id=9))),
                 ("another text", article(content="Bitcoin fell.")),
                 ("another one's summary", article(summary="About mark0001x0002.")),
                 ("0 of 1 chunks", article(chunks=0)),
                 ("counted again", lambda s: s["runs"][0].update(articlesProcessed=2)),
                 ("counted again", article(runId="other")),
                 ("was closed and is not", lambda s: s["runs"][0].update(status="RUNNING"))]
        for words, change in cases:
            with self.subTest(words):
                self.assertTrue(any(words in line for line in self.found(change)), self.found(change))

    def test_who_leaves_with_articles_in_hand_is_found(self):
        for ending, words in ((("ended", "code=0"), "with 1 articles in hand"), (("code=0", "code=1"), "left with 1")):
            lines = [line.replace(*ending) if line.startswith(("4.501", "5.1")) else line for line in LINES]
            with self.subTest(words):
                self.assertTrue(any(words in line for line in self.found(lines=lines)), self.found(lines=lines))

    def test_an_outage_does_not_count(self):
        lines = [*LINES, "1.600 campaign 1 fault kind=disk", "3.200 campaign 1 over kind=disk", "3.9 campaign 1 over kind=clock"]
        measures = history.Measures(history.read(lines))
        self.assertEqual([round(s, 3) for s in measures.recoveries[history.HEARTBEAT]], [0.8])

    def test_what_was_answered_before_the_kill_was_not_under_way(self):
        lines = [line for line in LINES if not line.startswith("1.5")] + [
            "1.400 summarizer 20 ended article=7 attempt=1 outcome=done", "1.500 campaign 1 kill role=summarizer victim=20"]
        measures = history.Measures(history.read(lines))
        self.assertEqual((dict(measures.repeated), measures.elsewhere), ({}, {(20, "a.1")}))

    def test_measures(self):
        measures = history.Measures(history.read(LINES))
        self.assertEqual(measures.recoveries, {history.HEARTBEAT: [2.5], history.LEASE: []})
        self.assertEqual((measures.kills, dict(measures.repeated)), ([20], {20: {(20, "a.1")}}))
        lines = [line for line in LINES if not line.startswith(("1.3", "1.31"))]
        self.assertEqual(history.Measures(history.read(lines)).recoveries, {history.HEARTBEAT: [], history.LEASE: [2.5]})


if __name__ == "__main__":
    unittest.main(verbosity=2)
