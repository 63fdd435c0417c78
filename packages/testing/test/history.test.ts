// A history is judged by what it says alone: each guarantee has logs that keep it and logs that break it.
import { describe, expect, test } from 'vitest'
import { checkHistory, type Happened, type HistoryEvent } from '../src/stores.ts'
import {
  a,
  accepted,
  acquired,
  aKey,
  b,
  commit,
  committed,
  happened,
  host,
  id,
  inbox,
  incoming,
  message,
  snapshot,
  turn,
  written,
} from './logs.ts'

const judged = (events: readonly Happened[], options = {}): readonly string[] =>
  checkHistory(events, options).map(({ guarantee }) => guarantee)
const judge = (...events: readonly HistoryEvent[]): readonly string[] => judged(happened(acquired(1), ...events))
const atRest = (...events: readonly HistoryEvent[]): readonly string[] =>
  judged(happened(acquired(1), ...events), { atRest: true })

const one = accepted(message('one', a))
const acknowledged = (
  name: string,
  parts: { readonly key?: typeof aKey; readonly unfollowed?: boolean } = {},
): HistoryEvent => ({
  event: 'acknowledged',
  call: 'send',
  message: id(name),
  duplicate: false,
  ...parts,
})
const registration = { key: aKey, shard: 0, at: 5_000, message: id('one'), fingerprint: 'print' }

describe('G1: each message is consumed by at most one committed turn', () => {
  test('once, by the entity that it waits for', () => {
    expect(judge(one, committed(commit(a, 0, { consumed: [id('one')] })))).toEqual([])
  })
  test('not by two commits', () => {
    const twice = [commit(a, 0, { consumed: [id('one')] }), commit(a, 1, { consumed: [id('one')] })] as const
    expect(judge(one, committed(twice[0]), committed(twice[1]))).toEqual(['G1'])
    expect(judge(one, committed(...twice))).toEqual(['G1'])
  })
  test('not twice by one', () => {
    expect(judge(one, committed(commit(a, 0, { consumed: [id('one'), id('one')] })))).toEqual(['G1'])
  })
  test('not by another entity, and not without having waited', () => {
    expect(judge(one, committed(commit(b, 0, { consumed: [id('one')] })))).toEqual(['G1'])
    expect(judge(committed(commit(a, 0, { consumed: [id('one')] })))).toEqual(['G1'])
  })
  test('not by two turns that were told, unless a person put it back', () => {
    const handled = committed(commit(a, 0, { consumed: [id('one')], snapshot: snapshot(2) }))
    expect(judge(one, handled, turn(a, 'one'), turn(a, 'one'))).toEqual(['G1'])
    const buried = commit(a, 0, { consumed: [id('one')], deadLetters: [{ ...message('one', a), reason: '{}' }] })
    const again = commit(a, 1, { consumed: [id('one')], snapshot: snapshot(1) })
    const item = { ...message('one', a), position: 9 }
    expect(
      judge(one, committed(buried), { event: 'requeued', id: id('one'), item }, committed(again), turn(a, 'one')),
    ).toEqual([])
  })
  test('what a refused commit would have consumed still waits', () => {
    const refused = written({ commits: [commit(a, 3, { consumed: [id('one')] })] }, [
      { outcome: 'conflict', version: 0 },
    ])
    expect(judge(one, refused, inbox(['one', a]), committed(commit(a, 0, { consumed: [id('one')] })))).toEqual([])
  })
})

describe('G2: nothing leaves without the receiver having it', () => {
  const sent = committed(commit(a, 0, { outbox: [message('two', b)] }))
  test('what was sent waits', () => expect(judge(sent, inbox(['two', b]))).toEqual([]))
  test('what was sent and does not wait is lost', () => expect(judge(sent, inbox())).toEqual(['G2']))
  test('what was handled needs not wait', () => {
    expect(judge(sent, committed(commit(b, 0, { consumed: [id('two')] })), inbox())).toEqual([])
  })
  test('what a page has no room for is not lost', () => {
    const two = committed(commit(a, 0, { outbox: [message('two', b), message('three', b)] }))
    const page = { ...(inbox(['two', b]) as Extract<HistoryEvent, { event: 'inbox' }>), limit: 1 }
    const rest = { ...page, after: 1, limit: 5 }
    expect(judge(two, page)).toEqual([])
    expect(judge(two, page, { ...rest, items: [{ ...message('three', b), position: 2 }] })).toEqual([])
    expect(judge(two, page, { ...rest, items: [] })).toEqual(['G2'])
  })
})

