// Messages for which a machine has no transition in its present state.
import { contract, defineAggregate } from '@interstate/core'
import { setup } from 'xstate'
import { z } from 'zod'

export const Door = contract('door', {
  commands: { Open: z.object({}), Close: z.object({}), Knock: z.object({}) },
})

const machine = setup({ types: Door.types<{ name: string }>() }).createMachine({
  context: ({ input }) => ({ name: input.key }),
  initial: 'closed',
  states: {
    closed: { on: { Open: 'open', Knock: {} } },
    open: { on: { Close: 'closed' } },
  },
})

// #region policies
/** The default of an aggregate: the sender is told, and the message is done. */
export const door = defineAggregate(Door, machine)

/** A knock at an open door is done and counted; anything else is refused. */
export const politeDoor = defineAggregate(Door, machine, { ignores: ['Knock'] })

/** Whatever it has no transition for is done and counted. */
export const patientDoor = defineAggregate(Door, machine, { unhandled: 'ignore' })

/** It stops at such a message, until a person decides. The default of a saga. */
export const carefulDoor = defineAggregate(Door, machine, { unhandled: 'park' })
// #endregion
