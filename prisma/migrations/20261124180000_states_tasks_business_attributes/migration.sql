ALTER TYPE "event_type" ADD VALUE 'STATE_STARTED';
ALTER TYPE "event_type" ADD VALUE 'STATE_TRANSITIONED';
ALTER TYPE "event_type" ADD VALUE 'STATE_UPDATED';
ALTER TYPE "event_type" ADD VALUE 'STATE_COMPLETED';
ALTER TYPE "event_type" ADD VALUE 'TASK_STARTED';
ALTER TYPE "event_type" ADD VALUE 'TASK_UPDATED';
ALTER TYPE "event_type" ADD VALUE 'TASK_COMPLETED';

ALTER TABLE "event" ADD COLUMN "state_id" INTEGER,
ADD COLUMN "task_id" INTEGER;

ALTER TABLE "tenant" ADD COLUMN "map_names" BOOLEAN NOT NULL DEFAULT false;

CREATE TABLE "state" (
    "tenant" TEXT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "id" INTEGER NOT NULL,
    "state_type" JSONB,
    "previous_state_id" INTEGER,
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

    CONSTRAINT "state_pkey" PRIMARY KEY ("tenant","service_id","id")
);

CREATE TABLE "task" (
    "tenant" TEXT NOT NULL,
    "service_id" BIGINT NOT NULL,
    "id" INTEGER NOT NULL,
    "task_type" JSONB,
    "state_id" INTEGER,
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

    CONSTRAINT "task_pkey" PRIMARY KEY ("tenant","service_id","id")
);

CREATE TABLE "business_attribute" (
    "tenant" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "dbid" BIGINT,
    "display_name" TEXT,
    "description" TEXT,
    "values" JSONB NOT NULL,

    CONSTRAINT "business_attribute_pkey" PRIMARY KEY ("tenant","name_key")
);

CREATE TABLE "field_mapping" (
    "tenant" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "attribute_key" TEXT NOT NULL,

    CONSTRAINT "field_mapping_pkey" PRIMARY KEY ("tenant","field")
);

ALTER TABLE "state" ADD CONSTRAINT "state_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "task" ADD CONSTRAINT "task_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "field_mapping" ADD CONSTRAINT "field_mapping_tenant_attribute_key_fkey" FOREIGN KEY ("tenant", "attribute_key") REFERENCES "business_attribute"("tenant", "name_key") ON DELETE RESTRICT ON UPDATE CASCADE;

