// What XState does in memory, Interstate does across unloading and reloading. One test a feature; the rig compares state
// value, context, status, output, emitted events, sent messages, executed actions and started promises after each step.
import { describe, expect, test, vi } from 'vitest'
import {
  type AnyEventObject,
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  log,
  type MachineContext,
  not,
  or,
  raise,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate'
import { effect } from '../src/index.ts'
import { open, openWith, reject, resolve, sameAsXState, send, type Tools, tick } from './hosted.ts'

describe('a hosted machine does what XState does in memory', () => {
  test('guards: named, inline, with params, and, or, not, stateIn', async () => {
    const machine = setup({
      types: { context: {} as { level: number; taken: string[] } },
      guards: {
        isHigh: ({ context }) => context.level > 5,
        isAtLeast: ({ context }, params: { level: number }) => context.level >= params.level,
      },
      actions: { take: assign({ taken: ({ context }, params: { way: string }) => [...context.taken, params.way] }) },
    }).createMachine({
      context: { level: 0, taken: [] },
      type: 'parallel',
      on: { Level: { actions: assign({ level: ({ event }) => event.level }) } },
      states: {
        door: {
          initial: 'shut',
          states: { shut: { on: { Open: 'open' } }, open: { on: { Shut: 'shut' } } },
        },
        gate: {
          on: {
            Try: [
              { guard: and(['isHigh', stateIn({ door: 'open' })]), actions: { type: 'take', params: { way: 'and' } } },
              {
                guard: { type: 'isAtLeast', params: { level: 4 } },
                actions: { type: 'take', params: { way: 'params' } },
              },
              {
                guard: { type: 'isAtLeast', params: ({ event }) => ({ level: event.atLeast }) },
                actions: { type: 'take', params: { way: 'dynamic' } },
              },
              { guard: ({ event }) => event.key === 'gold', actions: { type: 'take', params: { way: 'inline' } } },
              { guard: or(['isHigh', not(stateIn('#door'))]), actions: { type: 'take', params: { way: 'or' } } },
              { guard: not('isHigh'), actions: { type: 'take', params: { way: 'not' } } },
            ],
          },
          states: { nested: { id: 'door' } },
          initial: 'nested',
        },
      },
    })
    const tries = [send('Try', { atLeast: 9 }), send('Try', { atLeast: 0 }), send('Try', { atLeast: 9, key: 'gold' })]
    const { last } = await sameAsXState(
      () => machine,
      [...tries, send('Level', { level: 4 }), ...tries, send('Open'), send('Level', { level: 6 }), ...tries],
    )
    expect(last.context).toMatchObject({
      taken: ['not', 'dynamic', 'inline', 'params', 'params', 'params', 'and', 'and', 'and'],
    })
  })

  test('assign: an object of values and functions, a function, several in a row', async () => {
    const { last } = await sameAsXState(
      () =>
        open.createMachine({
          context: { a: 0, b: { c: [1] }, d: null },
          on: {
            Set: {
              actions: [
                assign({ a: 5, d: ({ event }) => event.d }),
                assign(({ context }) => ({ a: context.a * 2, b: { c: [...context.b.c, context.a] } })),
                assign(({ context }, _) => ({ a: context.a + 1 })),
              ],
            },
          },
        }),
      [send('Set', { d: { deep: ['x', null] } }), send('Set', { d: 'text' })],
    )
    expect(last.context).toEqual({ a: 11, b: { c: [1, 5, 5] }, d: 'text' })
  })

  test('the context function sees the key and the event that started it', async () => {
    const { last } = await sameAsXState(
      () => open.createMachine({ context: ({ input }) => ({ seen: input as unknown }), on: { Go: {} } }),
      [send('Go')],
    )
    expect(last.context).toEqual({ seen: { key: '1', message: { type: 'starter.Started' } } })
  })

  test('exit, transition and entry actions run in that order, inner states first on the way out', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          id: 'm',
          entry: note('+m'),
          initial: 'a',
          states: {
            a: {
              entry: note('+a'),
              exit: note('-a'),
              initial: { target: 'x', actions: note('initial of a') },
              states: {
                x: {
                  entry: [note('+x1'), note('+x2')],
                  exit: note('-x'),
                  on: { Go: { target: '#y', actions: note('go') } },
                },
              },
            },
            b: {
              entry: note('+b'),
              exit: note('-b'),
              initial: 'y',
              states: { y: { id: 'y', entry: note('+y'), exit: note('-y') } },
              on: { Back: { target: 'a', actions: [note('back1'), note('back2')] } },
            },
          },
        }),
      [send('Go'), send('Back')],
    )
    expect(last.notes.join(' ')).toBe(
      '+m +a initial of a +x1 +x2 -x -a go +b +y -y -b back1 back2 +a initial of a +x1 +x2',
    )
  })

  test('always: guarded, chained, and with actions; transient states leave no trace but their actions', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          context: { n: 0 },
          initial: 'idle',
          states: {
            idle: {
              on: { Add: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
              always: { guard: ({ context }) => context.n >= 2, target: 'hop' },
            },
            hop: {
              entry: note('hop'),
              always: [
                { guard: () => false, target: 'idle' },
                { target: 'skip', actions: note('jump') },
              ],
            },
            skip: { entry: note('skip'), exit: note('skipped'), always: 'end' },
            end: { on: { Reset: { target: 'idle', actions: assign({ n: 0 }) } } },
          },
        }),
      [send('Add'), send('Add'), send('Add'), send('Reset'), send('Add'), send('Add')],
    )
    expect(last).toMatchObject({ value: 'end', context: { n: 2 } })
    expect(last.notes).toEqual(['hop', 'jump', 'skip', 'skipped', 'hop', 'jump', 'skip', 'skipped'])
  })

  test('always: parallel regions react in the order in which their states were entered, reloaded or not', async () => {
    const region = (name: string) => ({
      initial: 'off',
      states: {
        off: { on: { [name]: 'armed' } },
        armed: {
          always: {
            guard: ({ context }: { context: MachineContext }) => context.fire === true,
            target: 'off',
            actions: open.assign(({ context }) => ({ order: [...context.order, name] })),
          },
        },
      },
    })
    const { last } = await sameAsXState(
      () =>
        open.createMachine({
          type: 'parallel',
          context: { fire: false, order: [] as string[] },
          on: { Fire: { actions: assign({ fire: true }) }, Hold: { actions: assign({ fire: false }) } },
          states: {
            one: region('one'),
            two: { initial: 'deep', states: { deep: region('two') } },
            three: region('three'),
          },
        }),
      [
        ...['two', 'three', 'one', 'Fire', 'Hold'].map((type) => send(type)),
        ...['three', 'one', 'two', 'Fire', 'Hold'].map((type) => send(type)),
      ],
    )
    expect(last.context).toMatchObject({ order: ['two', 'three', 'one', 'three', 'one', 'two'] })
  })

  test('after: a number, a named delay, a dynamic delay, several in one state, guards', async () => {
    const machine = setup({
      types: { context: {} as { wait: number; ok: boolean } },
      delays: { short: 20, asked: ({ context }) => context.wait },
    }).createMachine({
      context: { wait: 70, ok: false },
      initial: 'a',
      states: {
        a: { after: { 10: 'b', 50: 'never' } },
        b: { after: { short: 'c' } },
        c: { after: { asked: [{ guard: ({ context }) => context.ok, target: 'never' }, { target: 'd' }] } },
        d: { on: { Wait: { target: 'c', actions: assign({ wait: ({ event }) => event.ms }) } }, after: { 1000: 'e' } },
        e: {},
        never: {},
      },
    })
    const { looks } = await sameAsXState(
      () => machine,
      [tick(9), tick(1), tick(19), tick(1), tick(69), tick(1), tick(999), send('Wait', { ms: 5 }), tick(5), tick(1000)],
    )
    expect(looks.map(({ value }) => value)).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd', 'c', 'd', 'e'])
  })

  test('G9: a timer of a state that was left never fires, and a re-entered one starts anew', async () => {
    const { looks, outcomes } = await sameAsXState(
      () =>
        open.createMachine({
          context: { rung: 0 },
          initial: 'on',
          states: {
            on: {
              after: { 100: { target: 'off', actions: assign({ rung: ({ context }) => context.rung + 1 }) } },
              on: { Again: { target: 'on', reenter: true }, Off: 'off' },
            },
            off: { on: { On: 'on' } },
          },
        }),
      [tick(90), send('Again'), tick(90), send('Off'), tick(500), send('On'), tick(99), tick(1)],
    )
    expect(looks.map(({ context }) => (context as { rung: number }).rung)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(outcomes).not.toContain('stale')
  })

  test('G9: timers that are due together fire by their time, then in the order in which they were set', async () => {
    const ring = (name: string, delay: number) => open.raise({ type: 'Ring', name }, { id: name, delay })
    const { last } = await sameAsXState(
      () =>
        open.createMachine({
          context: { rung: [] as string[] },
          on: {
            // Names like 10 and 9 would come first, and in number order, as properties of an object.
            Set: {
              actions: [ring('z', 20), ring('10', 20), ring('9', 20), ring('b', 10), ring('a', 20), ring('now', 0)],
            },
            Ring: { actions: assign({ rung: ({ context, event }) => [...context.rung, event.name] }) },
          },
        }),
      [send('Set'), tick(0), tick(30)],
    )
    expect(last.context).toEqual({ rung: ['now', 'b', 'z', '10', '9', 'a'] })
  })

  test('raise: handled in the same step, after the transition that raised it; several in order', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          initial: 'a',
          states: {
            a: {
              on: {
                Go: {
                  target: 'b',
                  actions: [raise({ type: 'One' }), raise(({ event }) => ({ type: 'Two', by: event.by }))],
                },
              },
            },
            b: { entry: note('b'), on: { One: { target: 'c', actions: note('one') } } },
            c: { on: { Two: { guard: ({ event }) => event.by === 'me', target: 'd' } } },
            d: {},
          },
        }),
      [send('Go', { by: 'me' })],
    )
    expect(last).toMatchObject({ value: 'd', notes: ['b', 'one'] })
  })

  test('raise with a delay: by number, by name, by function; cancel by id and by function; cancel wins', async () => {
    const machine = setup({
      types: { context: {} as { rung: string[] } },
      delays: { soon: 10 },
    }).createMachine({
      context: { rung: [] },
      on: {
        Set: {
          actions: [
            raise({ type: 'Ring', name: 'number' }, { delay: 10, id: 'number' }),
            raise({ type: 'Ring', name: 'named' }, { delay: 'soon', id: 'named' }),
            raise({ type: 'Ring', name: 'function' }, { delay: ({ event }) => event.ms, id: 'function' }),
            raise({ type: 'Ring', name: 'nameless' }, { delay: 10 }),
          ],
        },
        SetAndCancel: { actions: [raise({ type: 'Ring', name: 'never' }, { delay: 5, id: 'never' }), cancel('never')] },
        Cancel: { actions: cancel(({ event }) => event.id) },
        Ring: { actions: assign({ rung: ({ context, event }) => [...context.rung, event.name] }) },
      },
    })
    const { last } = await sameAsXState(
      () => machine,
      [
        send('Set', { ms: 10 }),
        send('Cancel', { id: 'named' }),
        send('Cancel', { id: 'unheard of' }),
        tick(10),
        send('SetAndCancel'),
        tick(10),
        send('Set', { ms: 20 }),
        tick(15),
        send('Cancel', { id: 'function' }),
        send('Cancel', { id: 'number' }),
        tick(100),
      ],
    )
    expect(last.context).toEqual({
      rung: ['number', 'function', 'nameless', 'number', 'named', 'nameless'],
    })
  })

  test('emit: an object and a function, with the context of its place in the list', async () => {
    const { last } = await sameAsXState(
      () =>
        open.createMachine({
          context: { n: 0 },
          entry: emit(() => ({ type: 'Told', what: 'born' })),
          on: {
            Add: {
              actions: [
                emit(({ context }) => ({ type: 'Told', n: context.n })),
                assign({ n: ({ context, event }) => context.n + event.by }),
                emit(({ context, event }) => ({ type: 'Told', n: context.n, by: event.by })),
              ],
            },
          },
        }),
      [send('Add', { by: 2 }), send('Add', { by: 3 })],
    )
    expect(last.sent).toEqual(
      [{ what: 'born' }, { n: 0 }, { n: 2, by: 2 }, { n: 2 }, { n: 5, by: 3 }].map((told) => ({
        emitted: { type: 'Told', ...told },
      })),
    )
  })

  test('sendTo: at once, delayed, under an id, cancelled; in one order with emitted events', async () => {
    const { last } = await sameAsXState(
      ({ at }) =>
        open.createMachine({
          on: {
            Go: {
              actions: [
                sendTo(at('a'), { type: 'Do', what: 1 }),
                emit({ type: 'Told' }),
                sendTo(
                  ({ event }) => at(event.to),
                  ({ event }) => ({ type: 'Do', what: event.what }),
                ),
                sendTo(at('late'), { type: 'Do' }, { delay: 10 }),
                sendTo(at('named'), { type: 'Do' }, { delay: 20, id: 'named' }),
                sendTo(at('asked'), { type: 'Do' }, { delay: ({ event }) => event.ms, id: 'asked' }),
                sendTo(at('zero'), { type: 'Do' }, { delay: 0, id: 'zero' }),
              ],
            },
            Cancel: { actions: cancel('named') },
          },
        }),
      [send('Go', { to: 'b', what: [2], ms: 15 }), tick(0), tick(10), send('Cancel'), tick(100), send('Cancel')],
    )
    expect(last.sent).toEqual([
      { to: 'a', event: { type: 'Do', what: 1 } },
      { emitted: { type: 'Told' } },
      { to: 'b', event: { type: 'Do', what: [2] } },
      { to: 'zero', event: { type: 'Do' } },
      { to: 'late', event: { type: 'Do' } },
      { to: 'asked', event: { type: 'Do' } },
    ])
  })

  test('sendTo self: a message to itself comes after the step that sent it; it may be delayed and cancelled', async () => {
    const { last } = await sameAsXState(
      () =>
        open.createMachine({
          context: { seen: [] as string[] },
          on: {
            Go: {
              actions: [
                sendTo(({ self }) => self, { type: 'See', what: 'sent' }),
                raise({ type: 'See', what: 'raised' }),
                sendTo(({ self }) => self, { type: 'See', what: 'later' }, { delay: 10 }),
                sendTo(({ self }) => self, { type: 'See', what: 'never' }, { delay: 10, id: 'never' }),
              ],
            },
            Cancel: { actions: cancel('never') },
            See: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.what] }) },
          },
        }),
      [send('Go'), send('Cancel'), tick(10)],
    )
    expect(last.context).toEqual({ seen: ['raised', 'sent', 'later'] })
  })

  test('enqueueActions: all it can enqueue, check, and one within another', async () => {
    const machine = (note: (text: string) => () => void, at: (key: string) => never, work: never) =>
      setup({
        types: { context: {} as { n: number } },
        actors: { work },
        guards: { isOdd: ({ context }) => context.n % 2 === 1 },
        actions: {
          named: note('named'),
          add: assign({ n: ({ context }, params: { by: number }) => context.n + params.by }),
        },
      }).createMachine({
        context: { n: 1 },
        on: {
          Go: {
            actions: enqueueActions(({ context, enqueue, check }) => {
              if (check('isOdd')) enqueue('named')
              if (check(({ event }) => (event as { deep?: boolean }).deep === true)) {
                enqueue(
                  enqueueActions(({ enqueue: inner, context: now }) => {
                    inner.assign({ n: now.n + 100 })
                    inner(note('inner'))
                  }),
                )
              }
              enqueue({ type: 'add', params: { by: 1 } })
              enqueue.assign({ n: ({ context }) => context.n * 2 })
              enqueue.emit({ type: 'Told', n: context.n } as never)
              enqueue.sendTo(at('a'), { type: 'Do', n: context.n } as never)
              enqueue.raise({ type: 'Later' }, { delay: 10, id: 'later' })
              enqueue.cancel('unknown')
              enqueue.spawnChild('work' as never, { id: 'child', input: { n: context.n } } as never)
              enqueue(note('last'))
            }),
          },
          Later: { actions: enqueueActions(({ enqueue }) => enqueue.stopChild('child')) },
        },
      })
    const { last } = await sameAsXState(
      ({ note, at, work }) => machine(note, at as never, work as never),
      [send('Go'), tick(10), send('Go', { deep: true }), tick(10)],
    )
    expect(last).toMatchObject({ context: { n: 210 }, notes: ['named', 'last', 'inner', 'last'] })
    expect(last.runs).toEqual([{ n: 1 }, { n: 4 }])
  })

  test('parallel states: all regions take an event, onDone when all are final, conflicts resolved alike', async () => {
    const { looks, last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          id: 'm',
          initial: 'work',
          states: {
            work: {
              type: 'parallel',
              onDone: { target: 'rest', actions: note('all done') },
              on: { Stop: 'rest' },
              states: {
                a: {
                  initial: '1',
                  states: { '1': { on: { Next: '2', A: '2' } }, '2': { type: 'final' } },
                  onDone: { actions: note('a done') },
                },
                b: {
                  initial: '1',
                  states: {
                    '1': { on: { Next: '2', B: '3' } },
                    '2': {
                      on: {
                        Next: { target: '3', actions: note('b') },
                        Stop: { target: '#m.rest', actions: note('inner') },
                      },
                    },
                    '3': { type: 'final' },
                  },
                },
              },
            },
            rest: { on: { Work: 'work' } },
          },
        }),
      [
        send('Next'),
        send('Next'),
        send('Work'),
        send('A'),
        send('Stop'),
        send('Work'),
        send('Next'),
        send('Stop'),
        send('Work'),
        send('B'),
        send('Next'),
      ],
    )
    expect(looks[1]?.value).toEqual({ work: { a: '2', b: '2' } })
    expect(last).toMatchObject({
      value: 'rest',
      notes: ['a done', 'b', 'all done', 'a done', 'a done', 'inner', 'a done', 'all done'],
    })
  })

  test('history: shallow and deep, in compound and in parallel states, with and without a default', async () => {
    const inner = {
      initial: 'x',
      states: { x: { on: { Deeper: 'y' } }, y: { on: { Deeper: 'z' } }, z: { on: { Deeper: 'x' } } },
    }
    const { looks } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          id: 'm',
          initial: 'out',
          states: {
            out: {
              on: { Shallow: '#m.tree.shallow', Deep: '#m.tree.deep', Wood: 'wood.back', Fresh: '#m.fresh.back' },
            },
            tree: {
              initial: 'a',
              on: { Out: 'out' },
              states: {
                a: { ...inner, on: { Next: 'b' }, entry: note('a') },
                b: { ...inner, on: { Next: 'a' }, entry: note('b') },
                shallow: { type: 'history' },
                deep: { type: 'history', history: 'deep', target: 'b' },
              },
            },
            wood: {
              type: 'parallel',
              on: { Out: 'out' },
              states: {
                l: { ...inner, on: { Left: '.z' } },
                r: { initial: 'in', states: { in: inner } },
                back: { type: 'history', history: 'deep' },
              },
            },
            fresh: {
              initial: 'a',
              on: { Out: 'out' },
              states: { a: {}, b: {}, back: { type: 'history', target: 'b' } },
            },
          },
        }),
      [
        ...[
          'Deep',
          'Out',
          'Shallow',
          'Next',
          'Deeper',
          'Deeper',
          'Out',
          'Shallow',
          'Out',
          'Deep',
          'Deeper',
          'Out',
          'Deep',
        ],
        ...['Out', 'Wood', 'Deeper', 'Left', 'Out', 'Wood', 'Deeper', 'Out', 'Wood', 'Out', 'Fresh', 'Out', 'Fresh'],
      ].map((type) => send(type)),
    )
    expect(looks[13]?.value).toEqual({ tree: { a: 'y' } })
    expect(looks[22]?.value).toEqual({ wood: { l: 'x', r: { in: 'z' } } })
    expect(looks.at(-1)?.value).toEqual({ fresh: 'b' })
  })

  test('final states: output of a nested one arrives at onDone, that of the root is the output of the machine', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          context: { sum: 1, got: null as unknown },
          output: ({ context, event }) => ({
            sum: context.sum,
            got: context.got,
            last: (event as { output?: unknown }).output,
          }),
          exit: note('-machine'),
          initial: 'count',
          states: {
            count: {
              initial: 'on',
              states: {
                on: {
                  on: {
                    Add: { actions: assign({ sum: ({ context, event }) => context.sum + event.by }) },
                    Stop: 'off',
                  },
                },
                off: {
                  type: 'final',
                  output: ({ context, event }) => ({
                    sum: context.sum,
                    why: (event as unknown as { why: string }).why,
                  }),
                },
              },
              onDone: { target: 'end', actions: [assign({ got: ({ event }) => event.output }), note('done')] },
            },
            end: { type: 'final', entry: emit({ type: 'Told' }), exit: note('-end'), output: { from: 'end' } },
          },
        }),
      [send('Add', { by: 4 }), send('Stop', { why: 'enough' }), send('Add', { by: 4 }), tick(1)],
    )
    expect(last).toMatchObject({
      status: 'done',
      output: { sum: 5, got: { sum: 5, why: 'enough' }, last: { from: 'end' } },
      notes: ['done', '-end', '-machine'],
      sent: [{ emitted: { type: 'Told' } }],
    })
  })

  test('a machine that is done has no timers and waits for no promise', async () => {
    const { last, outcomes } = await sameAsXState(
      (tools) =>
        openWith(tools).createMachine({
          initial: 'on',
          invoke: { src: 'work', id: 'work', onDone: { actions: emit({ type: 'Told' }) } },
          entry: [raise({ type: 'Ring' }, { delay: 10 }), sendTo(tools.at('a'), { type: 'Do' }, { delay: 10 })],
          states: {
            on: { on: { End: 'end', Ring: { actions: emit({ type: 'Told' }) } } },
            end: { type: 'final', entry: sendTo(tools.at('b'), { type: 'Do' }) },
          },
        }),
      [send('End'), tick(100), resolve(0, 'too late')],
    )
    expect(last.sent).toEqual([{ to: 'b', event: { type: 'Do' } }])
    expect(outcomes.at(-1)).toBe('stale')
  })

  test('a machine may be done at birth', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          initial: 'a',
          output: 'nothing to do',
          states: { a: { always: 'b', exit: note('-a') }, b: { type: 'final', entry: note('+b') } },
        }),
      [tick(1)],
    )
    expect(last).toMatchObject({ status: 'done', output: 'nothing to do', notes: ['-a', '+b'] })
  })

  test('wildcards: the exact type first, then the longest prefix, then any', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          on: {
            '*': { actions: note('any') },
            'payment.*': { actions: note('payment') },
            'payment.card.*': { actions: note('card') },
            'payment.Charged': [{ guard: ({ event }) => event.ok === true, actions: note('charged') }],
          },
        }),
      ['payment.Charged', 'payment.card.Refused', 'payment.Refused', 'payment', 'payments.Charged', 'Other'].flatMap(
        (type) => [send(type), send(type, { ok: true })],
      ),
    )
    expect(last.notes).toEqual([
      ...['payment', 'charged', 'card', 'card', 'payment', 'payment', 'payment', 'payment'],
      ...['any', 'any', 'any', 'any'],
    ])
  })

  test('an event that no transition takes changes nothing, and a forbidden one does not bubble', async () => {
    const { last, outcomes } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          on: { Go: { actions: note('go') } },
          initial: 'a',
          states: { a: { on: { Go: {}, Next: 'b' } }, b: {} },
        }),
      [send('Unknown'), send('Go'), send('Next'), send('Go')],
    )
    expect(last.notes).toEqual(['go'])
    expect(outcomes).toEqual(['handled', 'ignored', 'handled', 'handled', 'handled'])
  })

  test('transitions: to itself, reentering, internal, to a child, with several targets', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          id: 'm',
          initial: 'a',
          states: {
            a: {
              entry: note('+a'),
              exit: note('-a'),
              initial: 'x',
              states: { x: { entry: note('+x') }, y: { entry: note('+y') } },
              on: {
                Inner: '.y',
                Self: 'a',
                Reenter: { target: 'a', reenter: true },
                None: { actions: note('none') },
                P: { target: ['#m.p.l.2', '#m.p.r.2'] },
              },
            },
            p: {
              type: 'parallel',
              states: {
                l: { initial: '1', states: { 1: {}, 2: { entry: note('+l2') } } },
                r: { initial: '1', states: { 1: {}, 2: { entry: note('+r2') } } },
              },
            },
          },
        }),
      ['Inner', 'Self', 'Inner', 'Reenter', 'None', 'P'].map((type) => send(type)),
    )
    expect(last).toMatchObject({ value: { p: { l: '2', r: '2' } } })
    expect(last.notes.join(' ')).toBe('+a +x +y +x +y -a +a +x none -a +l2 +r2')
  })

  test('plain actions are collected, run after the commit, and keep their order; they get context, event and params', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        setup({
          types: { context: {} as { n: number } },
          actions: {
            tell: ({ context, event }, params: { x: number }) => note(`${event.type} ${context.n} ${params.x}`)(),
          },
        }).createMachine({
          context: { n: 1 },
          on: {
            Go: {
              actions: [
                { type: 'tell', params: { x: 1 } },
                assign({ n: 2 }),
                { type: 'tell', params: ({ context, event }) => ({ x: context.n * event.times }) },
                function named({ context }) {
                  note(`named ${context.n}`)()
                },
              ],
            },
          },
        }),
      [send('Go', { times: 10 })],
    )
    expect(last.notes).toEqual(['Go 1 1', 'Go 2 20', 'named 2'])
  })

  test('log, tags, meta, descriptions and initial actions do no harm', async () => {
    const { last } = await sameAsXState(
      ({ note }) =>
        open.createMachine({
          description: 'a machine',
          meta: { team: 'x' },
          initial: { target: 'a', actions: note('initial') },
          states: {
            a: {
              tags: ['t'],
              meta: { m: 1 },
              entry: [log('entered'), log(({ event }) => event.type, 'label')],
              on: { Go: { target: 'b', meta: { g: 1 } } },
            },
            b: { tags: 'u', description: 'the end' },
          },
        }),
      [send('Go')],
    )
    expect(last).toMatchObject({ value: 'b', notes: ['initial'] })
  })

  test('a custom maxIterations of the machine is kept', async () => {
    const machine = open.createMachine({
      options: { maxIterations: 3_000 },
      context: { n: 0 },
      initial: 'count',
      states: {
        count: {
          always: [
            { guard: ({ context }) => context.n >= 2_500, target: 'end' },
            { actions: assign({ n: ({ context }) => context.n + 1 }) },
          ],
        },
        end: {},
      },
    })
    const { last } = await sameAsXState(() => machine, [])
    expect(last).toMatchObject({ value: 'end', context: { n: 2_500 } })
  })
})

