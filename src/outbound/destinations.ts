import { type LookupAddress, lookup as resolveHost } from 'node:dns';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { accept, type Rule, refuse, text } from '../domain/rules.js';
import { familyOf, isInternal, networkList } from './addresses.js';
import type { InternalHosts } from './internal-hosts.js';

/** Answers all addresses of a host; rejects where there are none. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Its host has no address that may be sent to. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress';
}

/** Ports below 1024 belong to other protocols, some of which take a request for their own. */
const httpsPort = 443;
const firstFreePort = 1024;

const form = text(2048, 1);

/**
 * Where the gateway may send by itself: to anybody outside by `https`, and to internal hosts that the
 * settings name.
 */
export class Destinations {
  readonly #names: ReadonlySet<string>;
  readonly #networks: BlockList;
  readonly #resolve: Resolve;

  constructor({ names, networks }: InternalHosts, resolve: Resolve = resolveAll) {
    this.#names = new Set(names);
    this.#networks = networkList(networks);
    this.#resolve = resolve;
  }

  /** A URL to send to, as it is stored. What a name resolves to is seen when it is connected to. */
  readonly url: Rule<string> = (value) => {
    const checked = form(value);
    if (!checked.ok) return checked;
    if (!URL.canParse(checked.value)) return refuse('must be a URL like https://crm.example.com/hook');
    const url = new URL(checked.value);
    const problem = this.#problemOf(url);
    return problem ? refuse(problem) : accept(url.href);
  };

  /** Whether a host that is an address may be connected to: those are never looked up. Names are, when they are. */
  isOpen(host: string): boolean {
    const address = withoutBrackets(host);
    return isIP(address) === 0 || this.#isNamed(address) || !isInternal(address);
  }

  /**
   * For sockets: answers nothing but addresses that may be connected to, so that there is no moment between
   * the look and the connection in which a name could come to mean another address.
   */
  readonly lookup: LookupFunction = (host, options, answer) => {
    this.#resolve(host)
      .then((all) => {
        const isOfFamily = ({ family }: LookupAddress) => !options.family || options.family === family;
        const allowed = all.filter((found) => isOfFamily(found) && this.#mayStandFor(host, found.address));
        const [first] = allowed;
        if (!first) throw new ForbiddenAddress('Its host has no address that may be sent to.');
        if (options.all) answer(null, [...allowed]);
        else answer(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => answer(error, []));
  };

  #problemOf({ protocol, hostname, port, username, password, hash }: URL): string | undefined {
    const isNamed = this.#isNamed(withoutBrackets(hostname));
    if (protocol !== 'https:' && !(protocol === 'http:' && isNamed)) {
      return 'must begin with https://; http:// takes a host that WEBHOOK_INTERNAL_HOSTS names';
    }
    if (username || password) return 'must not hold a user or a password';
    if (hash) return 'must not have a fragment';
    if (!this.isOpen(hostname) || (isLocalName(hostname) && !isNamed)) {
      return 'must not be an internal host, unless WEBHOOK_INTERNAL_HOSTS names it';
    }
    const isPortOpen = isNamed || port === '' || Number(port) === httpsPort || Number(port) >= firstFreePort;
    return isPortOpen ? undefined : `must have port ${httpsPort}, or one from ${firstFreePort}`;
  }

  #mayStandFor(host: string, address: string): boolean {
    return this.#isNamed(host.toLowerCase()) || this.#isNamed(address) || !isInternal(address);
  }

  #isNamed(host: string): boolean {
    if (isIP(host) === 0) return this.#names.has(host.replace(/\.$/, ''));
    return this.#networks.check(host, familyOf(host));
  }
}

/** What is this machine whatever a resolver says. */
function isLocalName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname);
}

/** An IPv6 address stands in brackets in a URL. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    resolveHost(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}
