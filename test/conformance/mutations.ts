// mutations.ts: small lies told about a history. A judge that believes one of them is no judge.
import type { Commit, CommitResult, Delivery, EntityId, MessageId, Scope } from '@interstate/core'
import type { Happened, Judged } from '@interstate/testing/stores'

type Of<E extends Happened['event']> = Extract<Happened, { event: E }>
type Written = Of<'written'>
type TurnSignal = Extract<Of<'told'>['signal'], { signal: 'turn' }>

/** See the file head. */
export interface Mutation {
  readonly name: string
  /** One of these must be found. */
  readonly finds: readonly Judged[]
  /** When nothing need be found. */
  readonly harmless?: (events: readonly Happened[], at: number) => boolean
  /** Events that it can be told about. */
  readonly fits: (event: Happened, at: number, events: readonly Happened[]) => boolean
  readonly apply: (events: readonly Happened[], at: number) => readonly Happened[]
}

/** Lies that can be told of histories of stores of a scope. */
export function mutationsOf(scope: Scope): readonly Mutation[] {
  return scope === 'store' ? mutations : [...mutations, ...mutationsOfLanes]
}

const mutations: readonly Mutation[] = [
  {
    name: 'a turn did not consume its message',
    finds: ['G2', 'G12'],
    fits: (event) => stands(event, ({ consumed }) => consumed.length > 0),
    apply: inCommit(
      ({ consumed }) => consumed.length > 0,
      (commit) => ({ ...commit, consumed: commit.consumed.slice(1) }),
    ),
  },
  {
    name: 'a turn consumed another message as well',
    finds: ['G1'],
    fits: (event) => stands(event, () => true),
    apply: inCommit(
      () => true,
      (commit) => ({ ...commit, consumed: [...commit.consumed, 'of nobody' as MessageId] }),
    ),
  },
  {
    name: 'a message was never sent',
    finds: ['G1', 'G3', 'G12'],
    fits: (event) => stands(event, ({ outbox }) => outbox.length > 0),
    apply: inCommit(
      ({ outbox }) => outbox.length > 0,
      (commit) => ({ ...commit, outbox: commit.outbox.slice(1) }),
    ),
  },
  {
    name: 'a message was sent that nobody ever had',
    finds: ['G2'],
    fits: (event) => stands(event, () => true),
    apply: inCommit(
      () => true,
      (commit) => {
        const { entity: to, lease } = commit
        return { ...commit, outbox: [...commit.outbox, { id: 'lost' as MessageId, to, shard: lease.shard, body: '' }] }
      },
    ),
  },
  {
    name: 'a group was written again',
    finds: ['G7'],
    fits: (event) => stands(event, () => true),
    apply: (events, at) => events.toSpliced(at + 1, 0, events[at] as Happened),
  },
  {
    name: 'a group was written again much later',
    finds: ['G1', 'G4', 'G5', 'G7'],
    fits: (event) => stands(event, () => true),
    apply: (events, at) => [...events, events[at] as Happened],
  },
  {
    name: 'a group was never written',
    finds: ['G1', 'G3', 'G4', 'G7', 'G8', 'G12'],
    fits: (event) => stands(event, () => true),
    apply: (events, at) => events.toSpliced(at, 1),
  },
  {
    name: 'a commit was made under an older epoch',
    finds: ['G5'],
    fits: (event) => stands(event, () => true),
    apply: inCommit(
      () => true,
      (commit) => ({ ...commit, lease: { ...commit.lease, epoch: commit.lease.epoch - 1 } }),
    ),
  },
  {
    name: 'a message was accepted under an older epoch',
    finds: ['G5'],
    fits: (event, at, events) => event.event === 'written' && letsIn(event) && !wasWritten(events, event, at),
    apply: replaced<Written>(({ group, ...event }) => ({
      ...event,
      group: {
        ...group,
        accepted: group.accepted.map((each) => ({
          ...each,
          lease: each.lease && { ...each.lease, epoch: each.lease.epoch - 1 },
        })),
      },
    })),
  },
  {
    name: 'a commit was made from an older version',
    finds: ['G4'],
    fits: (event) => stands(event, () => true),
    apply: inCommit(
      () => true,
      (commit) => ({ ...commit, expectedVersion: commit.expectedVersion - 1 }),
    ),
  },
  {
    name: 'a refused commit stands',
    finds: ['G1', 'G3', 'G4', 'G5'],
    fits: (event) => event.event === 'written' && event.result.results.some(isRefusal),
    apply: replaced<Written>(({ group, result, ...event }) => ({
      ...event,
      group,
      result: {
        ...result,
        results: result.results.map((each, index) =>
          isRefusal(each) ? { outcome: 'committed', version: (group.commits[index]?.expectedVersion ?? 0) + 1 } : each,
        ),
      },
    })),
  },
  {
    name: 'an epoch was given twice',
    finds: ['G5'],
    fits: (event) => event.event === 'acquired',
    apply: (events, at) => events.toSpliced(at, 0, events[at] as Happened),
  },
  {
    name: 'two messages of one sender changed places',
    finds: ['G6'],
    fits: (event, at, events) => nextOfPair(events, event, at) !== undefined,
    apply: (events, at) => {
      const other = nextOfPair(events, events[at] as Happened, at) as number
      return events.with(at, events[other] as Happened).with(other, events[at] as Happened)
    },
  },
  {
    name: 'an acknowledgement came before its group',
    finds: ['G8'],
    fits: (event) => event.event === 'acknowledged' && !event.duplicate,
    apply: (events, at) => [...events.slice(at, at + 1), ...events.toSpliced(at, 1)],
  },
  {
    name: 'an effect started before its commit',
    finds: ['G8'],
    fits: (event) => event.event === 'told' && event.signal.signal === 'effect-started',
    apply: (events, at) => [...events.slice(at, at + 1), ...events.toSpliced(at, 1)],
  },
  {
    name: 'a turn was told before its commit',
    finds: ['G8'],
    fits: (event) => isTurn(event, ({ outcome }) => outcome === 'handled'),
    apply: (events, at) => [...events.slice(at, at + 1), ...events.toSpliced(at, 1)],
  },
  {
    name: 'a turn was not told',
    finds: ['G4', 'G12'],
    fits: (event) => isTurn(event, ({ outcome }) => outcome === 'handled'),
    // Its host was the last to say anything about the entity, and may have died without a word.
    harmless: (events, at) => !goesOn(events, at),
    apply: (events, at) => events.toSpliced(at, 1),
  },
  {
    name: 'a timer fired twice',
    finds: ['G9'],
    fits: (event) => isFiring(event),
    apply: (events, at) => events.toSpliced(at, 0, events[at] as Happened),
  },
  {
    name: 'a timer fired early',
    finds: ['G9'],
    fits: (event) => isFiring(event),
    apply: (events, at) => events.map((event, index) => (index <= at ? { ...event, at: 0 } : event)),
  },
  {
    name: 'another timer fired',
    finds: ['G9'],
    fits: (event) => isFiring(event),
    apply: replaced<Of<'told'>>((event) => ({
      ...event,
      signal: { ...(event.signal as TurnSignal), message: 'payment/1#nothing#1' as MessageId },
    })),
  },
  {
    name: 'a snapshot was read that nobody had written',
    finds: ['G3'],
    fits: (event) => event.event === 'loaded' && event.rows.some((row) => row !== undefined),
    apply: replaced<Of<'loaded'>>((event) => ({
      ...event,
      rows: event.rows.map((row) => row && { ...row, snapshot: 'other' }),
    })),
  },
  {
    name: 'an entity was not found',
    finds: ['G3'],
    fits: (event) => event.event === 'loaded' && event.rows.some((row) => row !== undefined),
    apply: replaced<Of<'loaded'>>((event) => ({ ...event, rows: event.rows.map(() => undefined) })),
  },
  {
    name: 'a waiting message was not shown',
    finds: ['G2', 'G12'],
    fits: (event) => event.event === 'inbox' && event.items.length > 0,
    apply: replaced<Of<'inbox'>>((event) => ({ ...event, items: event.items.slice(1) })),
  },
  {
    name: 'waiting messages were shown in another order',
    finds: ['G6'],
    fits: (event) => event.event === 'inbox' && event.items.length > 1,
    apply: replaced<Of<'inbox'>>((event) => ({ ...event, items: event.items.toReversed() })),
  },
  {
    name: 'an entity was not shown as due',
    finds: ['G3'],
    fits: (event) => event.event === 'due' && event.due.length > 0,
    apply: replaced<Of<'due'>>((event) => ({ ...event, due: event.due.slice(1) })),
  },
  {
    name: 'an entity was not shown as unsettled',
    finds: ['G3'],
    fits: (event) => event.event === 'unsettled' && event.entities.length > 0,
    apply: replaced<Of<'unsettled'>>((event) => ({ ...event, entities: event.entities.slice(1) })),
  },
  {
    name: 'a key was forgotten',
    finds: ['G7'],
    fits: (event) => event.event === 'keys' && event.states.some(({ state }) => state === 'known'),
    apply: replaced<Of<'keys'>>((event) => ({ ...event, states: event.states.map(() => ({ state: 'new' as const })) })),
  },
  {
    name: 'a reply was forgotten',
    finds: ['G3'],
    fits: (event) =>
      event.event === 'keys' && event.states.some((key) => key.state === 'known' && key.reply !== undefined),
    apply: replaced<Of<'keys'>>((event) => ({
      ...event,
      states: event.states.map((key) => (key.state === 'known' ? { ...key, reply: undefined } : key)),
    })),
  },
  {
    name: 'a requeued message was gone',
    finds: ['G12'],
    fits: (event) => event.event === 'requeued' && event.item !== undefined,
    apply: replaced<Of<'requeued'>>((event) => ({ ...event, item: undefined })),
  },
]

