// lanes.test.ts: what a lane between two entities promises, rule by rule.
import { expect, test } from 'vitest'
import type { EntityConsignment, Receipt } from '../../src/partition/arrival.ts'
import { commit } from '../../src/partition/commit.ts'
import { deliver } from '../../src/partition/deliver.ts'
import { type EntityDocument, type EntityMark, versionOf } from '../../src/partition/document.ts'
import { forget } from '../../src/partition/forget.ts'
import { type Proof, prove } from '../../src/partition/proof.ts'
import { trim } from '../../src/partition/trim.ts'
import { commitOn, committed, consignmentOf, documentOf, having, messageTo, receiver, sender } from './world.ts'

const birth = { entity: receiver, shard: 0, incarnation: 'b' }

function handOver(r: EntityDocument | undefined, consignment: EntityConsignment, proof?: Proof) {
  return deliver(r, { to: birth, consignment, proof })
}

function proved(r: EntityDocument | undefined, s: EntityDocument | undefined): Proof {
  return prove({ entity: receiver, at: versionOf(r) }, sender, s)
}

/** A receiver that has taken in all that the sender holds. */
function receiverOf(s: EntityDocument, r?: EntityDocument): { readonly r: EntityDocument; readonly receipt: Receipt } {
  const result = handOver(r, consignmentOf(s), proved(r, s))
  if (result.outcome !== 'delivered') throw new Error(result.outcome)
  return { r: result.document, receipt: result.receipt }
}

function receiptOf(r: EntityDocument): Receipt {
  return { from: sender, to: receiver, ...(r.marks[sender] as EntityMark) }
}

function trimmed(s: EntityDocument, receipt: Receipt): EntityDocument {
  return documentOf(trim(s, [receipt]))
}

test('G1 a message that was delivered is a duplicate from then on, and its receipt says how far the receiver has come', () => {
  const s = having(undefined, 'm1', 'm2')
  const { r, receipt } = receiverOf(s)
  expect(handOver(r, consignmentOf(s, 'm1'))).toEqual({ outcome: 'duplicate', receipt })
  expect(receipt).toMatchObject({ from: sender, to: receiver, lane: 'a.1', number: 2 })
})

test('G7 a copy whose mark is long forgotten is still a duplicate: its sender no longer holds it', () => {
  const s = having(undefined, 'm1')
  const late = consignmentOf(s)
  const { r, receipt } = receiverOf(s)
  const after = trimmed(s, receipt)
  const forgotten = documentOf(forget(r, proved(r, after)))
  expect(forgotten.marks).toEqual({})
  expect(handOver(forgotten, late)).toEqual({ outcome: 'needs proof' })
  expect(handOver(forgotten, late, proved(forgotten, after))).toEqual({ outcome: 'duplicate', receipt: undefined })
})

test('G1 the first message of a lane is taken in by proof of origin only', () => {
  const s = having(undefined, 'm1')
  expect(handOver(undefined, consignmentOf(s))).toEqual({ outcome: 'needs proof' })
  expect(handOver(undefined, consignmentOf(s), proved(undefined, s))).toMatchObject({
    outcome: 'delivered',
    document: { incarnation: 'b', version: 1, inbox: [{ id: 'm1', position: 1 }] },
  })
})

test('G1 a proof is worth nothing once its receiver has been written to', () => {
  const s = having(undefined, 'm1')
  const proof = proved(undefined, s)
  const { r } = receiverOf(s)
  const empty = { ...r, marks: {} }
  expect(handOver(empty, consignmentOf(s), proof)).toEqual({ outcome: 'conflict', at: versionOf(r) })
})

test('G1 a proof is worth nothing for another life of its receiver, be its version the same', () => {
  const s = having(undefined, 'm1')
  const old = committed(undefined, { entity: receiver })
  const again = { ...old, incarnation: 'c' }
  expect(handOver(again, consignmentOf(s), proved(old, s))).toMatchObject({ outcome: 'conflict' })
})

test('G1 a proof for one pair of entities proves nothing for another', () => {
  const s = having(undefined, 'm1')
  const proof = { ...proved(undefined, s), from: receiver }
  expect(handOver(undefined, consignmentOf(s), proof)).toEqual({ outcome: 'needs proof' })
})

test('G1 what a commit has just written proves as much as a reading, if the receiver was loaded before', () => {
  const at = versionOf(undefined)
  const s = having(undefined, 'm1')
  expect(prove({ entity: receiver, at }, sender, s)).toEqual(proved(undefined, s))
})

test('G6 first contact begins with the head: what comes behind it is a gap', () => {
  const s = having(undefined, 'm1', 'm2')
  expect(handOver(undefined, consignmentOf(s, 'm2'), proved(undefined, s))).toEqual({ outcome: 'gap', after: 0 })
})

test('G6 what the head brings along must follow it without a gap', () => {
  const s = having(undefined, 'm1', 'm2', 'm3')
  expect(handOver(undefined, consignmentOf(s, 'm1', 'm3'), proved(undefined, s))).toEqual({ outcome: 'gap', after: 1 })
})

