"""What makes an article the same, the text behind a teaser, and one story told by several outlets."""
import signal
import unittest

from mill import MillTest, wait_for
from newsite import Site, prose


class SiteTest(MillTest):
    world_options = dict(feeds=1, articles=1, words=50, dimensions=64)
    settings = dict(fetcher_full_text="auto")

    def feeds(self):
        return []

    def setUp(self):
        super().setUp()
        self.site = Site()
        self.addCleanup(self.site.stop)
        self.mill.start_all()

    def add(self, path, *entries):
        self.mill.add_feed(self.site.feed(path, *entries))

    def change(self, path, *entries):
        self.site.feed(path, *entries)
        self.mill.postgres.execute("UPDATE \"Source\" SET \"nextDueAt\" = now () AT TIME ZONE 'UTC'")

    def run_and_read(self):
        """The articles by title, with the run closed and the stories linked."""
        row = self.mill.run_once()
        self.assertEqual(row["status"], "SUCCESS", row)
        wait_for("stories to be linked",
                 lambda: self.mill.postgres.value('SELECT count (*) FROM "StoryPrint" WHERE NOT linked') == 0)
        self.check_books()
        return {r["title"]: r for r in self.mill.postgres.rows('SELECT * FROM "Article" ORDER BY id')}

    def check_books(self):
        books = self.mill.postgres.rows('SELECT * FROM "Ledger"')[0]
        states = self.mill.states()
        self.assertEqual(books["discovered"], books["duplicate"] + books["intake"] + books["skipped"])
        self.assertEqual(books["intake"], sum(states.values()) + books["dropped"], states)


