import { type ChangeEvent, encodeCursor } from './events.js';

/**
 * An event as CloudEvents 1.0 have it, in structured mode; `source` and `id` together are of no other one. The names
 * within `data` are those of the legacy contract, and what there is nothing of is absent there. JSON text, since
 * JSON.stringify cannot write the ids, which outgrow a double.
 */
export function cloudEventJson(tenant: string, event: ChangeEvent): string {
  const { type, serviceId, version, customerId, previousCustomerId, stateId, taskId, recordedAt } = event;
  const data = JSON.stringify({
    version,
    customer_id: customerId ?? undefined,
    previous_customer_id: previousCustomerId ?? undefined,
    state_id: stateId ?? undefined,
    task_id: taskId ?? undefined,
  });
  const envelope = JSON.stringify({
    specversion: '1.0',
    id: `${serviceId}.${version}`,
    source: `/tenants/${tenant}`,
    type: type.toLowerCase().replace('_', '.'),
    subject: String(serviceId),
    time: recordedAt,
    datacontenttype: 'application/json',
    cursor: encodeCursor(event),
  });
  return `${envelope.slice(0, -1)},"data":{"service_id":${serviceId},${data.slice(1)}}`;
}
