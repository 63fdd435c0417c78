// Signals: what a host tells about its work, as log lines and as metrics.
import type { Host, Signal, SignalListener } from '@interstate/runtime'

// #region log
/** What this needs of a logger; pino fits. */
export interface Logger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export function logTo(logger: Logger): SignalListener {
  return (signal) => logger[levelOf(signal)](signal, signal.signal)
}

function levelOf({ signal }: Signal): keyof Logger {
  switch (signal) {
    case 'fatal':
    case 'dead-letter':
    case 'parked':
    case 'held':
      return 'error'
    case 'retry':
    case 'store-failed':
    case 'action-failed':
    case 'regrouped':
      return 'warn'
    case 'started':
    case 'stopped':
    case 'requeued':
    case 'unparked':
      return 'info'
    default:
      return 'debug'
  }
}
// #endregion

// #region metrics
/** What this needs of a meter; the one of `@opentelemetry/api` fits. */
export interface Meter {
  createCounter(name: string): { add(value: number, attributes?: Record<string, string>): void }
  createHistogram(name: string): { record(value: number, attributes?: Record<string, string>): void }
}

export function measureWith(meter: Meter): SignalListener {
  const turns = meter.createCounter('interstate.turns')
  const trouble = meter.createCounter('interstate.trouble')
  const groupTurns = meter.createHistogram('interstate.group.turns')
  const groupMs = meter.createHistogram('interstate.group.ms')
  return (signal) => {
    switch (signal.signal) {
      case 'turn':
        // Entity and message are not attributes: there are too many of them.
        turns.add(1, { type: signal.type, outcome: signal.outcome })
        break
      case 'committed':
        groupTurns.record(signal.turns)
        groupMs.record(signal.ms)
        break
      case 'retry':
      case 'dead-letter':
      case 'parked':
        trouble.add(1, { kind: signal.signal, code: signal.code })
        break
    }
  }
}
// #endregion

// #region both
export function all(...listeners: readonly SignalListener[]): SignalListener {
  return (signal) => {
    for (const listener of listeners) listener(signal)
  }
}
// #endregion

export function healthOf(host: Host): { readonly handled: number; readonly deadLetters: number } {
  // #region counters
  const { turns, deadLetters } = host.counters()
  // #endregion
  return { handled: turns.handled, deadLetters }
}
