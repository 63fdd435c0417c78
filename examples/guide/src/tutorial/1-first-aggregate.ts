// Step 1: one aggregate on one file. Run it twice.

// #region contract
import { contract, defineAggregate } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const Stock = contract('stock', {
  commands: { Deliver: z.object({ quantity: z.number().int().positive() }) },
})
// #endregion

// #region machine
const stock = defineAggregate(
  Stock,
  setup({ types: Stock.types<{ left: number }>() }).createMachine({
    context: { left: 0 },
    on: {
      Deliver: { actions: assign({ left: ({ context, event }) => context.left + event.quantity }) },
    },
  }),
)
// #endregion

// #region run
await using host = await createHost({ entities: [stock], store: sqliteStore({ path: 'step-1.db' }) })

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 12 })
await host.drain()

const view = await host.read(stock.at('healing'))
console.log(`healing: ${view?.context.left} bottles left`)
// #endregion
