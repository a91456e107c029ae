-- The ledger of runs. All times are UTC; connections set TimeZone to UTC.

CREATE TABLE "JobRun" (
    id UUID PRIMARY KEY,
    "startedAt" TIMESTAMP NOT NULL,
    "completedAt" TIMESTAMP,
    status VARCHAR NOT NULL,            -- RUNNING, SUCCESS, FAILED
    "articlesProcessed" INT,
    "embeddingsCreated" INT,
    "durationMs" INT,
    "errorMessage" TEXT,
    "createdAt" TIMESTAMP DEFAULT NOW()
);
CREATE INDEX "JobRun_startedAt_idx" ON "JobRun" ("startedAt");
CREATE INDEX "JobRun_status_idx" ON "JobRun" (status);

-- What each stage did in a run.
CREATE TABLE "RunStage" (
    "runId" UUID NOT NULL REFERENCES "JobRun" ON DELETE CASCADE,
    stage TEXT NOT NULL,
    done INT NOT NULL DEFAULT 0,
    failed INT NOT NULL DEFAULT 0,
    returned INT NOT NULL DEFAULT 0,
    calls INT NOT NULL DEFAULT 0,
    "tokensIn" BIGINT NOT NULL DEFAULT 0,
    "tokensOut" BIGINT NOT NULL DEFAULT 0,
    cost DOUBLE PRECISION NOT NULL DEFAULT 0,
    "busyMs" BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY ("runId", stage)
);

-- Every minute can be accounted for: ran, skipped, missed.
CREATE TABLE "Tick" (
    "scheduledAt" TIMESTAMP PRIMARY KEY,
    outcome TEXT NOT NULL CHECK (outcome IN ('ran', 'skipped', 'missed')),
    "runId" UUID,                       -- ran: the run; skipped: the run in its way
    reason TEXT
);
