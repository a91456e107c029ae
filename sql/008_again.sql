-- A push while its source is being read: what is read may be from before it.
ALTER TABLE "RunSource" ADD again BOOLEAN NOT NULL DEFAULT FALSE; -- to be read once more when this reading is over
