// unhandled.test.ts: a message that no transition takes is never met with silence: what becomes of it is declared.
import {
  contract,
  type DefinitionOptions,
  defineAggregate,
  defineSaga,
  entityId,
  follow,
  idempotencyKey,
} from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Site } from './site.ts'
import { storesUnderTest } from './stores.ts'

const Door = contract('door', {
  commands: { Open: z.object({}), Close: z.object({}), Lock: z.object({}), Break: z.object({}) },
  events: { Opened: z.object({}), Broken: z.object({}) },
})
const doorWith = (options: DefinitionOptions = {}) =>
  defineAggregate(
    Door,
    setup({ types: Door.types<{ opened: number }>() }).createMachine({
      context: { opened: 0 },
      initial: 'closed',
      states: {
        closed: {
          on: {
            Open: {
              target: 'open',
              actions: [assign({ opened: ({ context }) => context.opened + 1 }), emit({ type: 'Opened' })],
            },
            Lock: {},
          },
        },
        open: { on: { Close: 'closed', Break: { target: 'broken', actions: emit({ type: 'Broken' }) } } },
        broken: { type: 'final' },
      },
    }),
    options,
  )
const door = Door.at('a')
const id = entityId('door', 'a')

describe.each(storesUnderTest)('an aggregate on $name', (kind) => {
  test('G12: rejects by default: ask throws MESSAGE_REFUSED, send is accepted, both are counted, nothing changes', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith()])
    await host.send(door, { type: 'Open' })
    const refusal = { code: 'MESSAGE_REFUSED', message: expect.stringContaining('does not take Lock in state "open"') }
    await expect(host.ask(door, { type: 'Lock' })).rejects.toMatchObject(refusal)
    await host.send(door, { type: 'Lock' })
    await host.drain()
    expect(host.counters()).toMatchObject({ accepted: 3, turns: { handled: 1, rejected: 2 } })
    // By shards a message that was refused is taken out of its inbox with a commit.
    const version = kind.scope === 'store' ? 1 : 3
    expect(await host.read(door)).toMatchObject({ value: 'open', context: { opened: 1 }, version })
  })

  test('that was never there rejects its first message, and still is not there', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith()])
    await expect(host.ask(door, { type: 'Break' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    expect(await host.read(door)).toBeUndefined()
    expect(await host.ask(door, { type: 'Open' })).toBeUndefined()
  })

  test('a transition that does nothing takes its message', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith()])
    expect(await host.ask(door, { type: 'Lock' })).toBeUndefined()
    expect(host.counters().turns.handled).toBe(1)
  })

  test('G12: that ignores all counts what it ignores, and its asker learns that it is done', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith({ unhandled: 'ignore' })])
    await host.send(door, { type: 'Open' })
    expect(await host.ask(door, { type: 'Lock' })).toBeUndefined()
    expect(host.counters().turns).toMatchObject({ handled: 1, ignored: 1, rejected: 0 })
  })

  test('G12: with a list ignores what is on it and rejects the rest', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith({ ignores: ['Lock'] })])
    await host.send(door, { type: 'Open' })
    expect(await host.ask(door, { type: 'Lock' })).toBeUndefined()
    await expect(host.ask(door, { type: 'Open' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    expect(host.counters().turns).toMatchObject({ handled: 1, ignored: 1, rejected: 1 })
  })

  test('G6: that parks stops with the message at its head, and all that came after it waits in its order', async () => {
    await using site = new Site(kind)
    const entities = [doorWith({ unhandled: 'park' })]
    const first = await site.host(entities)
    await first.send(door, { type: 'Open' })
    const { message } = await first.send(door, { type: 'Lock' })
    const asked = first.ask(
      door,
      { type: 'Close' },
      { timeoutMs: 5_000, idempotencyKey: idempotencyKey('c', { at: 1 }) },
    )
    await first.send(Door.at('b'), { type: 'Open' })
    await first.drain()
    const parked = [{ entity: id, message, code: 'MESSAGE_REFUSED', attempts: 1 }]
    expect(await first.parked.list()).toMatchObject(parked)
    expect(await first.read(door)).toMatchObject({ value: 'open', parked: message })
    expect(site.told('parked')).toMatchObject([{ entity: id, message, code: 'MESSAGE_REFUSED' }])
    expect((await first.read(Door.at('b')))?.value).toBe('open')
    expect(first.counters()).toMatchObject({ accepted: 4, turns: { handled: 2, parked: 1 } })
    const timedOut = expect(asked).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
    await site.env.advance(6_000)
    await timedOut

    const second = await site.host(entities)
    expect(await second.parked.list()).toMatchObject(parked)
    await second.send(door, { type: 'Open' })
    await second.parked.unpark(id, 'dead-letter')
    await second.drain()
    expect(await second.read(door)).toMatchObject({ value: 'open', context: { opened: 2 }, parked: undefined })
    expect(await second.deadLetters.list()).toMatchObject([{ id: message, entity: id, code: 'ENTITY_PARKED' }])
    expect(await second.parked.list()).toEqual([])
    const again = second.ask(door, { type: 'Close' }, { idempotencyKey: idempotencyKey('c', { at: 1 }) })
    expect(await again).toBeUndefined()
  })

  test('that was parked and is retried parks again, until what it lacks is there', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith({ unhandled: 'park' })])
    await host.send(door, { type: 'Open' })
    await host.send(door, { type: 'Lock' })
    await host.drain()
    await host.parked.unpark(id, 'retry')
    await host.drain()
    expect(await host.parked.list()).toMatchObject([{ entity: id, code: 'MESSAGE_REFUSED' }])
    const mended = await site.host([doorWith({ unhandled: 'park', ignores: ['Lock'] })])
    await mended.parked.unpark(id, 'retry')
    await mended.drain()
    expect(await mended.parked.list()).toEqual([])
    expect(mended.counters().turns).toMatchObject({ ignored: 1, parked: 0 })
  })

  test.each([
    ['reject', 'late', 'MESSAGE_REFUSED'],
    ['park', 'late', 'MESSAGE_REFUSED'],
    ['ignore', 'ignored', undefined],
  ] as const)(
    'G12: that is done and would %s counts a late message as %s, and never comes back',
    async (unhandled, outcome, code) => {
      await using site = new Site(kind)
      const entities = [doorWith({ unhandled })]
      const first = await site.host(entities)
      await first.send(door, { type: 'Open' })
      await first.send(door, { type: 'Break' })
      await first.drain()
      const second = await site.host(entities)
      const asked = second.ask(door, { type: 'Open' }).then(
        () => undefined,
        (error: { code: string }) => error.code,
      )
      expect(await asked).toBe(code)
      expect(second.counters().turns[outcome]).toBe(1)
      expect(await second.read(door)).toMatchObject({ value: 'broken', status: 'done', version: expect.any(Number) })
      expect(await second.parked.list()).toEqual([])
    },
  )
})

