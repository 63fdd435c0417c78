// Request and reply: ask, and wait for the outcome.
import { InterstateError } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { Stock } from '../tutorial/stock.ts'

export async function reserve(host: Host, quantity: number): Promise<string> {
  // #region ask
  try {
    const reply = await host.ask(Stock.at('healing'), { type: 'Reserve', quantity }, { timeoutMs: 2_000 })
    switch (reply?.type) {
      case 'Reserved':
        return 'yours'
      case 'SoldOut':
        return 'sold out'
      default:
        return 'handled, and nothing was said'
    }
  } catch (error) {
    if (!(error instanceof InterstateError)) throw error
    switch (error.code) {
      case 'MESSAGE_REFUSED':
        return 'not now'
      case 'ASK_TIMEOUT':
        return 'it is accepted; ask again later'
      default:
        throw error
    }
  }
  // #endregion
}
