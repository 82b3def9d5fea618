import { expect } from 'vitest';
import { bad, type Example, type Row, refused } from './row.js';
import { now } from './scene.js';

const modes = ['production', 'maintenance'];
const version = expect.stringMatching(/^\d+\.\d+\.\d+/);

const allow = ['GET', 'HEAD'];

/** The mode goes for all of the gateway, and is the usual one again behind the last example. */
function changed(mode: string): Example {
  return {
    body: { mode },
    answers: { status: 200 },
    shows: () => [['/server/status', { mode, version, since: now.toISOString() }]],
  };
}

export const server: readonly Row[] = [
  {
    operation: 'Server status / mode',
    method: 'GET',
    path: '/server/status',
    examples: {
      'answers what the server serves': () => ({
        answers: { status: 200, body: { mode: 'production', version, since: expect.any(String) } },
      }),
    },
    refusals: [
      { ...refused('a creation', 405, { method: 'POST', body: {} }), allow },
      { ...refused('a replacement', 405, { method: 'PUT', body: {} }), allow },
      { ...refused('a deletion', 405, { method: 'DELETE' }), allow },
    ],
  },
  {
    operation: 'Server status / mode',
    method: 'POST',
    path: '/server/mode',
    body: 'object',
    isUnkeyed: true,
    examples: {
      'closes the server for data': () => changed('maintenance'),
      'opens it again': () => changed('production'),
    },
    refusals: [
      bad({ mode: 'off' }, { path: 'mode', allowed: modes }),
      bad({ mode: 'Production' }, { path: 'mode', allowed: modes }),
      bad({ mode: ['maintenance'] }, { path: 'mode', allowed: modes }),
      bad({ mode: undefined }, 'mode'),
    ],
  },
];
