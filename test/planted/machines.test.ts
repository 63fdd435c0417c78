// machines.test.ts: the search finds each planted mistake by name, tells it shortly, and passes the mended version.
import { type CheckReport, WorldError } from '@interstate/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { boundaryAmount } from './machines/boundary-amount.ts'
import { chargedAfterCrash } from './machines/charged-after-crash.ts'
import { chargedAgain } from './machines/charged-again.ts'
import { checkThenAct } from './machines/check-then-act.ts'
import { diceInTheMachine } from './machines/dice-in-the-machine.ts'
import { doneTooEarly } from './machines/done-too-early.ts'
import { droppedEarlyEvent } from './machines/dropped-early-event.ts'
import { echo } from './machines/echo.ts'
import { emptiedOnReentry } from './machines/emptied-on-reentry.ts'
import { forgottenDuplicate } from './machines/forgotten-duplicate.ts'
import { lateReservation } from './machines/late-reservation.ts'
import { missingTimeout } from './machines/missing-timeout.ts'
import { negativeRefund } from './machines/negative-refund.ts'
import { oldEventName } from './machines/old-event-name.ts'
import { oppositeLocks } from './machines/opposite-locks.ts'
import { orderOfSenders } from './machines/order-of-senders.ts'
import type { PlantedBug } from './machines/planted-bug.ts'
import { refundedBeforeReturn } from './machines/refunded-before-return.ts'
import { refusedIsSuccess } from './machines/refused-is-success.ts'
import { retryForEver } from './machines/retry-for-ever.ts'
import { staleAnswer } from './machines/stale-answer.ts'
import { startedTwice } from './machines/started-twice.ts'
import { timerLeftRunning } from './machines/timer-left-running.ts'
import { undoneOnlyLast } from './machines/undone-only-last.ts'
import { voidedAfterCapture } from './machines/voided-after-capture.ts'
import { type Table, writeTable } from './table.ts'

const bugs: readonly PlantedBug[] = [
  lateReservation,
  voidedAfterCapture,
  missingTimeout,
  checkThenAct,
  chargedAfterCrash,
  forgottenDuplicate,
  refusedIsSuccess,
  undoneOnlyLast,
  refundedBeforeReturn,
  timerLeftRunning,
  startedTwice,
  droppedEarlyEvent,
  boundaryAmount,
  emptiedOnReentry,
  staleAnswer,
  echo,
  diceInTheMachine,
  orderOfSenders,
  doneTooEarly,
  chargedAgain,
  negativeRefund,
  oldEventName,
  oppositeLocks,
  retryForEver,
]

const mostSteps = 12
const rows: Row[] = []

describe.each(bugs)('$mistake', (bug) => {
  const { finding, options, world } = bug

  test('is found by its name, is found again by its token, and passes when it is mended', async () => {
    const error = await failureOf(world('planted').check(options))
    expect(error.finding, error.message).toBe(finding)
    if (error.token !== undefined) {
      await expect(world('planted').replay(error.token)).rejects.toMatchObject({ finding })
    }
    const { states: mended } = await world('mended').check(options)
    rows.push({ bug, steps: error.story?.steps.length, searched: error.searched, mended })
  })
})

test('nine stories in ten have no more than twelve steps', () => {
  const long = rows.filter(({ steps = 0 }) => steps > mostSteps).map(({ bug }) => bug.mistake)
  expect(rows).toHaveLength(bugs.length)
  expect(long.length, long.join(', ')).toBeLessThanOrEqual(bugs.length / 10)
})

afterAll(() => {
  if (process.env.INTERSTATE_WRITE_TABLES === '1') writeTable('machines', tableOf(rows))
})

async function failureOf(checked: Promise<CheckReport>): Promise<WorldError> {
  const end = await checked.catch((error: unknown) => error)
  if (end instanceof WorldError) return end
  throw new Error(`The mistake was not found: ${String(end)}`, { cause: end })
}

interface Row {
  readonly bug: PlantedBug
  /** Of the story; none where the finding is that something never happens. */
  readonly steps: number | undefined
  readonly searched: number | undefined
  readonly mended: number
}

function tableOf(rows: readonly Row[]): Table {
  return {
    columns: [
      ['mistake', 'l'],
      ['how it comes about', 'l'],
      ['what the kit says', 'l'],
      ['states until found', 'r'],
      ['steps of the story', 'r'],
      ['states when mended', 'r'],
    ],
    rows: rows.map(({ bug: { mistake, origin, finding }, searched, steps, mended }) => {
      const [code, ...name] = finding.split(' ')
      return [mistake, origin, `\`${code}\` ${name.join(' ')}`.trim(), searched ?? '–', steps ?? '–', mended]
    }),
  }
}