describe('G3: the parts of a commit are visible all or none', () => {
  const stored = commit(a, 0, { snapshot: 's', wakeAt: 9 })
  const row = { entity: a, version: 1, tag: stored.tag, snapshot: 's', trouble: undefined, wakeAt: 9 }
  const loaded = (found: object | undefined): HistoryEvent => ({ event: 'loaded', asked: [a], rows: [found as never] })
  test('what was committed is what is read', () => expect(judge(committed(stored), loaded(row))).toEqual([]))
  test.each([
    ['an older version', { ...row, version: 0 }],
    ['nothing', undefined],
    ['another snapshot', { ...row, snapshot: 'other' }],
    ['another wake-up', { ...row, wakeAt: undefined }],
    ['a tag that nobody wrote', { ...row, tag: 'other' }],
  ])('%s is read instead', (_, found) => expect(judge(committed(stored), loaded(found))).toEqual(['G3']))
  test('of a group written together either all commits stand or none', () => {
    const commits = [commit(a, 0), commit(b, 0)]
    const result = [{ outcome: 'committed', version: 1 } as const, { outcome: 'rolled back' } as const]
    expect(judge(written({ commits, mode: 'together' }, result))).toEqual(['G3'])
    const undone = [{ outcome: 'conflict', version: 4 } as const, { outcome: 'rolled back' } as const]
    expect(
      judge(written({ commits, mode: 'together' }, undone), { event: 'loaded', asked: [b], rows: [undefined] }),
    ).toEqual([])
  })
  test('nothing of an undone group waits', () => {
    const commits = [commit(a, 3, { outbox: [message('two', b)] })]
    const result = [{ outcome: 'conflict', version: 0 } as const]
    const undone = written({ commits, accepted: [incoming('one', a)], mode: 'together' }, result)
    expect(judge(undone, inbox())).toEqual([])
    expect(judge(undone, inbox(['one', a]))).toEqual(['G3'])
    expect(judge(undone, inbox(['two', b]))).toEqual(['G3'])
  })
  test('an entity that is due is in the index of wake-ups', () => {
    const due = { event: 'due', shards: [7], until: 10, limit: 5 } as const
    expect(judge(committed(stored), { ...due, due: [{ entity: a, wakeAt: 9 }] })).toEqual([])
    expect(judge(committed(stored), { ...due, due: [] })).toEqual(['G3'])
    expect(judge(committed(stored), { ...due, due: [{ entity: a, wakeAt: 8 }] })).toEqual(['G3'])
  })
  test('an entity is shown as unsettled as long as it is', () => {
    const look = { event: 'unsettled', shards: [7], after: undefined, limit: 5 } as const
    const running = committed(commit(a, 0, { unsettled: true }))
    expect(judge(running, { ...look, entities: [a] })).toEqual([])
    expect(judge(running, { ...look, entities: [] })).toEqual(['G3'])
    expect(judge(running, committed(commit(a, 1)), { ...look, entities: [a] })).toEqual(['G3'])
  })
  test('the reply of a commit stands at its key', () => {
    const call = written({ registrations: [registration] })
    const known = { state: 'known', message: id('one'), fingerprint: 'print' } as const
    const replies = committed(commit(a, 0, { replies: [{ key: aKey, reply: 'yes' }] }))
    const asked = { event: 'keys', asked: [aKey] } as const
    expect(judge(call, replies, { ...asked, states: [{ ...known, reply: 'yes' }] })).toEqual([])
    expect(judge(call, replies, { ...asked, states: [{ ...known, reply: undefined }] })).toEqual(['G3'])
  })
})

describe('G4: a version has one successor, computed from what it stored', () => {
  test('versions follow each other', () => expect(judge(committed(commit(a, 0)), committed(commit(a, 1)))).toEqual([]))
  test('two commits can not follow the same one', () => {
    const [first, second] = [commit(a, 0), commit(a, 0, { snapshot: 'other' })]
    expect(judge(committed(first), committed(second))).toEqual(['G4'])
    expect(judge(committed(first, second))).toEqual(['G4'])
  })
  test('a version is not left out', () => {
    expect(judge(written({ commits: [commit(a, 0)] }, [{ outcome: 'committed', version: 2 }]))).toEqual(['G4'])
  })
  test('a state does not hold a turn that its host never told of', () => {
    const [first, second] = [commit(a, 0, { snapshot: snapshot(1) }), commit(a, 1, { snapshot: snapshot(3) })]
    const third = committed(commit(a, 2, { snapshot: snapshot(3) }))
    expect(judge(committed(first), turn(a, 'one'), committed(second), turn(a, 'two'), turn(a, 'three'), third)).toEqual(
      [],
    )
    expect(judge(committed(first), turn(a, 'one'), committed(second), turn(a, 'two'), third)).toEqual(['G4'])
  })
  test('a host that died has told nothing, and is not blamed', () => {
    const first = committed(commit(a, 0, { snapshot: snapshot(1) }))
    const next = commit(a, 1, { snapshot: snapshot(2), lease: { shard: 7, epoch: 2, owner: 'host-2' as never } })
    const second = written({ owner: 'host-2' as never, commits: [next] })
    expect(atRest(first, acquired(2, 'host-2' as never), second, turn(a, 'two'))).toEqual([])
  })
})