const opened = follow(Door.event('Opened').bySource().starts(), Door.event('Broken').bySource())
const guardWith = (options: DefinitionOptions = {}) =>
  defineSaga(
    'guard',
    opened,
    setup({ types: opened.types<Record<string, never>, typeof Door>() }).createMachine({
      context: {},
      initial: 'watching',
      states: { watching: { after: { 60000: 'gone' } }, gone: { type: 'final' } },
    }),
    options,
  )
const guardId = entityId('guard', 'a')

describe.each(storesUnderTest)('a saga on $name', (kind) => {
  test('G12: parks by default with an event for which it has no transition', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), guardWith()])
    await host.send(door, { type: 'Open' })
    await host.send(door, { type: 'Break' })
    await host.drain()
    expect(await host.parked.list()).toMatchObject([{ entity: guardId, code: 'MESSAGE_REFUSED' }])
    expect(host.counters().turns).toMatchObject({ handled: 3, parked: 1 })
  })

  test('G12: that was never started counts an event that does not start it as unmatched', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), guardWith()])
    await host.publish(door, { type: 'Broken' })
    await host.drain()
    expect(host.counters()).toMatchObject({ accepted: 1, turns: { unmatched: 1 } })
    expect(await host.parked.list()).toEqual([])
    expect(await host.read(guardWith().at('a'))).toBeUndefined()
  })

  test('G12: that is retired counts late events, a start among them, and stays retired', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), guardWith()])
    await host.publish(door, { type: 'Opened' })
    await host.drain()
    await site.env.advance(61_000)
    expect((await host.read(guardWith().at('a')))?.status).toBe('done')
    await host.publish(door, { type: 'Broken' })
    await host.publish(door, { type: 'Opened' })
    await host.drain()
    expect(host.counters().turns).toMatchObject({ handled: 2, late: 2 })
    expect(await host.parked.list()).toEqual([])
  })

  test('that rejects drops the event and tells nobody: an event has no sender who waits', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), guardWith({ unhandled: 'reject' })])
    await host.send(door, { type: 'Open' })
    await host.send(door, { type: 'Break' })
    await host.drain()
    expect(host.counters().turns).toMatchObject({ handled: 3, rejected: 1, parked: 0 })
  })
})

