// assumptions.ts: what the search takes for granted as long as no machine shows otherwise; then it starts anew without it.
import { turnReads } from '@interstate/core'

/** What must be told apart. Grows only, so that a search is started anew a few times at most. */
export interface Assumptions {
  /** Machines look at the clock: times tell states apart. Otherwise only what is left of an entity's own timers does. */
  readonly time: boolean
  /** Machines look at ids, chance or headers: the ids of messages tell states apart. */
  readonly identity: boolean
  /** Entity types that properties look at; `all` where they look at messages under way. */
  readonly visible: ReadonlySet<string> | 'all'
  /** Who ever sends to whom: names of lanes. */
  readonly lanes: ReadonlySet<string>
}

/** Nothing is looked at. */
export const nothingLookedAt: Assumptions = {
  time: false,
  identity: false,
  visible: new Set(),
  lanes: new Set(),
}

/** Thrown where an assumption turned out to be wrong. */
export class Disproved {
  readonly assumptions: Assumptions
  constructor(assumptions: Assumptions) {
    this.assumptions = assumptions
  }
}

/** Watches what machines ask for while they decide. @throws Disproved */
export function watched<T>(assumptions: Assumptions, decide: () => T): T {
  const { time, identity } = turnReads
  try {
    return decide()
  } finally {
    refuseReads(assumptions, turnReads.time > time, turnReads.identity > identity)
  }
}

function refuseReads(assumptions: Assumptions, readsTime: boolean, readsIdentity: boolean): void {
  const time = assumptions.time || readsTime
  const identity = assumptions.identity || readsIdentity
  if (time !== assumptions.time || identity !== assumptions.identity) {
    throw new Disproved({ ...assumptions, time, identity })
  }
}
