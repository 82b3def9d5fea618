CREATE TYPE "role" AS ENUM ('READER', 'WRITER', 'SCHEMA_ADMIN', 'OPERATOR');

CREATE TABLE "api_key" (
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" "role" NOT NULL,
    "tenants" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

CREATE TABLE "idempotency_key" (
    "tenant" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "command_hash" TEXT NOT NULL,
    "outcome" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("tenant","key")
);

ALTER TABLE "service" ADD COLUMN "associated_version" INTEGER NOT NULL DEFAULT 1;

-- What undo goes back by: the newest entry of history, not the newest change.
UPDATE "service" s SET "associated_version" = a."version", "prev_customer_id" = a."from_customer_id"
FROM "association" a
WHERE a."tenant" = s."tenant" AND a."service_id" = s."id" AND a."version" = (
    SELECT max("version") FROM "association" newest WHERE newest."tenant" = s."tenant" AND newest."service_id" = s."id"
);

CREATE INDEX "service_active_by_start" ON "service"("tenant", "started_at", "id") WHERE (completed_at IS NULL);