describe('effects: invoke and spawnChild of promises', () => {
  test('onDone and onError get the result; input may be a function of context and event', async () => {
    const { last } = await sameAsXState(
      (tools) =>
        openWith(tools).createMachine({
          context: { got: [] },
          initial: 'idle',
          states: {
            idle: { on: { Go: 'busy' } },
            busy: {
              invoke: {
                src: 'work',
                input: ({ context, event }) => ({ had: context.got.length, n: event.n }),
                onDone: {
                  target: 'idle',
                  actions: assign({ got: ({ context, event }) => [...context.got, event.output] }),
                },
                onError: {
                  target: 'idle',
                  actions: assign({ got: ({ context, event }) => [...context.got, { failed: event.error }] }),
                },
              },
            },
          },
        }),
      [
        send('Go', { n: 1 }),
        resolve(0, { fine: true }),
        send('Go', { n: 2 }),
        reject(1, { code: 'no' }),
        send('Go', { n: 3 }),
        resolve(2),
      ],
    )
    expect(last).toMatchObject({ value: 'idle', context: { got: [{ fine: true }, { failed: { code: 'no' } }, null] } })
    expect(last.runs).toEqual([
      { had: 0, n: 1 },
      { had: 1, n: 2 },
      { had: 2, n: 3 },
    ])
  })

  test('inline logic, several invokes in one state, effect(...) with its key', async () => {
    const { last } = await sameAsXState(
      ({ work, note }) =>
        createMachine({
          initial: 'busy',
          states: {
            busy: {
              invoke: [
                { src: work, id: 'one', input: 1, onDone: { actions: note('one') } },
                { src: work, input: 2, onDone: { actions: note('two') }, onError: { actions: note('two failed') } },
                {
                  src: effect(async ({ idempotencyKey }) => typeof idempotencyKey),
                  onDone: { actions: [note('effect')] },
                },
              ],
            },
          },
        }),
      [reject(1, 'no'), resolve(0), resolve(0)],
    )
    expect(last.notes).toEqual(['effect', 'two failed', 'one'])
  })

  test('the result of a state that was left is stale; a re-entered state waits for its own run only', async () => {
    const { last, outcomes } = await sameAsXState(
      (tools) =>
        openWith(tools).createMachine({
          initial: 'busy',
          context: { got: null as unknown },
          states: {
            busy: {
              invoke: {
                src: 'work',
                id: 'w',
                onDone: { target: 'idle', actions: assign({ got: ({ event }) => event.output }) },
              },
              on: { Leave: 'idle', Again: { target: 'busy', reenter: true, actions: tools.note('again') } },
            },
            idle: { on: { Enter: 'busy' } },
          },
        }),
      [
        send('Leave'),
        resolve(0, 'old'),
        send('Enter'),
        send('Again'),
        resolve(1, 'older'),
        resolve(2, 'new'),
        resolve(2, 'new again'),
      ],
    )
    expect(last).toMatchObject({ value: 'idle', context: { got: 'new' } })
    expect(outcomes.filter((outcome) => outcome === 'stale')).toHaveLength(2)
  })

  test('an invoke that is left within its own step never starts', async () => {
    const { last } = await sameAsXState(
      (tools) =>
        openWith(tools).createMachine({
          initial: 'a',
          states: {
            a: { on: { Go: 'b' } },
            b: { invoke: { src: 'work', id: 'w' }, exit: tools.note('-b'), always: 'c' },
            c: {},
          },
        }),
      [send('Go')],
    )
    expect(last).toMatchObject({ value: 'c', runs: [], notes: ['-b'] })
  })

  test('spawnChild and stopChild; a child that outlives its state; results by wildcard', async () => {
    const { last, outcomes } = await sameAsXState(
      (tools) =>
        openWith(tools).createMachine({
          context: { got: [] },
          initial: 'a',
          on: {
            Spawn: {
              actions: spawnChild('work', {
                id: ({ event }) => event.id,
                input: ({ event }) => event.id,
              }),
            },
            Stop: { actions: stopChild(({ event }) => (event as AnyEventObject).id) },
            'xstate.done.actor.*': {
              actions: assign({ got: ({ context, event }) => [...context.got, event.output] }),
            },
            'xstate.error.actor.b': {
              actions: assign({ got: ({ context, event }) => [...context.got, event.error] }),
            },
            Next: '.z',
          },
          states: { a: {}, z: {} },
        }),
      [
        ...['a', 'b', 'c'].map((id) => send('Spawn', { id })),
        send('Next'),
        send('Stop', { id: 'c' }),
        send('Stop', { id: 'nobody' }),
        resolve(2, 'stopped'),
        reject(1, 'failed'),
        resolve(0, 'fine'),
        send('Spawn', { id: 'c' }),
        resolve(3, 'second c'),
      ],
    )
    expect(last).toMatchObject({
      value: 'z',
      context: { got: ['failed', 'fine', 'second c'] },
      runs: ['a', 'b', 'c', 'c'],
    })
    expect(outcomes.filter((outcome) => outcome === 'stale')).toHaveLength(1)
  })

  test('an effect and a timer race: whoever comes second is stale', async () => {
    const build = (tools: Tools) =>
      openWith(tools).createMachine({
        initial: 'busy',
        states: {
          busy: { invoke: { src: 'work', onDone: 'won' }, after: { 100: 'lost' } },
          won: {},
          lost: {},
        },
      })
    const won = await sameAsXState(build, [tick(99), resolve(0), tick(100)])
    const lost = await sameAsXState(build, [tick(100), resolve(0), tick(100)])
    expect([won.last.value, lost.last.value]).toEqual(['won', 'lost'])
  })
})

test('the rig sees a difference: a machine that is not the same in both worlds does not pass', async () => {
  const change = vi.fn(() => open.createMachine({ context: { calls: change.mock.calls.length } }))
  await expect(sameAsXState(change, [])).rejects.toThrow()
})
