// lamp.ts: the smallest machine that something can go wrong with.
import { contract, defineAggregate, type TypedDefinition } from '@interstate/core'
import { type AnyStateMachine, setup } from 'xstate'
import { z } from 'zod'
import { send } from '../src/index.ts'

/** A payload of nothing. */
export const nothing = z.object({})
export const Lamp = contract('lamp', { commands: { Press: nothing, Break: nothing } })

/** @param on - What it does when it is lit. */
export function lampWith(on: Record<string, unknown>): TypedDefinition<typeof Lamp, AnyStateMachine> {
  return defineAggregate(
    Lamp,
    setup({ types: Lamp.types() }).createMachine({
      initial: 'off',
      states: { off: { on: { Press: 'lit', Break: 'broken' } }, lit: { on }, broken: {} },
    } as never) as never,
  )
}
export const lamp = lampWith({ Press: 'off' })
export const presses = [send(Lamp.at('1'), { type: 'Press' })]
