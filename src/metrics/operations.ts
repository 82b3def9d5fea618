import type { Registry } from 'prom-client';
import type { Operation, OperationObserver } from '../graphql/outcomes.js';
import { addHistogram, type Series, secondsBounds } from './histogram.js';

/** Measures GraphQL operations, whichever way they go, by names of the schema alone. */
export function measureOperations(registry: Registry): OperationObserver {
  const addSeries = addHistogram(registry, {
    name: 'gateway_graphql_operation_duration_seconds',
    help: 'Time of a GraphQL operation, by type, root field (several for more than one) and code (OK, or what failed first).',
    bounds: secondsBounds,
  });
  const known = new Map<string, Series>();
  return ({ type, field, code, milliseconds }: Operation) => {
    const key = `${type} ${field} ${code}`;
    const series = known.get(key) ?? addSeries({ type, field, code: code ?? 'OK' });
    known.set(key, series);
    series.observe(milliseconds / 1_000);
  };
}