/** What of a delivery was new. */
const accepts = (event: Happened): event is Of<'delivered'> =>
  event.event === 'delivered' && event.deliveries.some(isFresh)

const mutationsOfLanes: readonly Mutation[] = [
  {
    name: 'a delivery never happened',
    finds: ['G1', 'G2', 'G3', 'G6', 'G12'],
    fits: accepts,
    apply: (events, at) => events.toSpliced(at, 1),
  },
  {
    name: 'a delivery was accepted again',
    finds: ['G7'],
    fits: accepts,
    apply: (events, at) => events.toSpliced(at + 1, 0, events[at] as Happened),
  },
  {
    name: 'a message was taken and not accepted',
    finds: ['G2'],
    fits: accepts,
    apply: inDelivery((delivery) => ({ ...delivery, accepted: delivery.accepted.slice(1) })),
  },
  {
    name: 'a mark is further than what came',
    finds: ['G7'],
    fits: accepts,
    apply: inDelivery((delivery) => ({ ...delivery, mark: delivery.mark + 1 })),
  },
  {
    name: 'a receiver says that it misses what it has',
    finds: ['G7'],
    fits: (event) =>
      event.event === 'delivered' && event.consignments.some(({ messages }) => messages[0]?.number === 1),
    apply: replaced<Of<'delivered'>>((event) => ({
      ...event,
      deliveries: event.deliveries.map((delivery, index) =>
        event.consignments[index]?.messages[0]?.number === 1 ? { outcome: 'gap', mark: 0 } : delivery,
      ),
    })),
  },
  {
    name: 'a message left before it had arrived',
    finds: ['G2'],
    fits: (event) => accepts(event),
    apply: (events, at) => {
      const { consignments, ...when } = events[at] as Of<'delivered'> & Happened
      const ends = consignments.map(({ from, to, messages }) => ({ from, to, number: messages.at(-1)?.number ?? 0 }))
      return events.toSpliced(at, 0, { event: 'trimmed', ends, at: when.at })
    },
  },
  {
    name: 'a message has a number that another one has',
    finds: ['G6'],
    fits: (event) => event.event === 'written' && event.result.results.some(departs),
    apply: replaced<Written>((event) => ({
      ...event,
      result: {
        ...event.result,
        results: event.result.results.map((each) => (departs(each) ? renumbered(each) : each)),
      },
    })),
  },
]

