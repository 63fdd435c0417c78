// Step 2: a contract with replies, and what happens to a message that does not fit it.

// #region open
import { InterstateError } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Stock, stock } from './stock.ts'

await using host = await createHost({ entities: [stock], store: sqliteStore({ path: 'step-2.db' }) })
const healing = Stock.at('healing')
// #endregion

// #region ask
await host.send(healing, { type: 'Deliver', quantity: 12 })

const reply = await host.ask(healing, { type: 'Reserve', quantity: 5 })
console.log('ask for 5:', reply?.type)

const much = await host.ask(healing, { type: 'Reserve', quantity: 500 })
console.log('ask for 500:', much?.type)
// #endregion

// #region refused
try {
  await host.send(healing, { type: 'Deliver', quantity: -3 })
} catch (error) {
  if (error instanceof InterstateError) console.log('deliver -3:', error.code)
}
// #endregion

// #region rejected
try {
  await host.ask(healing, { type: 'Dispatch', quantity: 500 })
} catch (error) {
  if (error instanceof InterstateError) console.log('dispatch 500:', error.code)
}
// #endregion
