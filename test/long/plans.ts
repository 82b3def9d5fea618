import type { Executed, PlanNode } from './plan-tap.js';

/** Tables that grow with the services: to read one as a whole takes the longer, the longer the gateway runs. */
const growing = new Set([
  ...['service', 'extension', 'state', 'task', 'association', 'event'],
  ...['idempotency_key', 'composite_start', 'purge', 'webhook_delivery'],
]);

/** How statements were carried out, all of them together. */
export type Access = {
  /** That concern growing tables, without those that foreign keys bring about. */
  statements: number;
  /** Of growing tables. */
  indexes: string[];
  /** Growing tables that were read as a whole. */
  walked: string[];
  /** How many rows of growing tables were looked at, those among them that were not wanted too. */
  rows: number;
};

export function accessOf(executed: readonly Executed[]): Access {
  const concerned = executed.filter(({ Plan }) => nodesOf(Plan).some(isOfGrowing));
  const scans = concerned.flatMap(({ Plan }) => nodesOf(Plan)).filter(isScan);
  return {
    statements: concerned.filter(({ 'Query Text': text }) => !isOfForeignKey(text)).length,
    indexes: [...new Set(scans.flatMap((node) => node['Index Name'] ?? []))].sort(),
    walked: scans.filter((node) => node['Node Type'] === 'Seq Scan').map(nameOf),
    rows: scans.reduce((sum, node) => sum + rowsOf(node), 0),
  };
}

function isOfGrowing(node: PlanNode): boolean {
  return growing.has(nameOf(node));
}

/** Bitmaps of indexes say no table. */
function isScan(node: PlanNode): boolean {
  const isOfBitmap = 'Index Name' in node && !('Relation Name' in node);
  return / Scan$/.test(node['Node Type']) && (isOfGrowing(node) || isOfBitmap);
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function nameOf(node: PlanNode): string {
  return String(node['Relation Name']);
}

function rowsOf(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return Math.round((node['Actual Rows'] + removed) * node['Actual Loops']);
}

/** PostgreSQL's own statements say ONLY. */
function isOfForeignKey(text: string): boolean {
  return / ONLY "public"\./.test(text);
}