const Visitor = contract('visitor', { commands: { Enter: z.object({}) } })
const visitorWith = (options: DefinitionOptions) =>
  defineAggregate(
    Visitor,
    setup({ types: Visitor.types<{ refusals: string[] }, typeof Door>() }).createMachine({
      context: { refusals: [] },
      initial: 'outside',
      states: {
        outside: {
          on: {
            Enter: { actions: [sendTo(door, { type: 'Open' }), sendTo(door, { type: 'Lock' })] },
            'door.rejected': {
              target: 'annoyed',
              actions: assign({ refusals: ({ context, event }) => [...context.refusals, event.command, event.reason] }),
            },
          },
        },
        annoyed: {},
      },
    }),
    { sends: [Door], ...options },
  )

describe.each(storesUnderTest)('an entity whose command is refused, on $name', (kind) => {
  test('gets `rejected` of that contract, with the command and the reason', async () => {
    await using site = new Site(kind)
    const visitor = visitorWith({})
    const host = await site.host([doorWith(), visitor])
    await host.send(Visitor.at('ann'), { type: 'Enter' })
    await host.drain()
    const view = await host.read(visitor.at('ann'))
    expect(view?.context.refusals).toEqual(['Lock', expect.stringContaining('does not take Lock in state "open"')])
    const [, , , reply] = site.told('turn')
    expect(reply).toMatchObject({ entity: 'visitor/ann', type: 'door.rejected', outcome: 'handled' })
  })

  test('gets it of an entity that is done, and of one that never was', async () => {
    await using site = new Site(kind)
    const visitor = visitorWith({ ignores: ['door.rejected'] })
    const host = await site.host([doorWith(), visitor])
    await host.send(door, { type: 'Open' })
    await host.send(door, { type: 'Break' })
    await host.send(Visitor.at('ann'), { type: 'Enter' })
    await host.drain()
    expect((await host.read(visitor.at('ann')))?.context.refusals.filter((_, index) => index % 2 === 0)).toEqual([
      'Open',
    ])
    expect(host.counters().turns).toMatchObject({ late: 2, ignored: 1, handled: 4 })
  })

  test('that does not take the refusal: no refusal of a refusal is sent, so nothing goes in a circle', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), visitorWith({})])
    await host.send(door, { type: 'Open' })
    await host.send(Visitor.at('ann'), { type: 'Enter' })
    await host.drain()
    expect(host.counters().turns).toMatchObject({ handled: 3, rejected: 3 })
  })

  test('and that parks on what it does not expect, parks on it', async () => {
    await using site = new Site(kind)
    const host = await site.host([doorWith(), visitorWith({ unhandled: 'park' })])
    await host.send(door, { type: 'Open' })
    await host.send(Visitor.at('ann'), { type: 'Enter' })
    await host.drain()
    expect(await host.parked.list()).toMatchObject([{ entity: 'visitor/ann', code: 'MESSAGE_REFUSED' }])
  })
})
