// bells.ts: hears when words are left for a host.
//   B1  A ring may be lost: whoever listens looks now and then. So trouble here is never an error, only a later ring.
//   B2  Each time it can hear again after it could not, it rings: something may have been left meanwhile.
import type { HostId } from '@interstate/core'
import type { RedisSubscriber } from './client.ts'
import { plain } from './reader.ts'
import type { Ground } from './writer.ts'

const [firstPauseMs, longestPauseMs] = [50, 2_000]

/** Rings until the function that it gives is called. The first connection is tried before it resolves. */
export async function listen(ground: Ground, host: HostId, ring: () => void): Promise<() => Promise<void>> {
  const listener = new Listener(ground, host, ring)
  await listener.connect()
  return async () => listener.stop()
}

/** One connection of our own to the server that holds the host's bell, replaced whenever it ends or the bell moves. */
class Listener {
  readonly #ground: Ground
  readonly #slot: number
  readonly #bell: string
  readonly #key: string
  readonly #ring: () => void
  #connection: RedisSubscriber | undefined
  #pause = firstPauseMs
  #cancel: (() => void) | undefined
  #isStopped = false
  #wasDeaf = false

  constructor(ground: Ground, host: HostId, ring: () => void) {
    const { slot, bell, key } = ground.names.host(host)
    this.#key = key
    this.#ground = ground
    this.#slot = slot
    this.#bell = bell
    this.#ring = ring
  }

  async connect(): Promise<void> {
    // A client learns where a slot has moved by asking for one of its keys.
    if (this.#wasDeaf) await this.#ground.courier.read(this.#slot, plain('EXISTS', this.#key)).catch(() => {})
    if (this.#isStopped) return
    const connection = this.#ground.courier.nodeOf(this.#slot)?.duplicate({
      retryStrategy: () => null,
      maxRetriesPerRequest: 1,
      autoResubscribe: false,
      lazyConnect: true,
      readOnly: false,
    })
    this.#connection = connection
    const again = (): void => this.#again(connection)
    if (connection === undefined) return again()
    connection.on('error', () => {})
    connection.on('end', again)
    // The slot of the bell has moved: the server takes the subscription back.
    connection.on('moved', again)
    connection.on('smessage', () => this.#hear())
    try {
      await connection.ssubscribe(this.#bell)
    } catch {
      return again()
    }
    this.#pause = firstPauseMs
    if (this.#wasDeaf) this.#hear()
    this.#wasDeaf = false
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
    this.#connection?.disconnect()
  }

  #hear(): void {
    if (!this.#isStopped) this.#ring()
  }

  #again(connection: RedisSubscriber | undefined): void {
    if (this.#isStopped || connection !== this.#connection) return
    this.#connection = undefined
    this.#wasDeaf = true
    connection?.disconnect()
    this.#cancel = this.#ground.clock.after(this.#pause, () => {
      this.#pause = Math.min(this.#pause * 2, longestPauseMs)
      void this.connect()
    })
  }
}
