import type { DeadLetter, MessageId, StoreDriver } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { interstate } from './console.ts'
import { trade } from './shop.ts'
import { entities, Till } from './till.ts'

const app = new URL('./till.ts', import.meta.url).pathname

async function shop(): Promise<StoreDriver> {
  const store = memoryStore()
  await trade(store)
  return store
}

async function idsOf(store: StoreDriver): Promise<readonly MessageId[]> {
  return (await store.deadLetters(undefined, 100)).map(({ id }) => id)
}

describe('dead-letters list', () => {
  test('shows each with its entity, its type and why it was given up', async () => {
    const store = await shop()
    const { json, exitCode } = await interstate(['dead-letters', 'list', '--json'], { store })
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({
      deadLetters: [
        { entity: 'till/front', type: 'Sell', kind: 'command', from: 'client', code: 'MACHINE_FAILED', attempts: 4 },
        { entity: 'till/front', type: 'Sell', code: 'MACHINE_FAILED', attempts: 4 },
      ],
      next: null,
    })
    expect(Object.keys(json.deadLetters[0])).toEqual([
      ...['id', 'entity', 'shard', 'type', 'kind', 'from', 'code', 'text', 'attempts', 'at'],
    ])
    const { out } = await interstate(['dead-letters', 'list'], { store })
    expect(out).toContain('MACHINE_FAILED')
    expect(out).toContain('no price for luck')
  })

  test('goes from page to page without losing or repeating one', async () => {
    const store = await shop()
    const first = await interstate(['dead-letters', 'list', '--limit', '1', '--json'], { store })
    const second = await interstate(['dead-letters', 'list', '--limit', '1', '--after', first.json.next, '--json'], {
      store,
    })
    expect([...first.json.deadLetters, ...second.json.deadLetters].map(({ id }) => id)).toEqual(await idsOf(store))
    expect(second.json.next).toBeNull()
  })

  test('can be narrowed to an entity and to a reason', async () => {
    const store = await shop()
    const of = async (...args: string[]) => {
      return (await interstate(['dead-letters', 'list', '--json', ...args], { store })).json.deadLetters.length
    }
    expect(await of('--entity', 'till/front', '--code', 'MACHINE_FAILED')).toBe(2)
    expect(await of('--entity', 'till/back')).toBe(0)
    expect(await of('--code', 'HOST_CRASHED')).toBe(0)
  })

  test('hands no escape sequence of a message to the terminal', async () => {
    const store = await shop()
    const { out } = await interstate(['dead-letters', 'list'], { store })
    expect(out).toContain('no price for \\u001b[31mred')
    expect(out).not.toContain('\u001b')
  })

  test('says so when there are none', async () => {
    expect((await interstate(['dead-letters', 'list'], { store: memoryStore() })).out).toBe('No dead letters.\n')
  })
})

describe('dead-letters show', () => {
  test('shows the message in full', async () => {
    const store = await shop()
    const [id = ''] = await idsOf(store)
    const { json } = await interstate(['dead-letters', 'show', id, '--json'], { store })
    expect(json).toMatchObject({ id, message: { type: 'Sell', data: { potion: 'luck' } }, body: expect.any(String) })
    expect((await interstate(['dead-letters', 'show', id], { store })).out).toContain('{"potion":"luck"}')
  })

  test('of one that does not exist is refused in one line', async () => {
    const { err, exitCode } = await interstate(['dead-letters', 'show', 'nobody'], { store: memoryStore() })
    expect(err).toMatch(/^DEAD_LETTER_UNKNOWN: There is no dead letter "nobody"; .*\n$/)
    expect(exitCode).toBe(1)
  })

  test('of a damaged one shows its stored form', async () => {
    const store = memoryStore()
    const letter = await damaged(store)
    const { json } = await interstate(['dead-letters', 'show', letter.id, '--json'], { store })
    expect(json).toMatchObject({ type: null, message: null, body: 'not JSON', code: '?', at: null })
    expect((await interstate(['dead-letters', 'show', letter.id], { store })).out).toContain('not JSON')
  })
})

