import fc, { type Arbitrary } from 'fast-check';
import { type Extension, type Front, type Kind, kinds, type Scope } from './acts.js';
import { composite, purge, sweep } from './command-arbitraries.js';
import { merged, record, replaced, several } from './extension-arbitraries.js';
import { end, expiry, fieldsOf, type Name, part, update } from './field-arbitraries.js';
import type { Look, Plan, Step } from './plans.js';
import { choice } from './values.js';

/** Sequences that begin with what most acts need, mostly of acts that can be done. */
export function sequences(mostSteps: number): Arbitrary<Step[]> {
  const some = fc
    .shuffledSubarray(['startState', 'startTask', 'setExtension'] as const)
    .chain((kinds) => fc.tuple(...kinds.map((kind) => stepOf(deed(kind)))));
  const others = fc.array(stepOf(plan), { maxLength: mostSteps - 4, size: 'max' });
  const steps = fc.tuple(stepOf(deed('startService')), some, others);
  return fc.noBias(steps.map(([start, first, rest]) => [start, ...first, ...rest]));
}

type Shape = {
  weight: number;
  fields?: Name[];
  /** Fields that are hardly ever left out. */
  usual?: Name[];
  fronts?: Front[];
  extensions: (front: Front) => Arbitrary<Extension[]>;
};

const one = (front: Front) => fc.tuple(replaced(front));
const none = () => fc.constant<Extension[]>([]);
const fieldActs = { extensions: several };

const shapes: Record<Kind, Shape> = {
  startService: {
    weight: 3,
    fields: [...part, ...expiry, 'autoCompleteAfter', 'customerId', 'reason'],
    usual: ['contactKey', 'serviceType'],
    ...fieldActs,
  },
  associateService: {
    weight: 7,
    fields: [...update, ...expiry, 'timestamp', 'reason'],
    usual: ['customerId'],
    ...fieldActs,
  },
  updateService: {
    weight: 2,
    fields: [...update, ...expiry],
    fronts: ['graphql'],
    ...fieldActs,
  },
  completeService: { weight: 2, fields: [...end, ...expiry], ...fieldActs },
  undoAssociation: { weight: 6, fields: ['reason'], extensions: none },
  startState: { weight: 4, fields: [...part, 'previousStateId'], usual: ['stateType'], ...fieldActs },
  completeState: { weight: 5, fields: end, ...fieldActs },
  transitionState: { weight: 7, fields: [...part, ...end], usual: ['stateType'], ...fieldActs },
  startTask: { weight: 4, fields: [...part, 'stateId'], usual: ['taskType'], ...fieldActs },
  completeTask: { weight: 5, fields: end, ...fieldActs },
  setExtension: { weight: 6, extensions: one },
  mergeExtension: { weight: 5, fronts: ['8.5', '8.5', 'graphql', 'graphql', 'bare'], extensions: merged },
  updateExtensionRecord: {
    weight: 9,
    fronts: ['bare', 'bare', 'graphql', 'graphql', '8.5'],
    extensions: () => record(true),
  },
  deleteExtensionRecord: {
    weight: 5,
    fronts: ['bare', 'bare', 'graphql', 'graphql', '8.5'],
    extensions: () => record(false),
  },
  setServiceExpiry: {
    weight: 4,
    fields: expiry,
    fronts: ['8.5', '8.5', '8.5', 'graphql', 'graphql', 'graphql', 'bare'],
    extensions: none,
  },
  deleteService: {
    weight: 2,
    fronts: ['8.5', '8.5', '8.5', 'graphql', 'graphql', 'graphql', 'bare'],
    extensions: none,
  },
};

function deed(kind: Kind): Arbitrary<Plan> {
  const {
    fields: names = [],
    usual = [],
    fronts = ['bare', '8.5', 'graphql', 'graphql'],
    extensions,
  } = shapes[kind];
  return choice(...fronts).chain((front) =>
    fc.record({
      kind: fc.constant(kind),
      front: fc.constant(front),
      aim: choice(...aims),
      service: choice(0, 0, 0, 1, 2),
      part: fc.nat(3),
      scope: /Extension/.test(kind) ? scope : fc.constant(scopeOf(kind)),
      fields: fieldsOf(names, usual, front),
      extensions: extensions(front),
      expects: choice(...expectations),
      isKeyed: choice(false, false, false, true),
    }),
  );
}

const aims = [
  ...Array<'what is possible'>(24).fill('what is possible'),
  ...Array<'whatever there is'>(4).fill('whatever there is'),
  'an unknown service',
  'an unknown part',
] as const;

const expectations = [
  ...Array<'any version'>(12).fill('any version'),
  'the version',
  'the version',
  'another version',
] as const;
const scope = choice<Scope>('SERVICE', 'SERVICE', 'SERVICE', 'STATE', 'TASK');

function scopeOf(kind: Kind): Scope {
  if (/State$/.test(kind)) return 'STATE';
  return /Task$/.test(kind) ? 'TASK' : 'SERVICE';
}

const repeat: Arbitrary<Plan> = fc.record({
  kind: fc.constant('repeat'),
  call: fc.nat(5),
  front: choice<Front>('bare', '8.5', 'graphql'),
  isChanged: choice(false, false, true),
});

const plan: Arbitrary<Plan> = fc.oneof(
  ...kinds.map((kind) => ({ weight: shapes[kind].weight, arbitrary: deed(kind) })),
  { weight: 4, arbitrary: repeat },
  { weight: 8, arbitrary: composite },
  { weight: 6, arbitrary: purge },
  { weight: 7, arbitrary: sweep },
);

const look: Arbitrary<Look> = fc.record({
  types: fc.uniqueArray(choice('7', 'claim', 'größe ✓', '-3', '8'), { minLength: 1, maxLength: 2 }),
  from: choice('2026-03-01T10:00:00.000Z', '2026-03-01T10:30:00.250Z', '2026-03-01T10:00:00.001Z'),
  to: choice('2026-03-01T10:30:00.250Z', '2026-03-02T02:00:00.000Z', '2026-03-01T10:00:00.000Z'),
  stateId: fc.nat(2),
  owner: fc.nat(3),
  isCompleted: choice(false, true, undefined),
});

function stepOf(what: Arbitrary<Plan>): Arbitrary<Step> {
  const waitMilliseconds = choice(0, 0, 1, 1_000, 3_600_000);
  return fc.record({ plan: what, waitMilliseconds, look: fc.noShrink(look) }).map(readable);
}

/** A line of its own in a counterexample. */
function readable(step: Step): Step {
  const { kind, ...plan } = step.plan;
  const line = `\n  ${kind} ${JSON.stringify({ ...plan, waitMilliseconds: step.waitMilliseconds, look: step.look })}`;
  return Object.defineProperty(step, fc.toStringMethod, { value: () => line });
}
