import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Thrown instead of opening a connection to an address that no droplet may have. */
export class AddressRefusedError extends Error {
  constructor(address: string) {
    super(`The address ${address} is refused`);
    this.name = 'AddressRefusedError';
  }
}

/** Metadata services of the clouds; contract §6. BlockList also sees them as IPv4-mapped IPv6. */
const METADATA = new BlockList();
METADATA.addSubnet('169.254.0.0', 16, 'ipv4');
METADATA.addAddress('100.100.100.200', 'ipv4');
METADATA.addAddress('168.63.129.16', 'ipv4');
METADATA.addSubnet('fe80::', 10, 'ipv6');
METADATA.addAddress('fd00:ec2::254', 'ipv6');
// The same three IPv4 ranges inside NAT64 (RFC 6052), IPv4-compatible, IPv4-translated and 6to4 (RFC 3056) addresses.
for (const prefix of ['64:ff9b::', '64:ff9b:1::', '::', '::ffff:0:']) {
  METADATA.addSubnet(`${prefix}a9fe:0`, 112, 'ipv6');
  METADATA.addAddress(`${prefix}6464:64c8`, 'ipv6');
  METADATA.addAddress(`${prefix}a83f:8110`, 'ipv6');
}
METADATA.addSubnet('2002:a9fe::', 32, 'ipv6');
METADATA.addSubnet('2002:6464:64c8::', 48, 'ipv6');
METADATA.addSubnet('2002:a83f:8110::', 48, 'ipv6');

/** Addresses that mean nothing, or something private, outside of their own network (IANA's special-purpose registries). */
const NOT_PUBLIC = new BlockList();
for (const [network, bits] of [
  ...[['0.0.0.0', 8] as const, ['10.0.0.0', 8] as const, ['100.64.0.0', 10] as const, ['127.0.0.0', 8] as const],
  ...[['169.254.0.0', 16] as const, ['172.16.0.0', 12] as const, ['192.0.0.0', 24] as const, ['192.168.0.0', 16] as const],
  ...[['198.18.0.0', 15] as const, ['224.0.0.0', 4] as const, ['240.0.0.0', 4] as const],
]) {
  NOT_PUBLIC.addSubnet(network, bits, 'ipv4');
}
// Global unicast is 2000::/3; of that, 6to4 and Teredo may carry a private IPv4 address.
NOT_PUBLIC.addRange('::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ipv6');
NOT_PUBLIC.addRange('4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ipv6');
NOT_PUBLIC.addSubnet('2002::', 16, 'ipv6');
NOT_PUBLIC.addSubnet('2001::', 32, 'ipv6');

/** Says whether a literal IP address is refused; false for anything else. */
export type AddressRule = (address: string) => boolean;

const listed = (list: BlockList, address: string): boolean => {
  const [plain = ''] = address.replace(/^\[|\]$/g, '').split('%', 1);
  return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
};

/** The rule for droplets: they may be private, but never a metadata service. */
export const isRefusedAddress: AddressRule = (address) => listed(METADATA, address);

/** The rule for addresses that a caller names: public ones only. An IPv4-mapped address is judged as the IPv4 one that it is. */
export const isNotPublicAddress: AddressRule = (address) => {
  const [, mapped] = /^\[?::ffff:(\d+\.\d+\.\d+\.\d+)\]?$/i.exec(address) ?? [];
  return listed(METADATA, address) || listed(NOT_PUBLIC, mapped ?? address);
};

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** A DNS look-up as `net.connect` takes one. */
type Lookup = (hostname: string, options: LookupOptions, done: LookupDone) => void;

/**
 * A look-up that fails with AddressRefusedError when any of the name's addresses is refused. The addresses that it
 * checked are the ones that are connected to, so a name cannot change its mind in between.
 */
export function lookupGuardedBy(isRefused: AddressRule): Lookup {
  return (hostname, options, done) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const refused = addresses.find(({ address }) => isRefused(address));
      if (refused) return done(new AddressRefusedError(refused.address), []);
      if (options.all) return done(null, addresses);
      const [first] = addresses;
      done(null, first?.address ?? [], first?.family);
    });
  };
}
