// outcome.ts: how an order may end.

export const outcomes = ['delivered', 'out-of-stock', 'payment-refused', 'timed-out', 'carrier-refused'] as const
/** One of {@link outcomes}. */
export type Outcome = (typeof outcomes)[number]
