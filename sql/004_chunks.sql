-- The vectors. $DIMENSIONS is filled in by `newsmill db migrate` from the configured model; pgvector indexes at most
-- 2000 dimensions of type vector, so wider models get no index from here ($INDEX).
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE "ArticleChunk" (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "articleId" BIGINT NOT NULL REFERENCES "Article" ON DELETE CASCADE,
    index INT NOT NULL,
    content TEXT COMPRESSION lz4 NOT NULL,
    embedding vector($DIMENSIONS) NOT NULL,
    model TEXT NOT NULL,
    UNIQUE ("articleId", index)
);
$INDEX CREATE INDEX "ArticleChunk_embedding_idx" ON "ArticleChunk" USING hnsw (embedding vector_cosine_ops);

-- What the database was made for: a different model later is refused rather than mixed in.
CREATE TABLE "Setting" (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "Setting" VALUES ('dimensions', '$DIMENSIONS');