function isFresh(delivery: Delivery): delivery is Extract<Delivery, { outcome: 'delivered' }> {
  return delivery.outcome === 'delivered' && delivery.accepted.length > 0
}

type Fresh = Extract<Delivery, { outcome: 'delivered' }>

/** The first delivery of something new was another. */
function inDelivery(change: (delivery: Fresh) => Delivery): Mutation['apply'] {
  return replaced<Of<'delivered'>>((event) => {
    const first = event.deliveries.findIndex(isFresh)
    return {
      ...event,
      deliveries: event.deliveries.map((each, index) => (index === first ? change(each as Fresh) : each)),
    }
  })
}

type Departing = Extract<CommitResult, { outcome: 'committed' }>

function departs(result: CommitResult): result is Departing {
  return result.outcome === 'committed' && result.placed?.some((placed) => 'number' in placed) === true
}

function renumbered({ placed = [], ...result }: Departing): CommitResult {
  return {
    ...result,
    placed: placed.map((each) => ('number' in each ? { ...each, number: each.number + 1 } : each)),
  }
}

function isRefusal({ outcome }: CommitResult): boolean {
  return outcome === 'conflict' || outcome === 'fenced' || outcome === 'duplicate' || outcome === 'rolled back'
}

/** Whether a group lets messages in under leases, and nothing stands in its way. */
function letsIn({ group: { accepted }, result: { taken, fenced, results } }: Written): boolean {
  if (taken.length > 0 || fenced.length > 0 || results.some(isRefusal)) return false
  return accepted.some(({ lease }) => lease !== undefined)
}

