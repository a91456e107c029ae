-- What the collector in office last heard of each worker, for the one that follows it: it would never hear of a worker that died
-- before. Unlogged: it is worth little a minute later.
CREATE UNLOGGED TABLE "Heartbeat" (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    at TIMESTAMP NOT NULL,
    workers JSON NOT NULL
);
