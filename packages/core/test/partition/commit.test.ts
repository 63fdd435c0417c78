// commit.test.ts: what one write of a document promises: attempts, fences, keys, inbox, erasure, sizes.
import { describe, expect, test } from 'vitest'
import { idempotencyKey, type MessageId } from '../../src/index.ts'
import { type Acceptance, accept } from '../../src/partition/accept.ts'
import { commit } from '../../src/partition/commit.ts'
import { deliver } from '../../src/partition/deliver.ts'
import { type EntityDocument, versionOf } from '../../src/partition/document.ts'
import { holdingsOf } from '../../src/partition/erase.ts'
import { keyState, purge } from '../../src/partition/keys.ts'
import { prove } from '../../src/partition/proof.ts'
import { documentBytes, spillOf } from '../../src/partition/size.ts'
import { commitOn, committed, consignmentOf, documentOf, having, messageTo, receiver, sender } from './world.ts'

const key = idempotencyKey('order-17', { at: 1_000 })
const entry = { key, message: 'c1' as MessageId, fingerprint: 'f' }

function acceptanceOn(document: EntityDocument | undefined, changes: Partial<Acceptance> = {}): Acceptance {
  return {
    at: { entity: sender, shard: 0, incarnation: 'a' },
    epoch: 1,
    expected: versionOf(document),
    tag: `accept@${document?.version ?? 0}`,
    messages: [messageTo(sender, 'c1')],
    registrations: [],
    ...changes,
  }
}

describe('attempts', () => {
  test('G4 a commit on another version than the stored one is in conflict and writes nothing', () => {
    const s = committed(committed(undefined))
    expect(commit(s, commitOn(undefined, { tag: 'other' }))).toEqual({ outcome: 'conflict', at: versionOf(s) })
    expect(commit(undefined, commitOn(s, { tag: 'other' }))).toEqual({ outcome: 'conflict', at: undefined })
  })

  test('G4 the same version of another life is in conflict', () => {
    const s = committed(undefined)
    expect(commit({ ...s, incarnation: 'c' }, commitOn(s))).toMatchObject({ outcome: 'conflict' })
  })

  test('G1 the same attempt again answers that it is applied, also after deliveries and trims', () => {
    const attempt = commitOn(undefined, { entity: receiver })
    const r = documentOf(commit(undefined, attempt))
    expect(commit(r, attempt)).toEqual({ outcome: 'already applied', version: 1 })
    const s = having(undefined, 'm1')
    const proof = prove({ entity: receiver, at: versionOf(r) }, sender, s)
    const later = documentOf(deliver(r, { to: attempt.at, consignment: consignmentOf(s), proof }))
    expect(commit(later, attempt)).toEqual({ outcome: 'already applied', version: 2 })
  })

  test('G5 once a newer epoch has written, an older one is fenced whatever it has loaded', () => {
    const s = committed(undefined, { epoch: 2 })
    expect(commit(s, commitOn(s, { epoch: 1, tag: 'old' }))).toEqual({ outcome: 'fenced', epoch: 2 })
    expect(accept(s, acceptanceOn(s))).toEqual({ outcome: 'fenced', epoch: 2 })
  })

  test('G5 before that, an old owner may write on the present state', () => {
    const s = committed(undefined, { epoch: 1 })
    expect(commit(s, commitOn(s, { epoch: 1 }))).toMatchObject({ outcome: 'committed' })
  })

  test('G5 an attempt that was written and fenced since does not hear of a mere conflict', () => {
    const attempt = commitOn(undefined)
    const s = committed(documentOf(commit(undefined, attempt)), { epoch: 2 })
    expect(commit(s, attempt)).toEqual({ outcome: 'fenced', epoch: 2 })
  })
})

describe('inbox', () => {
  test('G1 a message that is not in the inbox makes the commit a duplicate', () => {
    const s = committed(undefined, { accepted: [messageTo(sender, 'c1')] })
    const consumed = ['c1' as MessageId]
    const after = committed(s, { consumed })
    expect(after.inbox).toEqual([])
    expect(commit(after, commitOn(after, { consumed }))).toEqual({ outcome: 'duplicate', message: 'c1' })
    expect(commit(s, commitOn(s, { consumed: [...consumed, ...consumed] }))).toMatchObject({ outcome: 'duplicate' })
  })

  test('G6 positions have no gaps, whatever way a message comes in', () => {
    const s = having(undefined, 'm1')
    const r = committed(undefined, {
      entity: receiver,
      accepted: [messageTo(receiver, 'c1'), messageTo(receiver, 'c2')],
    })
    const proof = prove({ entity: receiver, at: versionOf(r) }, sender, s)
    const delivered = documentOf(deliver(r, { to: commitOn(r).at, consignment: consignmentOf(s), proof }))
    const after = committed(delivered, { consumed: ['c1' as MessageId], outbox: [messageTo(receiver, 'own')] })
    expect(after.inbox.map(({ id, position }) => [id, position])).toEqual([
      ['c2', 2],
      ['m1', 3],
      ['own', 4],
    ])
    expect(after.outbox).toEqual({})
  })

  test('G12 a message that waits already stays where it is', () => {
    const s = documentOf(accept(undefined, acceptanceOn(undefined)))
    const result = accept(s, acceptanceOn(s))
    expect(result).toMatchObject({
      outcome: 'accepted',
      accepted: [{ id: 'c1', position: 1 }],
      document: { position: 1 },
    })
  })

  test('G12 what was given up is kept, and no longer waits', () => {
    const s = documentOf(accept(undefined, acceptanceOn(undefined)))
    const letter = { ...messageTo(sender, 'c1', '{}'), reason: 'why' }
    const after = committed(s, { consumed: ['c1' as MessageId], deadLetters: [letter] })
    expect(after).toMatchObject({ inbox: [], deadLetters: [{ id: 'c1', body: '{}', reason: 'why' }] })
  })

  test('G3 a commit that fails in any part leaves everything as it was', () => {
    const s = having(undefined, 'm1')
    const before = structuredClone(s)
    const foreign = { from: sender, to: receiver, lane: 'a.1', number: 9, chain: 'x' }
    expect(commit(s, commitOn(s, { outbox: [messageTo(receiver, 'm2')], receipts: [foreign] }))).toMatchObject({
      outcome: 'broken',
    })
    expect(s).toEqual(before)
  })
})

