import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Thrown instead of opening a connection to an address that no droplet may have. */
export class AddressRefusedError extends Error {
  constructor(address: string) {
    super(`The address ${address} is refused: it belongs to a cloud's metadata service`);
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

/** True for a literal IP address that is refused; anything else is false. */
export function isRefusedAddress(address: string): boolean {
  const [plain = ''] = address.replace(/^\[|\]$/g, '').split('%', 1);
  return isIP(plain) !== 0 && METADATA.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * A DNS look-up for `net.connect` that fails with AddressRefusedError when any of the name's addresses is refused.
 * The addresses that it checked are the ones that are connected to, so a name cannot change its mind in between.
 */
export function guardedLookup(hostname: string, options: LookupOptions, done: LookupDone): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    const refused = addresses.find(({ address }) => isRefusedAddress(address));
    if (refused) return done(new AddressRefusedError(refused.address), []);
    if (options.all) return done(null, addresses);
    const [first] = addresses;
    done(null, first?.address ?? [], first?.family);
  });
}