describe('dead-letters dry-run', () => {
  test('tells why it would fail again, with the definitions of a module', async () => {
    const store = await shop()
    const [id = ''] = await idsOf(store)
    const { json, exitCode, err } = await interstate(['dead-letters', 'dry-run', id, '--app', app, '--json'], { store })
    expect(err).toBe('')
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({ id, entity: 'till/front', succeeds: false, error: { code: 'MACHINE_FAILED' } })
    expect(await idsOf(store)).toContain(id)
  })

  test('tells what would happen, against the entity as it is now', async () => {
    const store = await shop()
    const [letter] = await store.deadLetters(undefined, 1)
    if (letter === undefined) throw new Error('no dead letter')
    const body = letter.body.replace('luck', 'healing')
    const mended = { ...letter, body }
    const { json } = await interstate(['dead-letters', 'dry-run', letter.id, '--app', app, '--json'], {
      store: Object.assign(Object.create(store) as StoreDriver, { deadLetter: async () => mended }),
    })
    expect(json).toEqual({
      ...{ id: letter.id, entity: 'till/front', succeeds: true },
      ...{ outcome: 'handled', before: 'open', after: 'open', sends: [] },
    })
  })

  test('without definitions says what is missing', async () => {
    const store = await shop()
    const [id = ''] = await idsOf(store)
    const { err, exitCode } = await interstate(['dead-letters', 'dry-run', id], { store })
    expect(err).toMatch(/^USAGE: a dry run needs the definitions of the entities; give --app .*\n$/)
    expect(exitCode).toBe(2)
  })

  test.each([
    ['./nowhere.ts', /^APP_INVALID: .*can't be loaded/],
    ['./empty.ts', /^APP_INVALID: .*exports no entities/],
  ])('refuses a module that is of no use: %s', async (module, line) => {
    const store = await shop()
    const [id = ''] = await idsOf(store)
    const path = new URL(module, import.meta.url).pathname
    const { err, exitCode } = await interstate(['dead-letters', 'dry-run', id, '--app', path], { store })
    expect(err).toMatch(line)
    expect(err.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(1)
  })
})

describe('dead-letters requeue', () => {
  test('puts one back, and a host handles it', async () => {
    const store = await shop()
    const [id = ''] = await idsOf(store)
    const { json } = await interstate(['dead-letters', 'requeue', id, '--json'], { store })
    expect(json).toEqual({ requeued: [id], refused: [] })
    expect(await idsOf(store)).not.toContain(id)
    const env = new VirtualEnv({ seed: 2, startMs: Date.UTC(2026, 0, 2) })
    await using host = await createHost({ entities, store, env, policies: { analyse: false } })
    await env.advance(60_000)
    expect(await host.deadLetters.inspect(id as MessageId), 'it failed again').toMatchObject({ attempts: 4 })
    expect((await host.read(Till.at('front')))?.context).toEqual({ cents: 500 })
  })

  test('moves nothing when one of several is unknown', async () => {
    const store = await shop()
    const ids = await idsOf(store)
    const { err, exitCode } = await interstate(['dead-letters', 'requeue', ...ids, 'nobody'], { store })
    expect(err).toMatch(/^DEAD_LETTER_UNKNOWN/)
    expect(exitCode).toBe(1)
    expect(await idsOf(store)).toEqual(ids)
  })

  test('of all asks first, and does nothing on no', async () => {
    const store = await shop()
    const no = await interstate(['dead-letters', 'requeue', '--all'], { store, answers: false })
    expect(no.asked).toEqual(['Put 2 dead letters back to be handled again?'])
    expect(no.err).toBe('NOT_CONFIRMED: it was not confirmed; nothing was changed\n')
    expect(no.exitCode).toBe(1)
    expect(await idsOf(store)).toHaveLength(2)
    const yes = await interstate(['dead-letters', 'requeue', '--all'], { store, answers: true })
    expect(yes.out).toBe('2 dead letters put back.\n')
    expect(await idsOf(store)).toEqual([])
  })

  test('of all without a terminal needs --yes', async () => {
    const store = await shop()
    expect((await interstate(['dead-letters', 'requeue', '--all'], { store })).err).toMatch(/^NOT_CONFIRMED: .*--yes/)
    expect(await idsOf(store)).toHaveLength(2)
    expect((await interstate(['dead-letters', 'requeue', '--all', '--yes'], { store })).exitCode).toBe(0)
    expect(await idsOf(store)).toEqual([])
  })

  test('leaves what can not be read, and says so', async () => {
    const store = memoryStore()
    const { id } = await damaged(store)
    const all = await interstate(['dead-letters', 'requeue', '--all', '--yes', '--json'], { store })
    expect(all.json).toEqual({ requeued: [], refused: [{ id, why: 'can not be read' }] })
    expect((await interstate(['dead-letters', 'requeue', id], { store })).err).toMatch(/^REQUEUE_REFUSED: /)
    expect(await idsOf(store)).toEqual([id])
  })

  test.each([[[]], [['one', '--all']], [['one', '--code', 'X']]])('needs to know which are meant: %s', async (args) => {
    const { exitCode, err } = await interstate(['dead-letters', 'requeue', ...args], { store: memoryStore() })
    expect(err).toMatch(/^USAGE: /)
    expect(exitCode).toBe(2)
  })

  test('leaves a word for the host that runs the shard', async () => {
    const store = memoryStore({ scope: 'shard', shards: 4 })
    const letter = await damaged(store, JSON.stringify(envelope), 'a')
    await store.cluster?.beat({ host: 'a' as never, beat: 1, weight: 1, pins: [], runs: {} })
    expect((await interstate(['dead-letters', 'requeue', letter.id], { store })).exitCode).toBe(0)
    expect(await store.cluster?.collect('a' as never)).toEqual(['{"news":[3]}'])
  })
})

const envelope = {
  ...{ id: 'letter-1', kind: 'command', to: 'till/x', from: 'client', type: 'Sell', data: {} },
  ...{ correlationId: 'letter-1', causationId: 'letter-1', created: 0, contractVersion: 1 },
}

/** A dead letter that no host would write. */
async function damaged(store: StoreDriver, body = 'not JSON', owner = 'a'): Promise<DeadLetter> {
  const { leases } = await store.acquire(owner as never, [3])
  const [lease] = leases
  if (lease === undefined) throw new Error('no lease')
  const letter = { id: 'letter-1', to: 'till/x', shard: 3, body, reason: 'neither' } as unknown as DeadLetter
  const nothing = { trouble: undefined, wakeAt: undefined, unsettled: false, consumed: [], outbox: [], replies: [] }
  const commit = {
    ...nothing,
    lease,
    entity: letter.to,
    expectedVersion: 0,
    tag: 't',
    snapshot: 's',
    deadLetters: [letter],
  }
  await store.write({ owner: lease.owner, tag: 'g', accepted: [], registrations: [], commits: [commit], mode: 'each' })
  return letter
}
