// visitors.ts: come in through whichever host answers. No answer, no matter: the same visitor tries the other host, and is
// counted once.
import { setTimeout } from 'node:timers/promises'
import type { HostProcess } from './host-process.ts'

const perSecond = 200
const everyMs = 20
const [retryMs, timeoutMs] = [100, 2_000]

/** See the file head. */
export class Visitors {
  /** On their way, or in. */
  came = 0
  /** A host has said that they are in: from then on nothing may lose them. */
  admitted = 0
  /** Calls that were made again, because nobody knew how the first had ended. */
  repeated = 0
  readonly #hosts: () => readonly HostProcess[]
  readonly #inside = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  /** @param hosts - Those that could answer. */
  constructor(hosts: () => readonly HostProcess[]) {
    this.#hosts = hosts
  }

  /** Lets them come. */
  come(): void {
    this.#timer = setInterval(() => {
      for (let number = (perSecond * everyMs) / 1_000; number > 0; number -= 1) this.#oneMore()
    }, everyMs)
  }

  /** Nobody comes any more; resolves when all who came are in. */
  async pause(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#inside)
  }

  #oneMore(): void {
    this.came += 1
    const entering = this.#enter(this.came).finally(() => this.#inside.delete(entering))
    this.#inside.add(entering)
  }

  async #enter(visitor: number): Promise<void> {
    for (let attempt = visitor; ; attempt += 1) {
      const hosts = this.#hosts()
      const host = hosts[attempt % hosts.length]
      if (host !== undefined && (await isAdmitted(host, visitor))) break
      this.repeated += 1
      await setTimeout(retryMs)
    }
    this.admitted += 1
  }
}

async function isAdmitted(host: HostProcess, visitor: number): Promise<boolean> {
  try {
    const request = { method: 'PUT', signal: AbortSignal.timeout(timeoutMs) }
    const { ok } = await fetch(`${host.url}/visitors/${visitor}`, request)
    return ok
  } catch {
    return false
  }
}
