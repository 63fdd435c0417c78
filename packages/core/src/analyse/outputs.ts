// outputs.ts: what an action puts out, as far as that shows without running it.
import type { AnyStateMachine } from 'xstate'
import { resolve } from '../hostable.ts'
import { receiverOf, typesOf } from './stand-in.ts'

/** A message that an action may put out. */
export interface Output {
  readonly kind: 'command' | 'event' | 'reply' | 'internal' | 'raised'
  /** The contract it belongs to; none for one to itself. */
  readonly contract: string | undefined
  /** Types that it may have. None: they can't be told. */
  readonly types: readonly string[]
  /** A delayed one goes out in a later step. */
  readonly delayed: boolean
  /** Whether its receiver depends on the message being handled. */
  readonly byEvent: boolean
}

/** `opaque`: whatever it does can't be told without running it. */
export type ActionOutput = Output | 'opaque' | undefined

/** What actions of a machine put out, each looked at once. */
export class ActionReader {
  readonly #machine: AnyStateMachine
  readonly #name: string
  readonly #read = new Map<unknown, ActionOutput>()

  constructor(name: string, machine: AnyStateMachine) {
    this.#name = name
    this.#machine = machine
  }

  read(action: unknown): ActionOutput {
    if (!this.#read.has(action)) this.#read.set(action, this.#look(action))
    return this.#read.get(action)
  }

  #look(action: unknown): ActionOutput {
    const builtin = resolve(this.#machine.implementations.actions, action) as Builtin | undefined
    const params = (action as { readonly params?: unknown }).params
    const delayed = builtin?.delay !== undefined
    const types = (): readonly string[] => typesOf(builtin?.event, params)
    switch (builtin?.type) {
      case 'xstate.emit':
        return { kind: 'event', contract: this.#name, types: types(), delayed: false, byEvent: false }
      case 'xstate.raise':
        return { kind: 'raised', contract: undefined, types: types(), delayed, byEvent: false }
      case 'xstate.sendTo': {
        const to = receiverOf(builtin.to, params)
        if (to === undefined) return 'opaque'
        const { is, contract, byEvent } = to
        const isReply = is === 'asker'
        return { kind: kinds[is], contract, types: types(), delayed: delayed && !isReply, byEvent }
      }
      case 'xstate.enqueueActions':
        return 'opaque'
      default:
        return undefined
    }
  }
}

const kinds = { self: 'internal', entity: 'command', asker: 'reply' } as const

/** What XState's own actions carry. */
interface Builtin {
  readonly type?: string
  readonly to?: unknown
  readonly event?: unknown
  readonly delay?: unknown
}
