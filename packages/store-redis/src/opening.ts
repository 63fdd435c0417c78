// opening.ts: finds the store under a prefix, or makes it.
// The identity record says which store it is; every shard has a record that bears its mark. All of them are made before
// the identity is `ready`: from then on a record that is missing was lost, and is never made again by itself (G15).
//   O1  Nothing is written before it is known that nothing stands there.
//   O2  Hosts that open at the same time, or one after another has died in the middle, make the same store: the first
//       mark stands, and each record is made where there is none.
import { randomBytes } from 'node:crypto'
import { InterstateError } from '@interstate/core'
import type { RedisConnection } from './client.ts'
import type { Command, Courier } from './courier.ts'
import type { Names } from './names.ts'
import { plain, scripted } from './reader.ts'
import { begin } from './scripts/begin.ts'
import { found } from './scripts/found.ts'
import { ready } from './scripts/ready.ts'

/** Of all that stands under a prefix. Another one is another store to us. */
export const format = 1

/** Whether a store is made where none stands. */
export type WhenAbsent = 'create' | 'refuse'

/** What {@link openStore} takes. */
export interface Opening {
  readonly courier: Courier
  readonly names: Names
  readonly absent: WhenAbsent
}

interface Identity {
  readonly id: string
  readonly shards: number
  readonly format: number
  readonly isReady: boolean
}

/**
 * Gives the mark that all records of the store bear.
 *
 * @throws InterstateError `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNFIT`, `STORE_LOST_HISTORY`.
 */
export async function openStore(opening: Opening): Promise<string> {
  const found = (await identify(opening)) ?? (await create(opening))
  const { shards } = opening.names
  if (found.format > format) {
    const what = `The store under "${opening.names.prefix}" has format ${found.format}, this driver knows ${format}.`
    throw new InterstateError('STORE_NEWER', what, { format: found.format, knows: format })
  }
  if (found.shards !== shards.length) {
    const what = `The store has ${found.shards} shards, not ${shards.length}: the number is fixed when it is created.`
    const details = { probe: 'shards', stored: found.shards, wanted: shards.length }
    throw new InterstateError('STORE_UNFIT', what, details)
  }
  const mark = markOf(found)
  if (!found.isReady) await finish(opening, found, mark)
  return mark
}

/** What a record of a shard must bear, all in one text so that a script has one comparison. */
function markOf({ id, format, shards }: Identity): string {
  return `${id}.${format}.${shards}`
}

async function identify({ courier, names: { cluster, prefix } }: Opening): Promise<Identity | undefined> {
  try {
    const command = plain('HMGET', cluster.identity, 'id', 'shards', 'format', 'state')
    const [id, shards, format, state] = (await courier.read(cluster.slot, command)) as readonly (string | null)[]
    if (id == null) return undefined
    return { id, shards: Number(shards), format: Number(format), isReady: state === 'ready' }
  } catch (error) {
    const isOther = error instanceof InterstateError && String(error.cause).includes('WRONGTYPE')
    if (isOther) throw foreign(prefix, cluster.identity)
    throw error
  }
}

async function create(opening: Opening): Promise<Identity> {
  const { courier, names, absent } = opening
  if (absent === 'refuse') {
    const what = `There is no store under "${names.prefix}", and none is to be made.`
    throw new InterstateError('STORE_FOREIGN', what, { prefix: names.prefix })
  }
  const strange = await findStrange(courier, names)
  if (strange !== undefined) {
    // Somebody may have begun between the two looks.
    const meanwhile = await identify(opening)
    if (meanwhile !== undefined) return meanwhile
    throw strange
  }
  const id = randomBytes(9).toString('base64url')
  const command = scripted(begin, [names.cluster.identity], id, names.shards.length, format)
  await write(courier, names.cluster.slot, command)
  const made = await identify(opening)
  if (made === undefined) throw new InterstateError('STORE_FAILED', 'The identity record does not stay.', {})
  return made
}

async function finish({ courier, names }: Opening, identity: Identity, mark: string): Promise<void> {
  const lines = names.shards.map(({ slot, record }) => ({ slot, commands: [scripted(found, [record], mark)] }))
  const { answers } = await courier.send(lines, { writes: true })
  const other = names.shards.find((_, index) => answers[index]?.[0] !== mark)
  if (other !== undefined) throw foreign(names.prefix, other.record)
  const { slot, identity: key } = names.cluster
  await write(courier, slot, scripted(ready, [key], identity.id))
}

async function write(courier: Courier, slot: number, command: Command): Promise<void> {
  await courier.send([{ slot, commands: [command] }], { writes: true })
}

/** What stands under the prefix where there is no identity; `undefined` for nothing. */
async function findStrange(courier: Courier, names: Names): Promise<InterstateError | undefined> {
  const records = new Set(names.shards.map(({ record }) => record))
  for (const node of courier.primaries()) {
    for await (const key of keysUnder(node, names.prefix)) {
      if (!records.has(key)) return foreign(names.prefix, key)
      const what = `There is ${key}, but no identity record: the server that held it has lost it.`
      return new InterstateError('STORE_LOST_HISTORY', what, { key })
    }
  }
  return undefined
}

async function* keysUnder(node: RedisConnection, prefix: string): AsyncGenerator<string, void> {
  const pattern = `*${prefix.replaceAll(/[*?[\]\\^-]/g, '\\$&')}:*`
  let cursor = '0'
  do {
    const [next, keys] = (await node.call('SCAN', [cursor, 'MATCH', pattern, 'COUNT', 1_000])) as [string, string[]]
    for (const key of keys) if (key.startsWith(`{${prefix}:`) || key.startsWith(`${prefix}:`)) yield key
    cursor = next
  } while (cursor !== '0')
}

function foreign(prefix: string, key: string): InterstateError {
  return new InterstateError('STORE_FOREIGN', `There is ${key}, which no store of ours under "${prefix}" has made.`, {
    prefix,
    key,
  })
}
