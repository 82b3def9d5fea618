import { deepStrictEqual } from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { elements, member } from '../exchange.js';
import {
  type Conversation,
  customerId,
  statesPerConversation,
  steps,
  tasksPerConversation,
} from './script.js';

/** Holds many conversations at once with the gateway, and prints what came of it. */
export type LoadRequest = { url: string; atOnce: number; seconds: number };
export type LoadAnswer = {
  calls: number;
  conversations: number;
  seconds: number;
  p50Milliseconds: number;
  p99Milliseconds: number;
  /** The first ones that there were. */
  errors: string[];
  errorCount: number;
  bytesPerConversation: number;
};

// Written by conversations.ts.
const { url, atOnce, seconds } = JSON.parse(process.argv[2] ?? '') as LoadRequest;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const readEvery = 10;

const latencies: number[] = [];
const errors: string[] = [];
let [conversations, begun, bytes, errorCount] = [0, 0, 0, 0];

const start = performance.now();
await Promise.all(Array.from({ length: atOnce }, converseUntilEnd));
const elapsed = performance.now() - start;
agent.destroy();

latencies.sort((one, other) => one - other);
const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
const answer: LoadAnswer = {
  calls: latencies.length,
  conversations,
  seconds: elapsed / 1000,
  p50Milliseconds: percentile(0.5),
  p99Milliseconds: percentile(0.99),
  errors,
  errorCount,
  bytesPerConversation: bytes / conversations,
};
console.log(JSON.stringify(answer));

/** Conversations that have begun are held to their end. */
async function converseUntilEnd(): Promise<void> {
  while (performance.now() - start < seconds * 1000) {
    begun += 1;
    try {
      await converse(begun);
      conversations += 1;
    } catch (error) {
      errorCount += 1;
      if (errors.length < 5) errors.push(error instanceof Error ? error.message : String(error));
    }
  }
}

async function converse(number: number): Promise<void> {
  const conversation: Conversation = { number, serviceId: 0, stateId: 0, taskId: 0 };
  for (const step of steps) {
    const { path, body, expectedStatus } = step(conversation);
    const before = performance.now();
    const { status, json } = await call('POST', path, JSON.stringify(body));
    latencies.push(performance.now() - before);
    if (status !== expectedStatus) throw new Error(`${path} answered ${status}: ${JSON.stringify(json)}`);
    conversation.serviceId = Number(member(json, 'service_id') ?? conversation.serviceId);
    conversation.stateId = Number(member(json, 'state_id') ?? conversation.stateId);
    conversation.taskId = Number(member(json, 'task_id') ?? conversation.taskId);
  }
  if (number % readEvery === 1) await checkEnd(conversation);
}

/** Of some conversations, that all is there and has ended; these reads count as no calls. */
async function checkEnd({ number, serviceId }: Conversation): Promise<void> {
  const parts = 'active_states=true&completed_states=true&active_tasks=true&completed_tasks=true';
  const { json } = await call('GET', `/services/${serviceId}?extensions=*&${parts}`, '');
  const states = elements(member(json, 'completed_states'));
  const tasks = states.flatMap((state) => elements(member(state, 'completed_tasks')));
  deepStrictEqual(
    {
      customer: member(json, 'customer_id'),
      disposition: member(json, 'disposition'),
      rating: member(json, 'Feedback', 'rating'),
      satisfactions: elements(member(json, 'Satisfaction')).length,
      states: states.length,
      tasks: tasks.length,
      active: elements(member(json, 'active_states')).length,
    },
    {
      customer: customerId(number),
      disposition: 10,
      rating: 7,
      satisfactions: 2,
      states: statesPerConversation,
      tasks: tasksPerConversation,
      active: 0,
    },
  );
}

function call(
  method: 'GET' | 'POST',
  path: string,
  body: string,
): Promise<{ status: number; json: unknown }> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (method === 'POST') bytes += headers['content-length'];
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, json: text === '' ? null : JSON.parse(text) });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
