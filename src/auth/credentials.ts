import { apiKeyPrefix } from '../domain/api-keys.js';

export type Credentials = { kind: 'key' | 'token'; text: string };

/**
 * What an `Authorization` header holds: `Bearer` with an API key or a token, or `Basic` with any user
 * name and an API key as password. Undefined for anything else.
 */
export function readCredentials(authorization: string): Credentials | undefined {
  const [, scheme = '', text = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { kind: text.startsWith(apiKeyPrefix) ? 'key' : 'token', text };
    case 'basic':
      return { kind: 'key', text: passwordOf(text) };
    default:
      return undefined;
  }
}

/** The user name ends at the first colon. */
function passwordOf(encoded: string): string {
  const pair = Buffer.from(encoded, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}
