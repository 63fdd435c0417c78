// Each check of a script, taken out on purpose, turns the contract red: by the guarantee that rests on it.
import { chainAfter, emptyChain, type HostId, type StoreDriver } from '@interstate/core'
import { checkStoreGuarantee, storeGuaranteesOf } from '@interstate/testing/stores'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisStore } from '../src/redis-store.ts'
import { type Scripts, scripts } from '../src/scripts/index.ts'
import { type Script, script } from '../src/scripts/script.ts'
import { commit, entityIn, group, leasesOf, message } from './hand.ts'
import { overheard } from './overheard.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'
import { freshPrefix, opening } from './stage.ts'

/** A script, one of its checks, and guarantees that break without it. */
const broken: readonly (readonly [script: keyof Scripts, check: string, breaks: readonly string[]])[] = [
  ['commit', 'fence', ['G5: a paused owner cannot write after its shards passed on']],
  ['commit', 'regress', ['G5: an epoch that nobody was given writes nothing']],
  ['commit', 'version', ['G4: a commit on another version than the stored one changes nothing']],
  ['commit', 'consumed', ['G1: a second commit that consumes a message is a duplicate and changes nothing']],
  ['commit', 'applied', ['G7: the same attempt in another group is already applied and changes nothing']],
  ['accept', 'fence', ['G5: an epoch that nobody was given lets nothing in']],
  ['accept', 'attempt', ['G7: a group that only accepts messages, written again after they were handled']],
  ['accept', 'taken', ['G10: ']],
  ['deliver', 'mark', ['G7: ']],
  ['deliver', 'gap', ['G6: ', 'G16: ', 'G2: ']],
  ['deliver', 'chain', ['G15: ']],
  ['deliver', 'head', ['G15: ']],
]

/** Properties over whole histories take their time, and name nothing. */
const quick = storeGuaranteesOf('shard').filter(({ holds }) => !/any history|histories/.test(holds))

/** The script without one of its checks: the line behind `-- @check`. */
function without({ text }: Script, check: string): Script {
  const body = text.slice(text.indexOf('\n') + 1)
  const cut = body.replace(new RegExp(`-- @${check}\\n.*\\n`), '\n')
  expect(cut).not.toBe(body)
  return script(cut)
}

describeWithRedis('a broken script', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server?.stop())

  /** The titles of all guarantees that break. */
  async function red(parts: Partial<Scripts>): Promise<readonly string[]> {
    const titles: string[] = []
    const open = opening(() => server, { settleMs: 200 }, parts)
    for (const each of quick) {
      const failed = await checkStoreGuarantee(each, open).then(
        () => false,
        () => true,
      )
      if (failed) titles.push(`${each.guarantee}: ${each.holds}`)
    }
    return titles
  }

  for (const [name, check, breaks] of broken) {
    test(`${name} without its check "${check}" is caught`, { timeout: 60_000 }, async () => {
      const titles = await red({ [name]: without(scripts[name], check) })
      const isNamed = titles.some((title) => breaks.some((each) => title.startsWith(each)))
      expect(isNamed, titles.join('\n')).toBe(true)
      // A suite that turns red as a whole says nothing about what is broken.
      expect(titles.length).toBeLessThan(quick.length / 2)
    })
  }

  const tries: Readonly<Record<'accept' | 'commit' | 'deliver', (store: StoreDriver) => Promise<Try>>> = {
    commit: async (store) => {
      const commits = [commit(await leasesOf(store), entityIn(store, 0))]
      return async () => (await store.write(group({ commits }))).results[0]?.outcome
    },
    accept: async (store) => {
      await leasesOf(store)
      const accepted = [message(store, 'a', entityIn(store, 0))]
      return async () => ((await store.write(group({ accepted }))).lost === undefined ? 'accepted' : 'lost')
    },
    deliver: async (store) => {
      await leasesOf(store)
      const sent = message(store, 'a', entityIn(store, 0))
      const messages = [{ ...sent, number: 1, chain: chainAfter(emptyChain, sent.id) }]
      return async () => (await store.lanes?.deliver([{ from: 1, to: 0, messages }]))?.[0]?.outcome
    },
  }
  const written = { commit: 'committed', accept: 'accepted', deliver: 'delivered' }

  for (const name of ['commit', 'accept', 'deliver'] as const) {
    test.each(['watermark', 'store'])(
      `${name} without its check "%s" writes to a shard that lost history`,
      async (check) => {
        for (const parts of [{}, { [name]: without(scripts[name], check) }]) {
          const client = server.client()
          const prefix = freshPrefix()
          const store = new RedisStore({ client, prefix, shards: 2 }, parts)
          const attempt = await tries[name](store)
          const [record = ''] = await client.keys(`{${prefix}:0.*}:shard`)
          if (check === 'watermark') await client.hset(record, 'seq', 0)
          else await client.hset(record, 'store', 'another')
          expect(await attempt()).toBe(name in parts ? written[name] : 'lost')
        }
      },
    )
  }

  test('commit without its check "refused" writes what it has refused before', async () => {
    for (const parts of [{}, { commit: without(scripts.commit, 'refused') }]) {
      const store = new RedisStore({ client: server.client(), prefix: freshPrefix(), shards: 1 }, parts)
      const leases = await leasesOf(store)
      const entity = entityIn(store, 0)
      const early = group({ commits: [commit(leases, entity, { expectedVersion: 1 })] })
      expect((await store.write(early)).results[0]?.outcome).toBe('conflict')
      await store.write(group({ owner: 'host-b' as HostId, commits: [commit(leases, entity)] }))
      // Now it would fit.
      expect((await store.write(early)).results[0]?.outcome).toBe('commit' in parts ? 'committed' : 'conflict')
    }
  })

  test('accept without its check "stale" lets a message in again that was handled', async () => {
    for (const parts of [{}, { accept: without(scripts.accept, 'stale') }]) {
      const sent: (readonly [string, ...(string | number)[]])[] = []
      const client = overheard(server.client(), (_, piece) => sent.push(...piece))
      const store = new RedisStore({ client, prefix: freshPrefix(), shards: 1 }, parts)
      const leases = await leasesOf(store)
      const entity = entityIn(store, 0)
      const [first, second] = [message(store, 'first', entity), message(store, 'second', entity)]
      await store.write(group({ accepted: [first] }))
      await store.write(group({ accepted: [second], commits: [commit(leases, entity, { consumed: [first.id] })] }))
      const [name = '', ...late] = sent.find((command) => command.includes(first.id)) ?? []
      await server.client().call(name, late)
      const waiting = (await store.inbox([0], 0, 10)).map(({ id }) => id)
      expect(waiting).toEqual('accept' in parts ? [second.id, first.id] : [second.id])
    }
  })
})

/** Writes to a shard, and tells how that ended. */
type Try = () => Promise<string | undefined>
