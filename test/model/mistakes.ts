import { contract, type Rule, type Rules } from './model.js';
import { ownerOf } from './world.js';

/** Rules that the gateway does not keep, each by one mistake: what a comparison with them has to find. */
export const mistakes: { name: string; rules: Rules }[] = [
  { name: 'completing a service leaves its states open', rules: but({ completeService: leavingStatesOpen }) },
  {
    name: 'the same customer again makes an entry of history',
    rules: but({ associateService: recordingAlways }),
  },
  { name: 'a merge replaces the whole extension', rules: but({ mergeExtension: contract.setExtension }) },
  { name: 'an undo leaves the history as it was', rules: but({ undoAssociation: forgettingUndos }) },
  { name: 'a purge of completed services takes active ones', rules: but({ isPurged: purgingActive }) },
  { name: 'a composite finds no service', rules: but({ findService: () => undefined }) },
];

function purgingActive(...[service, operation]: Parameters<Rules['isPurged']>): boolean {
  return operation === 'COMPLETED' || contract.isPurged(service, operation);
}

function but(rules: Partial<Rules>): Rules {
  return { ...contract, ...rules };
}

function leavingStatesOpen(...[service, act, now]: Parameters<Rule>): ReturnType<Rule> {
  const { states } = structuredClone(service);
  const refusals = contract.completeService(service, act, now);
  service.states = states;
  return refusals;
}

function recordingAlways(...[service, act, now]: Parameters<Rule>): ReturnType<Rule> {
  const former = ownerOf(service);
  const entries = service.history.length;
  const refusals = contract.associateService(service, act, now);
  const newest = service.history.at(-1);
  if (service.history.length === entries && newest) {
    service.history.push({ ...newest, version: service.version, kind: 'ASSOCIATE', from: former });
  }
  return refusals;
}

function forgettingUndos(...[service, act, now]: Parameters<Rule>): ReturnType<Rule> {
  const { history } = structuredClone(service);
  const refusals = contract.undoAssociation(service, act, now);
  service.history = history;
  return refusals;
}
