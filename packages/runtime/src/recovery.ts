// recovery.ts: finds the message that kills hosts, and keeps it from doing so forever (G11).
// After an owner ended without a word, messages are handled from the inbox only, and each is marked in its entity's
// record before its turn. A mark that is still there at the next start counts a crash. Innocents sit in a batch with the
// killer at first; batches get smaller with each crash, until a suspect is alone.
//   R1  While recovery lasts, no message is handled that isn't in its inbox and marked.
//   R2  A message is given up only after `policy.crashes` crashes, the last one at least alone in its batch.
import { type EntityId, InterstateError, type MessageId, type RetryPolicy } from '@interstate/core'
import type { Item, Resident } from './resident.ts'
import type { Residents } from './residents.ts'
import type { Wave } from './wave.ts'

const batchSizes = [1_024, 32] as const
/** Of so many batches one is of those that met most crashes. */
const suspectsEvery = 4

/** See the file head. */
export class Recovery {
  readonly #policy: RetryPolicy
  #turnsLeft = 0
  #batches = 0
  #marked: readonly Resident[] = []
  /** Marks that this host has made: a turn of its own that was undone is no crash. */
  readonly #own = new Map<EntityId, { readonly message: MessageId; readonly crashes: number }>()
  #isReported = true

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  /**
   * Begins, or goes on for longer: what is marked and waits for its turn must not be forgotten when more shards come.
   *
   * @param crashes - Owners in a row that ended without a word.
   */
  begin(crashes: number): void {
    if (crashes === 0) return
    // The killer may come late; so each crash makes the watch longer. Not without end: it costs two syncs a batch.
    this.#turnsLeft = Math.max(this.#turnsLeft, 1_000 * 2 ** Math.min(crashes - 1, 5))
    this.#isReported = false
  }

  get lasts(): boolean {
    return this.#turnsLeft > 0 || this.#marked.length > 0
  }

  /** Whether the host has outlived the danger, and the store has not been told. */
  get unreported(): boolean {
    return !this.lasts && !this.#isReported
  }

  reported(): void {
    this.#isReported = true
    this.#own.clear()
  }

  /** Whether marked messages wait for their turn. */
  get pending(): boolean {
    return this.#marked.length > 0
  }

  /** Fills a wave: with the turns of what is marked, or else with marks. */
  async fill(wave: Wave, residents: Residents, load: (wanted: readonly Resident[]) => Promise<void>): Promise<void> {
    const marked = this.#marked.filter((resident) => resident.phase === 'ready')
    this.#marked = []
    if (marked.length > 0) {
      wave.runOnly(marked)
      this.#turnsLeft = Math.max(0, this.#turnsLeft - marked.length)
      return
    }
    const unloaded = residents.unloaded()
    if (unloaded.length > 0) await load(unloaded)
    this.#marked = this.#mark(wave, residents, this.#suspects(wave, residents))
  }

  /** The group with the marks, or the one after it, did not come about: these want their turn as before. */
  forget(residents: Residents): void {
    for (const resident of this.#marked) residents.list(resident)
    this.#marked = []
  }

  /** Entities whose head message is in the inbox, of the same number of crashes: mostly the fewest. */
  #suspects(wave: Wave, residents: Residents): readonly Resident[] {
    const waiting: Resident[] = []
    const again: Resident[] = []
    for (let left = residents.ready; left > 0; left -= 1) {
      const resident = residents.next() as Resident
      const head = resident.queue.peek()
      if (resident.phase !== 'ready') {
        wave.held.push(resident)
        continue
      }
      if (head === undefined) {
        // Its messages are in the store only; they are read before the next wave.
        if (wave.readsSpilled(resident)) again.push(resident)
        continue
      }
      if (head.arrival !== undefined && !head.stored) wave.accept(head)
      else waiting.push(resident)
      if (waiting.length < 4 * batchSizes[0]) continue
      break
    }
    this.#batches += 1
    // Innocents first; but where more of them come all the time, those under suspicion must have their turn too (G16).
    const pick = this.#batches % suspectsEvery === 0 ? Math.max : Math.min
    const crashes = pick(...waiting.map(crashesOf))
    const isLast = crashes + 1 >= this.#policy.crashes
    const size = isLast ? 1 : (batchSizes[crashes] ?? 1)
    const chosen = waiting.filter((resident) => crashesOf(resident) === crashes).slice(0, size)
    const rest = new Set(waiting).difference(new Set(chosen))
    for (const resident of [...rest, ...again]) residents.list(resident)
    return chosen
  }

  #mark(wave: Wave, residents: Residents, suspects: readonly Resident[]): readonly Resident[] {
    const marked: Resident[] = []
    for (const resident of suspects) {
      const item = resident.queue.peek() as Item
      const crashes = crashesOf(resident)
      if (crashes >= this.#policy.crashes) {
        const what = `The host ended ${crashes} times while ${resident.entity} handled ${item.envelope.type}.`
        wave.giveUp(
          resident,
          item,
          new InterstateError('HOST_CRASHED', what, { entity: resident.entity, crashes }),
          crashes,
        )
        residents.list(resident)
        continue
      }
      marked.push(resident)
      const message = item.envelope.id
      // It can't kill anybody, and after a crash nobody would take its mark away.
      if (resident.hasNoMore(message)) continue
      const own = this.#own.get(resident.entity)
      if (own?.message === message && own.crashes === crashes) continue
      const before = resident.trouble?.message === message ? resident.trouble : undefined
      wave.mark(resident, { attempts: 0, ...before, message, crashes: crashes + 1, retryAt: undefined })
      this.#own.set(resident.entity, { message, crashes: crashes + 1 })
    }
    return marked
  }
}

function crashesOf({ trouble, queue }: Resident): number {
  const head = queue.peek()
  return head !== undefined && trouble?.message === head.envelope.id ? trouble.crashes : 0
}
