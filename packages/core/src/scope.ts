// scope.ts: the one inert actor scope that all transitions share.
// XState's transition() builds a scope each time, which costs more than the transition itself: 28 µs with, 6 µs without.
import { type AnyActorRef, createEmptyActor } from 'xstate'
import { InterstateError } from './errors.ts'

/** An action as XState hands it over: data, and how it would run it. */
export interface CollectedAction {
  readonly type: string
  readonly info: unknown
  readonly params: unknown
  readonly exec: ((info: unknown, params: unknown) => unknown) | undefined
}

const self: AnyActorRef = createEmptyActor()
// An action that keeps `self` and sends to it later would lose the message on a crash; say so instead.
self.send = () => {
  throw new InterstateError('NOT_HOSTABLE', 'An action called self.send. Write raise(...) or sendTo(address, ...).')
}

let collected: CollectedAction[] = []

interface InertScope {
  readonly self: AnyActorRef
  readonly system: AnyActorRef['system']
  readonly id: string
  readonly sessionId: string
  logger(): void
  defer(): void
  emit(): void
  stopChild(): void
  actionExecutor(action: CollectedAction): void
}

/** What XState sees as the actor around a transition. It does nothing but collect actions. */
export const scope: InertScope = {
  self,
  system: self.system,
  id: '',
  sessionId: '',
  logger(): void {},
  defer(): void {},
  emit(): void {},
  stopChild(): void {},
  actionExecutor(action: CollectedAction): void {
    collected.push(action)
  },
}

/** Runs a transition and gives the actions that came of it, in order. */
export function collecting<T>(transition: () => T): readonly [T, readonly CollectedAction[]] {
  collected = []
  const result = transition()
  return [result, collected]
}
