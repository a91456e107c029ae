-- How publishers are treated. A publisher that asks for a pause means all its hosts and all our fetchers, after a restart too; and
-- what decides when a source is due again, or whether at all, is kept with it. From here on an "ArticleKey" whose "workId" is 0 was
-- old when its source was read for the first time, and never taken in.

ALTER TABLE "Source"
    ADD domain TEXT,                    -- registrable domain of the url (public suffix list); NULL: a fetcher fills it in
    ADD "userAgent" TEXT,               -- NULL: fetcher.user_agent
    ADD "disabledReason" TEXT,          -- why the fetcher switched it off; NULL: the operator did, or nobody
    ADD "movedTo" TEXT,                 -- where permanent redirects led the last time it was read
    ADD moves INT NOT NULL DEFAULT 0,   -- how often in a row
    ADD "hintS" INT,                    -- how long the feed says it stays as it is (ttl, sy:updatePeriod)
    ADD "skipHours" INT,                -- bit n: not at n o'clock GMT
    ADD "skipDays" INT,                 -- bit n: not on that day GMT; bit 0 is Sunday
    ADD "gapS" INT,                     -- median between its last entries
    SET (fillfactor = 70);              -- each run updates each row: on its page, and in no index
CREATE INDEX "Source_no_domain_idx" ON "Source" (id) WHERE domain IS NULL;

-- Publishers that asked for a pause. Rows of the past are removed when one is added.
CREATE TABLE "Domain" (
    name TEXT PRIMARY KEY,
    "heldUntil" TIMESTAMP NOT NULL,
    reason TEXT NOT NULL
);

-- A run's sources are claimed in this order: the first of each domain, then the second of each.
ALTER TABLE "RunSource" ADD place INT NOT NULL DEFAULT 1;
CREATE INDEX "RunSource_due_idx" ON "RunSource" ("runId", place) WHERE state = 'due';
