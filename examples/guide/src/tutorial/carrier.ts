// The outside world: a carrier with a ledger of its own, which no store of ours knows of.

// #region carrier
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export interface Booking {
  readonly key: string
  readonly order: string
  readonly parcel: string
}

export class Carrier {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** A key that the carrier has seen gets the parcel that it got before. */
  async book(order: string, key: string): Promise<Booking> {
    await setTimeout(Math.random() * 10)
    const ledger = this.ledger()
    const known = ledger.find((each) => each.key === key)
    if (known !== undefined) return known
    const booking = { key, order, parcel: `parcel-${ledger.length + 1}` }
    appendFileSync(this.#path, `${JSON.stringify(booking)}\n`)
    await setTimeout(Math.random() * 10)
    return booking
  }

  ledger(): readonly Booking[] {
    if (!existsSync(this.#path)) return []
    const lines = readFileSync(this.#path, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
}
// #endregion
