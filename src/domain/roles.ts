import { Forbidden, InMaintenance } from '../errors.js';
import type { Role, ServerMode } from '../generated/prisma/client.js';
import { accept, type Rule, refuse } from './rules.js';

/** From the least to the greatest: each may do what the ones before it may. */
export const roles = ['READER', 'WRITER', 'SCHEMA_ADMIN', 'OPERATOR'] as const satisfies readonly Role[];

/**
 * The least role that each operation takes; both fronts know their operations by these names. Writers
 * say how long a service is kept, which can be a second: operators alone delete at once, and many. They
 * alone say, too, who is told of changes elsewhere.
 */
const leastRoles = {
  service: 'READER',
  services: 'READER',
  customer: 'READER',
  anonymousServices: 'READER',
  state: 'READER',
  task: 'READER',
  extensionSchema: 'READER',
  extensionSchemas: 'READER',
  businessAttribute: 'READER',
  businessAttributes: 'READER',
  fieldMappings: 'READER',
  mapNames: 'READER',
  customerServices: 'READER',
  events: 'READER',
  server: 'READER',
  startService: 'WRITER',
  associateService: 'WRITER',
  undoAssociation: 'WRITER',
  updateService: 'WRITER',
  completeService: 'WRITER',
  startComposite: 'WRITER',
  setServiceExpiry: 'WRITER',
  deleteService: 'OPERATOR',
  startState: 'WRITER',
  completeState: 'WRITER',
  transitionState: 'WRITER',
  startTask: 'WRITER',
  completeTask: 'WRITER',
  setExtension: 'WRITER',
  mergeExtension: 'WRITER',
  updateExtensionRecord: 'WRITER',
  deleteExtensionRecord: 'WRITER',
  createExtensionSchema: 'SCHEMA_ADMIN',
  defineBusinessAttribute: 'SCHEMA_ADMIN',
  deleteBusinessAttribute: 'SCHEMA_ADMIN',
  mapField: 'SCHEMA_ADMIN',
  setMapNames: 'SCHEMA_ADMIN',
  purge: 'OPERATOR',
  purges: 'OPERATOR',
  purgeServices: 'OPERATOR',
  cancelPurge: 'OPERATOR',
  exportServices: 'OPERATOR',
  setServerMode: 'OPERATOR',
  webhooks: 'OPERATOR',
  webhook: 'OPERATOR',
  deadDeliveries: 'OPERATOR',
  createWebhook: 'OPERATOR',
  updateWebhook: 'OPERATOR',
  rotateWebhookSecret: 'OPERATOR',
  deleteWebhook: 'OPERATOR',
  testWebhook: 'OPERATOR',
  replayDeliveries: 'OPERATOR',
  discardDeliveries: 'OPERATOR',
} as const satisfies Readonly<Record<string, Role>>;

export type OperationName = keyof typeof leastRoles;

/** What goes on while the server is in maintenance; the data does not. */
const openInMaintenance: ReadonlySet<OperationName> = new Set([
  'server',
  'setServerMode',
  'extensionSchema',
  'extensionSchemas',
  'createExtensionSchema',
  'businessAttribute',
  'businessAttributes',
  'fieldMappings',
  'mapNames',
  'defineBusinessAttribute',
  'deleteBusinessAttribute',
  'mapField',
  'setMapNames',
  'exportServices',
  'purge',
  'purges',
  'purgeServices',
  'cancelPurge',
  'webhooks',
  'webhook',
  'deadDeliveries',
  'createWebhook',
  'updateWebhook',
  'rotateWebhookSecret',
  'deleteWebhook',
  'testWebhook',
  'replayDeliveries',
  'discardDeliveries',
]);

/** What is done to all tenants at once. */
const ofAllTenants: ReadonlySet<OperationName> = new Set(['setServerMode']);

/** Who calls, and what the server serves to anybody. */
export type Caller = { role: Role; isForAllTenants: boolean; serverMode: ServerMode };

/** @throws Forbidden for a role that is too small or too few tenants; InMaintenance */
export type RoleCheck = (caller: Caller) => void;

/**
 * Made once for each operation, when the fronts are put together.
 * @throws Error when the table above lacks the operation: no gateway starts with one that all may do
 */
export function roleCheckOf(operation: string): RoleCheck {
  if (!isOperation(operation))
    throw new Error(`The operation ${operation} is missing in the table of roles.`);
  const least = leastRoles[operation];
  return ({ role, isForAllTenants, serverMode }) => {
    if (roles.indexOf(role) < roles.indexOf(least)) {
      throw new Forbidden(
        `${operation} takes the role ${roleName(least)}, the credentials have ${roleName(role)}.`,
      );
    }
    if (!isForAllTenants && ofAllTenants.has(operation)) {
      throw new Forbidden(`${operation} takes credentials for all tenants: it concerns every one of them.`);
    }
    if (serverMode === 'MAINTENANCE' && !openInMaintenance.has(operation)) {
      throw new InMaintenance(`The server is in maintenance: ${operation} has to wait.`);
    }
  };
}

/** As people write it. */
export function leastRoleOf(operation: OperationName): string {
  return roleName(leastRoles[operation]);
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(leastRoles, name);
}

/** As people and tokens write it: `schema-admin`. */
export function roleName(role: Role): string {
  return role.toLowerCase().replace('_', '-');
}

const byName = new Map(roles.map((role) => [roleName(role), role]));

/** One role by the name that people write. */
export const namedRole: Rule<Role> = (value) => {
  const role = byName.get(String(value));
  return role ? accept(role) : refuse(`must be one of ${[...byName.keys()].join(', ')}`, [...byName.keys()]);
};

/** The greatest of the roles that are named; names of none are left alone. */
export function greatestRole(names: readonly string[]): Role | undefined {
  return roles.findLast((role) => names.includes(roleName(role)));
}
