-- By themselves: what comes with an ALTER TABLE keeps readers waiting as long as the indexes take.
CREATE INDEX "event_by_time" ON "event" ("recorded_at");

CREATE INDEX "idempotency_key_by_time" ON "idempotency_key" ("created_at");

CREATE INDEX "service_expiring" ON "service"("tenant", "expires_at") WHERE (expires_at IS NOT NULL);

CREATE INDEX "service_idle" ON "service"("tenant", "auto_complete_at") WHERE (auto_complete_at IS NOT NULL);
