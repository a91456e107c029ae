-- ArticleWork is the queue of record. A row's life:
--   pending  taken in, waits for a dispatcher (not before dueAt)
--   leased   dispatched; results and heartbeats extend the lease; one that runs out makes it pending again
--   done     set by the writer alone, in the transaction that stores the article
--   dead     given up, with the reason; `newsmill dead` lists, replays and drops
CREATE TABLE "ArticleWork" (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "sourceId" BIGINT,                  -- no foreign key: 25 writers would queue for a lock on the same source's row
    source TEXT NOT NULL,               -- the source's title when the article was taken in
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT,
    "publishedAt" TIMESTAMP,
    content TEXT COMPRESSION lz4,                       -- NULL once done: the article has it
    summary TEXT,                       -- checkpoint of the one costly intermediate; NULL once done
    "summaryModel" TEXT,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'leased', 'done', 'dead')),
    dispatches INT NOT NULL DEFAULT 0,
    attempts INT NOT NULL DEFAULT 0,    -- failures that blame the article
    crashes INT NOT NULL DEFAULT 0,     -- workers that died with it in hand
    "dueAt" TIMESTAMP NOT NULL DEFAULT NOW(),
    "leaseUntil" TIMESTAMP,
    "runId" UUID,                       -- the run that dispatched it last
    reason TEXT,                        -- of the last failure
    "createdAt" TIMESTAMP NOT NULL DEFAULT NOW()
) WITH (fillfactor = 80);               -- room for the checkpoint's update on the same page
-- Partial, so that the done rows, which soon are nearly all, cost nothing here.
CREATE INDEX "ArticleWork_pending_idx" ON "ArticleWork" ("dueAt", id) WHERE state = 'pending';
CREATE INDEX "ArticleWork_leased_idx" ON "ArticleWork" ("leaseUntil") WHERE state = 'leased';
CREATE INDEX "ArticleWork_dead_idx" ON "ArticleWork" (id) WHERE state = 'dead';

-- What makes an article the same: canonical address, and the guid within its source. The first one ever seen stays.
CREATE TABLE "ArticleKey" (
    key TEXT PRIMARY KEY,
    "workId" BIGINT NOT NULL
);

-- A row here is complete, always.
CREATE TABLE "Article" (
    id BIGINT PRIMARY KEY,              -- that of its ArticleWork
    url TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    content TEXT COMPRESSION lz4 NOT NULL,
    source TEXT NOT NULL,
    author TEXT,
    "publishedAt" TIMESTAMP,
    "sourceId" BIGINT,
    "runId" UUID NOT NULL,
    "chunkCount" INT NOT NULL,
    "summaryModel" TEXT NOT NULL,
    "createdAt" TIMESTAMP NOT NULL DEFAULT NOW()
);
CREATE INDEX "Article_publishedAt_idx" ON "Article" ("publishedAt");
-- Rows arrive in this order, so a BRIN of a few pages finds a run's articles in a table of any size.
CREATE INDEX "Article_createdAt_idx" ON "Article" USING brin ("createdAt") WITH (pages_per_range = 8);

-- Running totals, written by intake in its transaction, for the conservation check:
-- discovered = duplicate + intake (+ skipped); intake = done + dead + pending + leased + dropped.
CREATE TABLE "Ledger" (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    discovered BIGINT NOT NULL DEFAULT 0,
    duplicate BIGINT NOT NULL DEFAULT 0,
    intake BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,  -- entries with neither address nor words
    dropped BIGINT NOT NULL DEFAULT 0   -- dead letters the operator threw away
);
INSERT INTO "Ledger" DEFAULT VALUES;
