import { IncomingMessage } from 'node:http';

/** Whether a request is the beginning of a WebSocket. */
export function asksForWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * A request that leaves HTTP only where it asks for a WebSocket at the endpoint for those. As soon as a server takes
 * upgrades at all, Node.js cuts off the body of whatever offers one, like the HTTP/2 of Java's clients.
 */
export class UpgradableRequest extends IncomingMessage {
  /** Set by the constructor of its class already, before a field could be. */
  private declare offersUpgrade: boolean | null;

  /** What Node.js goes by, when the headers are there. A tunnel is none of its requests in any case. */
  get upgrade(): boolean {
    if (!this.offersUpgrade) return false;
    return this.method === 'CONNECT' || (asksForWebSocket(this) && this.url?.split('?')[0] === '/graphql');
  }

  set upgrade(offersUpgrade: boolean | null) {
    this.offersUpgrade = offersUpgrade;
  }
}

/** Whether nothing but a WebSocket can come on its connection any more. */
export function hasLeftHttp(request: IncomingMessage): boolean {
  return request instanceof UpgradableRequest && request.upgrade;
}
