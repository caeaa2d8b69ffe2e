import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Bytes that do not change while the process lives, with the tag that names them. */
export class StaticFile {
  private readonly etag: string;

  constructor(
    private readonly bytes: Buffer,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  }

  /** Sends it, or 304 to a client that has it already (RFC 9110 §13.1.2). */
  answer({ headers }: FastifyRequest, reply: FastifyReply): void {
    void reply.headers({ ...this.headers, etag: this.etag, 'cache-control': 'no-cache' });
    void (this.isAtHand(headers['if-none-match'] ?? '') ? reply.code(304).send() : reply.send(this.bytes));
  }

  private isAtHand(tags: string): boolean {
    const known = tags.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return known.includes(this.etag) || known.includes('*');
  }
}
