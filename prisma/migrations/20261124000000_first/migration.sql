-- The first data model. Ids come from a plain sequence: an identity column cannot be re-sharded.
CREATE SEQUENCE "service_id_seq" AS BIGINT;

CREATE TYPE "extension_scope" AS ENUM ('SERVICE', 'STATE', 'TASK');

CREATE TYPE "association_kind" AS ENUM ('START', 'ASSOCIATE', 'UNDO');

CREATE TYPE "front" AS ENUM ('GRAPHQL', 'REST');

CREATE TYPE "event_type" AS ENUM ('SERVICE_STARTED', 'SERVICE_ASSOCIATED', 'SERVICE_UPDATED', 'SERVICE_COMPLETED');

CREATE TYPE "extension_type" AS ENUM ('SINGLE_VALUED', 'MULTI_VALUED');

CREATE TABLE "tenant" (
    "id" TEXT NOT NULL,
    "registry_version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "service" (
    "tenant" TEXT NOT NULL,
    "id" BIGINT NOT NULL DEFAULT nextval('service_id_seq'::regclass),
    "version" INTEGER NOT NULL DEFAULT 1,
    "customer_id" TEXT,
    "prev_customer_id" TEXT,
    "contact_key" TEXT,
    "business_unit" TEXT,
    "service_type" JSONB,
    "session_id" TEXT,
    "interaction_id" TEXT,
    "application_type" JSONB,
    "application_id" BIGINT,
    "resource_type" JSONB,
    "resource_id" BIGINT,
    "media_type" JSONB,
    "est_duration" BIGINT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "disposition" JSONB,
    "disposition_desc" TEXT,
    "end_session_id" TEXT,
    "end_interaction_id" TEXT,
    "end_application_type" JSONB,
    "end_application_id" BIGINT,
    "end_resource_type" JSONB,
    "end_resource_id" BIGINT,
    "end_media_type" JSONB,
    "completed_at" TIMESTAMPTZ(3),
    "next_state_id" INTEGER NOT NULL DEFAULT 0,
    "next_task_id" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3),
    "auto_complete_after" BIGINT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "service_pkey" PRIMARY KEY ("tenant","id")
);

CREATE TABLE "extension" (
    "tenant" TEXT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "scope" "extension_scope" NOT NULL,
    "owner_id" INTEGER NOT NULL,
    "name_key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "size_bytes" INTEGER NOT NULL,

    CONSTRAINT "extension_pkey" PRIMARY KEY ("tenant","service_id","scope","owner_id","name_key")
);

CREATE TABLE "association" (
    "tenant" TEXT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    "kind" "association_kind" NOT NULL,
    "from_customer_id" TEXT,
    "to_customer_id" TEXT,
    "reason" TEXT,
    "actor" TEXT,
    "principal" TEXT,
    "front" "front" NOT NULL,
    "request_id" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "association_pkey" PRIMARY KEY ("tenant","service_id","version")
);

CREATE TABLE "event" (
    "tenant" TEXT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    "type" "event_type" NOT NULL,
    "customer_id" TEXT,
    "prev_customer_id" TEXT,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),

    CONSTRAINT "event_pkey" PRIMARY KEY ("tenant","service_id","version")
);

CREATE TABLE "extension_schema" (
    "tenant" TEXT NOT NULL,
    "scope" "extension_scope" NOT NULL,
    "name_key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" "extension_type" NOT NULL,
    "attributes" JSONB NOT NULL,
    "unique" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "extension_schema_pkey" PRIMARY KEY ("tenant","scope","name_key")
);

CREATE INDEX "service_active_by_customer" ON "service"("tenant", "customer_id", "started_at", "id") WHERE (customer_id IS NOT NULL AND completed_at IS NULL);

CREATE INDEX "service_by_customer" ON "service"("tenant", "customer_id", "started_at", "id") WHERE (customer_id IS NOT NULL);

CREATE INDEX "service_anonymous_by_contact_key" ON "service"("tenant", "contact_key", "started_at", "id") WHERE (customer_id IS NULL);

CREATE INDEX "service_by_start" ON "service"("tenant", "started_at", "id");

CREATE INDEX "service_by_interaction" ON "service"("tenant", "interaction_id", "started_at", "id") WHERE (interaction_id IS NOT NULL);

ALTER TABLE "extension" ADD CONSTRAINT "extension_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "association" ADD CONSTRAINT "association_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;


-- The one tenant that needs no making.
INSERT INTO "tenant" ("id") VALUES ('default');