test('G6 a receiver with a mark refuses what does not follow it', () => {
  const s = having(undefined, 'm1', 'm2', 'm3')
  const r = documentOf(handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s)))
  expect(handOver(r, consignmentOf(s, 'm3'))).toEqual({ outcome: 'gap', after: 1 })
  expect(handOver(r, consignmentOf(s))).toMatchObject({ outcome: 'delivered', accepted: [{ id: 'm2' }, { id: 'm3' }] })
})

test('G7 of a consignment that is partly known only the rest is new, by mark or by proof', () => {
  const s = having(undefined, 'm1', 'm2')
  const late = consignmentOf(s)
  const r = documentOf(handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s)))
  const after = trimmed(s, receiptOf(r))
  const forgotten = documentOf(forget(r, proved(r, after)))
  expect(handOver(forgotten, late, proved(forgotten, after))).toMatchObject({ accepted: [{ id: 'm2', position: 2 }] })
})

test('G15 another history under known numbers is an alarm', () => {
  const { r } = receiverOf(having(undefined, 'm1', 'm2'))
  const other = having(undefined, 'm1', 'other')
  expect(handOver(r, consignmentOf(other))).toMatchObject({ outcome: 'broken' })
  expect(handOver(r, consignmentOf(having(other, 'm3'), 'm3'))).toMatchObject({ outcome: 'broken' })
})

test('G15 a copy that differs from what its sender holds is an alarm', () => {
  const s = having(undefined, 'm1')
  expect(handOver(undefined, consignmentOf(s), proved(undefined, having(undefined, 'other')))).toMatchObject({
    outcome: 'broken',
  })
})

test('G15 a sender that hears that its receiver has more than was sent, or something else, has lost history', () => {
  const s = having(undefined, 'm1', 'm2')
  const { receipt } = receiverOf(s)
  expect(trim(having(undefined, 'm1'), [receipt])).toMatchObject({ outcome: 'broken' })
  expect(trim(having(undefined, 'm1', 'other', 'm3'), [receipt])).toMatchObject({ outcome: 'broken' })
})

test('G15 a sender that begins a lane before one it has begun in the same life has lost history', () => {
  const before = committed(undefined)
  const { r } = receiverOf(having(before, 'm1'))
  const other = having(undefined, 'm2')
  expect(handOver(r, consignmentOf(other), proved(r, other))).toMatchObject({ outcome: 'broken' })
})

test('G15 a gap that the sender has trimmed will never be filled, which is an alarm', () => {
  const s = having(undefined, 'm1', 'm2', 'm3')
  const old = documentOf(handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s)))
  const { r } = receiverOf(s, old)
  const after = trimmed(s, receiptOf(r))
  const next = having(after, 'm4')
  expect(handOver(old, consignmentOf(next))).toEqual({ outcome: 'gap', after: 1 })
  expect(handOver(old, consignmentOf(next), proved(old, next))).toMatchObject({ outcome: 'broken' })
})

test('G2 a mark stays as long as its sender holds what it covers', () => {
  const s = having(undefined, 'm1')
  const { r } = receiverOf(s)
  expect(forget(r, proved(r, s))).toEqual({ outcome: 'needed' })
})

test('G7 a mark is forgotten on the version that was loaded before the sender was read', () => {
  const s = having(undefined, 'm1')
  const { r, receipt } = receiverOf(s)
  const proof = proved(r, trimmed(s, receipt))
  const later = committed(r, { consumed: r.inbox.map(({ id }) => id) })
  expect(forget(later, proof)).toEqual({ outcome: 'conflict', at: versionOf(later) })
})

test('G2 a lane that holds a message is not closed', () => {
  const s = having(undefined, 'm1')
  expect(committed(s, { closed: [receiver] }).outbox).toEqual(s.outbox)
})

test('G7 a lane begun anew has another name: what its number says of the old one does not count', () => {
  const s = having(undefined, 'm1')
  const { r, receipt } = receiverOf(s)
  const again = having(committed(s, { receipts: [receipt], closed: [receiver] }), 'm2')
  expect(consignmentOf(again)).toMatchObject({ lane: 'a.3', messages: [{ id: 'm2', number: 1 }] })
  expect(handOver(r, consignmentOf(again))).toEqual({ outcome: 'needs proof' })
  expect(handOver(r, consignmentOf(again), proved(r, again))).toMatchObject({ accepted: [{ id: 'm2' }] })
})

test('G7 an entity that was erased and created anew begins lanes that never were', () => {
  const s = having(undefined, 'm1')
  const { r } = receiverOf(s)
  const reborn = committed(undefined, {
    at: { entity: sender, shard: 0, incarnation: 'c' },
    outbox: [messageTo(receiver, 'm2')],
  })
  expect(handOver(r, consignmentOf(reborn), proved(r, reborn))).toMatchObject({ accepted: [{ id: 'm2' }] })
  expect(handOver(r, consignmentOf(s))).toMatchObject({ outcome: 'duplicate' })
})

