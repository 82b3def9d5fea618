import { builder } from './builder.js';

export const EventType = builder.enumType('EventType', {
  description: 'What happened to a service, or to a state or task of it.',
  values: {
    SERVICE_STARTED: { description: 'The service was started.' },
    SERVICE_ASSOCIATED: { description: 'The service was moved to a customer, or back.' },
    SERVICE_UPDATED: { description: 'Fields or extensions of the service were written.' },
    SERVICE_COMPLETED: { description: 'The service was completed with what was open in it.' },
    SERVICE_DELETED: { description: 'The service was deleted, by itself or by a purge.' },
    SERVICE_EXPIRED: { description: 'The service was deleted, since its time was over.' },
    STATE_STARTED: { description: 'A state was started.' },
    STATE_TRANSITIONED: { description: 'A state was completed and the next one started.' },
    STATE_UPDATED: { description: 'Extensions of a state were written.' },
    STATE_COMPLETED: { description: 'A state was completed.' },
    TASK_STARTED: { description: 'A task was started.' },
    TASK_UPDATED: { description: 'Extensions of a task were written.' },
    TASK_COMPLETED: { description: 'A task was completed.' },
  } as const,
});
