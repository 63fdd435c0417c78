// Machines made at random, and rich ones made by hand, under random messages, clock ticks and ends of effects:
// hosted and reloaded before each message they do what XState does in memory.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  raise,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate'
import { type Build, openWith, type Step, sameAsXState } from './hosted.ts'

/** More of them now and then: RUNS=3000 npx vitest run packages/core/test/hosted.prop */
const runs = Number(process.env.RUNS ?? 150)

const events = ['A', 'B', 'C', 'D'] as const
const event = fc.constantFrom(...events)
const index = fc.nat({ max: 30 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: event, by: fc.nat({ max: 3 }) }).map((send) => ({ send })) },
  { weight: 3, arbitrary: fc.nat({ max: 40 }).map((ms) => ({ tick: ms })) },
  {
    weight: 2,
    arbitrary: fc.record({ settle: fc.nat({ max: 8 }), output: fc.constantFrom(null, 1, 'x', { y: [2] }) }),
  },
  { weight: 1, arbitrary: fc.record({ settle: fc.nat({ max: 8 }), error: fc.constantFrom('no', { code: 7 }) }) },
)
const steps = fc.array(step, { minLength: 5, maxLength: 25 })

/** A state as data: what `toConfig` makes a state of XState of. Numbers pick among the states there are. */
interface Plan {
  readonly kind: 'atomic' | 'final' | 'compound' | 'parallel'
  readonly children: readonly Plan[]
  readonly history: 'none' | 'shallow' | 'deep'
  readonly entry: readonly ActionPlan[]
  readonly exit: readonly ActionPlan[]
  readonly on: readonly TransitionPlan[]
  readonly after: readonly { readonly ms: number; readonly target: number }[]
  readonly always: readonly { readonly guard: number; readonly target: number }[]
  readonly invokes: boolean
}
type ActionPlan = readonly [kind: number, argument: number]
interface TransitionPlan {
  readonly event: string
  readonly target: number | undefined
  readonly guard: number | undefined
  readonly reenter: boolean
  readonly actions: readonly ActionPlan[]
}

const action: fc.Arbitrary<ActionPlan> = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 3 }))
const actions = fc.array(action, { maxLength: 2 })
const transition: fc.Arbitrary<TransitionPlan> = fc.record({
  event,
  target: fc.option(index, { nil: undefined, freq: 4 }),
  guard: fc.option(index, { nil: undefined }),
  reenter: fc.boolean(),
  actions,
})
const planOf = (depth: number): fc.Arbitrary<Plan> =>
  fc.record({
    kind:
      depth === 0
        ? fc.constantFrom('atomic', 'atomic', 'final')
        : fc.constantFrom('atomic', 'final', 'compound', 'parallel', 'parallel'),
    children: depth === 0 ? fc.constant([]) : fc.array(planOf(depth - 1), { minLength: 1, maxLength: 3 }),
    history: fc.constantFrom('none', 'shallow', 'deep'),
    entry: actions,
    exit: actions,
    on: fc.array(transition, { maxLength: 3 }),
    after: fc.array(fc.record({ ms: fc.integer({ min: 1, max: 50 }), target: index }), { maxLength: 1 }),
    always: fc.array(fc.record({ guard: index, target: index }), { maxLength: 1 }),
    invokes: fc.boolean(),
  })
const root: fc.Arbitrary<Plan> = planOf(3).map((plan) =>
  plan.children.length === 0 || plan.kind === 'parallel' ? plan : { ...plan, kind: 'compound' },
)

const childrenOf = (plan: Plan): readonly Plan[] =>
  plan.kind === 'compound' || plan.kind === 'parallel' ? plan.children : []

function idsOf(plan: Plan, id: string): string[] {
  const history = plan.history !== 'none' && childrenOf(plan).length > 0 ? [`${id}.h`] : []
  return [id, ...history, ...childrenOf(plan).flatMap((child, at) => idsOf(child, `${id}.s${at}`))]
}

