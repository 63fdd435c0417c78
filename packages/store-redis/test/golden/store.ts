// store.ts: a small store with something in every kind of key, and all that Redis has of it as plain data.
import { chainAfter, emptyChain, type HostId, type IdempotencyKey, type MessageId } from '@interstate/core'
import type { Redis } from 'ioredis'
import { redisStore } from '../../src/index.ts'
import { commit, entityIn, group, message } from '../hand.ts'

/** What stands under a key; bytes as characters of Latin-1. */
type Value = string | readonly string[] | Readonly<Record<string, string>>

/** By key, in the order of their names. */
export type Contents = Readonly<Record<string, Value>>

export const shards = 2
const host = 'host-a' as HostId
export const key = '1767225600000~order-17' as IdempotencyKey

/** Fills an empty server. What a store draws by chance has a name here instead. */
export async function fill(client: Redis): Promise<void> {
  await client.hset('{interstate:cluster}:identity', { id: 'golden', shards, format: 1, state: 'creating' })
  const store = redisStore({ client, shards })
  const { leases } = await store.acquire(host, [0, 1])
  const [here, there] = [entityIn(store, 0), entityIn(store, 1)]
  const [first, second] = [message(store, 'first', here), message(store, 'second', here)]
  const registration = { key, at: 1_767_225_600_000, shard: 0, message: first.id, fingerprint: 'print' }
  await store.write(group({ owner: host, tag: 'g1', accepted: [first, second], registrations: [registration] }))
  const full = commit(leases, here, {
    tag: 'c1',
    snapshot: 'i1:the snapshot',
    trouble: '{"attempts":1}',
    wakeAt: 1_767_225_660_000,
    unsettled: true,
    consumed: [first.id],
    outbox: [message(store, 'here', here), message(store, 'away', there)],
    replies: [{ key, reply: '{"end":"done"}' }],
    deadLetters: ['dead', 'mended'].map((name) => {
      return { ...message(store, name, here), reason: '{"code":"MACHINE_FAILED"}' }
    }),
  })
  await store.write(group({ owner: host, tag: 'g2', commits: [full] }))
  const late = commit(leases, here, { tag: 'c2', expectedVersion: 7 })
  await store.write(group({ owner: host, tag: 'g3', commits: [late] }))
  const coming = message(store, 'coming', here)
  const messages = [{ ...coming, number: 1, chain: chainAfter(emptyChain, coming.id) }]
  await store.lanes?.deliver([{ from: 1, to: 0, messages }])
  await store.requeue('message-mended' as MessageId)
  await store.purge(1_000)
  await store.cluster?.beat({ host, beat: 1, weight: 1, pins: [], runs: { order: '1' } })
  await store.cluster?.assign(0, [host, host], [])
  await store.cluster?.halt({ shard: 1, finding: 'The record of shard 1 is gone.' })
  await store.cluster?.notify([{ to: host, text: '{"news":[0]}' }])
  await store.close()
}

/** All that the server has. Tags and the instance of a driver, which are drawn, are replaced by as many characters. */
export async function contents(client: Redis): Promise<Contents> {
  const names = (await client.keys('*')).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await standing(client, name)] as const)))
}

/** Writes into an empty server what {@link contents} gave. */
export async function restore(client: Redis, contents: Contents): Promise<void> {
  for (const [name, value] of Object.entries(contents)) {
    if (typeof value === 'string') await client.set(name, bytes(value))
    else if (!Array.isArray(value)) {
      for (const [field, text] of Object.entries(value)) await client.hset(name, field, bytes(text))
    } else if (name.endsWith(':inbox')) {
      for (const entry of value) {
        const [id = '', ...parts] = JSON.parse(entry) as string[]
        await client.xadd(name, id, ...parts.map(bytes))
      }
    } else if (name.endsWith(':notes')) await client.rpush(name, ...value.map(bytes))
    else {
      for (const member of value) {
        const [score = '', text = ''] = JSON.parse(member) as string[]
        await client.zadd(name, score, bytes(text))
      }
    }
  }
}

async function standing(client: Redis, name: string): Promise<Value> {
  const type = await client.type(name)
  switch (type) {
    case 'string':
      return text(await client.getBuffer(name))
    case 'hash': {
      const flat = ((await client.callBuffer('HGETALL', name)) as Buffer[]).map(text)
      const pairs = Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? ''])
      const sorted = pairs.toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1))
      return Object.fromEntries(sorted.map(([field = '', value = '']) => [field, steady(name, field, value)]))
    }
    case 'list':
      return (await client.lrangeBuffer(name, 0, -1)).map(text)
    case 'stream': {
      const entries = (await client.xrangeBuffer(name, '-', '+')) as [Buffer, Buffer[]][]
      return entries.map(([id, parts]) => JSON.stringify([text(id), ...parts.map(text)]))
    }
    case 'zset': {
      const flat = (await client.zrangeBuffer(name, '0', '-1', 'WITHSCORES')).map(text)
      return Array.from({ length: flat.length / 2 }, (_, at) => JSON.stringify([flat[2 * at + 1], flat[2 * at]]))
    }
    default:
      throw new Error(`${name} is a ${type}: no key of ours is that.`)
  }
}

function steady(name: string, field: string, value: string): string {
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/
  if (name.endsWith(':shard') || name.endsWith(':assignment')) return value.replace(uuid, 'x'.repeat(36))
  // A list of six whose first is the instance, eight characters.
  if (name.endsWith(':attempts') && !field.startsWith('!')) return `${value.slice(0, 2)}INSTANCE${value.slice(10)}`
  return value
}

function text(bytes: Buffer | null): string {
  return bytes?.toString('latin1') ?? ''
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
