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

-- Of an article under way: what it may still cost, in the budget's unit. It counts as spent until the article is settled.
ALTER TABLE "ArticleWork" ADD reserved REAL;
