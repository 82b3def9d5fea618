import { readEventStream } from './event-stream.js';
import { exchange, type Fetch } from './exchange.js';
import { type CallRefused, type NoAnswer, type PayloadOf, payloadOf } from './failures.js';
import { withRetries } from './retries.js';
import { type Placed, resumed } from './subscription.js';
import type { TypedDocument } from './typed-document.js';

export * from './failures.js';
export * from './generated/operations.js';
export type { Fetch, TypedDocument };

export type ClientOptions = {
  /** Where the gateway serves GraphQL, like `https://gateway.example.com/graphql`. */
  url: string;
  /** An API key or a bearer token; a function is asked each time, for tokens that are renewed. */
  token?: string | (() => string | Promise<string>);
  /** Which tenant, for credentials of several. */
  tenant?: string;
  /** Further ones, sent with each call. */
  headers?: Readonly<Record<string, string>>;
  /** Instead of the global one. */
  fetch?: Fetch;
  /** How long a call may take with its repetitions, unless it says so itself; 30,000 when absent. */
  timeoutMilliseconds?: number;
  /** How often a call is repeated at most; 3 when absent. */
  retries?: number;
};

export type CallOptions = {
  /** Gives the call up. What it was to change may or may not be changed. */
  signal?: AbortSignal;
  timeoutMilliseconds?: number;
};

export type SubscriptionOptions = {
  /** Ends the subscription: what iterates gets its reason. */
  signal?: AbortSignal;
  /**
   * Told each time that the subscription has to be opened anew. What happened before its first answer is not
   * made up for: whoever shows something reads it again then.
   */
  onInterruption?: (reason: CallRefused | NoAnswer) => void;
};

export type Client = {
  /**
   * What the document asks for. Calls that the gateway cannot serve now, or that stay without an answer, are
   * repeated, if they change nothing or `variables.input` has an idempotency key.
   * @throws CallRefused, NoAnswer, the reason of the signal
   */
  request<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: NoInfer<Variables>,
    options?: CallOptions,
  ): Promise<Result>;
  /**
   * Changes something once, however often it has to be said: the input gets an idempotency key unless it has one.
   * @returns what the mutation answers when it succeeds
   * @throws ActRefused when it was not done; CallRefused, NoAnswer, the reason of the signal
   */
  act<Result extends Record<string, object>, Input extends Repeatable>(
    document: TypedDocument<Result, { input: Input }>,
    input: NoInfer<Input>,
    options?: CallOptions,
  ): Promise<PayloadOf<Result[keyof Result]>>;
  /**
   * The answers of a subscription, by server-sent events, for as long as they are iterated. When the connection
   * breaks or the gateway stops, it goes on behind the last one's cursor: none is missed or comes twice.
   * @throws CallRefused, NoAnswer when it cannot be opened; the reason of the signal
   */
  subscribe<Result extends Placed, Variables extends { after?: string | null | undefined }>(
    document: TypedDocument<Result, Variables>,
    variables: NoInfer<Variables>,
    options?: SubscriptionOptions,
  ): AsyncGenerator<Result, never>;
};

type Repeatable = { idempotencyKey?: string | null | undefined };

/** A client of one gateway, with the credentials of one caller. It holds nothing that would have to be closed. */
export function createClient({ fetch = globalThis.fetch, retries = 3, ...options }: ClientOptions): Client {
  const request: Client['request'] = async <Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    { signal: given, timeoutMilliseconds = options.timeoutMilliseconds ?? 30_000 }: CallOptions = {},
  ) => {
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    const signal = given ? AbortSignal.any([given, timeout]) : timeout;
    const patience = {
      retries: isRepeatable(document, variables) ? retries : 0,
      deadline: Date.now() + timeoutMilliseconds,
      signal,
    };
    const body = JSON.stringify({ query: document, variables });
    const send = async () =>
      exchange(fetch, { url: options.url, headers: await headersOf(options, jsonTypes), body, signal });
    try {
      // What comes back is what the document asks for: the gateway sees to that.
      return (await withRetries(send, patience)) as Result;
    } catch (error) {
      given?.throwIfAborted();
      throw error;
    }
  };
  return {
    request,
    async act<Result extends Record<string, object>, Input extends Repeatable>(
      document: TypedDocument<Result, { input: Input }>,
      input: Input,
      call: CallOptions | undefined,
    ) {
      const idempotencyKey = input.idempotencyKey ?? newIdempotencyKey();
      const answer = await request(document, { input: { ...input, idempotencyKey } }, call);
      // An act is one mutation: it has one field.
      const [result] = Object.values(answer) as [Result[keyof Result]];
      return payloadOf(result);
    },
    subscribe<Result extends Placed, Variables extends { after?: string | null | undefined }>(
      document: TypedDocument<Result, Variables>,
      variables: Variables,
      { signal = new AbortController().signal, onInterruption }: SubscriptionOptions = {},
    ) {
      async function* open(after: string | null | undefined) {
        const body = JSON.stringify({ query: document, variables: { ...variables, after } });
        const headers = await headersOf(options, 'text/event-stream');
        const answers = readEventStream(fetch, { url: options.url, headers, body, signal });
        for await (const answer of answers) yield answer as Result;
      }
      return resumed({ open, after: variables.after, signal, onInterruption });
    },
  };
}

const jsonTypes = 'application/graphql-response+json, application/json';

type Sender = Pick<ClientOptions, 'token' | 'tenant' | 'headers'>;

async function headersOf(
  { token, tenant, headers }: Sender,
  accept: string,
): Promise<Record<string, string>> {
  const credentials = typeof token === 'function' ? await token() : token;
  return {
    'content-type': 'application/json',
    accept,
    ...(credentials === undefined ? {} : { authorization: `Bearer ${credentials}` }),
    ...(tenant === undefined ? {} : { contactcenterid: tenant }),
    ...headers,
  };
}

/** Whoever has a field of such a name gets no repetitions, and that is all. */
function isRepeatable(document: string, variables: unknown): boolean {
  if (!/\b(mutation|subscription)\b/.test(document)) return true;
  const given = variables as { input?: Repeatable } | undefined;
  return typeof given?.input?.idempotencyKey === 'string';
}

/** Made without `randomUUID`, which pages have by HTTPS alone. */
function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
