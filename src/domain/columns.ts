import { Prisma } from '../generated/prisma/client.js';

/** The PostgreSQL types of columns, by name; `jsonb` ones hold a type code (integer or string). */
type ColumnTypes = Readonly<Record<string, 'text' | 'jsonb' | 'bigint' | 'integer' | 'timestamptz'>>;

/** What is to be written: an absent column stays as it is, `null` clears. */
export type Columns<Types extends ColumnTypes> = { [K in keyof Types]?: string | number | Date | null };

const startEventColumns = {
  session_id: 'text',
  interaction_id: 'text',
  application_type: 'jsonb',
  application_id: 'bigint',
  resource_type: 'jsonb',
  resource_id: 'bigint',
  media_type: 'jsonb',
  est_duration: 'bigint',
  started_at: 'timestamptz',
} as const;

const endEventColumns = {
  disposition: 'jsonb',
  disposition_desc: 'text',
  end_session_id: 'text',
  end_interaction_id: 'text',
  end_application_type: 'jsonb',
  end_application_id: 'bigint',
  end_resource_type: 'jsonb',
  end_resource_id: 'bigint',
  end_media_type: 'jsonb',
  completed_at: 'timestamptz',
} as const;

/** What of a service may be written at any time, but for its owner, who is a matter of history. */
export const serviceStart = {
  contact_key: 'text',
  business_unit: 'text',
  service_type: 'jsonb',
  ...startEventColumns,
  expires_at: 'timestamptz',
  auto_complete_after: 'bigint',
} as const;

export const serviceColumns = { customer_id: 'text', ...serviceStart, ...endEventColumns } as const;

/** All columns of `service`. */
export const serviceRow = {
  tenant: 'text',
  id: 'bigint',
  version: 'integer',
  prev_customer_id: 'text',
  associated_version: 'integer',
  ...serviceColumns,
  next_state_id: 'integer',
  next_task_id: 'integer',
  auto_complete_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;

export const extensionRow = {
  tenant: 'text',
  service_id: 'bigint',
  scope: 'text',
  owner_id: 'integer',
  name_key: 'text',
  name: 'text',
  value: 'jsonb',
  size_bytes: 'integer',
} as const;

export const associationRow = {
  tenant: 'text',
  service_id: 'bigint',
  version: 'integer',
  kind: 'text',
  from_customer_id: 'text',
  to_customer_id: 'text',
  reason: 'text',
  actor: 'text',
  principal: 'text',
  front: 'text',
  request_id: 'text',
  occurred_at: 'timestamptz',
  recorded_at: 'timestamptz',
} as const;

const stateStartColumns = {
  state_type: 'jsonb',
  previous_state_id: 'integer',
  ...startEventColumns,
} as const;
const taskStartColumns = { task_type: 'jsonb', state_id: 'integer', ...startEventColumns } as const;

const partKey = { tenant: 'text', service_id: 'bigint', id: 'integer' } as const;

export const stateRow = { ...partKey, ...stateStartColumns, ...endEventColumns } as const;
export const taskRow = { ...partKey, ...taskStartColumns, ...endEventColumns } as const;

/** The two kinds of parts that a service has, each with what its start writes. */
export const partStarts = { state: stateStartColumns, task: taskStartColumns } as const;

/** What the end of a state or a task writes. */
export const partEnd = endEventColumns;

export type ServiceColumns = Columns<typeof serviceColumns>;
export type StateStart = Columns<typeof stateStartColumns>;
export type TaskStart = Columns<typeof taskStartColumns>;
/** Without an id: every part of its kind that is open. */
export type PartEnd = Columns<typeof partEnd> & { id?: number };

/** `a, b, c` */
export function columnNames(types: ColumnTypes): Prisma.Sql {
  return Prisma.raw(Object.keys(types).join(', '));
}

/** The values of columns, out of a JSON object of them. */
export function columnValues(types: ColumnTypes, json: string): Prisma.Sql {
  return Prisma.raw(
    Object.entries(types)
      .map(([name, type]) => jsonValue(json, name, type))
      .join(', '),
  );
}

/**
 * `a = …, b = …` for an UPDATE: those that the JSON object has, the others as they are in `row`.
 * No end comes before `earliestEnd`: a clock that runs behind the one that told the start must not
 * make one.
 */
export function columnAssignments(
  types: ColumnTypes,
  { json, row, earliestEnd }: { json: string; row: string; earliestEnd: string },
): Prisma.Sql {
  const assignment = ([name, type]: [string, string]) => {
    const given = jsonValue(json, name, type);
    const value = name === 'completed_at' ? `greatest(${given}, ${earliestEnd})` : given;
    return `${name} = case when ${json} ? '${name}' then ${value} else ${row}.${name} end`;
  };
  return Prisma.raw(Object.entries(types).map(assignment).join(', '));
}

function jsonValue(json: string, name: string, type: string): string {
  if (type === 'jsonb') return `nullif(${json}->'${name}', 'null')`;
  return type === 'text' ? `${json}->>'${name}'` : `(${json}->>'${name}')::${type}`;
}
