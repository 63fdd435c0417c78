// crew.ts: processes of a run that live at once and share its store: any of them is called, any of them is struck, and
// others come and go. Who runs which shard is theirs to settle.
import { InterstateError } from '@interstate/core'
import type { ClusterOptions } from '@interstate/runtime'
import { type Armed, Hosts, type HostsContext } from './hosts.ts'
import { type Process, togetherness } from './process.ts'
import type { FaultAction } from './run-plan.ts'
import type { Entry } from './timeline.ts'

/** Something of the plan that chooses a host. */
interface Choice {
  readonly host?: number
}

/** See the file head. */
export class Crew extends Hosts {
  readonly #count: number
  /** Who came beside those who must be there; nobody comes in its place. */
  readonly #guests = new Set<Process>()
  /** Who comes and goes later. */
  readonly #planned: Entry[] = []
  #isCalm = false

  /** @param count - Hosts that live at once, but for what befalls them. */
  constructor(context: HostsContext, count: number) {
    super(context)
    this.#count = count
  }

  override get living(): readonly Process[] {
    return this.all.filter(({ state }) => state !== 'dead')
  }

  override open(): void {
    this.complete()
  }

  /** Another one each time that a call is made again. */
  override entry({ host = 0 }: Choice, attempt: number): Process | undefined {
    const open = this.living.filter((process) => process.host !== undefined)
    return open[(host + attempt) % open.length]
  }

  override calm(): void {
    this.#isCalm = true
    for (const entry of this.#planned.splice(0)) entry.isOff = true
    for (const process of this.all) process.cutOffUntil = 0
    super.calm()
  }

  override strike(action: FaultAction): void {
    switch (action.do) {
      case 'join':
        this.#join(action.forMs)
        return
      case 'cutOff':
        this.#cutOff(action)
        return
      default:
        super.strike(action)
    }
  }

  protected override get cluster(): ClusterOptions {
    return togetherness
  }

  protected override victim({ host = 0 }: Choice): Process | undefined {
    const { living } = this
    return living[host % living.length]
  }

  protected override isMeant({ process: meant }: Armed, process: Process): boolean {
    return meant === process || meant === undefined || meant.state === 'dead'
  }

  protected override nameOf({ name }: Process): string {
    return name
  }

  protected override replace(process: Process, ms: number, why: 'ended' | 'paused'): void {
    if (this.#isCalm) this.complete()
    else if (why === 'ended' && !this.#guests.has(process)) this.#plan(ms, () => void this.start())
    else if (why === 'paused') this.#plan(ms, () => this.#standIn())
  }

  protected override complete(): void {
    while (this.living.length < this.#count) this.start()
  }

  protected override async reach(process: Process, ms: number): Promise<void> {
    const { timeline } = this.context
    await timeline.wait(ms, process)
    if (timeline.now < process.cutOffUntil) throw new InterstateError('STORE_FAILED', 'The store is out of reach.')
  }

  /** Nobody is superseded as a whole. */
  protected override acquired(): void {}

  /** One more comes, and leaves in good order after a while. */
  #join(forMs: number): void {
    const guest = this.start()
    this.#guests.add(guest)
    this.tell('join', guest, 'joins the others')
    this.#plan(forMs, () => {
      if (guest.state === 'alive' && !guest.isStopping) this.stop(guest, () => {})
    })
  }

  #cutOff(action: Extract<FaultAction, { do: 'cutOff' }>): void {
    const process = this.victim(action)
    if (process === undefined) return
    this.tell('cutOff', process, 'does not reach the store for a while')
    process.cutOffUntil = this.context.timeline.now + action.forMs
    // When it reaches it again is more than a round.
    this.context.timeline.after(action.forMs, undefined, () => this.context.timeline.stir())
  }

  /** Where nobody is left to take over, somebody comes. */
  #standIn(): void {
    if (this.living.every(({ state }) => state === 'frozen')) this.#guests.add(this.start())
  }

  #plan(ms: number, what: () => void): void {
    this.#planned.push(this.context.timeline.after(ms, undefined, what))
  }
}
