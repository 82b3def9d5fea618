/** What the fields of a service mean, wherever they are read or written (legacy contract, values and resources). */
export const described = {
  sessionId: 'The session that the act belongs to, of orchestration or any other. At most 32 characters.',
  interactionId: 'The interaction (call, e-mail, chat …) that the act belongs to. At most 50 characters.',
  applicationType: 'The type of the application that reports the act.',
  applicationId: 'The database id of the application that reports the act.',
  resourceType: 'The type of the resource that serves, like IVR or agent.',
  resourceId: 'The database id of the resource that serves, like that of an agent.',
  mediaType: 'The medium, like voice or e-mail.',
  serviceType: 'The type of the service: what is done for the customer.',
  stateType: 'The type of the state, like waiting for an agent.',
  taskType: 'The type of the task: what is done.',
  estDuration: 'How long it is estimated to take, in seconds: 0 or more.',
  duration: 'From the start to the end, in milliseconds; null while it is active.',
  disposition: 'How it went.',
  dispositionDesc: 'How it went, in words. At most 64 characters.',
  autoCompleteAfter:
    'How many seconds without a change the service stays before it is completed with all that is open in it; `null` for ever.',
  contactKey:
    'What the customer is reached by, like a phone number: finds anonymous services. 1 to 128 characters.',
  replayed:
    'Whether the same input with the same idempotency key had acted before, so that this call changed nothing.',
} as const;
