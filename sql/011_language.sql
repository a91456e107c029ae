-- Which language an article is in: ISO 639-1 (639-2 where that has none). NULL: it can't be told, or the article was stored before
-- this column. Old rows are not filled: that would write each of them anew.
ALTER TABLE "Article" ADD language TEXT;
