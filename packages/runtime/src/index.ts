// @interstate/runtime: the host: loops around core. It knows ports, never a database.

export type { Receipt } from './arrival.ts'
export {
  type AskOptions,
  type ClusterOptions,
  createHost,
  type Host,
  type HostOptions,
  type Policies,
  type SendOptions,
} from './host.ts'
export type { DeadLetters, DeadLetterView, DryRun, Parked, ParkedView } from './keeper.ts'
export { nodeEnv } from './node-env.ts'
export type { Counters, Signal, SignalListener } from './signals.ts'
export { type TimerChanges, timerChanges } from './timer-changes.ts'
export type { Verification } from './turn.ts'
