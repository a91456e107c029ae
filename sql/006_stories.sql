-- The same story told by several outlets, pages behind teasers, and articles that change.

ALTER TABLE "ArticleWork"
    ADD "feedHash" BIGINT,              -- of the text as the feed has it: another one later means that the article changed
    ADD replaces BIGINT,                -- the work whose article this one is a newer version of
    ADD "twinOf" BIGINT,                -- work of the same text: its summary does for this one too
    ADD "storyId" BIGINT,               -- the story's first article, NULL while that is itself
    ADD "pageAt" TIMESTAMP,             -- when its page is to be fetched: not dispatched before that is over and this is NULL
    ADD "pageTries" INT NOT NULL DEFAULT 0;
-- Those that wait for a page would stand before those that can be dispatched.
DROP INDEX "ArticleWork_pending_idx";
CREATE INDEX "ArticleWork_pending_idx" ON "ArticleWork" ("dueAt", id) WHERE state = 'pending' AND "pageAt" IS NULL;
CREATE INDEX "ArticleWork_page_idx" ON "ArticleWork" ("pageAt") WHERE "pageAt" IS NOT NULL;

ALTER TABLE "Article" ADD "storyId" BIGINT;
UPDATE "Article" SET "storyId" = id;
ALTER TABLE "Article" ALTER "storyId" SET NOT NULL;
CREATE INDEX "Article_storyId_idx" ON "Article" ("storyId");

ALTER TABLE "Source"
    ADD "fullText" TEXT CHECK ("fullText" IN ('auto', 'always', 'never')), -- NULL: the setting's
    ADD "pageRules" TEXT;               -- what of a page is the article, where the general rules fail

-- What a recent text is like: its hash for identical ones, MinHash bands for similar ones. Rows are written when the text
-- is final, get their bands and are linked once the run is over (so that no article waits for it), and are removed when the
-- story's time is over.
CREATE TABLE "StoryPrint" (
    "workId" BIGINT NOT NULL,
    "storyId" BIGINT NOT NULL,
    "textHash" BIGINT NOT NULL,
    bands BIGINT[],                     -- NULL: not linked yet, or too short to be like another
    linked BOOLEAN NOT NULL DEFAULT FALSE,
    "createdAt" TIMESTAMP NOT NULL DEFAULT NOW()
);
CREATE INDEX "StoryPrint_textHash_idx" ON "StoryPrint" ("textHash");
CREATE UNIQUE INDEX "StoryPrint_waiting_idx" ON "StoryPrint" ("workId") WHERE NOT linked;
CREATE INDEX "StoryPrint_bands_idx" ON "StoryPrint" USING gin (bands) WITH (fastupdate = off) WHERE linked;

-- The work that has this very text, or NULL. The hash finds it, the text decides.
CREATE FUNCTION twin_of (hash BIGINT, content TEXT) RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT w.id FROM "StoryPrint" p JOIN "ArticleWork" w ON w.id = p."workId" LEFT JOIN "Article" a ON a.id = w.id
    WHERE p."textHash" = $1 AND w.state <> 'dead' AND coalesce (w.content, a.content) = $2
    ORDER BY w.id LIMIT 1
$$;

-- Puts waiting prints, with the bands of their texts, into the story of the most alike of the linked ones, if one is alike
-- enough. One caller at a time: two that begin the same story would not see each other. Returns how many it took up.
CREATE FUNCTION link_stories (ids BIGINT[], prints TEXT[], least_bands INT, story_window INTERVAL) RETURNS INT
LANGUAGE plpgsql AS $$
DECLARE
    mine RECORD;
    story BIGINT;
    count INT := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock (hashtext ('newsmill link_stories')) THEN
        RETURN 0;
    END IF;
    FOR mine IN SELECT p."workId" AS id, p."textHash" AS hash, p."createdAt" AS at, n.print::bigint[] AS bands
            FROM unnest (ids, prints) AS n (id, print) JOIN "StoryPrint" p ON p."workId" = n.id AND NOT p.linked
            ORDER BY n.id LOOP
        SELECT p."storyId" INTO story FROM "StoryPrint" p,
            LATERAL (SELECT count (*) AS shared FROM unnest (p.bands) b WHERE b = ANY (mine.bands)) s
            WHERE p.linked AND p.bands && mine.bands AND p."createdAt" > mine.at - story_window AND s.shared >= least_bands
            ORDER BY s.shared DESC, p."workId" LIMIT 1;
        IF NOT FOUND THEN
            SELECT p."storyId" INTO story FROM "StoryPrint" p
                WHERE p."textHash" = mine.hash AND p."workId" < mine.id ORDER BY p."workId" LIMIT 1;
        END IF;
        UPDATE "StoryPrint" SET linked = TRUE, bands = mine.bands, "storyId" = coalesce (story, "storyId")
            WHERE "workId" = mine.id AND NOT linked;
        IF story IS NOT NULL THEN
            UPDATE "ArticleWork" SET "storyId" = story WHERE id = mine.id;
            UPDATE "Article" SET "storyId" = story WHERE id = mine.id;
        END IF;
        count := count + 1;
    END LOOP;
    RETURN count;
END
$$;

-- Keys of articles lost www., m., amp. and the last slash: the old ones must go on being known.
INSERT INTO "ArticleKey" (key, "workId")
    SELECT regexp_replace (regexp_replace (key, '^((www|m|mobile|amp)\.)+(?=[^/]*\.)', ''), '(?<=[^/])/+(?=$|\?)', ''), "workId"
    FROM "ArticleKey" WHERE key !~ '^(guid|text|hash):'
    ON CONFLICT DO NOTHING;