describe('G5: nothing of an older epoch is committed or accepted', () => {
  const other = 'host-2' as never
  test('the owner commits', () => expect(judge(committed(commit(a, 0)))).toEqual([]))
  test('one whose shard has passed on does not', () => {
    expect(judge(acquired(2, other), committed(commit(a, 0)))).toEqual(['G5'])
    const fenced = written({ commits: [commit(a, 0)] }, [{ outcome: 'fenced', epoch: 2 }])
    expect(judge(acquired(2, other), fenced)).toEqual([])
  })
  test('a message comes in under the present epoch, or under none', () => {
    expect(judge(written({ accepted: [incoming('one', a, 1)] }))).toEqual([])
    expect(judge(acquired(2, other), written({ accepted: [incoming('one', a)] }))).toEqual([])
  })
  test('a message of an owner whose shard has passed on does not', () => {
    const late = written({ accepted: [incoming('one', a, 1)] })
    expect(judge(acquired(2, other), late)).toEqual(['G5'])
    const fenced = { ...late, result: { taken: [], fenced: [id('one')], results: [] } } as HistoryEvent
    expect(judge(acquired(2, other), fenced, inbox())).toEqual([])
    expect(judge(acquired(2, other), fenced, inbox(['one', a]))).not.toEqual([])
  })
  test('a key of a message that was fenced is not registered', () => {
    const late = written({ accepted: [incoming('one', a, 1)], registrations: [registration] })
    const fenced = { ...late, result: { taken: [], fenced: [id('one')], results: [] } } as HistoryEvent
    const asked = { event: 'keys', asked: [aKey] } as const
    expect(judge(acquired(2, other), fenced, { ...asked, states: [{ state: 'new' }] })).toEqual([])
  })
  test('an epoch is never given twice', () => expect(judge(acquired(1, other))).toEqual(['G5']))
})

describe('G6: messages from one to another are handled in the order in which they were sent', () => {
  const sent = committed(commit(a, 0, { snapshot: snapshot(2), outbox: [message('x-1', b), message('x-2', b)] }))
  const turns = [turn(a, 'x'), turn(a, 'y')] as const
  const handled = committed(commit(b, 0, { snapshot: snapshot(9), consumed: [id('x-1'), id('x-2')] }))
  const by = (causationId: string) => ({ causationId })
  test('of one turn by their numbers', () => {
    expect(judge(sent, ...turns, handled, turn(b, 'x-1', by('x')), turn(b, 'x-2', by('x')))).toEqual([])
    expect(judge(sent, ...turns, handled, turn(b, 'x-2', by('x')), turn(b, 'x-1', by('x')))).toEqual(['G6'])
  })
  test('of two turns in the order of the turns, also where no store has seen them', () => {
    expect(judge(sent, ...turns, handled, turn(b, 'x-2', by('x')), turn(b, 'y-1', by('y')))).toEqual([])
    expect(judge(sent, ...turns, handled, turn(b, 'y-1', by('y')), turn(b, 'x-2', by('x')))).toEqual(['G6'])
  })
  test('of two senders in any order', () => {
    expect(judge(sent, ...turns, handled, turn(b, 'x-1', by('x')), turn(b, 'z-9'), turn(b, 'x-2', by('x')))).toEqual([])
  })
  test('a delayed message counts from its firing', () => {
    const timers = { mail: { generation: 1, due: 2_000, send: { id: 'x-3' } } }
    const armed = committed(commit(a, 0, { snapshot: snapshot(2, { timers }) }))
    const fired = committed(commit(a, 1, { snapshot: snapshot(3), outbox: [message('x-3', b)] }))
    const firing = turn(a, `${a}#mail#1`, { kind: 'timeout', outcome: 'sent', causationId: 'x' })
    const two = committed(commit(b, 0, { snapshot: snapshot(2), consumed: [id('x-3')] }))
    expect(judge(armed, ...turns, fired, firing, two, turn(b, 'y-1', by('y')), turn(b, 'x-3', by('x')))).toEqual([])
    expect(judge(armed, ...turns, fired, firing, two, turn(b, 'x-3', by('x')), turn(b, 'y-1', by('y')))).toEqual(['G6'])
  })
  test('a host that tells late what it did before another took over is not blamed', () => {
    const other = (event: HistoryEvent): HistoryEvent => ({ ...event, host: 'next' }) as HistoryEvent
    const told = [turn(b, 'x-1', by('x')), other(turn(b, 'x-2', by('x')))] as const
    const both = [sent, ...turns, handled] as const
    expect(judge(...both, acquired(2), told[1], told[0])).toEqual([])
    expect(judge(...both, told[1], told[0])).toEqual(['G6'])
  })
  test('an inbox gives them in the order in which they came', () => {
    const two = committed(commit(a, 0, { outbox: [message('x-1', b), message('x-2', b)] }))
    expect(judge(two, inbox(['x-1', b], ['x-2', b]))).toEqual([])
    expect(judge(two, inbox(['x-2', b], ['x-1', b]))).toEqual(['G6'])
  })
})

