CREATE TABLE "event_horizon" (
    "tenant" TEXT NOT NULL,
    "xid" xid8 NOT NULL,
    "service_id" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,

    CONSTRAINT "event_horizon_pkey" PRIMARY KEY ("tenant")
);

CREATE INDEX "event_feed" ON "event"("tenant", "xid", "service_id", "version");
