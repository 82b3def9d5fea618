import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { greatestRole } from '../domain/roles.js';
import { type Rule, refuse, text } from '../domain/rules.js';
import { Forbidden, Unauthenticated, Unavailable } from '../errors.js';
import type { Logger } from '../logger.js';
import { type Identity, usualTenantOf } from './identity.js';
import { asymmetricAlgorithms, type JwtConfig, type JwtKey } from './jwt.js';

export type TokenOptions = { jwt: JwtConfig; clock: () => Date; logger: Logger };

/** How far the clocks of gateway and issuer may be apart. */
const clockTolerance = '5 seconds';

/**
 * Makes what tells whose a token is.
 * @throws (when called) Unauthenticated for a token that does not hold, Forbidden for one without a
 *   role or tenant, Unavailable when the issuer's keys cannot be had
 */
export function createTokenReader({
  jwt,
  clock,
  logger,
}: TokenOptions): (token: string) => Promise<Identity> {
  const getKey = keyGetterOf(jwt.key);
  const options = {
    issuer: jwt.issuer,
    audience: jwt.audience,
    algorithms: [...algorithmsOf(jwt.key)],
    requiredClaims: ['exp', 'sub'],
    clockTolerance,
  };
  return async (token) => {
    const checked = await jwtVerify(token, getKey, { ...options, currentDate: clock() }).catch((error) => {
      if (error instanceof Unavailable) throw error;
      if (!(error instanceof errors.JOSEError))
        logger.warn({ reason: String(error) }, 'a token key is unusable');
      logger.debug({ reason: error.message }, 'a token was refused');
      throw new Unauthenticated('The token is not valid.');
    });
    return identityOf(checked.payload, jwt);
  };
}

function algorithmsOf(key: JwtKey): readonly string[] {
  switch (key.kind) {
    case 'url':
      return asymmetricAlgorithms;
    case 'public':
      return key.algorithms;
    case 'secret':
      return ['HS256'];
  }
}

function keyGetterOf(key: JwtKey): JWTVerifyGetKey {
  if (key.kind !== 'url') return () => key.key;
  const keys = createRemoteJWKSet(key.url);
  return (header, token) =>
    keys(header, token).catch((error) => {
      if (saysThatNoneFits(error)) throw error;
      throw new Unavailable('The keys that tokens are checked with cannot be had.', { cause: error });
    });
}

function saysThatNoneFits(error: unknown): boolean {
  return [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported].some(
    (kind) => error instanceof kind,
  );
}

/** On one line, as it stands in history. */
const subject: Rule<string> = (value) =>
  typeof value === 'string' && /\p{Cc}/u.test(value) ? refuse('must be on one line') : text(124, 1)(value);

function identityOf(payload: JWTPayload, { tenantClaim, rolesClaim }: JwtConfig): Identity {
  const { sub } = payload;
  if (!subject(sub).ok)
    throw new Unauthenticated('The subject of the token must be one line of 1 to 124 characters.');
  const role = greatestRole(wordsOf(claimOf(payload, rolesClaim)));
  if (!role) throw new Forbidden(`The token has no role of this gateway in its claim ${rolesClaim}.`);
  const tenants = wordsOf(claimOf(payload, tenantClaim));
  if (tenants.length === 0) throw new Forbidden(`The token has no tenant in its claim ${tenantClaim}.`);
  return { role, tenants, usualTenant: usualTenantOf(tenants), principal: `jwt:${sub}` };
}

/** A claim by its name, or else by the path that its name is: `realm_access.roles`. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>(memberOf, payload);
}

function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isObject ? Reflect.get(value, name) : undefined;
}

/** The texts of a list, or of one text with spaces between them. */
function wordsOf(claim: unknown): string[] {
  const words = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return words.filter((word) => typeof word === 'string' && word !== '');
}