describe('G7: what comes again is recognised, whatever time has passed', () => {
  const first = committed(commit(a, 0))
  const again = (outcome: 'already applied' | 'committed', version: number): HistoryEvent => ({
    ...(first as Extract<HistoryEvent, { event: 'written' }>),
    result: { taken: [], fenced: [], results: [{ outcome, version }] },
  })
  test('a repeated attempt changes nothing', () => expect(judge(first, again('already applied', 1))).toEqual([]))
  test('a repeated attempt is not committed once more', () => {
    expect(judge(first, again('committed', 2))).toContain('G7')
  })
  test('a handled message does not come in again', () => {
    const handled = committed(commit(a, 0, { consumed: [id('one')] }))
    expect(judge(one, handled, written({ accepted: [incoming('one', a)], tag: 'much later' }))).toEqual(['G7'])
    expect(judge(one, written({ accepted: [incoming('one', a)], tag: 'soon' }), inbox(['one', a]))).toEqual([])
  })
  test('a key is registered once, and stays known until it is purged', () => {
    const call = written({ registrations: [registration] })
    const other = written({ registrations: [{ ...registration, message: id('two') }], tag: 'again' })
    const asked = { event: 'keys', asked: [aKey] } as const
    expect(judge(call, other)).toEqual(['G7'])
    expect(judge(call, { ...asked, states: [{ state: 'new' }] })).toEqual(['G7'])
    const refused = written({ registrations: [registration], accepted: [incoming('one', a)] }, [], [aKey])
    expect(judge(call, refused, inbox())).toEqual([])
    expect(judge(call, { event: 'purged', before: 6_000 }, { ...asked, states: [{ state: 'purged' }] })).toEqual([])
    expect(judge(call, { event: 'purged', before: 6_000 }, { ...asked, states: [{ state: 'new' }] })).toEqual(['G7'])
    expect(judge({ event: 'purged', before: 6_000 }, { event: 'purged', before: 1_000 }, call)).toEqual(['G7'])
  })
})

describe('G8: nothing leaves before it is durable', () => {
  test('no acknowledgement', () => {
    expect(judge(one, acknowledged('one'))).toEqual([])
    expect(judge(acknowledged('one'), one)).toEqual(['G8'])
    expect(judge(acknowledged('nobody follows', { unfollowed: true }))).toEqual([])
  })
  test('a message that was handled at once needs no place in a store', () => {
    const handled = committed(commit(a, 0, { snapshot: snapshot(1) }))
    expect(judge(handled, turn(a, 'one'), acknowledged('one'))).toEqual([])
    expect(judge(turn(a, 'one', { outcome: 'ignored' }), acknowledged('one'))).toEqual([])
  })
  test('no word of a turn', () => {
    const handled = committed(commit(a, 0, { snapshot: snapshot(1) }))
    expect(judge(handled, turn(a, 'one'))).toEqual([])
    expect(judge(turn(a, 'one'), handled)).toEqual(['G8'])
  })
  test('no reply', () => {
    const call = written({ registrations: [registration] })
    const replied: HistoryEvent = { event: 'replied', to: a, key: aKey, reply: { type: 'Yes' } }
    const replies = committed(commit(a, 0, { replies: [{ key: aKey, reply: '{}' }] }))
    expect(judge(call, replies, replied)).toEqual([])
    expect(judge(call, replied, replies)).toEqual(['G8'])
  })
  test('no effect', () => {
    const running = committed(commit(a, 0, { snapshot: snapshot(1, { running: { book: { key: 'k' } } }) }))
    const started: HistoryEvent = {
      event: 'told',
      host: 'host',
      signal: { signal: 'effect-started', entity: a, effect: 'book', key: 'k' },
    }
    expect(judge(running, turn(a, 'one'), started)).toEqual([])
    expect(judge(started, running, turn(a, 'one'))).toEqual(['G8'])
  })
})

