import { timingSafeEqual } from 'node:crypto';
import type { Admin } from '../db/database.js';
import { apiKeyId, findApiKeys, hasApiKeys, hashApiKey } from '../domain/api-keys.js';
import { defaultTenant } from '../domain/tenants.js';
import { Unauthenticated } from '../errors.js';
import type { ApiKey } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import { readCredentials } from './credentials.js';
import { type Identity, usualTenantOf } from './identity.js';
import type { JwtConfig } from './jwt.js';
import { LookupCache } from './lookup-cache.js';
import { createTokenReader } from './tokens.js';

export type AuthConfig = {
  /** Nobody is asked for credentials, whatever there is of them. */
  isOff: boolean;
  /** Others than this machine can reach the gateway. */
  isReachable: boolean;
  /** Null where no tokens are taken. */
  jwt: JwtConfig | null;
};

export type AuthenticatorOptions = { auth: AuthConfig; admin: Admin; clock: () => Date; logger: Logger };

type KnownKey = { hash: Buffer; identity: Identity };

const anybody: Identity = { role: 'OPERATOR', tenants: 'all', usualTenant: defaultTenant, principal: null };

/** Tells who calls by the credentials of a call. */
export class Authenticator {
  readonly #auth: AuthConfig;
  readonly #admin: Admin;
  readonly #keys: LookupCache<KnownKey>;
  readonly #existence: LookupCache<boolean>;
  readonly #readToken: ((token: string) => Promise<Identity>) | null;

  constructor({ auth, admin, clock, logger }: AuthenticatorOptions) {
    this.#auth = auth;
    this.#admin = admin;
    this.#keys = new LookupCache((ids) => findKnownKeys(admin, ids), clock);
    this.#existence = new LookupCache(async ([key = '']) => new Map([[key, await hasApiKeys(admin)]]), clock);
    this.#readToken = auth.jwt && createTokenReader({ jwt: auth.jwt, clock, logger });
  }

  /** Whether there is anything to ask for, asked of the database itself. */
  async hasCredentials(): Promise<boolean> {
    return this.#auth.jwt !== null || (await hasApiKeys(this.#admin));
  }

  /** Whether everybody may do everything: so it was said, or only this machine can call and has no credentials. */
  async isOpen(): Promise<boolean> {
    const { isOff, isReachable, jwt } = this.#auth;
    if (isOff) return true;
    return !isReachable && !jwt && !(await this.#existence.find('any key'));
  }

  /** Open, and not because it was said in so many words. */
  async isForLoopbackAlone(): Promise<boolean> {
    return !this.#auth.isOff && (await this.isOpen());
  }

  /**
   * @param authorization the header of that name
   * @throws Unauthenticated for credentials that are missing or wrong; Forbidden, Unavailable
   */
  async identify(authorization: string | undefined): Promise<Identity> {
    if (await this.isOpen()) return anybody;
    if (authorization === undefined) throw new Unauthenticated('The call needs credentials and has none.');
    const credentials = readCredentials(authorization);
    if (credentials?.kind === 'key') return this.#identifyKey(credentials.text);
    if (credentials && this.#readToken) return this.#readToken(credentials.text);
    throw new Unauthenticated('The credentials are of no kind that is taken here.');
  }

  /** Takes the same time for a key that is wrong as for one that there is not. */
  async #identifyKey(key: string): Promise<Identity> {
    const id = apiKeyId(key);
    const known = id === undefined ? undefined : await this.#keys.find(id);
    const isRight = timingSafeEqual(hashApiKey(key), known?.hash ?? noHash);
    if (!known || !isRight) throw new Unauthenticated('The key is not valid.');
    return known.identity;
  }
}

const noHash = Buffer.alloc(32);

async function findKnownKeys(admin: Admin, ids: readonly string[]): Promise<Map<string, KnownKey>> {
  const keys = await findApiKeys(admin, ids);
  return new Map(
    keys.map((key) => [key.id, { hash: Buffer.from(key.hash, 'hex'), identity: identityOf(key) }]),
  );
}

function identityOf({ id, name, role, tenants: listed }: ApiKey): Identity {
  const tenants = listed.length > 0 ? listed : 'all';
  return { role, tenants, usualTenant: usualTenantOf(tenants), principal: `key:${id} ${name}`.trim() };
}
