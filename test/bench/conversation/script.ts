/** A call, made of what the calls before have answered. */
export type Call = { path: string; body: object; expectedStatus: number };

export const statesPerConversation = 5;
export const tasksPerConversation = 10;

/** What a conversation has learnt from its answers. */
export type Conversation = { number: number; serviceId: number; stateId: number; taskId: number };

export type Step = (conversation: Conversation) => Call;

/**
 * The load that the vendor published (legacy contract): one service, five states and ten tasks, 33
 * calls, about 10 kB of JSON. The caller is anonymous at first.
 */
export const steps: readonly Step[] = [
  ({ number }) => ({
    path: '/services/start',
    body: { contact_key: contactKey(number), service_type: 'claim', ...event(number), Feedback: feedback },
    expectedStatus: 201,
  }),
  ({ number, serviceId }) => ({
    path: `/customers/${customerId(number)}/services/${serviceId}`,
    body: { ...event(number), Satisfaction: [satisfaction, satisfaction] },
    expectedStatus: 200,
  }),
  ...Array.from({ length: statesPerConversation }, (_, place) => stateSteps(place)).flat(),
  ({ number, serviceId }) => ({
    path: `/services/${serviceId}/end`,
    body: { ...event(number), disposition: 10, Feedback: feedback },
    expectedStatus: 200,
  }),
];

export function customerId(conversation: number): string {
  return `caller-${conversation}`;
}

function contactKey(conversation: number): string {
  return `+1415${String(conversation).padStart(7, '0')}`;
}

/** A state with two tasks in it. */
function stateSteps(place: number): Step[] {
  return [
    ({ number, serviceId }) => ({
      path: `/services/${serviceId}/states/start`,
      body: { state_type: place + 1, est_duration: 300, ...event(number), Queue: queue },
      expectedStatus: 201,
    }),
    ...Array.from({ length: tasksPerConversation / statesPerConversation }, taskSteps).flat(),
    ({ number, serviceId, stateId }) => ({
      path: `/services/${serviceId}/states/${stateId}/end`,
      body: { ...event(number), disposition: 'handed over', Queue: queue },
      expectedStatus: 200,
    }),
  ];
}

function taskSteps(): Step[] {
  return [
    ({ number, serviceId, stateId }) => ({
      path: `/services/${serviceId}/tasks/start`,
      body: { task_type: 'call back', state_id: stateId, ...event(number), Work: work },
      expectedStatus: 201,
    }),
    ({ number, serviceId, taskId }) => ({
      path: `/services/${serviceId}/tasks/${taskId}/end`,
      body: { ...event(number), disposition: 'done', Work: work },
      expectedStatus: 200,
    }),
  ];
}

function event(conversation: number): object {
  return {
    session_id: 'b7c2f1d09a3e4c5d8f60718293a4b5c6',
    interaction_id: `interaction-${conversation}`,
    application_type: 'orchestration',
    application_id: 40,
    resource_type: 2,
    resource_id: 5005,
    media_type: 1001,
  };
}

const notes = 'Asked for the policy number, which the caller had at hand.';
const feedback = { FeedbackType: 'survey', rating: 7, notes };
const satisfaction = { rating: 8, pertinence: 8, useful: true, place: 'waiting line' };
const queue = { name: 'claims, second level', position: 3, notes };
const work = { agent: 'agent 5005', minutes: 12, notes };
