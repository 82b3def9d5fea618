import { Gauge, type Registry } from 'prom-client';
import type { ChangeFeed } from '../change-feed.js';
import type { Admin } from '../db/database.js';
import { getFeedLagSeconds } from '../domain/feed-lag.js';
import { countDeliveries } from '../domain/webhook-deliveries.js';
import { within } from '../within.js';

const patienceMilliseconds = 2_000;

type Followed = { admin: Admin; changes: Pick<ChangeFeed, 'size'> };

/**
 * What those who follow events wait for. Of a database that is away nothing is told: the sample is absent, as
 * whoever asks would read any number as one.
 */
export function measureEvents(registry: Registry, { admin, changes }: Followed): void {
  new Gauge({
    name: 'gateway_followers',
    help: 'How many subscriptions follow changes on this gateway.',
    registers: [registry],
    collect() {
      this.set(changes.size);
    },
  });
  new Gauge({
    name: 'gateway_webhook_deliveries',
    help: 'How many deliveries to webhooks there are, of all gateways: `pending` or `dead`. Absent while the database does not answer.',
    labelNames: ['status'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await within(patienceMilliseconds, countDeliveries(admin)).catch(() => null);
      if (!counts) return;
      this.set({ status: 'pending' }, counts.pending);
      this.set({ status: 'dead' }, counts.dead);
    },
  });
  new Gauge({
    name: 'gateway_feed_lag_seconds',
    help: 'For how long events have been held back by the oldest transaction that still writes; 0 for none. Absent while the database does not answer.',
    registers: [registry],
    async collect() {
      this.reset();
      this.remove();
      const seconds = await within(patienceMilliseconds, getFeedLagSeconds(admin)).catch(() => null);
      if (seconds !== null) this.set(seconds);
    },
  });
}
