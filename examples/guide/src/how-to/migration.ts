// A machine changes while entities of the old one are stored.
import { contract, defineAggregate } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

export const Parcel = contract('parcel', {
  commands: { Pack: z.object({ grams: z.number() }), Send: z.object({}) },
})

// #region old
export const parcelV1 = defineAggregate(
  Parcel,
  setup({ types: Parcel.types<{ grams: number }>() }).createMachine({
    version: '1',
    context: { grams: 0 },
    initial: 'open',
    states: {
      open: { on: { Pack: { actions: assign({ grams: ({ event }) => event.grams }) }, Send: 'sent' } },
      sent: {},
    },
  }),
)
// #endregion

// #region new
export const parcelV2 = defineAggregate(
  Parcel,
  setup({ types: Parcel.types<{ kilos: number }>() }).createMachine({
    version: '2',
    context: { kilos: 0 },
    initial: 'packing',
    states: {
      packing: {
        on: { Pack: { actions: assign({ kilos: ({ event }) => event.grams / 1_000 }) }, Send: 'onTheWay' },
      },
      onTheWay: {},
    },
  }),
  {
    migrate: ({ version, value, context }) => {
      if (version !== '1') throw new Error(`no way from version ${version}`)
      return {
        value: value === 'open' ? 'packing' : 'onTheWay',
        context: { kilos: Number(context.grams) / 1_000 },
      }
    },
  },
)
// #endregion

/** Version 2 by somebody who forgot the migration. */
export const parcelV2Forgotten = defineAggregate(Parcel, parcelV2.machine)
