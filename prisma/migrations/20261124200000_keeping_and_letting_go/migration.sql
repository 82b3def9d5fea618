CREATE TYPE "purge_operation" AS ENUM ('ALL', 'STARTED', 'STARTED_ANONYMOUS', 'COMPLETED', 'COMPLETED_ANONYMOUS');

CREATE TYPE "purge_status" AS ENUM ('RUNNING', 'DONE', 'CANCELLED');

CREATE TYPE "server_mode" AS ENUM ('PRODUCTION', 'MAINTENANCE');

ALTER TYPE "event_type" ADD VALUE 'SERVICE_DELETED';
ALTER TYPE "event_type" ADD VALUE 'SERVICE_EXPIRED';

ALTER TABLE "service" ADD COLUMN "auto_complete_at" TIMESTAMPTZ(3);

CREATE TABLE "composite_start" (
    "tenant" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "turn" INTEGER NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "composite_start_pkey" PRIMARY KEY ("tenant","key")
);

CREATE TABLE "purge" (
    "tenant" TEXT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "operation" "purge_operation" NOT NULL,
    "started_to" TIMESTAMPTZ(3) NOT NULL,
    "is_dry_run" BOOLEAN NOT NULL,
    "status" "purge_status" NOT NULL,
    "matched" BIGINT NOT NULL,
    "deleted" BIGINT NOT NULL DEFAULT 0,
    "last_id" BIGINT NOT NULL DEFAULT 0,
    "max_id" BIGINT NOT NULL,
    "principal" TEXT,
    "request_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "purge_pkey" PRIMARY KEY ("tenant","id")
);

CREATE TABLE "server" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "mode" "server_mode" NOT NULL DEFAULT 'PRODUCTION',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "server_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "composite_start_by_time" ON "composite_start" ("updated_at");

CREATE INDEX "purge_running" ON "purge"("tenant", "id") WHERE (status = 'RUNNING'::purge_status);

-- The one row that there is.
INSERT INTO "server" ("id") VALUES (1);
