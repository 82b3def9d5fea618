CREATE TYPE "webhook_status" AS ENUM ('ENABLED', 'DISABLED', 'GONE', 'FAILED');

CREATE TABLE "webhook" (
    "tenant" TEXT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" "event_type"[],
    "secret" TEXT NOT NULL,
    "previous_secret" TEXT,
    "previous_secret_until" TIMESTAMPTZ(3),
    "status" "webhook_status" NOT NULL,
    "feed_xid" xid8 NOT NULL,
    "feed_service_id" BIGINT NOT NULL,
    "feed_version" INTEGER NOT NULL,
    "past" pg_snapshot,
    "failing_since" TIMESTAMPTZ(3),
    "last_failure" TEXT,
    "resume_at" TIMESTAMPTZ(3),
    "owner" TEXT,
    "leased_until" TIMESTAMPTZ(3),
    "principal" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "webhook_pkey" PRIMARY KEY ("tenant","id")
);

CREATE TABLE "webhook_delivery" (
    "tenant" TEXT NOT NULL,
    "webhook_id" BIGINT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    "type" "event_type" NOT NULL,
    "customer_id" TEXT,
    "prev_customer_id" TEXT,
    "state_id" INTEGER,
    "task_id" INTEGER,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "last_failure" TEXT,
    "died_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("tenant","webhook_id","service_id","version")
);

CREATE INDEX "webhook_delivery_due" ON "webhook_delivery"("tenant", "webhook_id", "next_attempt_at") WHERE (next_attempt_at IS NOT NULL);

CREATE INDEX "webhook_delivery_pending" ON "webhook_delivery"("tenant", "webhook_id", "created_at") WHERE (died_at IS NULL);

CREATE INDEX "webhook_delivery_dead" ON "webhook_delivery"("tenant", "webhook_id", "died_at", "service_id", "version") WHERE (died_at IS NOT NULL);

CREATE INDEX "webhook_delivery_by_death" ON "webhook_delivery"("died_at") WHERE (died_at IS NOT NULL);

ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_tenant_webhook_id_fkey" FOREIGN KEY ("tenant", "webhook_id") REFERENCES "webhook"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;
