import type { TestApp } from '../harness.js';
import type { Act, Refusal } from './acts.js';
import { mutate } from './graphql-front.js';
import { call } from './rest-front.js';

/** What a front answered to an act. */
export type Observed =
  | {
      serviceId: string | null;
      /** REST: that the act came to; GraphQL: of the service as it now is. Null where it is gone. */
      version: number | null;
      part: number | null;
      replayed: boolean;
    }
  | { refusal: Refusal };

/** Where the call is made, and what is noted of it. */
export type Line = {
  app: TestApp;
  /** Gets each call and its answer as a line for people. */
  said: string[];
};

/** Does the act over its front. */
export function send(line: Line, act: Act): Promise<Observed> {
  return act.front === 'graphql' ? mutate(line, act) : call(line, act);
}
