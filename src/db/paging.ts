/** A place in a list that is ordered by start, then id: behind or before the row that had it. */
export type Cursor = { startedAt: Date; id: bigint };

/** A cursor as callers carry it. It holds values, not an offset: a row that moves away skips nobody. */
export function encodeCursor({ startedAt, id }: Cursor): string {
  return Buffer.from(`${startedAt.getTime()}.${id}`).toString('base64url');
}

/** Undefined when the text is no cursor of ours. */
export function decodeCursor(text: string): Cursor | undefined {
  const [, milliseconds, id] =
    /^(-?\d{1,16})\.(\d{1,19})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (milliseconds === undefined || id === undefined) return undefined;
  const cursor = { startedAt: new Date(Number(milliseconds)), id: BigInt(id) };
  return canBeStored(cursor) ? cursor : undefined;
}

/** PostgreSQL refuses to compare with what is beyond its types. */
function canBeStored({ startedAt, id }: Cursor): boolean {
  const year = startedAt.getUTCFullYear();
  return year >= 1 && year <= 9999 && id <= 9_223_372_036_854_775_807n;
}
