import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import { AddressRefusedError, isNotPublicAddress, isRefusedAddress, lookupGuardedBy } from './address.guard.js';

/** What the transport would be told to connect to: the host as WHATWG URL writes it. */
const hostOf = (spelling: string): string => new URL(`http://${spelling}/`).hostname;

describe('address guard', () => {
  it.each([
    ...['169.254.169.254', '169.254.0.0', '169.254.255.255', '169.254.170.2', '100.100.100.200', '168.63.129.16'],
    ...['fe80::1', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe80::a9fe:a9fe', 'fd00:ec2::254'],
    ...['fd00:0ec2:0000:0000:0000:0000:0000:0254', 'FD00:EC2::254', 'fe80::1%eth0', 'fe80::1%1', '[fe80::1]', '[fd00:ec2::254]'],
    // IPv4 in IPv6: mapped, compatible, translated, NAT64 in both prefixes, 6to4.
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:a9fe:a9fe', '::FFFF:169.254.1.1', '[::ffff:a9fe:a9fe]'],
    ...[
      '::ffff:100.100.100.200',
      '::ffff:168.63.129.16',
      '::169.254.169.254',
      '::a9fe:a9fe',
      '::100.100.100.200',
      '::168.63.129.16',
    ],
    ...['::ffff:0:169.254.169.254', '::ffff:0:168.63.129.16', '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe'],
    ...['64:ff9b::100.100.100.200', '64:ff9b::168.63.129.16', '64:ff9b:1::169.254.169.254', '64:ff9b:1::168.63.129.16'],
    ...['2002:a9fe:a9fe::', '2002:a9fe:a9fe::1', '2002:6464:64c8::1', '2002:a83f:8110:1::1'],
  ])('refuses %s', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
  });

  it.each([
    ...['2852039166', '0xa9fea9fe', '0XA9FEA9FE', '025177524776', '0251.0376.0251.0376', '0xa9.0xfe.0xa9.0xfe', '169.254.43518'],
    ...[
      '169.16689662',
      '0xa9.254.0251.254',
      '169.254.169.254.',
      '%31%36%39.254.169.254',
      '１６９.254.169.254',
      '169。254。169。254',
    ],
    ...['1684301000', '0x646464c8', '2822734096', '0xa83f8110', '[::ffff:169.254.169.254]', '[0:0:0:0:0:ffff:a9fe:a9fe]'],
    ...['[::169.254.169.254]', '[64:ff9b::169.254.169.254]', '[FE80::1]', '[fd00:ec2:0::254]', '[fd00:ec2:0:0::0:254]'],
  ])('refuses an endpoint spelled %s', (spelling) => {
    expect(isRefusedAddress(hostOf(spelling))).toBe(true);
  });

  it.each([
    ...['169.253.255.255', '169.255.0.0', '100.100.100.199', '100.100.100.201', '168.63.129.15', '168.63.129.17', '127.0.0.1'],
    ...['10.0.0.1', '192.168.1.1', '172.16.0.1', '0.0.0.0', '8.8.8.8', '::1', '::', 'fec0::1', 'fe7f:ffff::1', 'fd00:ec2::253'],
    ...['fd00:ec2::255', 'fd00:ec2:1::254', 'fd00::1', '2001:db8::a9fe:a9fe', '::ffff:127.0.0.1', '::ffff:169.253.255.255'],
    ...['64:ff9b::8.8.8.8', '64:ff9b::a9fd:ffff', '64:ff9b::aa00:0', '2002:a9ff::1', '2002:a9fd:ffff::1', '2002:6464:64c9::1'],
    ...['::168.63.129.17', '[::1]', '[2001:db8::1]'],
  ])('lets the neighbour %s be called', (address) => {
    expect(isRefusedAddress(address)).toBe(false);
  });

  it.each(['localhost', 'droplet', 'metadata.google.internal', '', '169.254.169.254.example', '[]', '%'])(
    'leaves the name %j to the look-up',
    (name) => {
      expect(isRefusedAddress(name)).toBe(false);
    },
  );
});

describe('the rule for addresses that a caller names', () => {
  it.each([
    ...[
      '0.0.0.0',
      '0.255.255.255',
      '10.0.0.1',
      '10.255.255.255',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.255.255',
    ],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.168.0.1', '192.168.255.255', '198.18.0.1'],
    ...['198.19.255.255', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '100.100.100.200', '168.63.129.16'],
    ...['::', '::1', '[::1]', 'fc00::1', 'fd00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '[::ffff:10.0.0.1]', '::ffff:169.254.169.254', '::127.0.0.1', '64:ff9b::10.0.0.1'],
    ...['64:ff9b:1::192.168.0.1', '2002:7f00:1::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ])('refuses %s', (address) => {
    expect(isNotPublicAddress(address)).toBe(true);
  });

  it.each([
    '2130706433',
    '0x7f000001',
    '017700000001',
    '127.1',
    '0x7f.1',
    '3232235521',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
  ])('refuses a URL spelled %s', (spelling) => {
    expect(isNotPublicAddress(hostOf(spelling))).toBe(true);
  });

  it.each([
    ...['8.8.8.8', '1.1.1.1', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '126.255.255.255', '128.0.0.1'],
    ...['172.15.255.255', '172.32.0.1', '192.0.1.1', '192.167.255.255', '192.169.0.1', '198.17.255.255', '198.20.0.1'],
    ...['223.255.255.255', '2000::1', '2606:4700:4700::1111', '[2606:4700:4700::1111]', '3fff:ffff::1', '::ffff:8.8.8.8'],
  ])('lets %s be called', (address) => {
    expect(isNotPublicAddress(address)).toBe(false);
  });

  it.each(['localhost', 'hooks.example', ''])('leaves the name %j to the look-up', (name) => {
    expect(isNotPublicAddress(name)).toBe(false);
  });
});

interface Found {
  readonly error: Error | null;
  readonly address: string | LookupAddress[];
  readonly family?: number | undefined;
}

const look = (name: string, all: boolean, rule = isRefusedAddress): Promise<Found> =>
  new Promise((resolve) => lookupGuardedBy(rule)(name, { all }, (error, address, family) => resolve({ error, address, family })));

describe('a guarded look-up', () => {
  // The machine's resolver takes these for addresses, though they are none to us: names that resolve, without any network.
  it.each(['2852039166', '0xa9fea9fe', '169.254.43518', '0x646464c8', '168.63.33040'])(
    'fails when the name %s resolves to a metadata address',
    async (name) => {
      expect(isRefusedAddress(name)).toBe(false);
      for (const all of [true, false]) {
        const { error, address } = await look(name, all);
        expect(error).toBeInstanceOf(AddressRefusedError);
        expect(address).toEqual([]);
      }
    },
  );

  it('fails for a name of this machine when only public addresses may be called', async () => {
    const { error, address } = await look('localhost', true, isNotPublicAddress);
    expect(error).toBeInstanceOf(AddressRefusedError);
    expect(address).toEqual([]);
  });

  it('gives all addresses of a good name, those it has checked', async () => {
    const { error, address } = await look('localhost', true);
    expect(error).toBeNull();
    expect((address as LookupAddress[]).map((each) => each.address)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]),
    );
  });

  it('gives the first address when one is asked for', async () => {
    const { error, address, family } = await look('127.1', false);
    expect([error, address, family]).toEqual([null, '127.0.0.1', 4]);
  });

  it('says when a name is not known', async () => {
    const { error } = await look('no-such-droplet.invalid', true);
    expect(error).toMatchObject({ syscall: 'getaddrinfo' });
    expect(error).not.toBeInstanceOf(AddressRefusedError);
  });
});
