import { gatewayGraphql, gatewayRest } from './candidates/gateway.js';
import { limitTitle, peers } from './candidates.js';
import type { Measurement } from './results.js';

/** What is wanted of a number. */
export type Target = { least: number } | { most: number };

export function isReached(value: number, target: Target): boolean {
  return 'least' in target ? value >= target.least : value <= target.most;
}

type RatioTarget = Pick<Measurement, 'work' | 'connections'> & {
  gateway: string;
  other: string;
  target: Target;
};

const [rest, graphql] = [gatewayRest.title, gatewayGraphql.title];
const { title: fastifyPg } = peers['fastify-pg'];
const { title: mercurius } = peers.mercurius;
const { title: postgraphile } = peers.postgraphile;
const { title: yogaPrisma } = peers['yoga-prisma'];

/** At one connection of the median latency, else of the requests a second. */
const ratioTargets: readonly RatioTarget[] = [
  { work: 'associate', connections: 64, gateway: rest, other: fastifyPg, target: { least: 3 } },
  { work: 'associate', connections: 64, gateway: rest, other: limitTitle, target: { least: 0.5 } },
  { work: 'associate', connections: 64, gateway: graphql, other: fastifyPg, target: { least: 2.5 } },
  { work: 'associate', connections: 64, gateway: graphql, other: mercurius, target: { least: 3 } },
  { work: 'associate', connections: 64, gateway: graphql, other: postgraphile, target: { least: 8 } },
  { work: 'associate', connections: 64, gateway: graphql, other: yogaPrisma, target: { least: 20 } },
  { work: 'associate', connections: 1, gateway: rest, other: fastifyPg, target: { most: 1.1 } },
  { work: 'associate', connections: 1, gateway: graphql, other: fastifyPg, target: { most: 1.5 } },
  { work: 'screen pop', connections: 64, gateway: graphql, other: mercurius, target: { least: 1 } },
  { work: 'screen pop', connections: 64, gateway: graphql, other: postgraphile, target: { least: 2 } },
];

export function ratioTarget(gateway: string, { work, connections, title }: Measurement): Target | undefined {
  return ratioTargets.find(
    (target) =>
      target.work === work &&
      target.connections === connections &&
      target.gateway === gateway &&
      target.other === title,
  )?.target;
}

/** From the fewest services to the most, of the median latency at one connection. */
export const growthTarget: Target = { most: 1.5 };

export const conversationTargets = {
  callsPerSecond: { least: 1_000 },
  p99Milliseconds: { most: 100 },
  megabytes: { most: 250 },
  /** What the measurement itself tells from nothing. */
  megabytesPerMinute: { most: 2 },
} as const satisfies Record<string, Target>;

/** Sooner a process has not found its size. */
export const memoryNeedsSeconds = 300;
