// write.ts: writes the golden file of this version, with everything in it that a store can hold.
//   npx node --conditions=@interstate/source test/golden/write.ts test/golden/store-v1.db
// A file that was released is never written again: a change of what is stored gets a new file, and the old ones stay.
import { rmSync } from 'node:fs'
import { type EntityId, type Envelope, encodeEnvelope, type HostId, idempotencyKey, shardOf } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { Account, Journal, Sieve, systemWith } from './system.ts'

/** When the golden file was written, by its own clock. */
export const writtenAt = Date.UTC(2026, 0, 1)
/** Small, so that the file is. */
const shards = 4

/** Keys of the golden file, by what became of them. */
export const keys = {
  answered: idempotencyKey('answered', { at: writtenAt }),
  refused: idempotencyKey('refused', { at: writtenAt }),
  deadLettered: idempotencyKey('dead-lettered', { at: writtenAt }),
  purged: idempotencyKey('purged', { at: writtenAt - 1_000 }),
}

/** Writes a golden file to a path. What was there is gone. */
export async function writeGolden(path: string): Promise<void> {
  rmSync(path, { force: true })
  const env = new VirtualEnv({ startMs: writtenAt })
  const { entities } = systemWith({
    bears: (text) => !text.includes('sorrow'),
    // Letters are on their way forever.
    post: { send: () => new Promise(() => {}) },
  })
  const store = sqliteStore({ path, shards })
  const host = await createHost({ entities, store, env, policies: { retry: { attempts: 2, firstDelayMs: 1_000 } } })
  await fill(host, env)
  await host.stop()
  await leaveWaiting(path)
}

async function fill(host: Host, env: VirtualEnv): Promise<void> {
  const deposit = (cents: number) => ({ type: 'Deposit', cents }) as const
  // Answered, refused, with a tenant, with headers and a chain of its own, with letters that need escaping.
  await host.ask(Account.at('rich'), deposit(1_500), { idempotencyKey: keys.answered })
  await host.send(Account.at('rich'), { type: 'Freeze' })
  await host.send(Account.at('rich'), { type: 'Deposit', cents: 1 }, { idempotencyKey: keys.refused })
  await host.send(Account.at('poor', { tenant: 'north' }), deposit(10), {
    correlationId: 'chain-1',
    headers: { trace: 'x' },
  })
  await host.send(Account.at('Zoë & söhne'), { type: 'Deposit', cents: 7, note: '“ß∂ 💰”' })
  await host.send(Account.at('gone'), deposit(5), { idempotencyKey: keys.purged })
  await host.send(Account.at('gone'), { type: 'Close' })
  await host.purge({ before: writtenAt })
  // Parked, with a message behind it.
  await host.send(Journal.at('parked'), { type: 'Enter', text: 'joy' })
  await host.send(Journal.at('parked'), { type: 'Enter', text: 'sorrow' })
  // A dead letter.
  await host.send(Sieve.at('fine'), { type: 'Pass', text: 'joy' })
  await host.send(Sieve.at('fine'), { type: 'Pass', text: 'sorrow' }, { idempotencyKey: keys.deadLettered })
  await env.advance(10_000)
  await host.send(Journal.at('parked'), { type: 'Enter', text: 'hope' })
  // Tried once, to be tried again.
  await host.send(Journal.at('waiting'), { type: 'Enter', text: 'a little sorrow' })
  await env.advance(100)
}

/** Messages that were accepted by a host that was killed before it handled them. */
async function leaveWaiting(path: string): Promise<void> {
  const store = sqliteStore({ path })
  await store.probe()
  const owner = 'killed' as HostId
  await store.acquire(owner, [0, 1, 2, 3])
  const messages = [
    waiting('waiting-1', 'account/rich', 'Thaw', {}),
    waiting('waiting-2', 'account/rich', 'Deposit', { cents: 20, note: 'late' }),
  ]
  await store.write({
    owner,
    tag: 'last',
    accepted: messages.map((envelope) => {
      const { id, to } = envelope
      return { id, to, shard: shardOf(to, shards), body: encodeEnvelope(envelope), lease: undefined }
    }),
    registrations: [],
    commits: [],
    mode: 'each',
  })
  await store.close()
}

function waiting(id: string, to: string, type: string, data: Envelope['data']): Envelope {
  const message = id as Envelope['id']
  return {
    id: message,
    kind: 'command',
    to: to as EntityId,
    from: 'client',
    type,
    data,
    correlationId: message,
    causationId: message,
    created: writtenAt,
    contractVersion: 2,
  }
}

if (import.meta.main) {
  const [, , path] = process.argv
  if (path === undefined) throw new Error('Say where to: test/golden/store-v1.db')
  await writeGolden(path)
}
