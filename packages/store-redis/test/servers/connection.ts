// connection.ts: one client of a proxy and its connection to the server, request by request.
import { connect, type Socket } from 'node:net'
import { Frames, isPush } from './frames.ts'
import { Way, type Weather } from './way.ts'

/** What becomes of a request: `doomed` reaches the server and its answer never comes back, `swallowed` goes nowhere. */
export type Fate = 'pass' | 'doomed' | 'swallowed'

/** What a connection asks and tells the network that it is part of. */
export interface Network {
  requests(): Weather
  answers(): Weather
  fateOfNext(): Fate
  doomedIsAnswered(): void
  closed(): void
}

/** See the file head. */
export class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #requests: Way
  readonly #answers: Way
  readonly #network: Network
  /** The fates of requests that the server has not answered yet. */
  readonly #unanswered: Fate[] = []

  constructor(client: Socket, target: number, network: Network) {
    this.#client = client
    this.#server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    this.#network = network
    this.#requests = new Way(network.requests)
    this.#answers = new Way(network.answers)
    this.#listen()
  }

  /** Goes on as the weather allows now. */
  flow(): void {
    this.#requests.flow()
    this.#answers.flow()
  }

  cut(): void {
    this.#client.resetAndDestroy()
    this.#server.destroy()
    this.#close()
  }

  #listen(): void {
    const asked = new Frames()
    const answered = new Frames()
    this.#client.on('data', (chunk: Buffer) => {
      for (const frame of asked.push(chunk)) this.#requests.add(() => this.#forward(frame))
    })
    this.#server.on('data', (chunk: Buffer) => {
      for (const frame of answered.push(chunk)) this.#giveBack(frame)
    })
    this.#client.on('end', () => this.#requests.add(() => this.#server.end()))
    this.#server.on('end', () => this.#answers.add(() => this.#client.end()))
    for (const socket of [this.#client, this.#server]) {
      // A broken connection is what this is for: 'close' follows, and the other side hears of it.
      socket.on('error', () => undefined)
    }
    this.#client.on('close', () => this.#server.destroySoon())
    this.#server.on('close', () => {
      this.#client.destroySoon()
      this.#close()
    })
  }

  #forward(frame: Buffer): void {
    if (this.#server.destroyed) return
    const fate = this.#network.fateOfNext()
    if (fate === 'swallowed') return
    this.#unanswered.push(fate)
    this.#server.write(frame)
  }

  #giveBack(frame: Buffer): void {
    const fate = isPush(frame) ? 'pass' : this.#unanswered.shift()
    if (fate === 'doomed') this.#network.doomedIsAnswered()
    else this.#answers.add(() => this.#client.write(frame))
  }

  #close(): void {
    this.#requests.close()
    this.#answers.close()
    this.#network.closed()
  }
}
