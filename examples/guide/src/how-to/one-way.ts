// One-way: send a command and go on. What comes of it shows in the state, or in an event.
import { idempotencyKey } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { Stock } from '../tutorial/stock.ts'

export async function takeDelivery(host: Host, note: { number: string; at: Date }): Promise<boolean> {
  // #region send
  const receipt = await host.send(
    Stock.at('healing'),
    { type: 'Deliver', quantity: 12 },
    { idempotencyKey: idempotencyKey(note.number, { at: note.at }) },
  )
  console.log(receipt.duplicate ? 'known already' : 'taken in')
  // #endregion
  return receipt.duplicate
}
