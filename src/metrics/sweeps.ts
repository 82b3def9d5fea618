import { Counter, Gauge, type Registry } from 'prom-client';
import type { SweepObserver } from '../sweeper.js';

/** Counts what the sweeper of this gateway does; all gateways share the work. */
export function measureSweeps(registry: Registry): SweepObserver {
  const registers = [registry];
  const passes = new Counter({
    name: 'gateway_sweeper_passes_total',
    help: 'Passes of the sweeper over what is due.',
    registers,
  });
  const swept = new Counter({
    name: 'gateway_sweeper_swept_total',
    help: 'What it did, by kind: services completed, expired and purged; keys, events and compositeStarts are rows dropped.',
    labelNames: ['kind'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'gateway_sweeper_failures_total',
    help: 'Steps of passes that failed; each is logged, and tried again.',
    registers,
  });
  const last = new Gauge({
    name: 'gateway_sweeper_last_pass_timestamp_seconds',
    help: 'When the last pass ended; 0 before the first one.',
    registers,
  });
  return {
    onSwept({ completed, expired, purged, keys, events, compositeStarts }) {
      const counts = { completed, expired, purged, keys, events, compositeStarts };
      for (const [kind, count] of Object.entries(counts)) swept.inc({ kind }, count);
    },
    onFailure: () => failures.inc(),
    onPass() {
      passes.inc();
      last.setToCurrentTime();
    },
  };
}
