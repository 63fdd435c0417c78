// catalogue.ts: what the shop has and what the house rules are, as data. Machines and the independent tally read it.

/** A potion on the shelf. */
export interface Potion {
  readonly cents: number
  /** Bottles that come in when the shop opens for the first time. */
  readonly bottles: number
}

// Ample, so that no order's outcome depends on who came first; or none at all.
const ample = 1_000_000
const soldOut = 0

/** Prices and first deliveries. */
export const potions: Readonly<Record<string, Potion>> = {
  antidote: { cents: 650, bottles: ample },
  clarity: { cents: 1_200, bottles: ample },
  courage: { cents: 1_450, bottles: ample },
  featherfall: { cents: 900, bottles: ample },
  fireproof: { cents: 2_300, bottles: ample },
  healing: { cents: 500, bottles: ample },
  luck: { cents: 4_900, bottles: ample },
  nightsight: { cents: 1_100, bottles: ample },
  stamina: { cents: 750, bottles: ample },
  dragonbreath: { cents: 6_600, bottles: soldOut },
  invisibility: { cents: 8_800, bottles: soldOut },
  unicorn: { cents: 9_900, bottles: soldOut },
}

/** When the first delivery came, in milliseconds since 1970. */
export const openedAt = Date.UTC(2026, 0, 2, 6)

/** Payments above this wait until the customer confirms them. */
export const confirmAboveCents = 5_000
/** How long a customer may take to confirm. */
export const confirmWithinMs = 30 * 60_000

/** Where the carrier goes. */
export const destinations: ReadonlySet<string> = new Set(['Ashford', 'Brindle', 'Mistvale', 'Oakhollow', 'Ravenmoor'])

/** What an order costs. */
export function priceOf(lines: readonly { readonly potion: string; readonly quantity: number }[]): number {
  return lines.reduce((sum, { potion, quantity }) => sum + (potions[potion]?.cents ?? 0) * quantity, 0)
}
