// What is written to a store, as text that later versions must read.
import {
  chainAfter,
  emptyChain,
  encodeEnvelope,
  entityId,
  idempotencyKey,
  incarnationOf,
  type MessageId,
  partitionsOf,
  shardOf,
  turnStem,
} from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { Cart, cart } from '../src/tutorial/cart.ts'

describe('persisted formats', () => {
  test('the name of an entity is type and key, with a tenant before them; other characters are percent-encoded', () => {
    // #region names
    expect(entityId('payment', '42')).toBe('payment/42')
    expect(entityId('payment', '42', 'shop-7')).toBe('shop-7/payment/42')
    expect(entityId('stock', 'älter & besser')).toBe('stock/%C3%A4lter%20%26%20besser')
    // #endregion
  })

  test('the shard of an entity is the first 48 bits of SHA-256 over its name, modulo the number of shards', () => {
    // #region shards
    expect(shardOf(entityId('payment', '42'), 64)).toBe(40)
    expect(shardOf(entityId('payment', '43'), 64)).toBe(6)
    expect(shardOf(entityId('payment', '42', 'shop-7'), 64)).toBe(5)
    // #endregion
  })

  test('an idempotency key is a time and a name', () => {
    // #region key
    const key = idempotencyKey('order-17', { at: new Date('2026-01-31T12:00:00Z') })
    expect(key).toBe('1769860800000~order-17')
    // #endregion
  })

  test('chains of lanes', () => {
    // #region chain
    const first = chainAfter(emptyChain, 'message-1' as MessageId)
    expect(first).toBe('8d6b290718def6a4')
    expect(chainAfter(first, 'message-2' as MessageId)).toBe('bc71da78f38c3ddf')
    // #endregion
  })

  test('ids are derived from entity, incarnation and message', () => {
    // #region ids
    const entity = entityId('cart', 'o-1')
    const incarnation = incarnationOf(entity, 'message-1' as MessageId)
    expect(incarnation).toBe('APzmE1m9')
    expect(`${turnStem(entity, incarnation, 'message-1' as MessageId)}-1`).toBe('NFgMZyxlqWSPnDM6FhDQ-1')
    // #endregion
  })

  test('a message is the JSON of its envelope', () => {
    // #region envelope
    const body = encodeEnvelope({
      id: 'message-1' as MessageId,
      kind: 'command',
      to: entityId('payment', '42'),
      from: 'client',
      type: 'Charge',
      data: { cents: 1_200 },
      correlationId: 'message-1' as MessageId,
      causationId: 'message-1' as MessageId,
      created: 1_767_225_600_000,
      contractVersion: 1,
    })
    expect(body).toBe(
      '{"id":"message-1","kind":"command","to":"payment/42","from":"client","type":"Charge","data":{"cents":1200},' +
        '"correlationId":"message-1","causationId":"message-1","created":1767225600000,"contractVersion":1}',
    )
    // #endregion
  })

  test('a snapshot is a format number, a checksum and JSON', async () => {
    const store = memoryStore()
    await using host = await createHost({ entities: [cart], store, env: new VirtualEnv() })
    await host.ask(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
    const [row] = await store.load(partitionsOf([entityId('cart', 'o-1')], store.shards))
    const [, format, checksum, json] = /^(\w+):(\w+):(.*)$/.exec(row?.snapshot ?? '') ?? []
    // #region snapshot
    expect(format).toBe('i1')
    expect(checksum).toBe('4c2bd0af')
    expect(json).toBe(
      '{"format":1,"type":"cart","machine":"1","structure":"V6QgB1BMDUZ","entity":"cart/o-1","incarnation":"s3FFAyqr",' +
        '"sequence":1,"now":1767225600000,"armed":0,"status":"active","value":"checkedOut",' +
        '"context":{"checkedOutAt":1767225600000}}',
    )
    // #endregion
  })
})
