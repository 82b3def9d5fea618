import { type Network, readNetwork } from './addresses.js';

/** What may be sent to although it is internal, and by `http`. Names are in lower case. */
export type InternalHosts = { names: readonly string[]; networks: readonly Network[] };

/** Undefined where one of them is neither a host name nor an address nor a network. */
export function readInternalHosts(entries: readonly string[]): InternalHosts | undefined {
  const names = entries.filter((entry) => !readNetwork(entry));
  if (!names.every(isHostName)) return undefined;
  return {
    names: names.map((name) => name.toLowerCase()),
    networks: entries.flatMap((entry) => readNetwork(entry) ?? []),
  };
}

/** What ends in a number is an address to URLs, and none that somebody meant. */
function isHostName(text: string): boolean {
  return /^[a-z\d][\w-]*(\.[\w-]+)*$/i.test(text) && !/(^|\.)(\d+|0x[\da-f]*)$/i.test(text);
}