describe('keys', () => {
  test('G10 key and message enter in one write, and the key is taken from then on', () => {
    const s = documentOf(accept(undefined, acceptanceOn(undefined, { registrations: [entry] })))
    expect(keyState(s, key)).toEqual({ state: 'known', message: 'c1', fingerprint: 'f', reply: undefined })
    const late = acceptanceOn(s, {
      messages: [messageTo(sender, 'c2')],
      registrations: [{ ...entry, message: 'c2' as MessageId }],
    })
    expect(accept(s, late)).toEqual({ outcome: 'taken', keys: [key] })
    expect(commit(s, commitOn(s, { registrations: [entry] }))).toEqual({ outcome: 'taken', keys: [key] })
  })

  test('G10 a repeated acceptance is recognised before its own keys are', () => {
    const acceptance = acceptanceOn(undefined, { registrations: [entry] })
    const s = documentOf(accept(undefined, acceptance))
    expect(accept(s, acceptance)).toEqual({ outcome: 'already applied', version: 1 })
  })

  test('G10 one key twice in one write is taken the second time', () => {
    const registrations = [entry, { ...entry, message: 'c2' as MessageId }]
    expect(accept(undefined, acceptanceOn(undefined, { registrations }))).toEqual({ outcome: 'taken', keys: [key] })
  })

  test('G10 the first reply to a key stands', () => {
    const first = committed(undefined, { registrations: [entry], replies: [{ key, reply: 'one' }] })
    const second = committed(first, { replies: [{ key, reply: 'two' }] })
    expect(keyState(second, key)).toMatchObject({ reply: 'one' })
  })

  test('G10 a key before the purge mark is forgotten and refused', () => {
    const s = committed(undefined, { registrations: [entry] })
    const after = purge(s, 2_000)
    expect(after).toMatchObject({ keys: {}, version: 2 })
    expect(keyState(after, key)).toEqual({ state: 'purged' })
    expect(accept(after, acceptanceOn(after, { registrations: [entry] }))).toEqual({ outcome: 'taken', keys: [key] })
    expect(purge(after as EntityDocument, 1_500)).toBeUndefined()
  })
})

describe('erasure', () => {
  test('G2 a document says all that it still holds', () => {
    const s = having(undefined, 'm1')
    expect(holdingsOf(s)).toEqual(['outbox'])
    const full = committed(s, {
      snapshot: 'state',
      accepted: [messageTo(sender, 'c1')],
      registrations: [entry],
      deadLetters: [{ ...messageTo(sender, 'c0'), reason: '' }],
    })
    const marked = { ...full, marks: { [receiver]: { lane: 'b.1', number: 1, chain: '' } } }
    expect(holdingsOf(marked)).toEqual(['snapshot', 'inbox', 'outbox', 'marks', 'keys', 'dead letters'])
  })

  test('G7 an entity without a snapshot stays stored and goes on counting', () => {
    const s = committed(committed(undefined, { snapshot: 'state' }), { snapshot: undefined })
    expect(s).toMatchObject({ version: 2, incarnation: 'a' })
    expect(holdingsOf(s)).toEqual([])
  })
})

describe('sizes', () => {
  const limits = { bodyBytes: 1_000, documentBytes: 4_000 }

  test('G11 a large body leaves the document, which is then as small as it says', () => {
    const s = committed(undefined, {
      outbox: [messageTo(receiver, 'm1', 'ä'.repeat(600)), messageTo(receiver, 'm2', 'x')],
    })
    const spill = spillOf(s, limits)
    expect(spill.bodies).toEqual([{ in: 'outbox', to: receiver, number: 1 }])
    const lane = s.outbox[receiver] as (typeof s.outbox)[typeof receiver]
    const messages = lane.messages.map((each) => (each.number === 1 ? { ...each, body: { bytes: 1_200 } } : each))
    const after = { ...s, outbox: { [receiver]: { ...lane, messages } } }
    expect(documentBytes(after)).toBe(spill.bytes)
    expect(spillOf(after, limits)).toEqual({ bodies: [], bytes: spill.bytes })
  })

  test('G11 a document that is too large as a whole gives up its largest bodies first, and no more than it must', () => {
    const bodies = [300, 900, 800, 700, 600, 500, 400]
    const s = committed(undefined, {
      accepted: bodies.map((size, index) => messageTo(sender, `c${index}`, 'x'.repeat(size))),
      deadLetters: [{ ...messageTo(sender, 'dead', 'x'.repeat(950)), reason: '' }],
    })
    const spill = spillOf(s, limits)
    expect(spill.bodies).toEqual([
      { in: 'dead letters', index: 0 },
      { in: 'inbox', position: 2 },
    ])
    expect(spill.bytes).toBeLessThanOrEqual(limits.documentBytes)
  })

  test('G11 what does not fit even without its bodies says so', () => {
    const s = committed(undefined, { snapshot: 'x'.repeat(5_000), accepted: [messageTo(sender, 'c1', 'short')] })
    expect(spillOf(s, limits).bytes).toBeGreaterThan(limits.documentBytes)
  })
})
