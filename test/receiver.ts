import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  statusCode: number;
  nanoseconds: bigint;
  resource: Record<string, unknown>;
};

/** Takes traces by OTLP over HTTP, as JSON. */
export type Receiver = AsyncDisposable & {
  endpoint: string;
  spans: ReceivedSpan[];
  /** The bodies as they came. */
  texts: string[];
};

export async function startReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.url === '/v1/traces') {
      texts.push(text);
      spans.push(...spansIn(text));
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    texts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Attribute = { key: string; value: Record<string, unknown> };
type Sent = {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: SentSpan[] }[];
  }[];
};
type SentSpan = Omit<ReceivedSpan, 'attributes' | 'statusCode' | 'links'> & {
  attributes: Attribute[];
  links?: ReceivedSpan['links'];
  status: { code?: number };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
};

function spansIn(text: string): ReceivedSpan[] {
  const { resourceSpans }: Sent = JSON.parse(text);
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, status, links = [], startTimeUnixNano, endTimeUnixNano, ...span }) => ({
        ...span,
        ...{ links, attributes: membersOf(attributes), resource: membersOf(resource.attributes) },
        statusCode: status.code ?? 0,
        nanoseconds: BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano),
      })),
    ),
  );
}

function membersOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
