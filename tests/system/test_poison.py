"""An article that kills whoever takes it ends in the dead letters, and takes none of those beside it along."""
import unittest

from mill import ROLES, MillTest, wait_for

POISON = "mark0001x0007"


class PoisonTest(MillTest):
    world_options = dict(feeds=2, articles=10, words=300, dimensions=64)

    def turn(self):
        self.deaths += len(self.mill.restart_dead())
        self.mill.open_run()
        return self.mill.states() == {"done": self.total() - 1, "dead": 1}

    def check(self, role):
        self.deaths = 0
        self.mill.start(*[r for r in ROLES if r != role], "gateway")
        self.mill.start(role, role, env={"NEWSMILL_FAULT_POISON": POISON})
        wait_for(f"all but the one that kills each {role}", self.turn, 90)
        dead = self.mill.postgres.rows("SELECT title, reason, crashes FROM \"ArticleWork\" WHERE state = 'dead'")
        self.assertEqual(len(dead), 1)
        self.assertIn(POISON, dead[0]["title"])
        self.assertEqual((dead[0]["reason"], dead[0]["crashes"]), ("its worker died", 3))
        self.assertLessEqual(self.deaths, 6)
        listed = self.mill.cli("dead", "list").stdout
        self.assertIn("its worker died", listed)

    def test_a_poor_summarizer(self):
        self.check("summarizer")

    def test_a_poor_chunker(self):
        self.check("chunker")

    def test_a_poor_writer(self):
        self.check("writer")


if __name__ == "__main__":
    unittest.main(verbosity=2)
