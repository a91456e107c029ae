-- The feeds: address, cursor (validators of the last answer), health and back-off.

CREATE TABLE "Source" (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    title TEXT,
    tags TEXT[] NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    format TEXT,
    etag TEXT,
    "lastModified" TEXT,
    "bodyHash" BIGINT,                  -- of the last body taken in: an unchanged one is not parsed again
    "lastFetchAt" TIMESTAMP,
    "lastSuccessAt" TIMESTAMP,
    "lastStatus" INT,
    "lastError" TEXT,
    failures INT NOT NULL DEFAULT 0,    -- in a row
    "nextDueAt" TIMESTAMP NOT NULL DEFAULT NOW(),
    "createdAt" TIMESTAMP NOT NULL DEFAULT NOW()
);

-- A run's work list: the collector writes the due sources as it opens the run, fetchers claim and finish them.
CREATE TABLE "RunSource" (
    "runId" UUID NOT NULL REFERENCES "JobRun" ON DELETE CASCADE,
    "sourceId" BIGINT NOT NULL REFERENCES "Source" ON DELETE CASCADE,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'claimed', 'fresh', 'unchanged', 'failed')),
    "claimedAt" TIMESTAMP,
    "claimedBy" TEXT,                   -- the fetcher; when it dies the collector makes the row due again
    status INT,                         -- of HTTP
    discovered INT NOT NULL DEFAULT 0,  -- = duplicate + intake
    duplicate INT NOT NULL DEFAULT 0,
    intake INT NOT NULL DEFAULT 0,
    skipped INT NOT NULL DEFAULT 0,     -- entries with neither address nor text
    bytes BIGINT NOT NULL DEFAULT 0,
    "durationMs" INT,
    error TEXT,
    PRIMARY KEY ("runId", "sourceId")
);
