// tokens.ts: the opaque words that the service gives out: etags, resource ids, session tokens, continuations.
import { createHash } from 'node:crypto'
import { badRequest } from './exchange.ts'
import type { Json } from './json.ts'

/** Quoted, as in the header and in the body. No two writes ever have the same, not even after a rollback. */
export function etagOf(write: number): string {
  const hex = write.toString(16).padStart(20, '0')
  return `"${hex.slice(-8)}-0000-${hex.slice(0, 4)}-0000-${hex.slice(4, 12).padStart(12, '0')}"`
}

/** A container's resource id has 8 bytes, an item's 16: the client looks at the length. */
export function ridOf(...parts: readonly number[]): string {
  const bytes = Buffer.alloc(parts.length <= 2 ? parts.length * 4 : 16)
  parts.forEach((part, index) => {
    if (index < 2) bytes.writeUInt32BE(part >>> 0, index * 4)
    else bytes.writeBigUInt64BE(BigInt(part), 8)
  })
  return bytes.toString('base64').replaceAll('/', '-')
}

/** How far the one partition key range of a container is: `0:<version>#<lsn>`. */
export function sessionToken(rollbacks: number, lsn: number): string {
  return `0:${rollbacks === 0 ? -1 : rollbacks}#${lsn}`
}

/** The log sequence number that a client says it has seen. */
export function seenLsn(token: string): number {
  const match = /^0:-?\d+#(\d+)(#.*)?$/.exec(token)
  if (match === null) throw badRequest(`The session token ${JSON.stringify(token)} is not one of this container.`)
  return Number(match[1])
}

/** Where a feed goes on, bound to what was asked. */
export function continuationOf(asked: string, position: Json): string {
  // Encoded: it travels in a header.
  return Buffer.from(JSON.stringify({ asked: digest(asked), position })).toString('base64')
}

export function positionOf(asked: string, token: string): Json {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString()) as { asked?: unknown; position: Json }
    if (parsed.asked === digest(asked)) return parsed.position
  } catch {
    // Falls through: garbage is answered like another query's token.
  }
  throw badRequest('The continuation token is not one of this query.')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
