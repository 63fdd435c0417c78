// fault.ts: what may go wrong in a run: what the guarantees allow for, and nothing else.

/** See {@link faultNames}. */
export type FaultName =
  | 'redelivery'
  | 'delay'
  | 'crash'
  | 'crashBeforeWrite'
  | 'crashAfterWrite'
  | 'crashAfterAnswer'
  | 'restart'
  | 'pause'
  | 'lostAnswer'
  | 'lateWrite'
  | 'conflict'
  | 'refusedWrite'
  | 'clockStep'
  | SharedFaultName

/** Faults that take several hosts on one store. */
type SharedFaultName = 'lostBell' | 'join' | 'cutOff'

/** How often each comes with a call from outside: from 0 for never to 1 for with each. */
export type FaultRates = Readonly<Record<FaultName, number>>

/**
 * Every fault, and how often it comes where little goes wrong.
 *
 * - `redelivery`: a client repeats a call, milliseconds or days later, under the same idempotency key.
 * - `delay`: for a while the store takes longer; what comes meanwhile overtakes.
 * - `crash`: the process is killed, at any moment; `crashBeforeWrite`, `crashAfterWrite`: when its next write has not, or
 *   has reached the store; `crashAfterAnswer`: when it knows of it and nothing has followed yet.
 * - `restart`: the process ends in good order.
 * - `pause`: the process stands still, another one takes over, the first one wakes and goes on.
 * - `lostAnswer`: a write is done and its answer lost; the driver repeats the identical attempt.
 * - `lateWrite`: a write comes to the store after its process has ended and another one has taken over.
 * - `conflict`: somebody else writes to an entity first.
 * - `refusedWrite`: the store fails, or is full, for some writes.
 * - `clockStep`: the wall clock is set forward or back.
 *
 * Where there are several hosts only:
 *
 * - `lostBell`: for a while what hosts tell each other is lost.
 * - `join`: one more host comes, and leaves in good order later.
 * - `cutOff`: for a while one host does not reach the store, and lives.
 */
const mild: FaultRates = {
  redelivery: 0.05,
  delay: 0.04,
  crash: 0.02,
  crashBeforeWrite: 0.01,
  crashAfterWrite: 0.01,
  crashAfterAnswer: 0.01,
  restart: 0.02,
  pause: 0.01,
  lostAnswer: 0.02,
  lateWrite: 0.01,
  conflict: 0.02,
  refusedWrite: 0.02,
  clockStep: 0.02,
  lostBell: 0.02,
  join: 0.02,
  cutOff: 0.01,
}

export const faultNames: readonly FaultName[] = Object.keys(mild) as FaultName[]

/** Those that never strike where one host is alone on its store. */
export const sharedFaults: ReadonlySet<FaultName> = new Set<SharedFaultName>(['lostBell', 'join', 'cutOff'])

function each(rate: (name: FaultName) => number): FaultRates {
  return Object.fromEntries(faultNames.map((name) => [name, rate(name)])) as Record<FaultName, number>
}

/** Sets of rates by their names. */
export const faultLevels: Readonly<Record<'none' | 'mild' | 'harsh', FaultRates>> = {
  none: each(() => 0),
  mild,
  harsh: each((name) => Math.min(1, mild[name] * 6)),
}
