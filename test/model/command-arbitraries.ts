import fc, { type Arbitrary } from 'fast-check';
import { type Front, type Given, operations } from './acts.js';
import type { CompositePlan, EntryPlan } from './composite-plans.js';
import { several } from './extension-arbitraries.js';
import { expiry, fieldsOf, type Name, part } from './field-arbitraries.js';
import type { PurgePlan, SweepPlan } from './plans.js';
import { choice } from './values.js';

const seldom = choice(false, false, false, true);
const often = choice(true, true, true, false);

const serviceFields: Name[] = [...part, ...expiry, 'autoCompleteAfter', 'customerId'];

function given(names: readonly Name[], usual: readonly Name[]): Arbitrary<Given> {
  return fc.record({ fields: fieldsOf(names, usual, '8.5'), extensions: several('8.5') });
}

const entry: Arbitrary<EntryPlan> = fc.record({
  service: given(serviceFields, ['contactKey', 'serviceType']),
  state: given(part, ['stateType']),
  task: fc.option(given(part, ['taskType']), { freq: 4 }),
  like: fc.option(fc.nat(2), { freq: 6 }),
  likeState: often,
  likeTask: often,
  isTaskOfState: choice(false, true),
  isNewService: seldom,
});

export const composite: Arbitrary<CompositePlan> = fc.record({
  kind: fc.constant('startComposite'),
  front: choice<CompositePlan['front']>(...Array<'8.5'>(30).fill('8.5'), 'bare'),
  entries: fc.oneof(
    { weight: 3, arbitrary: fc.array(entry, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(entry, { minLength: 2, maxLength: 2 }) },
  ),
  isKeyed: seldom,
});

export const purge: Arbitrary<PurgePlan> = fc.record({
  kind: fc.constant('purgeServices'),
  front: choice<Front>(...Array<'8.5'>(15).fill('8.5'), ...Array<'graphql'>(15).fill('graphql'), 'bare'),
  operation: choice(...operations, ...operations.slice(1)),
  limit: choice<PurgePlan['limit']>(
    ...Array<'just behind a service'>(6).fill('just behind a service'),
    ...Array<'with a service'>(2).fill('with a service'),
    ...Array<'now'>(8).fill('now'),
    'ahead',
  ),
  service: fc.nat(4),
  isFitting: often,
  isDryRun: choice(false, false, true),
  isKeyed: seldom,
  drive: choice<PurgePlan['drive']>(1, 2, 100, 'a sweep', 'the next sweep'),
});

export const sweep: Arbitrary<SweepPlan> = fc.record({
  kind: fc.constant('sweep'),
  until: choice<SweepPlan['until']>(
    'now',
    'just before something is due',
    'something is due',
    'something is due',
    'something is due',
    'a while later',
  ),
});