/** A group that is written again lets nothing in. */
function wasWritten(events: readonly Happened[], { group: { tag } }: Written, at: number): boolean {
  return events.some((each, index) => index < at && each.event === 'written' && each.group.tag === tag)
}

/** Whether an event is a group of which something stands that is like this. */
function stands(event: Happened, isWanted: (commit: Commit) => boolean): boolean {
  if (event.event !== 'written') return false
  const { results } = event.result
  return event.group.commits.some((commit, index) => results[index]?.outcome === 'committed' && isWanted(commit))
}

function replaced<E extends Happened>(change: (event: E) => E): Mutation['apply'] {
  return (events, at) => events.with(at, change(events[at] as E))
}

/** Changes the first commit of a group that stands and is like this. */
function inCommit(isWanted: (commit: Commit) => boolean, change: (commit: Commit) => Commit): Mutation['apply'] {
  return replaced<Written>((event) => {
    const { commits } = event.group
    const { results } = event.result
    const at = commits.findIndex((commit, index) => results[index]?.outcome === 'committed' && isWanted(commit))
    return { ...event, group: { ...event.group, commits: commits.with(at, change(commits[at] as Commit)) } }
  })
}

function isTurn(event: Happened | undefined, isWanted: (turn: TurnSignal) => boolean): boolean {
  return event?.event === 'told' && event.signal.signal === 'turn' && isWanted(event.signal)
}

function isFiring(event: Happened): boolean {
  return isTurn(event, ({ kind, outcome }) => kind === 'timeout' && (outcome === 'handled' || outcome === 'sent'))
}

/** The next turn of the same entity with a message of the same turn of the same sender. */
function nextOfPair(events: readonly Happened[], event: Happened, at: number): number | undefined {
  if (event.event !== 'told' || event.signal.signal !== 'turn') return undefined
  const { entity, causationId, kind, message } = event.signal
  if (kind !== 'command' || causationId === message || !wasTold(events, at, causationId)) return undefined
  const found = events.findIndex(
    (each, index) =>
      index > at &&
      isTurn(each, (turn) => turn.entity === entity && turn.causationId === causationId && turn.kind === kind),
  )
  return found < 0 ? undefined : found
}

/** A message that a timer sends has its cause long before; who sent it when is another turn. */
function wasTold(events: readonly Happened[], at: number, cause: MessageId): boolean {
  return events.some(
    (each, index) => index < at && isTurn(each, ({ message, entity }) => message === cause && !isAlarm(entity)),
  )
}

function isAlarm(entity: EntityId): boolean {
  return entity.startsWith('alarm/')
}

/** Whether the host that told a turn commits to its entity again, or rests without having been ended. */
function goesOn(events: readonly Happened[], at: number): boolean {
  const told = events[at] as Of<'told'>
  const { entity } = told.signal as TurnSignal
  const isCommitOf = (event: Happened): event is Written => stands(event, (commit) => commit.entity === entity)
  const owner = events.slice(0, at).findLast(isCommitOf)?.group.owner
  const next = events.slice(at).find(isCommitOf)?.group.owner
  const last = events.findLast((event) => event.event === 'acquired')?.owner
  return next === undefined ? owner === last : owner === next
}