function machineOf(plan: Plan): Build {
  // Targets outside the root only: XState does not let the root be entered again from within.
  const ids = idsOf(plan, 'm').slice(1)
  const target = (number: number, from: string) => {
    // XState enters a state twice that targets the history of its own parent, without leaving it in between.
    const open = ids.filter((id) => !id.endsWith('.h') || !`${from}.`.startsWith(id.slice(0, -1)))
    return `#${open[number % open.length]}`
  }
  const states = ids.filter((id) => !id.endsWith('.h'))
  return (tools) => {
    const actionOf = ([kind, argument]: ActionPlan, place: string): unknown[] => {
      const note = tools.note(`${place} ${argument}`)
      const type = events[argument] as string
      // A timer armed twice under one name rings twice in XState, once here; so it is cancelled first. A child likewise.
      const many: readonly (() => unknown[])[] = [
        () => [note],
        () => [assign({ n: ({ context }) => context.n + argument })],
        () => [
          assign(({ context, event: seen }) => ({ by: (seen as { by?: number }).by ?? null, n: context.n + 1 })),
          note,
        ],
        () => [emit(({ context }) => ({ type: 'Told', place, n: context.n }))],
        () => [
          sendTo(tools.at(String(argument)), ({ context }: { context: Record<string, unknown> }) => ({
            type: 'Do',
            n: context.n,
          })),
        ],
        () => [cancel(type), raise({ type }, { id: type, delay: 10 * argument + 5 })],
        () => [cancel(type)],
        () => [cancel('d'), sendTo(tools.at('late'), { type: 'Do' }, { delay: 7, id: 'd' }), note],
        () => [
          enqueueActions(({ enqueue, context }) => {
            if (context.n % 2 === argument % 2) enqueue.raise({ type })
            enqueue(note)
          }),
        ],
        () => [
          stopChild(`c${argument}`),
          spawnChild('work' as never, { id: `c${argument}`, input: argument } as never),
        ],
        () => [stopChild(`c${argument}`)],
        () => [raise({ type, by: argument } as never)],
      ]
      return many[kind]?.() ?? []
    }
    const guardOf = (number: number) =>
      number % 5 === 0
        ? stateIn(`#${states[number % states.length]}`)
        : ({ context }: { context: Record<string, number> }) => (context.n as number) % 3 === number % 3
    const stateOf = (state: Plan, id: string): object => {
      const all = (list: readonly ActionPlan[], what: string) => list.flatMap((each) => actionOf(each, `${what} ${id}`))
      const children = childrenOf(state).map((child, at) => [`s${at}`, stateOf(child, `${id}.s${at}`)] as const)
      const history =
        state.history === 'none' || children.length === 0
          ? []
          : [['h', { type: 'history', history: state.history }] as const]
      if (state.kind === 'final')
        return { type: 'final', entry: all(state.entry, '+'), exit: all(state.exit, '-'), output: { from: id } }
      const on: Record<string, object[]> = {}
      for (const { event: type, target: to, guard, reenter, actions: list } of state.on) {
        on[type] = [
          ...(on[type] ?? []),
          {
            reenter,
            actions: all(list, type),
            ...(to === undefined ? {} : { target: target(to, id) }),
            ...(guard === undefined ? {} : { guard: guardOf(guard) }),
          },
        ]
      }
      const invoke = {
        src: 'work',
        input: { id },
        onDone: { actions: assign({ got: ({ event: seen }) => (seen as unknown as { output: unknown }).output }) },
        onError: { target: target(id.length, id) },
      }
      return {
        ...(children.length === 0 ? {} : { states: Object.fromEntries([...children, ...history]) }),
        ...(state.kind === 'compound' ? { initial: 's0' } : {}),
        ...(state.kind === 'parallel' ? { type: 'parallel' } : {}),
        ...(children.length === 0 ? {} : { onDone: { actions: tools.note(`done ${id}`) } }),
        ...(state.invokes ? { invoke } : {}),
        entry: all(state.entry, '+'),
        exit: all(state.exit, '-'),
        on,
        after: Object.fromEntries(state.after.map(({ ms, target: to }) => [ms, target(to, id)])),
        // Forwards only: most machines should settle.
        always: state.always
          .filter(({ target: to }) => target(to, id) > `#${id}`)
          .map(({ guard, target: to }) => ({ guard: guardOf(guard), target: target(to, id) })),
      }
    }
    const config = {
      ...stateOf(plan, 'm'),
      id: 'm',
      context: { n: 0 },
      options: { maxIterations: 40 },
      output: ({ context }: { context: object }) => context,
    }
    return createMachine(config as never, { actors: { work: tools.work } } as never) as AnyStateMachine
  }
}