class StoryTest(SiteTest):
    # ---- identity ----

    def test_one_article_under_many_addresses(self):
        text = prose(1)
        self.add("/a", dict(title="One", text=text, link="/news/one?utm_source=a", guid="1"))
        self.add("/b", dict(title="One", text=text, link="/news/one/amp/", guid="2"))
        self.add("/c", dict(title="One again", text=text, link="/news/one#top", guid="3"))
        self.assertEqual(list(self.run_and_read()), ["One"])

    def test_a_new_headline_is_no_new_article(self):
        entry = dict(title="Before", text=prose(1), link="/one")
        self.add("/a", entry)
        self.run_and_read()
        self.change("/a", dict(entry, title="After"))
        self.assertEqual(list(self.run_and_read()), ["Before"])

    # ---- twins and stories ----

    def test_the_model_is_asked_once_for_a_text_that_stands_in_a_feed_twice(self):
        self.add("/a", dict(title="One", text=prose(1), link="/one"), dict(title="Other", text=prose(2), link="/other"),
                 dict(title="One in brief", text=prose(1), link="/brief"))
        articles = self.run_and_read()
        self.assertEqual(articles["One"]["summary"], articles["One in brief"]["summary"])
        self.assertEqual((len(articles), self.world.stats()["chat_items"]), (3, 2))

    def test_the_model_is_asked_once_for_identical_text(self):
        release = prose(1)
        for outlet in "abcde":
            self.add(f"/{outlet}", dict(title=f"Release in {outlet}", text=release, link=f"/{outlet}/release"))
        articles = self.run_and_read()
        self.assertEqual(len(articles), 5)
        self.assertEqual(self.world.stats()["chat_items"], 1)
        self.assertEqual(len({a["summary"] for a in articles.values()}), 1)
        self.assertEqual(len({a["storyId"] for a in articles.values()}), 1)
        self.add("/f", dict(title="Release in f", text=release, link="/f/release"))   # the first ones are done by now
        self.assertEqual(len({a["storyId"] for a in self.run_and_read().values()}), 1)
        self.assertEqual(self.world.stats()["chat_items"], 1)

    def test_alike_texts_are_one_story_others_are_not(self):
        release = prose(1)
        self.add("/a", dict(title="A", text=f"NEW YORK, from our own staff. {release}", link="/a/1"),
                 dict(title="Other", text=prose(2), link="/a/2"))
        self.add("/b", dict(title="B", text=f"{release} First published elsewhere, all rights reserved.", link="/b/1"))
        self.add("/c", dict(title="C", text=f"Sponsored. {release} Read the terms.", link="/c/1"))
        articles = self.run_and_read()
        self.assertEqual(len(articles), 4)
        self.assertEqual(len({articles[t]["storyId"] for t in "ABC"}), 1)
        self.assertEqual(articles["Other"]["storyId"], articles["Other"]["id"])
        self.assertEqual(self.world.stats()["chat_items"], 4, "alike is not the same: each has a summary of its own")

    def test_the_same_teaser_under_two_headlines_is_not_the_same(self):
        self.mill.postgres.execute("ALTER TABLE \"Source\" ALTER \"fullText\" SET DEFAULT 'never'")
        self.add("/a", dict(title="First", text="Read on at our site.", link="/1"),
                 dict(title="Second", text="Read on at our site.", link="/2"))
        articles = self.run_and_read()
        self.assertEqual(len({a["storyId"] for a in articles.values()}), 2)
        self.assertEqual(self.world.stats()["chat_items"], 2)

    # ---- changed articles ----

    def test_a_changed_text_is_left_alone_by_default(self):
        entry = dict(title="One", text=prose(1), link="/one")
        self.add("/a", entry)
        self.run_and_read()
        self.change("/a", dict(entry, text=prose(2)))
        self.assertEqual(self.run_and_read()["One"]["content"], prose(1))

    # ---- pages ----

    def test_a_teaser_gets_the_text_of_its_page(self):
        self.site.page("/full", "Full", "\n".join(prose(k, 60) for k in range(5)))
        self.site.page("/wall", "Wall", "Please log in.")
        self.add("/a", dict(title="Full", text="A teaser.", link="/full"),
                 dict(title="Wall", text="Another teaser, which is longer than the wall before it.", link="/wall"),
                 dict(title="Gone", text="The teaser of a page that is gone.", link="/gone"),
                 dict(title="Whole", text=prose(9), link="/whole"))
        articles = self.run_and_read()
        self.assertIn(prose(4, 60), articles["Full"]["content"])
        self.assertNotIn("All rights reserved", articles["Full"]["content"])
        self.assertTrue(articles["Wall"]["content"].startswith("Another teaser"))
        self.assertTrue(articles["Gone"]["content"].startswith("The teaser of"))
        self.assertEqual(self.site.asked["/whole"], 0, "the feed had all of it")

    def test_each_source_may_choose(self):
        self.site.page("/1", "One", prose(1))
        self.site.page("/2", "Two", "\n".join(prose(k, 60) for k in range(2, 8)))
        self.add("/never", dict(title="One", text="A teaser.", link="/1"))
        self.add("/always", dict(title="Two", text=prose(2, 200), link="/2"))
        self.mill.postgres.execute("UPDATE \"Source\" SET \"fullText\" = ltrim (substring (url FROM '/[a-z]+$'), '/')")
        articles = self.run_and_read()
        self.assertEqual(articles["One"]["content"], "A teaser.")
        self.assertIn(prose(7, 60), articles["Two"]["content"])
        self.assertEqual(self.site.asked["/1"], 0)

    def test_a_page_whose_server_stumbles_is_tried_again_and_the_run_does_not_wait(self):
        self.site.page("/late", "Late", prose(1))
        self.site.pages["/late"] = [(503, {}, "later"), self.site.pages["/late"]]
        self.add("/a", dict(title="Late", text="A teaser.", link="/late"))
        self.assertEqual(self.run_and_read(), {})
        self.assertEqual(self.mill.states(), {"pending": 1})
        self.mill.postgres.execute("UPDATE \"ArticleWork\" SET \"dueAt\" = now () AT TIME ZONE 'UTC',"
                                   " \"pageAt\" = now () AT TIME ZONE 'UTC'")
        self.assertIn(prose(1), self.run_and_read()["Late"]["content"])

    def test_a_page_tells_of_an_article_known_by_another_address(self):
        self.add("/a", dict(title="One", text=prose(1), link="/one", guid="1"))
        self.run_and_read()
        self.site.page("/teaser/77", "One", prose(1), canonical="/one")
        self.site.page("/teaser/78", "Two", prose(2), canonical="/one")          # a site that names one page for all
        self.add("/b", dict(title="One", text="The teaser.", link="/teaser/77", guid="77"),
                 dict(title="Two", text="The other teaser.", link="/teaser/78", guid="78"))
        articles = self.run_and_read()
        self.assertEqual(sorted(articles), ["One", "Two"])
        self.assertIn(prose(2), articles["Two"]["content"])

    def test_slow_pages_hold_up_neither_other_sources_nor_the_next_run(self):
        slow = [f"/slow/{k}" for k in range(70)]
        for path in [*slow, "/quick"]:
            self.site.page(path, path, prose(path))
        hold = self.site.hold(slow)
        self.add("/a", *(dict(title=path, text="A teaser.", link=path) for path in slow))
        other = self.site.url.replace("127.0.0.1", "localhost")
        self.site.feed("/b", dict(title="/quick", text="A teaser.", link=other + "/quick"))
        self.mill.add_feed(other + "/b")
        run = self.mill.trigger()
        wait_for("the other source's article", lambda: self.mill.stored() == 1)
        self.assertIn(prose("/quick"), self.mill.postgres.value('SELECT content FROM "Article"'))
        row = self.mill.wait_closed(run)
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", 1))
        self.assertEqual(self.mill.states(), {"done": 1, "pending": 70})
        hold.set()
        in_time = 'SELECT count (*) FROM "ArticleWork" WHERE "pageAt" IS NOT NULL AND "pageTries" = 0'
        wait_for("pages without a run", lambda: self.mill.postgres.value(in_time) == 0)
        self.mill.postgres.execute("UPDATE \"ArticleWork\" SET \"dueAt\" = now () AT TIME ZONE 'UTC',"  # those that took too long
                                   " \"pageAt\" = now () AT TIME ZONE 'UTC' WHERE \"pageAt\" IS NOT NULL")
        self.assertEqual(len(self.run_and_read()), 71)
        self.assertEqual(self.site.asked["/quick"], 1)

    def test_text_that_the_publisher_encoded_twice(self):
        twice = "fährt für über – „Gänsefüßchen“ ".encode().decode("windows-1252")
        self.add("/a", dict(title=f"One {twice}", text=prose(1) + twice, link="/one"))
        article, = self.run_and_read().values()
        self.assertEqual(article["title"], "One fährt für über – „Gänsefüßchen“")
        self.assertTrue(article["content"].endswith("fährt für über – „Gänsefüßchen“"), article["content"][-60:])

    def test_a_fetcher_killed_while_it_reads_pages_loses_none(self):
        slow = {f"/slow/{k}" for k in range(20)}
        for path in slow:
            self.site.page(path, path, prose(path))
        self.add("/a", *(dict(title=path, text="A teaser.", link=path) for path in sorted(slow)))
        hold = self.site.hold(slow)
        run = self.mill.trigger()
        wait_for("pages to be asked for", lambda: sum(self.site.asked[p] for p in slow) >= 8)
        self.mill.end(self.mill.process("fetcher"), signal.SIGKILL)
        hold.set()
        self.mill.postgres.execute("UPDATE \"ArticleWork\" SET \"pageAt\" = now () AT TIME ZONE 'UTC' WHERE \"pageAt\" IS NOT NULL")
        self.mill.start("fetcher")
        self.mill.wait_closed(run)
        articles = self.mill.postgres.rows('SELECT title, content FROM "Article"')
        self.assertEqual(len(articles), 20)
        for article in articles:
            self.assertIn(prose(article["title"]), article["content"])


