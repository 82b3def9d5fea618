import { BlockList, isIP } from 'node:net';

/** A network in CIDR notation; a single address has all bits. */
export type Network = { address: string; bits: number };

/** Undefined for what is no address and no network. */
export function readNetwork(text: string): Network | undefined {
  const [, address = '', given] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || Number(given ?? most) > most) return undefined;
  return { address, bits: Number(given ?? most) };
}

export function networkList(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, bits } of networks) list.addSubnet(address, bits, familyOf(address));
  return list;
}

/** Addresses that lead into some house, to nobody or to many: the registries of special addresses of the IANA. */
const internal = networkList(
  [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
    ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
    ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
    // What machines at Azure ask for their settings; it looks like an address of anybody.
    '168.63.129.16',
    // Addresses within which there is another one, and those of examples.
    ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
  ].flatMap((text) => readNetwork(text) ?? []),
);

/** All that IPv6 has given out to be reached from anywhere; an IPv4 address in the form of an IPv6 one is none. */
const reachable = networkList([{ address: '2000::', bits: 3 }]);

/** @param address as `net.isIP` knows it, without brackets */
export function isInternal(address: string): boolean {
  const family = familyOf(address);
  if (internal.check(address, family)) return true;
  return family === 'ipv6' && !reachable.check(address, family);
}

export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
