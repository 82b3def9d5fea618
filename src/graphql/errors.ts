import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { type PresentedFault, presentFaults } from './failures.js';

const ErrorCode = builder.enumType('ErrorCode', {
  description: 'What kind of failure it is, for programs.',
  values: {
    NOT_FOUND: { description: 'What was named does not exist.' },
    INVALID: { description: 'The input breaks rules; the faults list every one of them.' },
    TOO_LARGE: { description: 'The input is sound but for its size.' },
    CONFLICT: { description: 'The input is sound, but not possible in the present state.' },
    STALE_VERSION: { description: 'The service has another version than the one expected.' },
    IDEMPOTENCY_KEY_REUSED: { description: 'The idempotency key came with another input before.' },
  } as const,
});

const FaultType = builder.objectRef<PresentedFault>('Fault').implement({
  description: 'One rule that the input breaks.',
  fields: (t) => ({
    path: t.exposeString('path', {
      description:
        'Where in the input the fault lies, like `customerId` or `extensions.Satisfaction[1].rating`.',
    }),
    message: t.exposeString('message', { description: 'The rule that was broken, for people.' }),
    allowed: t.stringList({
      nullable: true,
      description: 'The values that would have been accepted, where they are a closed list.',
      resolve: ({ allowed }) => allowed ?? null,
    }),
  }),
});

/** The failures that mutations answer as members of their result. */
type ExpectedError = NotFound | Invalid | Conflict;

const ErrorInterface = builder.interfaceRef<ExpectedError>('Error').implement({
  description: 'An expected failure. Nothing was changed.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCode, description: 'What kind of failure it is, for programs.' }),
    message: t.exposeString('message', { description: 'What failed, for people.' }),
  }),
});

builder.objectType(NotFound, {
  name: 'NotFound',
  description: 'What was named does not exist. Nothing was changed.',
  interfaces: [ErrorInterface],
});

builder.objectType(Invalid, {
  name: 'Invalid',
  description: 'The input breaks rules. Nothing was changed, no part of it.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    faults: t.field({
      type: [FaultType],
      description: 'The faults of the input, all at once; the first 100 if there are more.',
      resolve: presentFaults,
    }),
  }),
});

builder.objectType(Conflict, {
  name: 'Conflict',
  description: 'The input is sound, but not possible in the present state. Nothing was changed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    currentVersion: t.int({
      nullable: true,
      description: 'The version that the service has, where it is not the one expected.',
      resolve: ({ currentVersion }) => currentVersion ?? null,
    }),
  }),
});