/** A payment that is tried again, may be paused, and ships its parts side by side. */
const checkout: Build = (tools) =>
  openWith(tools).createMachine({
    context: { tries: 0, log: [] as unknown[] },
    output: ({ context }) => ({ tries: context.tries, log: context.log }),
    initial: 'open',
    states: {
      open: {
        on: { D: 'paused' },
        initial: 'cart',
        states: {
          cart: { on: { A: 'paying' }, exit: tools.note('-cart') },
          paying: {
            entry: assign({ tries: ({ context }) => context.tries + 1 }),
            invoke: {
              src: 'work',
              input: ({ context }) => ({ try: context.tries }),
              onDone: {
                target: 'shipping',
                actions: assign({ log: ({ context, event: { output } }) => [...context.log, output] }),
              },
              onError: [
                { guard: ({ context }) => context.tries < 3, target: 'waiting' },
                {
                  target: '#failed',
                  actions: assign({ log: ({ context, event: { error } }) => [...context.log, error] }),
                },
              ],
            },
            after: { 30: { target: 'waiting', actions: tools.note('timed out') } },
          },
          waiting: {
            entry: raise({ type: 'A' }, { id: 'again', delay: ({ context }) => 5 * 2 ** context.tries }),
            exit: cancel('again'),
            on: { A: 'paying', B: 'cart' },
          },
          shipping: {
            type: 'parallel',
            onDone: { target: '#done', actions: emit(({ context }) => ({ type: 'Told', tries: context.tries })) },
            states: {
              parcel: { initial: 'packing', states: { packing: { after: { 10: 'sent' } }, sent: { type: 'final' } } },
              letter: {
                initial: 'writing',
                states: {
                  writing: { on: { B: { target: 'sent', actions: sendTo(tools.at('post'), { type: 'Do' }) } } },
                  sent: {
                    always: { guard: stateIn({ open: { shipping: { parcel: 'sent' } } }) as never, target: 'filed' },
                  },
                  filed: { type: 'final' },
                },
              },
            },
          },
          back: { type: 'history', history: 'deep' },
        },
      },
      paused: { on: { C: 'open.back', B: 'open' }, after: { 35: 'end' } },
      failed: {
        id: 'failed',
        entry: sendTo(tools.at('boss'), { type: 'Do' }, { id: 'complain', delay: 20 }),
        on: { C: { actions: cancel('complain') }, D: 'end' },
      },
      done: { id: 'done', after: { 5: 'end' } },
      end: { type: 'final', entry: tools.note('end') },
    },
  })

/** Three lamps that look at each other. */
const lamps: Build = (tools) => {
  const lamp = (own: string, type: string, other: string) => ({
    initial: 'off',
    states: {
      off: { on: { [type]: 'on' } },
      on: {
        entry: tools.note(`+${own}`),
        exit: tools.note(`-${own}`),
        on: { [type]: 'off' },
        always: { guard: stateIn({ [other]: 'bright' }), target: 'bright' },
        after: { 12: 'bright' },
      },
      bright: {
        on: { [type]: 'on', D: 'off' },
        always: { guard: stateIn({ [other]: 'off' }), target: 'off', actions: tools.note(`${own} dims`) },
      },
    },
  })
  const states = { one: lamp('one', 'A', 'two'), two: lamp('two', 'B', 'three'), three: lamp('three', 'C', 'one') }
  return createMachine({ type: 'parallel', states } as never) as AnyStateMachine
}

/** Jobs that are started and stopped by name, and a queue that is worked off by raised events. */
const jobs: Build = (tools) =>
  openWith(tools).createMachine({
    context: { queue: [] as number[], done: [] as unknown[], n: 0 },
    on: {
      A: { actions: assign({ queue: ({ context, event: { by } }) => [...context.queue, by] }) },
      B: {
        actions: enqueueActions(({ enqueue, context }) => {
          for (const _ of context.queue) enqueue.raise({ type: 'Work' })
          enqueue(tools.note(`works off ${context.queue.length}`))
        }),
      },
      Work: {
        actions: [
          stopChild(({ context }) => `job${context.queue[0]}`),
          spawnChild('work', {
            id: ({ context }) => `job${context.queue[0]}`,
            input: ({ context }) => ({ job: context.queue[0], n: context.n }),
          }),
          assign({ queue: ({ context }) => context.queue.slice(1), n: ({ context }) => context.n + 1 }),
        ],
      },
      C: { actions: [stopChild('job1'), stopChild('job2')] },
      D: { actions: [assign({ queue: [] }), emit(({ context }) => ({ type: 'Told', done: context.done.length }))] },
      'xstate.done.actor.*': {
        actions: assign({ done: ({ context, event: { output } }) => [...context.done, output] }),
      },
      'xstate.error.actor.*': {
        actions: assign({ done: ({ context, event: { error } }) => [...context.done, { error }] }),
      },
    },
  })

test.each([
  ['a checkout', checkout],
  ['lamps', lamps],
  ['jobs', jobs],
])('%s, rich and made by hand, does the same hosted, reloaded before each message, as in XState', async (_, build) => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => void (await sameAsXState(build, script))),
    { numRuns: runs },
  )
})

test('machines made at random do the same hosted, reloaded before each message, as in XState', async () => {
  const seen = { steps: 0, done: 0, failed: 0 }
  await fc.assert(
    fc.asyncProperty(root, steps, async (plan, script) => {
      fc.pre(childrenOf(plan).length > 0)
      const { looks, last, failure } = await sameAsXState(machineOf(plan), script)
      seen.steps += looks.length
      if (last?.status === 'done') seen.done += 1
      if (failure !== undefined) seen.failed += 1
    }),
    { numRuns: runs },
  )
  // They are no trivial machines: they live for some steps, some come to their end, not too many fail.
  expect(seen.steps).toBeGreaterThan(3 * runs)
  expect(seen.done).toBeGreaterThan(0.05 * runs)
  expect(seen.failed).toBeLessThan(0.7 * runs)
})