test('G2 a late receipt of a lane that is gone trims nothing', () => {
  const s = having(undefined, 'm1')
  const { receipt } = receiverOf(s)
  const again = having(committed(s, { receipts: [receipt], closed: [receiver] }), 'm2')
  expect(trim(again, [receipt])).toEqual({ outcome: 'nothing to trim' })
})

test('G2 a receipt trims up to its number and no further', () => {
  const s = having(undefined, 'm1', 'm2')
  const result = handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s))
  if (result.outcome !== 'delivered') throw new Error(result.outcome)
  expect(consignmentOf(trimmed(s, result.receipt)).messages).toMatchObject([{ id: 'm2', number: 2 }])
})

test('G17 what a lane leaves behind is one mark at the receiver, one end at the sender, and nothing when both forget', () => {
  let s = having(undefined, 'm0')
  let { r, receipt } = receiverOf(s)
  const sizes = []
  for (let each = 1; each < 50; each += 1) {
    s = committed(s, { receipts: [receipt], outbox: [messageTo(receiver, `m${each}`)] })
    const next = receiverOf(s, committed(r, { consumed: r.inbox.map(({ id }) => id) }))
    r = next.r
    receipt = next.receipt
    sizes.push(Object.keys(s.outbox).length + Object.keys(r.marks).length + r.inbox.length)
  }
  expect(new Set(sizes)).toEqual(new Set([3]))
  s = committed(s, { receipts: [receipt], closed: [receiver] })
  expect(documentOf(forget(r, proved(r, s))).marks).toEqual({})
  expect(s.outbox).toEqual({})
})

test('G1 a commit may take a message straight from its lane: mark and effect are one write', () => {
  const s = having(undefined, 'm1')
  const proofs = [proved(undefined, s)]
  const received = [consignmentOf(s)]
  const r = committed(undefined, { entity: receiver, received, proofs, snapshot: 'after m1' })
  expect(r).toMatchObject({ inbox: [], snapshot: 'after m1', marks: { [sender]: { number: 1 } } })
  expect(commit(r, commitOn(r, { tag: 'again', received }))).toEqual({ outcome: 'duplicate', message: 'm1' })
})

test('G1 a commit that received something known is void as a whole: its turn has handled all of it', () => {
  const s = having(undefined, 'm1', 'm2')
  const r = committed(documentOf(handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s))), {
    consumed: consignmentOf(s, 'm1').messages.map(({ id }) => id),
  })
  const received = [consignmentOf(s)]
  expect(commit(r, commitOn(r, { received }))).toEqual({ outcome: 'duplicate', message: 'm1' })
})

test('G6 what is received overtakes nothing that waits', () => {
  const s = having(undefined, 'm1', 'm2')
  const r = documentOf(handOver(undefined, consignmentOf(s, 'm1'), proved(undefined, s)))
  const received = [consignmentOf(s, 'm2')]
  expect(commit(r, commitOn(r, { received }))).toEqual({ outcome: 'overtakes', message: 'm1' })
  const consumed = r.inbox.map(({ id }) => id)
  expect(commit(r, commitOn(r, { consumed, received }))).toMatchObject({ outcome: 'committed' })
})

test('G1 a commit refuses what has no proof, does not follow, or is proved for another version', () => {
  const s = having(undefined, 'm1', 'm2')
  const r = committed(undefined, { entity: receiver })
  const received = [consignmentOf(s, 'm2')]
  expect(commit(r, commitOn(r, { received }))).toEqual({ outcome: 'needs proof' })
  expect(commit(r, commitOn(r, { received, proofs: [proved(r, s)] }))).toEqual({ outcome: 'gap', after: 0 })
  expect(commit(r, commitOn(r, { received, proofs: [proved(undefined, s)] }))).toMatchObject({ outcome: 'conflict' })
})

test('G7 a commit forgets the marks that its proofs make superfluous, and keeps the others', () => {
  const s = having(undefined, 'm1')
  const { r, receipt } = receiverOf(s)
  expect(committed(r, { proofs: [proved(r, s)] }).marks).toEqual(r.marks)
  expect(committed(r, { proofs: [proved(r, trimmed(s, receipt))] }).marks).toEqual({})
})

test('G1 a commit does not forget a mark by a proof for another version than the one it was computed from', () => {
  const s = having(undefined, 'm1')
  const { r, receipt } = receiverOf(s)
  const later = committed(r, { consumed: r.inbox.map(({ id }) => id) })
  const proofs = [proved(r, trimmed(s, receipt))]
  expect(commit(later, commitOn(later, { proofs }))).toEqual({ outcome: 'conflict', at: versionOf(later) })
})

test('G1 a commit keeps the mark that it moves, though its proof is from before what it received was sent', () => {
  const s = having(undefined, 'm1')
  const first = receiverOf(s)
  const r = committed(first.r, { consumed: first.r.inbox.map(({ id }) => id) })
  const empty = trimmed(s, first.receipt)
  const next = having(empty, 'm2')
  const received = [consignmentOf(next)]
  expect(committed(r, { received, proofs: [proved(r, empty)] }).marks[sender]).toMatchObject({ number: 2 })
})
