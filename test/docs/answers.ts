const any = '…';

/**
 * What was answered, with what the page shows in place of all that it leaves open: a string `…` stands for any
 * value, and `…` within a string for any text. Equal to what the page shows where it says the truth.
 */
export function asShown(answered: unknown, shown: unknown): unknown {
  if (typeof shown === 'string' && isLike(answered, shown)) return shown;
  if (Array.isArray(answered) && Array.isArray(shown)) {
    return answered.map((item, index) => asShown(item, shown[index]));
  }
  if (isRecord(answered) && isRecord(shown)) {
    return Object.fromEntries(
      Object.entries(answered).map(([key, value]) => [key, asShown(value, shown[key])]),
    );
  }
  return answered;
}

function isLike(answered: unknown, shown: string): boolean {
  if (shown === any) return answered !== undefined;
  return typeof answered === 'string' && shown.includes(any) && patternOf(shown).test(answered);
}

function patternOf(shown: string): RegExp {
  const parts = shown.split(any).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export type HttpAnswer = { status: string; headers: Record<string, string>; body: unknown };

/** What `curl -i` prints: of the headers those with the given names alone, or all. */
export function readHttp(text: string, names?: readonly string[]): HttpAnswer {
  const [head = '', ...rest] = text.replaceAll('\r\n', '\n').split('\n\n');
  const [status = '', ...lines] = head.trim().split('\n');
  const headers = lines
    .map(
      (line) =>
        [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const,
    )
    .filter(([name]) => names === undefined || names.includes(name));
  // A header may come twice, and pages have theirs in any order.
  headers.sort(([one], [other]) => one.localeCompare(other));
  return {
    status: status.trim(),
    headers: Object.fromEntries(headers),
    body: readBody(rest.join('\n\n').trim()),
  };
}

function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
