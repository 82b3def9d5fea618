import { type AnswerFacts, CallRefused, NoAnswer, type ReportedError } from './failures.js';

/** What of `fetch` is made use of. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type Call = { url: string; headers: Record<string, string>; body: string; signal: AbortSignal };

/** What GraphQL answers. */
type Answer = { data?: unknown; errors?: ReportedError[] };

/**
 * Sends one call and reads its answer.
 * @throws CallRefused, NoAnswer
 */
export async function exchange(fetch: Fetch, call: Call): Promise<unknown> {
  return readAnswer(await send(fetch, call), call);
}

/** @throws NoAnswer */
export function send(fetch: Fetch, { url, ...call }: Call): Promise<Response> {
  return fetch(url, { method: 'POST', ...call }).catch(unanswered);
}

/** @throws CallRefused, NoAnswer */
export async function readAnswer(response: Response, { url }: Call): Promise<unknown> {
  const text = await response.text().catch(unanswered);
  const facts = factsOf(response);
  const data = dataOf(parse(text), facts);
  if (data === undefined)
    throw new NoAnswer(`${url} answered with ${facts.status}, and not as GraphQL does.`, facts);
  return data;
}

/** @throws CallRefused when there are errors in it */
export function dataOf(answer: Answer | null, facts: AnswerFacts): unknown {
  if (answer?.errors?.length) throw new CallRefused(answer.errors, answer.data, facts);
  return answer?.data;
}

export function unanswered(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new NoAnswer(`The gateway did not answer: ${reason}`, { cause });
}

export function factsOf({ status, headers }: Response): AnswerFacts {
  const seconds = Number.parseInt(headers.get('retry-after') ?? '', 10);
  return {
    status,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isNaN(seconds) ? undefined : seconds,
  };
}

function parse(text: string): Answer | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
