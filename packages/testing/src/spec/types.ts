// types.ts: what a definition's contract and machine allow a spec to say.
import type { Contract, ReceivedMessage, SentMessage } from '@interstate/core'
import type {
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  OutputFrom,
  SnapshotFrom,
  StateMachine,
  StateValueFrom,
} from 'xstate'

type CommandsOf<C> = C extends Contract<string, infer S, infer _E, infer _R> ? SentMessage<S> : never
// Of a machine whose own contract has no dots in its names, what is qualified came from another contract.
type QualifiedOf<M extends AnyStateMachine> = Extract<EventFromLogic<M>, { type: `${string}.${string}` }>

/**
 * A message that an entity may get: a command of its contract as a sender writes it; an event that it follows, or a
 * reply that it waits for, as its machine sees it: `payment.Charged`.
 */
export type SpecMessage<C, M extends AnyStateMachine> = CommandsOf<C> | QualifiedOf<M>
/** An event that the contract publishes. */
export type SpecEvent<C> = C extends Contract<string, infer _C, infer S, infer _R> ? SentMessage<S> : never
/** A reply of the contract, as whoever asked gets it. */
export type SpecReply<C> = C extends Contract<string, infer _C, infer _E, infer S> ? ReceivedMessage<S> : never

/** A state to begin in; of a machine without states: `{}`. */
export type SpecStart<M extends AnyStateMachine> = [StateValueFrom<M>] extends [never]
  ? Readonly<Record<string, never>>
  : StateValueFrom<M>

/** A state to compare with, as XState's `snapshot.matches` takes it: the name of a parent is enough. */
export type SpecState<M extends AnyStateMachine> = Parameters<SnapshotFrom<M>['matches']>[0]

type ActorsOf<M> =
  M extends StateMachine<
    infer _Context,
    infer _Event,
    infer _Children,
    infer TActor,
    infer _Action,
    infer _Guard,
    infer _Delay,
    infer _Value,
    infer _Tag,
    infer _Input,
    infer _Output,
    infer _Emitted,
    infer _Meta,
    infer _Schema,
    infer _TransitionMeta
  >
    ? TActor
    : never
type LogicOf<M, S> = Extract<ActorsOf<M>, { src: S }>['logic']

/** The name of an effect of the machine, from `actors` of its `setup`. */
export type SpecEffect<M> = ActorsOf<M>['src']
/** What the effect gets. */
export type SpecEffectInput<M, S> = InputFrom<LogicOf<M, S>>
/** How an effect ends: with an output, or with what it threw. `id` tells apart several runs of one effect. */
export type SpecEffectEnd<M, S> =
  | { readonly output: OutputFrom<LogicOf<M, S>>; readonly id?: string }
  | { readonly error: unknown; readonly id?: string }
