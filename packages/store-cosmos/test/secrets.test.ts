// secrets.test.ts: what opens the account is in no error and no log, whatever goes wrong.
import { inspect } from 'node:util'
import { CosmosClient } from '@azure/cosmos'
import { afterEach, expect, test, vi } from 'vitest'
import { Documents } from '../src/documents.ts'
import { failureOf, refusal, uncertain } from '../src/failure.ts'
import { probesOf } from '../src/probes.ts'
import { partitionOf } from './ledger.ts'
import { defaultKey, models } from './service.ts'
import { leaveAlone, openStage } from './stage.ts'

const token = 'eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJvZiBhbiBpZGVudGl0eSJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4'
const otherKey = Buffer.from('the key of somebody else, which is to stay secret').toString('base64')

const document = { ...partitionOf(1), id: 'head', tag: 'a' }

afterEach(() => {
  vi.restoreAllMocks()
})

function overheard(): () => string {
  const written: unknown[] = []
  const listen = (text: unknown): boolean => {
    written.push(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(listen)
  vi.spyOn(process.stderr, 'write').mockImplementation(listen)
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation(listen)
  return () => written.join('\n')
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    (value) => value,
    (error: unknown) => error,
  )
}

function expectNoSecret(what: unknown): void {
  const text = `${inspect(what, { depth: 20 })} ${[...textsIn(what)].join(' ')}`
  for (const secret of [defaultKey, otherKey, token, 'type%3Dmaster', 'type=master', 'type%3Daad']) {
    expect(text.toLowerCase()).not.toContain(secret.toLowerCase())
  }
}

/** Everything that can be reached: what the client throws hides its request from `inspect` alone. */
function* textsIn(what: unknown, seen: Set<unknown> = new Set()): Generator<string> {
  if (typeof what === 'string') yield what
  if (typeof what !== 'object' || what === null || seen.has(what)) return
  seen.add(what)
  if (what instanceof Map || what instanceof Set) yield* textsIn([...what], seen)
  for (const name of Reflect.ownKeys(what)) {
    yield String(name)
    yield* textsIn((what as Record<PropertyKey, unknown>)[name], seen)
  }
}

test.each([
  ['a wrong key', { key: otherKey }],
  ['a token that is not let in', { aadCredentials: { getToken: async () => ({ token, expiresOnTimestamp: 4e12 }) } }],
])('%s is STORE_UNFIT, and told to nobody', async (_, credentials) => {
  const heard = overheard()
  const { time, another, connect } = await openStage()
  const container = connect({ key: undefined, ...credentials } as never)
  const documents = another({ container })
  const thrown = [
    await time.run(thrownBy(documents.read(document, 'head'))),
    await time.run(thrownBy(documents.write({ kind: 'create', document }))),
    await time.run(thrownBy(documents.batch([{ kind: 'create', document }]))),
    await time.run(thrownBy(documents.query({ shard: 1 }))),
  ]
  for (const error of thrown) {
    expect(error).toMatchObject({ code: 'STORE_UNFIT', details: { probe: 'credentials', status: 401 } })
    expectNoSecret(error)
  }
  const probes = await time.run(probesOf({ container, documents, indexed: ['shard'], draw: () => 'x' }))
  expect(probes).toMatchObject([{ name: 'credentials', passed: false }])
  expectNoSecret(probes)
  expectNoSecret(heard())
})

test('a token that is let in works as a key does', async () => {
  const { time, another, connect } = await openStage({ service: { tokens: [token] } })
  const aadCredentials = { getToken: async () => ({ token, expiresOnTimestamp: 4e12 }) }
  const documents = another({ container: connect({ key: undefined, aadCredentials } as never) })
  expect((await time.run(documents.write({ kind: 'create', document }))).outcome).toBe('ok')
})

test.each(models)('what the client throws $name keeps its request to itself', async ({ open }) => {
  const heard = overheard()
  await using opened = await open()
  const documents = new Documents({ container: opened.container, settleMs: 200, attemptMs: 100 })
  const times = Number.POSITIVE_INFINITY
  for (const kind of ['drop answer', 'withhold answer'] as const) {
    const stop = opened.service.faults.inject({ fault: { kind }, times })
    const calls = [documents.write({ kind: 'create', document }), documents.batch([{ kind: 'create', document }])]
    for (const error of await Promise.all(calls.map(thrownBy))) {
      expect(error).toMatchObject({ code: 'STORE_UNCERTAIN' })
      expectNoSecret(error)
    }
    stop()
  }
  expectNoSecret(heard())
})

test('nobody at all at the endpoint is STORE_FAILED', async () => {
  const client = new CosmosClient({ endpoint: 'http://127.0.0.1:9/', key: otherKey, connectionPolicy: leaveAlone })
  const container = client.database('test').container('items')
  const documents = new Documents({ container, settleMs: 100 })
  const error = await thrownBy(documents.write({ kind: 'create', document }))
  expect(error).toMatchObject({ code: 'STORE_FAILED' })
  expectNoSecret(error)
})

test('a text of somebody else that holds a secret is told without it', () => {
  const texts = [
    `AccountEndpoint=https://x;AccountKey=${otherKey};`,
    `Authorization: Bearer ${token}`,
    'signed as type%3Dmaster%26ver%3D1.0%26sig%3Dabcdef%3D',
    `The key ${otherKey} is not right`,
  ]
  for (const text of texts) {
    const failure = failureOf(new Error(text))
    for (const error of [refusal(failure), uncertain(failure)]) {
      const told = inspect(error, { depth: 10 })
      expect(told).not.toContain(otherKey)
      expect(told).not.toContain(token)
      expect(told).not.toContain('abcdef')
    }
  }
})
