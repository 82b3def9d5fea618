import {
  type AssociateServiceInput,
  associateService,
  type Client,
  type Service,
  screenPop,
  startService,
  type TypedDocument,
} from 'context-gateway/client';

// Never run. What the compiler is to refuse fails the type check where it does not.

export async function refused(client: Client): Promise<void> {
  // @ts-expect-error: ids are texts
  await client.request(screenPop, { customerId: 18 });
  // @ts-expect-error: whose?
  await client.request(screenPop, {});
  // @ts-expect-error: there is no such variable
  await client.request(screenPop, { customerId: 'anna', newest: 1 });
  // @ts-expect-error: a service goes to somebody
  await client.act(associateService, { serviceId: '1500' });
  // @ts-expect-error: there is no such field of the input
  await client.act(startService, { customerId: 'anna', custmerId: 'anna' });
  // @ts-expect-error: a query is no act
  await client.act(screenPop, { customerId: 'anna' });
  // @ts-expect-error: what has no cursor cannot go on where it broke
  client.subscribe(screenPop, { customerId: 'anna' });

  const { service } = await client.act(startService, { customerId: 'anna' });
  // @ts-expect-error: there is no such field of a service
  service.customer;
  // @ts-expect-error: an anonymous service has no customer
  service.customerId.length;
  const { startService: result } = await client.request(startService, { input: {} });
  // @ts-expect-error: it may have been refused
  result.service;
}

export async function taken(client: Client, input: AssociateServiceInput): Promise<Service> {
  const own = 'query ($id: ID!) { service(id: $id) { id } }' as TypedDocument<
    { service: Service },
    { id: string }
  >;
  await client.request(own, { id: '1500' });
  await client.act(startService, { contactKey: '+49 30 1', serviceType: 100, mediaType: 'voice', ttl: null });
  const { service } = await client.act(associateService, input);
  return service;
}
