// partition.prop.test.ts: what holds for lanes and documents, whatever they hold and in whatever order it comes.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EntityConsignment } from '../../src/partition/arrival.ts'
import { commit } from '../../src/partition/commit.ts'
import { deliver } from '../../src/partition/deliver.ts'
import { type EntityDocument, versionOf } from '../../src/partition/document.ts'
import { prove } from '../../src/partition/proof.ts'
import { type BodyPlace, documentBytes, spillOf } from '../../src/partition/size.ts'
import { trim } from '../../src/partition/trim.ts'
import { walk } from './model.ts'
import { commitOn, committed, consignmentOf, having, messageTo, receiver, sender } from './world.ts'

const birth = { entity: receiver, shard: 0, incarnation: 'b' }

test('G1, G2, G6 hold on any way through a world with rival hosts, echoes, three couriers and erasures', () => {
  const bounds = {
    owners: [
      ['m1', 'm2', 'm3'],
      ['n1', 'n2'],
    ],
    ...{ couriers: 3, echoes: true, receives: true, forgets: true, closes: true, whole: true, erasures: 2 },
  }
  const choices = fc.array(fc.nat({ max: 1_000 }), { minLength: 30, maxLength: 120 })
  fc.assert(
    fc.property(choices, (way) => {
      expect(walk(bounds, way)).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('G6, G7 whatever parts of a lane come, in any order and often, the inbox holds a beginning of it, each once', () => {
  const part = fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: 1, max: 5 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const ids = Array.from({ length: 10 }, (_, index) => `m${index}`)
      const s = having(undefined, ...ids)
      const whole = consignmentOf(s)
      let r: EntityDocument | undefined
      const handOver = (consignment: EntityConsignment, isProved: boolean): void => {
        const proof = isProved ? prove({ entity: receiver, at: versionOf(r) }, sender, s) : undefined
        const result = deliver(r, { to: birth, consignment, proof })
        expect(result.outcome).not.toBe('broken')
        if (result.outcome === 'delivered') r = result.document
      }
      for (const [from, count, isProved] of parts) {
        handOver({ ...whole, messages: whole.messages.slice(from, from + count) }, isProved)
        const waiting = r?.inbox.map(({ id }) => String(id)) ?? []
        expect(waiting).toEqual(ids.slice(0, waiting.length))
      }
      handOver(whole, true)
      expect(r?.inbox.map(({ id }) => String(id))).toEqual(ids)
    }),
  )
})

test('G2 whatever receipts come, in any order, nothing is trimmed that no receipt covers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat({ max: 7 }), { maxLength: 8 }), (count, ends) => {
      let s = having(undefined, ...Array.from({ length: count }, (_, index) => `m${index}`))
      const whole = consignmentOf(s)
      let upTo = 0
      for (const end of ends) {
        const message = whole.messages[end % count] as (typeof whole.messages)[number]
        const { number, chain } = message
        const result = trim(s, [{ from: sender, to: receiver, lane: whole.lane, number, chain }])
        if (result.outcome === 'trimmed') s = result.document
        upTo = Math.max(upTo, number)
        expect(result.outcome).not.toBe('broken')
        expect(s.outbox[receiver]?.messages).toEqual(whole.messages.slice(upTo))
      }
    }),
  )
})

const body = fc.string({ maxLength: 400, unit: 'grapheme' })
const document = fc
  .record({
    inbox: fc.array(body, { maxLength: 6 }),
    outbox: fc.array(body, { maxLength: 6 }),
    snapshot: fc.option(body, { nil: undefined }),
  })
  .map(({ inbox, outbox, snapshot }) =>
    committed(undefined, {
      snapshot,
      accepted: inbox.map((each, index) => messageTo(sender, `c${index}`, each)),
      outbox: outbox.map((each, index) => messageTo(receiver, `m${index}`, each)),
    }),
  )

test('G3 a document means the same after it was stored as JSON', () => {
  fc.assert(
    fc.property(document, (before) => {
      const stored = JSON.parse(JSON.stringify(before)) as EntityDocument
      const attempt = commitOn(before, { consumed: before.inbox.map(({ id }) => id), closed: [receiver], tag: 'next' })
      expect(JSON.stringify(commit(stored, attempt))).toBe(JSON.stringify(commit(before, attempt)))
      expect(documentBytes(stored)).toBe(documentBytes(before))
    }),
  )
})

test('G11 after a spill a document fits, or no body is left in it; its size is the one foretold', () => {
  const limits = fc.record({ bodyBytes: fc.nat({ max: 500 }), documentBytes: fc.nat({ max: 3_000 }) })
  fc.assert(
    fc.property(document, limits, (before, limit) => {
      const { bodies, bytes } = spillOf(before, limit)
      const after = spilled(before, bodies)
      expect(documentBytes(after)).toBe(bytes)
      expect(spillOf(after, limit).bodies).toEqual([])
      expect(
        spillOf(before, { bodyBytes: Number.MAX_SAFE_INTEGER, documentBytes: documentBytes(before) }).bodies,
      ).toEqual([])
    }),
  )
})

function spilled(before: EntityDocument, places: readonly BodyPlace[]): EntityDocument {
  const is = (place: BodyPlace): boolean => places.some((each) => JSON.stringify(each) === JSON.stringify(place))
  const size = (text: unknown): { readonly bytes: number } => ({ bytes: Buffer.byteLength(String(text)) })
  const outbox = Object.entries(before.outbox).map(([to, lane]) => {
    const messages = lane.messages.map((each) => {
      const place = { in: 'outbox', to, number: each.number } as BodyPlace
      return is(place) ? { ...each, body: size(each.body) } : each
    })
    return [to, { ...lane, messages }]
  })
  const inbox = before.inbox.map((each) =>
    is({ in: 'inbox', position: each.position }) ? { ...each, body: size(each.body) } : each,
  )
  return { ...before, inbox, outbox: Object.fromEntries(outbox) }
}
