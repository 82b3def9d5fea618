/**
 * What every answer says unless it knows better: it is data, for the caller alone, and no page. That only
 * HTTPS is spoken is for whoever speaks it to say.
 */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  // Of what pages load without asking; what CORS allows is asked for.
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;
