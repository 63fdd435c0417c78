// order.ts: an order for a test: small, payable and deliverable unless the test says otherwise.
import type { Order } from '../src/orders.ts'

export function anOrder(parts: Partial<Order> & Pick<Order, 'order'>): Order {
  return {
    placedAt: '2026-01-31T12:00:00.000Z',
    lines: [{ potion: 'healing', quantity: 2 }],
    limitCents: 1_000_000,
    confirms: true,
    shipTo: 'Mistvale',
    ...parts,
  }
}
