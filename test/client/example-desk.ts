import {
  ActRefused,
  anonymousServices,
  associateService,
  type Client,
  completeTask,
  history,
  type ScreenPop,
  screenPop,
  startService,
  undoAssociation,
} from 'context-gateway/client';

/** The desktop of one agent: what it does when a call comes in, in the order that it happens. */
export type Desk = {
  /** What callers of that number are in the middle of; begins something new when that is nothing. */
  ring(call: PhoneCall): Promise<string[]>;
  /** The caller said who they are: their services and those of the number are one by now. */
  identify(customerId: string): Promise<Card[]>;
  /** The caller is somebody else after all. */
  correct(serviceId: string): Promise<string>;
  finishTask(taskId: string, disposition: string): Promise<string>;
  showHistory(serviceId: string): Promise<string[]>;
};

export type PhoneCall = { number: string; interactionId: string };
export type Card = { serviceId: string; headline: string; tasks: string[] };

type PoppedService = ScreenPop['customer']['services']['nodes'][number];

export function openDesk(client: Client, agent: { id: number; name: string }): Desk {
  let call: PhoneCall | null = null;
  let waiting: readonly string[] = [];
  return {
    async ring(incoming) {
      call = incoming;
      const found = await client.request(anonymousServices, { contactKey: call.number, status: 'ACTIVE' });
      waiting = found.anonymousServices.nodes.map(({ id }) => id);
      if (waiting.length === 0) {
        const input = { contactKey: call.number, interactionId: call.interactionId, mediaType: 'voice' };
        const { service } = await client.act(startService, { ...input, serviceType: 'call' });
        waiting = [service.id];
      }
      return [...waiting];
    },

    async identify(customerId) {
      for (const serviceId of waiting) {
        await client.act(associateService, {
          serviceId,
          customerId,
          interactionId: call?.interactionId,
          resourceId: agent.id,
          actor: agent.name,
          reason: 'the caller said so',
          extensions: [{ schemaName: 'Feedback', value: { FeedbackType: 'call' } }],
        });
      }
      waiting = [];
      const { customer } = await client.request(screenPop, { customerId });
      return customer.services.nodes.map(toCard);
    },

    async correct(serviceId) {
      const input = { serviceId, actor: agent.name, reason: 'somebody else' };
      const { service } = await client.act(undoAssociation, input);
      return service.customerId ?? 'nobody known';
    },

    async finishTask(taskId, disposition) {
      try {
        const { task } = await client.act(completeTask, { taskId, disposition });
        return `done in ${task.duration} ms`;
      } catch (error) {
        if (error instanceof ActRefused && error.code === 'CONFLICT') return 'somebody else was faster';
        throw error;
      }
    },

    async showHistory(serviceId) {
      const { service } = await client.request(history, { serviceId });
      const entries = service?.associations.nodes ?? [];
      return entries.map(
        ({ kind, toCustomerId, reason }) => `${kind} ${toCustomerId ?? '-'} ${reason ?? ''}`,
      );
    },
  };
}

function toCard({ id, serviceType, started, tasks, extensions }: PoppedService): Card {
  const attached = extensions.map(({ schemaName }) => schemaName).join(', ');
  return {
    serviceId: id,
    headline: `${serviceType ?? 'service'} since ${started.timestamp}: ${attached}`,
    tasks: tasks.map(({ id: task, taskType }) => `${task} ${taskType}`),
  };
}
