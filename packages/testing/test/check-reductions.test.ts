// A check leaves out states, and no findings.
import { contract, defineAggregate } from '@interstate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { send, type World, world } from '../src/index.ts'
import { Account, account, bank, start, total, transfer } from './bank.ts'
import { finding } from './finding.ts'
import { Lamp, lamp, nothing } from './lamp.ts'

describe('Fewer states, and the same findings', () => {
  const keys = ['1', '2', '3']
  const symmetric = world({ entities: [account, transfer] })
    .setup((w) => {
      w.send(Account.at('A'), { type: 'Open', cents: 500 })
      w.send(Account.at('B'), { type: 'Open', cents: 500 })
    })
    .stimuli({ start: keys.flatMap((key) => [start(key, 'A', 'B', 300), start(key, 'B', 'A', 300)]) })
    .always('money is conserved', (w) => total(w) === 1_000)
    .accept('STATE_UNREACHED transfer.refunding', 'STATE_UNREACHED account.closed')

  test('where keys are interchangeable', async () => {
    const all = await symmetric.check({ stimuli: 2 })
    const accounts = await symmetric.interchangeable(Account, ['A', 'B']).check({ stimuli: 2 })
    const both = await symmetric
      .interchangeable(Account, ['A', 'B'])
      .interchangeable(transfer, keys)
      .check({ stimuli: 2 })
    expect(accounts.states).toBeLessThan(all.states * 0.6)
    expect(both.states).toBeLessThan(all.states * 0.2)
    const rich = symmetric.always('nobody is rich', (w) => w.all(account).every(({ context }) => context.cents < 800))
    for (const each of [rich, rich.interchangeable(Account, ['A', 'B'])]) {
      const error = await finding(each.check({ stimuli: 2 }))
      expect(error.finding).toBe('INVARIANT_BROKEN nobody is rich')
      expect(error.story?.steps).toHaveLength(4)
    }
  })

  test('keys that the set-up or the stimuli tell apart are not interchangeable', async () => {
    const richer = symmetric.setup((w) => w.send(Account.at('A'), { type: 'Credit', transfer: 'x', cents: 1 }))
    expect((await finding(richer.interchangeable(Account, ['A', 'B']).check())).code).toBe('SYMMETRY_BROKEN')
    const oneWay = symmetric.stimuli({ start: [start('1', 'A', 'B', 300)] })
    expect((await finding(oneWay.interchangeable(Account, ['A', 'B']).check())).code).toBe('SYMMETRY_BROKEN')
  })

  test('where deliveries commute and no property looks', async () => {
    const looked = await bank.check({ stimuli: 3 })
    const blind = world({ entities: [account, transfer] })
      .setup((w) => {
        w.send(Account.at('A'), { type: 'Open', cents: 500 })
        w.send(Account.at('B'), { type: 'Open', cents: 500 })
      })
      .stimuli({ start: [start('1', 'A', 'B', 300), start('2', 'B', 'A', 300), start('3', 'A', 'C', 300)] })
    const report = await blind.check({ stimuli: 3 })
    expect(report.reduced).toBeGreaterThan(0)
    expect(report.states).toBeLessThan(looked.states)
  })

  test('and of two who race for an entity that no property looks at, either may be first', async () => {
    const Gun = contract('gun', { commands: { Fire: nothing } })
    const Runner = contract('runner', { commands: { Run: nothing } })
    const Echo = contract('echo', { commands: { Fire: nothing } })
    const Tape = contract('tape', { commands: { Cross: z.object({ by: z.string() }) } })
    const Board = contract('board', { commands: { Show: z.object({ winner: z.string() }) } })
    const gun = defineAggregate(
      Gun,
      setup({ types: Gun.types() }).createMachine({
        on: { Fire: { actions: [sendTo(Runner.at('a'), { type: 'Run' }), sendTo(Echo.at('1'), { type: 'Fire' })] } },
      }),
      { sends: [Runner, Echo] },
    )
    // The second runner hears of it later, and may be faster all the same.
    const echo = defineAggregate(
      Echo,
      setup({ types: Echo.types() }).createMachine({
        on: { Fire: { actions: sendTo(Runner.at('b'), { type: 'Run' }) } },
      }),
      { sends: [Runner] },
    )
    const runner = defineAggregate(
      Runner,
      setup({ types: Runner.types<{ key: string }>() }).createMachine({
        context: ({ input }) => ({ key: input.key }),
        on: { Run: { actions: sendTo(Tape.at('1'), ({ context }) => ({ type: 'Cross', by: context.key })) } },
      }),
      { sends: [Tape] },
    )
    const tape = defineAggregate(
      Tape,
      setup({ types: Tape.types() }).createMachine({
        initial: 'whole',
        states: {
          whole: {
            on: {
              Cross: {
                target: 'torn',
                actions: sendTo(Board.at('1'), ({ event }) => ({ type: 'Show', winner: event.by })),
              },
            },
          },
          torn: { on: { Cross: {} } },
        },
      }),
      { sends: [Board] },
    )
    const board = defineAggregate(
      Board,
      setup({ types: Board.types<{ winner: string }>() }).createMachine({
        context: { winner: '' },
        on: { Show: { actions: assign({ winner: ({ event }) => event.winner }) } },
      }),
    )
    const winnersOf = async (race: World): Promise<string[]> => {
      const winners = new Set<string>()
      const looked = race.always('looked at', (w) => Boolean(winners.add(w.one(board.at('1'))?.context.winner ?? '')))
      expect((await looked.check({ stimuli: 2 })).reduced).toBeGreaterThan(0)
      return [...winners].sort()
    }
    const race = world({ entities: [gun, echo, runner, tape, board] }).stimuli({
      fire: [send(Gun.at('1'), { type: 'Fire' })],
    })
    expect(await winnersOf(race)).toEqual(['', 'a', 'b'])
    const cheating = race.stimuli({ cross: [send(Tape.at('1'), { type: 'Cross', by: 'a spectator' })] })
    expect(await winnersOf(cheating)).toEqual(['', 'a', 'a spectator', 'b'])
  })

  test('and what goes on beside messages that go round without an end is not put off for ever', async () => {
    const Hit = { commands: { Hit: nothing } }
    const [Ping, Pong] = [contract('ping', Hit), contract('pong', Hit)]
    const ping = defineAggregate(
      Ping,
      setup({ types: Ping.types() }).createMachine({ on: { Hit: { actions: sendTo(Pong.at('1'), { type: 'Hit' }) } } }),
      { sends: [Pong] },
    )
    const pong = defineAggregate(
      Pong,
      setup({ types: Pong.types() }).createMachine({ on: { Hit: { actions: sendTo(Ping.at('1'), { type: 'Hit' }) } } }),
      { sends: [Ping] },
    )
    const Switch = contract('switch', { commands: { Flip: nothing } })
    const flip = defineAggregate(
      Switch,
      setup({ types: Switch.types() }).createMachine({
        on: { Flip: { actions: [sendTo(Ping.at('1'), { type: 'Hit' }), sendTo(Lamp.at('1'), { type: 'Press' })] } },
      }),
      { sends: [Ping, Lamp] },
    )
    const both = world({ entities: [ping, pong, flip, lamp] })
      .stimuli({ flip: [send(Switch.at('1'), { type: 'Flip' })] })
      .sometimes('the lamp is lit', (w) => w.any(lamp, (each) => each.matches('lit')))
    const report = await both.accept('MESSAGES_LOOP').check({ stimuli: 1, unreached: 'report' })
    expect(report.reduced).toBeGreaterThan(0)
  })

  test('drawn values are the same for a seed, and others for another', async () => {
    const drawn = (seed: number) => {
      const sent = new Set<string>()
      return world({ entities: [account, transfer] })
        .stimuli({ start: fc.integer({ min: 1, max: 1_000 }).map((cents) => start('1', 'X', 'Y', cents)) })
        .always('looked at', (w) => {
          for (const { context } of w.all(transfer)) sent.add(String(context.cents))
          return true
        })
        .check({ stimuli: 1, seed, unreached: 'report' })
        .then(() => [...sent].sort().join())
    }
    expect(await drawn(1)).toBe(await drawn(1))
    expect(await drawn(2)).not.toBe(await drawn(1))
  })
})
