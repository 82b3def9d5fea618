/** What a `{{name}}` in a request stands for: the prefix, then a random integer of the range. */
export type Draw = { prefix: string; from: number; to: number };
export type Draws = Readonly<Record<string, Draw>>;
export type Values = Readonly<Record<string, string>>;

/** A request with `{{names}}` that are drawn anew each time it is sent, and how a right answer is told from a wrong one at a glance. */
export type Exchange = {
  method: 'GET' | 'POST';
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** A text that every right answer has so many times. */
  mark: { text: string; times: number };
};

/** A server's answer, as far as it is looked at. */
export type Answer = { headers: Headers; body: unknown };

/** One way to do a work: what to send, and how to read the answer in the words that all are compared in. */
export type Front = { exchange: Exchange; read: (answer: Answer) => unknown };

/** A place in a JSON text for the value of a name, without quotes around it. */
export function numeric(name: string): string {
  return `{{#${name}}}`;
}

export function jsonTemplate(value: unknown): string {
  return JSON.stringify(value).replace(/"\{\{#(\w+)\}\}"/g, '{{$1}}');
}

export function graphqlExchange(
  query: string,
  variables: object,
  mark: Exchange['mark'],
  path = '/graphql',
): Exchange {
  const headers = { 'content-type': 'application/json' };
  const body = jsonTemplate({ query: query.replace(/\s+/g, ' ').trim(), variables });
  return { method: 'POST', path, headers, body, mark };
}

export function draw(draws: Draws): Values {
  return Object.fromEntries(
    Object.entries(draws).map(([name, { prefix, from, to }]) => [
      name,
      prefix + Math.floor(from + Math.random() * (to - from + 1)),
    ]),
  );
}

export function fill(template: string, values: Values): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

/** @throws Error on any status but 2xx */
export async function send(url: string, exchange: Exchange, values: Values): Promise<Answer> {
  const { method, path, headers, body } = exchange;
  const response = await fetch(url + fill(path, values), {
    method,
    headers,
    ...(method === 'POST' ? { body: fill(body, values) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return { headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

/** What lies at a path in a JSON value; undefined where nothing does. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null
        ? Object.entries(inner).find(([key]) => key === name)?.[1]
        : undefined,
    value,
  );
}

/** @throws Error where the value is no list */
export function elements(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value;
}
