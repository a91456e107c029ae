-- WebSub: whom a feed's hub pushes to us for. A row's life:
--   wanted     the feed names a hub; nobody was asked yet
--   requested  the hub was asked, and has not asked back
--   active     the hub asked whether we meant it, and was told so; renewed at dueAt, over at leaseUntil
--   refused    the hub said no, or could not be asked; tried again at dueAt
--   leaving    the source is gone or off: the hub is asked to stop, and the row goes when it asked back
CREATE TABLE "Subscription" (
    id TEXT PRIMARY KEY,                -- random, the last part of the callback's address: who knows it may speak for the hub
    "sourceId" BIGINT UNIQUE REFERENCES "Source" ON DELETE SET NULL,
    hub TEXT NOT NULL,
    topic TEXT NOT NULL,                -- the feed's own name for itself
    secret TEXT NOT NULL,               -- signs what is pushed
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'requested', 'active', 'refused', 'leaving')),
    failures INT NOT NULL DEFAULT 0,    -- requests in a row that came to nothing
    "dueAt" TIMESTAMP NOT NULL DEFAULT (NOW() AT TIME ZONE 'UTC'),
    "leaseUntil" TIMESTAMP,
    pushes BIGINT NOT NULL DEFAULT 0,   -- with a good signature
    "lastPushAt" TIMESTAMP,
    reason TEXT,                        -- of the last failure
    "createdAt" TIMESTAMP NOT NULL DEFAULT (NOW() AT TIME ZONE 'UTC')
);
CREATE INDEX "Subscription_dueAt_idx" ON "Subscription" ("dueAt");