class UpdateTest(SiteTest):
    settings = dict(fetcher_update="true", fetcher_full_text="auto")

    def test_a_changed_text_takes_the_place_of_the_older_one(self):
        entry = dict(title="One", text=prose(1), link="/one")
        self.add("/a", entry, dict(title="Other", text=prose(9), link="/other"))
        before = self.run_and_read()
        self.change("/a", dict(entry, title="One, updated", text=prose(2)), dict(title="Other", text=prose(9), link="/other"))
        after = self.run_and_read()
        self.assertEqual(sorted(after), ["One, updated", "Other"])
        self.assertEqual(after["One, updated"]["content"], prose(2))
        self.assertEqual(after["One, updated"]["storyId"], before["One"]["storyId"])
        self.assertEqual(self.mill.postgres.value('SELECT count (*) FROM "ArticleChunk" WHERE "articleId" NOT IN'
                                                  ' (SELECT id FROM "Article")'), 0)
        self.change("/a", dict(entry, title="One, updated", text=prose(2)))
        self.assertEqual(sorted(self.run_and_read()), ["One, updated", "Other"])
        self.assertEqual(self.world.stats()["chat_items"], 3)

    def test_each_article_has_its_language_and_a_changed_one_its_new_one(self):
        german = dict(title="Hafen bleibt nach dem Sturm geschlossen", link="/1", text="Der Sturm hat zwei Kräne beschädigt. Die Schiffe "
                      "warten draußen, und was die Reparatur kosten wird, weiß nach Angaben des Betreibers noch niemand.")
        english = dict(title="Port stays closed after the storm", link="/2", text="The storm damaged two cranes. Ships wait outside, and "
                       "the company that runs the port says nobody knows yet what the repair will cost.")
        neither = dict(title="$BTC $ETH", link="/3", text="0x7a250d56 1.234,56 +7%")

        def languages():
            return {title: article["language"] for title, article in self.run_and_read().items()}
        self.add("/a", german, english, neither)
        self.assertEqual(languages(), {german["title"]: "de", english["title"]: "en", neither["title"]: None})
        self.change("/a", dict(german, title="Translated", text=english["text"]), english, neither)
        self.assertEqual(languages(), {"Translated": "en", english["title"]: "en", neither["title"]: None})

    def test_a_teasers_article_stays_one_through_changes_and_moves(self):
        entry = dict(title="One", guid="g1")
        for k, (link, text) in enumerate([("/one?a=1", "A teaser."), ("/one?a=1", "Another teaser."), ("/renamed", "A third one.")]):
            path = link.split("?")[0]
            for at in (link, path):
                self.site.page(at, "One", prose(k), canonical=path)
            self.add("/a", dict(entry, link=link, text=text)) if k == 0 else self.change("/a", dict(entry, link=link, text=text))
            articles = self.mill.postgres.rows('SELECT * FROM "Article"') if self.run_and_read() else []
            self.assertEqual([a["title"] for a in articles], ["One"], link)
            self.assertIn(prose(k), articles[0]["content"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
