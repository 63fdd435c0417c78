// Mistakes that show only when an answer comes about as late as a timeout: plain chance would meet them once in a thousand runs.
import type { World } from '@interstate/testing'
import { expect, test } from 'vitest'
import { chargedAgain } from '../planted/machines/charged-again.ts'
import { doneTooEarly } from '../planted/machines/done-too-early.ts'
import { lateReservation } from '../planted/machines/late-reservation.ts'
import { orderOfSenders } from '../planted/machines/order-of-senders.ts'
import type { Version } from '../planted/machines/planted-bug.ts'
import { found } from './found.ts'

const bugs = [chargedAgain, doneTooEarly, lateReservation, orderOfSenders]

test.each(bugs)(
  '$mistake: found within a hundred runs, and gone when it is mended',
  async ({ world, finding }) => {
    const version = (which: Version) => world(which) as World
    const error = await found(version('planted').simulate())
    expect(error.finding).toBe(finding)
    expect(error.searched).toBeLessThanOrEqual(100)
    await version('mended').simulate()
  },
  60_000,
)
