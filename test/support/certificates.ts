import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

const DAY_MS = 86_400_000;
/** ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName. */
const OID = {
  ecdsa: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
};

/** A certificate with its key, as PEM for a TLS server. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Wishes {
  /** Host names and IPv4 addresses. */
  readonly names?: readonly string[];
  /** From when on it holds, days from now. */
  readonly from?: number;
  /** Until when it holds, days from now. */
  readonly until?: number;
}

let serial = 1;

/** One DER value: tag, length, content. */
function der(tag: number, ...contents: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(contents.map((each) => Buffer.from(each)));
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...contents: Buffer[]): Buffer => der(0x30, ...contents);
const oid = (bytes: readonly number[]): Buffer => der(0x06, bytes);
const ALGORITHM = sequence(oid(OID.ecdsa));

const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(text)))));

/** UTCTime: `YYMMDDHHMMSSZ`. */
const timeIn = (days: number): Buffer => {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text.slice(2)));
};

const altName = (name: string): Buffer =>
  isIP(name) === 4 ? der(0x87, name.split('.').map(Number)) : der(0x82, Buffer.from(name));

const extension = (id: readonly number[], value: Buffer): Buffer => sequence(oid(id), der(0x04, value));

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** An authority that nobody knows until its certificate is trusted; it signs what it is asked to, good or bad. */
export class TestAuthority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** Its own certificate, for those who are to trust it. */
  readonly cert: string;

  constructor(private readonly name: string) {
    this.cert = this.certify(this.name, this.keys.publicKey, extension(OID.basicConstraints, sequence(der(0x01, [0xff]))), {});
  }

  /** A certificate for a server, valid from yesterday until tomorrow unless it is to be otherwise. */
  issue({ names = ['127.0.0.1'], ...wishes }: Wishes = {}): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const extensions = extension(OID.subjectAltName, sequence(...names.map(altName)));
    const cert = this.certify('droplet', publicKey, extensions, wishes);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** A certificate for a server that vouches for itself. */
  static selfSigned(): Certificate {
    const self = new TestAuthority('nobody');
    const extensions = extension(OID.subjectAltName, sequence(altName('127.0.0.1')));
    const cert = self.certify('nobody', self.keys.publicKey, extensions, {});
    return { cert, key: self.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** RFC 5280, 4.1. */
  private certify(subject: string, key: KeyObject, extensions: Buffer, { from = -1, until = 1 }: Wishes): string {
    const toBeSigned = sequence(
      der(0xa0, der(0x02, [2])),
      der(0x02, [serial++]),
      ALGORITHM,
      nameOf(this.name),
      sequence(timeIn(from), timeIn(until)),
      nameOf(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(extensions)),
    );
    const signature = sign('sha256', toBeSigned, this.keys.privateKey);
    return pem(sequence(toBeSigned, ALGORITHM, der(0x03, [0], signature)));
  }
}
