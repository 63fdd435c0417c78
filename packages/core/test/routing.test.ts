import { describe, expect, test } from 'vitest'
import { entityId, incarnationOf, type MessageId, shardOf, turnStem } from '../src/index.ts'
import { failure } from './messages.ts'

describe('the shard of an entity', () => {
  // A PERSISTED FORMAT. A change of one number here means that every entity stored before can no longer be found:
  // never correct the table, correct the code. SHA-256 of the UTF-8 name, its first 48 bits, big-endian, modulo P.
  test.each([
    ['payment/42', 40, 168, 1448],
    ['order/1', 23, 215, 2775],
    ['order/2', 19, 83, 83],
    ['fulfilment/a%20b', 8, 72, 3912],
    ['acme/payment/42', 59, 123, 2939],
    ['counter/x', 6, 198, 3270],
    ['potion/%C3%A9', 61, 189, 1213],
    ['b/b', 60, 124, 3964],
    ['t/0', 43, 107, 3947],
    ['customer/~._-', 5, 133, 3461],
  ])('is fixed forever: %s', (id, of64, of256, of4096) => {
    const shards = [64, 256, 4096].map((count) => shardOf(id as never, count))
    expect(shards).toEqual([of64, of256, of4096])
  })

  test.each([64, 256, 4096])('is spread evenly over P = %d, also for keys that are alike', (count) => {
    const perShard = 100
    const filled = new Array<number>(count).fill(0)
    for (let key = 0; key < count * perShard; key += 1) {
      const shard = shardOf(entityId('order', String(key)), count)
      filled[shard] = (filled[shard] ?? 0) + 1
    }
    // Six standard deviations of a fair throw.
    const far = 6 * Math.sqrt(perShard)
    expect(Math.min(...filled)).toBeGreaterThan(perShard - far)
    expect(Math.max(...filled)).toBeLessThan(perShard + far)
  })

  test('is another one for another tenant or type', () => {
    const keys = Array.from({ length: 64 }, (_, key) => String(key))
    const shards = (type: string, tenant?: string) =>
      keys.map((key) => shardOf(entityId(type, key, tenant), 4096)).join()
    expect(new Set([shards('order'), shards('payment'), shards('order', 'acme'), shards('order', 'umbra')]).size).toBe(
      4,
    )
  })

  test('follows a placement rule, and the hash where the rule says nothing', () => {
    const vip = entityId('customer', 'vip')
    const place = (entity: string) => (entity === vip ? 63 : undefined)
    expect(shardOf(vip, 64, place)).toBe(63)
    expect(shardOf(entityId('payment', '42'), 64, place)).toBe(40)
    expect(shardOf(vip, 64, () => 0)).toBe(0)
  })

  test.each([-1, 64, 1.5, Number.NaN, '3' as unknown as number, null as unknown as number])(
    'is refused where a placement rule names %s of 64',
    (shard) => {
      expect(failure(() => shardOf(entityId('customer', 'vip'), 64, () => shard))).toMatchObject({
        code: 'DEFINITION_INVALID',
        details: { shards: 64 },
      })
    },
  )
})

describe('derived ids', () => {
  const payment = entityId('payment', '42')

  // Persisted too: a turn that is run again by a newer version must give the same ids, or its messages count twice.
  test('are fixed forever', () => {
    expect(incarnationOf(payment, 'm1' as MessageId)).toBe('a7pMw3RX')
    expect(incarnationOf(entityId('payment', '42', 'acme'), 'm1' as MessageId)).toBe('nk6HURPd')
    expect(turnStem(payment, 'a7pMw3RX', 'm2' as MessageId)).toBe('4NYMApzOLFc2PoV_Wr-E')
  })

  test('differ for another entity, incarnation or message', () => {
    const stems = ['payment/1', 'payment/2'].flatMap((entity) =>
      ['a', 'b'].flatMap((incarnation) =>
        ['m', 'n'].map((message) => turnStem(entity as never, incarnation, message as MessageId)),
      ),
    )
    expect(new Set(stems).size).toBe(8)
    // No part runs into the next.
    expect(turnStem('a/1' as never, '2', '3' as MessageId)).not.toBe(turnStem('a/12' as never, '', '3' as MessageId))
  })
})
