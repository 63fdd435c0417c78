// spoiled.ts: a commit with every part, as it should be and spoiled in each way that a store must refuse.
import type { Commit, EntityId, HostId, KeyPlace, StoreDriver } from '@interstate/core'
import { Hand, key, messageId, order, type Parts, placesOf } from './hand.ts'

/** Why a commit is refused. */
export type Cause = 'conflict' | 'duplicate' | 'fenced'
export const causes: readonly Cause[] = ['conflict', 'duplicate', 'fenced']

/** A store where a commit with every part can be written. */
export interface Scene {
  readonly hand: Hand
  readonly whole: Commit
  readonly spoiled: Readonly<Record<Cause, Commit>>
  readonly entities: readonly EntityId[]
  readonly keys: readonly KeyPlace[]
}

/** An entity at version 1 with two waiting messages and a registered key, and a commit that touches all of it. */
export async function scene(store: StoreDriver): Promise<Scene> {
  const zombie = await Hand.over(store, 'zombie' as HostId)
  const hand = await Hand.over(store)
  const [actor, receiver] = [order('actor'), order('receiver')]
  const asked = key('asked')
  await hand.write({
    accepted: [hand.message('first', actor), hand.message('second', actor)],
    registrations: [hand.registration(asked, messageId('first'), [], hand.shard(actor))],
    commits: [hand.commit(actor, { snapshot: 'before', wakeAt: 50 })],
  })
  const parts: Parts = {
    expectedVersion: 1,
    snapshot: 'after',
    trouble: '{"attempts":1}',
    wakeAt: 70,
    unsettled: true,
    consumed: [messageId('first'), messageId('second')],
    outbox: [hand.message('sent', receiver), hand.message('to itself', actor)],
    deadLetters: [{ ...hand.message('second', actor), reason: '{"code":"MACHINE_FAILED"}' }],
    replies: [{ key: asked, reply: '{"end":"done"}' }],
  }
  const spoiled = {
    conflict: hand.commit(actor, { ...parts, expectedVersion: 2 }),
    // The first of the two is there, so a store that deletes as it goes must undo that.
    duplicate: hand.commit(actor, { ...parts, consumed: [messageId('first'), messageId('consumed long ago')] }),
    fenced: zombie.commit(actor, parts),
  }
  return {
    hand,
    whole: hand.commit(actor, parts),
    spoiled,
    entities: [actor, receiver],
    keys: placesOf([asked], hand.shard(actor)),
  }
}
