// order-book.ts: every order that the shop was ever given, beside its store: what an accountant compares the store with.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { type BadLine, type Order, type OrderLine, readOrders } from './orders.ts'

/** See the file head. */
export class OrderBook {
  readonly #path: string
  readonly #orders = new Map<string, Order>()

  constructor(path: string) {
    this.#path = path
    if (!existsSync(path)) return
    for (const { order } of readOrders(readFileSync(path, 'utf8')).lines) this.#orders.set(order.order, order)
  }

  get orders(): ReadonlyMap<string, Order> {
    return this.#orders
  }

  /**
   * Enters orders before they are sent.
   *
   * @returns Those with the number of another order: they must not be sent.
   */
  enter(lines: readonly OrderLine[]): readonly BadLine[] {
    const refused: BadLine[] = []
    let entries = ''
    for (const { line, order } of lines) {
      const known = this.#orders.get(order.order)
      if (known === undefined) {
        this.#orders.set(order.order, order)
        entries += `${JSON.stringify(order)}\n`
      } else if (JSON.stringify(known) !== JSON.stringify(order)) {
        refused.push({ line, problem: `order: ${order.order} is the number of another order` })
      }
    }
    // The line break first ends what a killed process left half written.
    if (entries !== '') appendFileSync(this.#path, `\n${entries}`)
    return refused
  }
}
