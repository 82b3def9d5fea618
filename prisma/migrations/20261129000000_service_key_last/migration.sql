-- While a table is nearly empty all its indexes cost the same, and PostgreSQL takes the newest of those that could
-- serve. Statements are planned once a connection: what is found by the key of a service must not be found by an
-- index that has the time of its start before the id, since that reads all services once there are many.
ALTER TABLE "extension" DROP CONSTRAINT "extension_tenant_service_id_fkey";

ALTER TABLE "association" DROP CONSTRAINT "association_tenant_service_id_fkey";

ALTER TABLE "state" DROP CONSTRAINT "state_tenant_service_id_fkey";

ALTER TABLE "task" DROP CONSTRAINT "task_tenant_service_id_fkey";

ALTER TABLE "service" DROP CONSTRAINT "service_pkey";

ALTER TABLE "service" ADD CONSTRAINT "service_pkey" PRIMARY KEY ("tenant", "id");

ALTER TABLE "extension" ADD CONSTRAINT "extension_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "association" ADD CONSTRAINT "association_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "state" ADD CONSTRAINT "state_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "task" ADD CONSTRAINT "task_tenant_service_id_fkey" FOREIGN KEY ("tenant", "service_id") REFERENCES "service"("tenant", "id") ON DELETE CASCADE ON UPDATE CASCADE;
