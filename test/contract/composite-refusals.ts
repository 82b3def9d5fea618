import { expect } from 'vitest';
import { bare } from '../rest/calls.js';
import { eventRefusals, extensionRefusals } from './common-refusals.js';
import { refusals as lifetimes } from './lifetimes.js';
import { bad, type Fault, type Refusal, refused } from './row.js';

export type Part = 'service' | 'state' | 'task';

const entry = {
  service: { contact_key: 'k', service_type: 'new' },
  state: { state_type: 1 },
  task: { task_type: 'verify' },
};

/** What the event of a part refuses, in the second of two entries of which the first is all right. */
function within(part: Part, refusals: readonly Refusal[]): Refusal[] {
  const path = `services[1].${part}`;
  const inside = (fault: Fault): Fault =>
    typeof fault === 'string' ? `${path}.${fault}` : { ...fault, path: `${path}.${fault.path}` };
  return refusals
    .filter(({ under, errors }) => under !== bare && !errors.includes(''))
    .map(({ what, errors, defect, ...refusal }) => ({
      ...refusal,
      what: `in its ${part} ${what}`,
      errors: errors.map(inside),
      defect: {
        with: { services: [entry, { ...entry, [part]: { ...entry[part], ...defect.with } }] },
      },
    }));
}

/** Members of the first entry that are wrong. */
function badEntry(members: object, ...faults: Fault[]): Refusal {
  return bad({ services: [{ ...entry, ...members }] }, ...faults);
}

function reservedIn(path: string): Fault {
  return { path: `services[0].${path}`, allowed: expect.any(Array) };
}

export const compositeRefusals: readonly Refusal[] = [
  refused('the key of another call where all is new', 422, {
    headers: { 'idempotency-key': '{key}' },
    body: { services: [entry] },
  }),
  ...within('service', [...eventRefusals, ...extensionRefusals('services'), ...lifetimes]),
  ...within('state', [...eventRefusals, ...extensionRefusals('states')]),
  ...within('task', [...eventRefusals, ...extensionRefusals('tasks')]),
  bad({ services: undefined }, 'services'),
  bad({ services: [] }, 'services'),
  bad({ services: entry }, 'services'),
  bad({ services: Array.from({ length: 51 }, () => entry) }, 'services'),
  bad({ dry_run: true }, { path: 'dry_run', allowed: ['services'] }),
  { ...badEntry({ service: undefined }, 'services[0].service'), hasMore: true },
  badEntry({ state: undefined }, 'services[0].state'),
  badEntry({ task: [] }, 'services[0].task'),
  badEntry({ service: {} }, 'services[0].service.customer_id'),
  badEntry({ state: { previous_state_id: 0 } }, reservedIn('state.previous_state_id')),
  badEntry({ task: { state_id: 0 } }, reservedIn('task.state_id')),
  badEntry({ associate_state_task: 'true' }, 'services[0].associate_state_task'),
  badEntry({ create_new_services: 1 }, 'services[0].create_new_services'),
  badEntry({ states: {} }, reservedIn('states')),
];
