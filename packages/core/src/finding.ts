// finding.ts: one defect of a system of machines, found without running it.

/** One defect of a system of machines. */
export interface Finding {
  /** Permanent, for example `event-without-publisher`: users search for it and accept by it. Never reused. */
  readonly code:
    | 'acceptance-outlived'
    | 'command-not-listed'
    | 'command-without-receiver'
    | 'command-without-transition'
    | 'contract-differs'
    | 'delay-impossible'
    | 'entity-defined-twice'
    | 'event-unhandled'
    | 'event-without-follower'
    | 'event-without-publisher'
    | 'event-without-transition'
    | 'key-without-message'
    | 'message-cycle'
    | 'message-unknown'
    | 'outbox-too-small'
    | 'refusal-unhandled'
    | 'reply-unhandled'
    | 'state-unreachable'
  /** Where: `fulfilment follows order.Submitted`. */
  readonly place: string
  /** What to do. */
  readonly remedy: string
  /** An error keeps a host from starting; a warning is told. */
  readonly severity: 'error' | 'warning'
  /** Code and place: what a warning is accepted by. */
  readonly name: string
}

/** A finding of this code; its severity follows from the code. */
export function finding(code: Finding['code'], place: string, remedy: string): Finding {
  return { code, place, remedy, severity: severities[code], name: `${code} ${place}` }
}

const severities: Readonly<Record<Finding['code'], Finding['severity']>> = {
  'acceptance-outlived': 'warning',
  'command-not-listed': 'warning',
  'command-without-receiver': 'error',
  'command-without-transition': 'error',
  'contract-differs': 'error',
  'delay-impossible': 'warning',
  'entity-defined-twice': 'error',
  'event-unhandled': 'warning',
  'event-without-follower': 'warning',
  'event-without-publisher': 'error',
  'event-without-transition': 'warning',
  'key-without-message': 'warning',
  'message-cycle': 'warning',
  'message-unknown': 'warning',
  'outbox-too-small': 'warning',
  'refusal-unhandled': 'warning',
  'reply-unhandled': 'warning',
  'state-unreachable': 'warning',
}
