// listening.ts: tells a history what hosts say and what their clients hear.
import type { PlainObject } from '@interstate/core'
import type { Host, SignalListener } from '@interstate/runtime'
import type { History } from './history.ts'

/**
 * A listener for `createHost({ onSignal })` that tells a history.
 *
 * @param host - The name of the process, where several are told apart. Default `host`.
 */
export function listening(history: History, host = 'host'): SignalListener {
  return (signal) => history.record({ event: 'told', host, signal })
}

/** A host whose clients' calls are told to a history when they are answered. */
export function calling(host: Host, history: History): Host {
  return {
    id: host.id,
    deadLetters: host.deadLetters,
    parked: host.parked,
    async send(to, command, options = {}) {
      const receipt = await host.send(to, command, options)
      history.record({ event: 'acknowledged', call: 'send', ...receipt, key: options.idempotencyKey })
      return receipt
    },
    async ask(to, command, options = {}) {
      const reply = await host.ask(to, command, options)
      const entity = (to as unknown as { id(): string }).id() as never
      history.record({ event: 'replied', to: entity, key: options.idempotencyKey, reply: reply as PlainObject })
      return reply
    },
    async publish(about, event, options = {}) {
      const before = history.events.length
      const receipt = await host.publish(about, event, options)
      // The host says so in the call itself, before it gives a receipt that stands for no message.
      const type = (event as { type: string }).type
      const unfollowed = history.events
        .slice(before)
        .some(({ event: kind, ...told }) => kind === 'told' && isUnfollowed((told as Told).signal, type))
      history.record({ event: 'acknowledged', call: 'publish', ...receipt, key: options.idempotencyKey, unfollowed })
      return receipt
    },
    read: (of) => host.read(of),
    drain: () => host.drain(),
    stop: () => host.stop(),
    purge: (options) => host.purge(options),
    counters: () => host.counters(),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}

interface Told {
  readonly signal: { readonly signal: string; readonly type?: string }
}

function isUnfollowed({ signal, type }: Told['signal'], published: string): boolean {
  return signal === 'unfollowed' && type?.endsWith(`.${published}`) === true
}
