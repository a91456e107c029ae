-- What the models cost by day (UTC) and stage, and the pause when model.daily_budget is reached.
CREATE TABLE "Spend" (
    day DATE NOT NULL,
    stage TEXT NOT NULL,
    calls BIGINT NOT NULL DEFAULT 0,
    "tokensIn" BIGINT NOT NULL DEFAULT 0,
    "tokensOut" BIGINT NOT NULL DEFAULT 0,
    cost DOUBLE PRECISION NOT NULL DEFAULT 0,   -- USD, as the server tells
    unpriced BIGINT NOT NULL DEFAULT 0,         -- calls of which it told no cost
    PRIMARY KEY (day, stage)
);

-- One row. Fetchers lock it while they reserve, so that two do not spend the same.
CREATE TABLE "Budget" (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    "pausedUntil" TIMESTAMP,                    -- nothing is dispatched before, for this reason
    reason TEXT
);
INSERT INTO "Budget" DEFAULT VALUES;

-- What an article may cost, in the budget's unit, from its dispatch until the collector has booked what it did cost.
ALTER TABLE "ArticleWork" ADD reserved REAL;
CREATE INDEX "ArticleWork_reserved_idx" ON "ArticleWork" (id) WHERE reserved > 0;

-- Those that workers died with, and that are not settled yet: few, if any.
CREATE INDEX "ArticleWork_suspect_idx" ON "ArticleWork" (id) WHERE crashes >= 2 AND state IN ('pending', 'leased');
