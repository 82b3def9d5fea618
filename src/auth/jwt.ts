import { createPublicKey, type KeyObject } from 'node:crypto';

/** How tokens are checked, and what their claims are called. */
export type JwtConfig = {
  key: JwtKey;
  issuer: string;
  audience: string;
  tenantClaim: string;
  rolesClaim: string;
};

export type JwtKey =
  | { kind: 'url'; url: URL }
  | { kind: 'public'; key: KeyObject; algorithms: readonly string[] }
  | { kind: 'secret'; key: Uint8Array };

const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const edwardsAlgorithms = ['EdDSA', 'Ed25519'];
const curveAlgorithms = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/** What may sign where anybody may know the key. */
export const asymmetricAlgorithms = [...rsaAlgorithms, ...curveAlgorithms.values(), ...edwardsAlgorithms];

const fewestRsaBits = 2048;

/** A public key in PEM, its line breaks as such or as `\n`; undefined for what none can be checked with. */
export function readPublicKey(text: string): JwtKey | undefined {
  const pem = text.replaceAll('\\n', '\n').trim();
  // A private key or a certificate would pass as well, for the public key that is in it.
  if (!/^-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----$/.test(pem)) return undefined;
  try {
    const key = createPublicKey(pem);
    const algorithms = algorithmsOf(key);
    return algorithms.length > 0 ? { kind: 'public', key, algorithms } : undefined;
  } catch {
    return undefined;
  }
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa' && modulusLength >= fewestRsaBits) return rsaAlgorithms;
  if (asymmetricKeyType === 'ed25519') return edwardsAlgorithms;
  const algorithm = curveAlgorithms.get(namedCurve);
  return algorithm ? [algorithm] : [];
}