describe('G9: each generation of a timer fires once, not before it is due, and not when it was cancelled', () => {
  // Acquired at 1,000; armed at 2,000.
  const armed = (due: number): HistoryEvent =>
    committed(commit(a, 0, { snapshot: snapshot(1, { timers: { ring: { generation: 1, due } } }) }))
  const gone = committed(commit(a, 1, { snapshot: snapshot(2) }))
  const firing = turn(a, `${a}#ring#1`, { kind: 'timeout' })
  const early = turn(a, `${a}#ring#1`, { kind: 'timeout', outcome: 'stale' })
  const quiet = turn(a, 'one')
  test('once, when it is due', () => expect(judge(armed(5_000), quiet, gone, firing)).toEqual([]))
  test('a firing that counts for nothing may come as often as it likes', () => {
    expect(judge(armed(5_000), quiet, early, early, gone, firing)).toEqual([])
  })
  test('not twice', () => {
    const more = committed(commit(a, 2, { snapshot: snapshot(3) }))
    expect(judge(armed(5_000), quiet, gone, firing, more, firing)).toContain('G9')
  })
  test('not early', () => expect(judge(armed(5_001), quiet, gone, firing)).toEqual(['G9']))
  test('not unarmed', () => expect(judge(gone, firing)).toContain('G9'))
  test('not when an earlier commit had cancelled it', () => {
    const later = committed(commit(a, 2, { snapshot: snapshot(3) }))
    expect(judge(armed(2_000), quiet, gone, turn(a, 'cancel'), later, firing)).toEqual(['G9'])
  })
})

describe('G12: each accepted message is in exactly one place', () => {
  const buried = commit(a, 0, { consumed: [id('one')], deadLetters: [{ ...message('one', a), reason: '{}' }] })
  const letters = (...names: readonly string[]): HistoryEvent => ({
    event: 'dead letters',
    after: undefined,
    limit: 10,
    letters: names.map((name) => ({ ...message(name, a), reason: '{}' })),
  })
  test('an accepted message waits until it is handled', () => {
    expect(judge(one, inbox(['one', a]))).toEqual([])
    expect(judge(one, inbox())).toEqual(['G12'])
  })
  test('a handled one does not wait any longer', () => {
    const handled = committed(commit(a, 0, { consumed: [id('one')] }))
    expect(judge(one, handled, inbox(['one', a]))).toEqual(['G12'])
  })
  test('a turn that was told has removed its message', () => {
    const handled = committed(commit(a, 0, { snapshot: snapshot(1) }))
    expect(judge(one, handled, turn(a, 'one'))).toEqual(['G12'])
  })
  test('a message that was given up is a dead letter, and nothing else', () => {
    expect(judge(one, committed(buried), letters('one'), inbox())).toEqual([])
    expect(judge(one, committed(buried), letters())).toEqual(['G12'])
    expect(judge(one, committed(buried), inbox(['one', a]))).toEqual(['G12'])
    expect(judge(one, letters('one'))).toEqual(['G12'])
    expect(judge(one, committed({ ...buried, consumed: [] }))).toEqual(['G12'])
  })
  test('a requeued one waits again', () => {
    const item = { ...message('one', a), position: 9 }
    const back: HistoryEvent = { event: 'requeued', id: id('one'), item }
    expect(judge(one, committed(buried), back, letters(), inbox(['one', a]))).toEqual([])
    expect(judge(one, committed(buried), back, inbox())).toEqual(['G12'])
    expect(judge(one, committed(buried), { event: 'requeued', id: id('one'), item: undefined })).toEqual(['G12'])
  })
  test('at rest nothing that was acknowledged is nowhere', () => {
    expect(atRest(one, acknowledged('one'))).toEqual([])
    expect(atRest(acknowledged('one'))).toEqual(['G8', 'G12'])
  })
})

test('a violation says what, where and whom it concerns', () => {
  const twice = [commit(a, 0, { consumed: [id('one')] }), commit(a, 1, { consumed: [id('one')] })] as const
  expect(checkHistory(happened(acquired(1), one, committed(twice[0]), committed(twice[1])))).toEqual([
    {
      guarantee: 'G1',
      what: 'order/a consumed one, which a turn had consumed before.',
      at: 3,
      messages: ['one'],
      entities: ['order/a'],
    },
  ])
  expect(host).toBe('host-1')
})
