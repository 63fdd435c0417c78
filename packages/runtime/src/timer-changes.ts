// timer-changes.ts: what a turn did to the timers of its entity.
import type { EntityState, Envelope, Timer } from '@interstate/core'

/**
 * Timers by the type of the message that each of them brings. One that is set again while it runs is cancelled and armed.
 */
export interface TimerChanges {
  readonly armed: readonly string[]
  readonly fired: readonly string[]
  readonly cancelled: readonly string[]
}

const none: readonly never[] = []
const unchanged: TimerChanges = { armed: none, fired: none, cancelled: none }

/** What a turn did to the timers of its entity, from its states before and after. */
export function timerChanges(
  before: Pick<EntityState, 'timers'> | undefined,
  after: Pick<EntityState, 'timers'> | undefined,
  message: Pick<Envelope, 'kind' | 'data'>,
): TimerChanges {
  const had = before?.timers ?? noTimers
  const has = after?.timers ?? noTimers
  if (had === has) return unchanged
  const gone = Object.entries(had).filter(([id, { generation }]) => has[id]?.generation !== generation)
  const came = Object.entries(has).filter(([id, { generation }]) => had[id]?.generation !== generation)
  const isFired = ([id]: readonly [string, Timer]): boolean => message.kind === 'timeout' && message.data.timer === id
  return {
    armed: came.map(typeOf),
    fired: gone.filter(isFired).map(typeOf),
    cancelled: gone.filter((timer) => !isFired(timer)).map(typeOf),
  }
}

const noTimers: EntityState['timers'] = {}

function typeOf([id, { raise, send }]: readonly [string, Timer]): string {
  const type = raise?.type ?? send?.type
  return typeof type === 'string' ? type : id
}
