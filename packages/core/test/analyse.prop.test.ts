// analyse.prop.test.ts: whatever machine there is: the analysis ends, keeps to itself, and agrees with what happens.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AnyStateMachine, createMachine, emit, getInitialSnapshot, getNextSnapshot, raise, sendTo } from 'xstate'
import { analyse, contract, type Definition, defineAggregate, defineSaga, follow } from '../src/index.ts'
import { anything } from './hosted.ts'

const Peer = contract('peer', { commands: { Do: anything }, replies: { Done: anything } })
const Subject = contract('subject', { commands: { A: anything, B: anything }, events: { Told: anything } })
const peer = defineAggregate(Peer, createMachine({ on: { Do: { actions: Peer.reply({ type: 'Done' }) } } }) as never)
const watcher = defineSaga('watcher', follow(Subject.event('Told').bySource().starts()), createMachine({}) as never)

interface Plan {
  readonly kind: 'atomic' | 'final' | 'compound' | 'parallel' | 'history'
  readonly states: readonly Plan[]
  readonly on: readonly { readonly key: string; readonly target: number; readonly reenter: boolean }[]
  readonly always: number | undefined
  readonly after: number | undefined
  readonly onDone: number | undefined
}
const target = fc.nat({ max: 40 })
const maybe = fc.option(target, { nil: undefined, freq: 2 })
const planOf = (depth: number): fc.Arbitrary<Plan> =>
  fc.record({
    kind:
      depth === 0
        ? fc.constantFrom('atomic', 'atomic', 'final', 'history')
        : fc.constantFrom('atomic', 'compound', 'compound', 'parallel', 'history'),
    states: depth === 0 ? fc.constant([]) : fc.array(planOf(depth - 1), { minLength: 1, maxLength: 3 }),
    on: fc.array(fc.record({ key: fc.constantFrom('A', 'B', '*', 'peer.Done', 'C'), target, reenter: fc.boolean() }), {
      maxLength: 3,
    }),
    always: maybe,
    after: maybe,
    onDone: maybe,
  })
const root = planOf(3).map((plan): Plan => ({ ...plan, kind: plan.states.length > 0 ? 'compound' : 'atomic' }))

const actions = [
  emit({ type: 'Told' }),
  sendTo(Peer.at('x'), { type: 'Do' }),
  sendTo(
    ({ context }) => Peer.at(context.key),
    ({ event }) => ({ type: 'Do', of: event.type }),
  ),
  raise({ type: 'C' }),
]

/** Ids of all states but the root, in document order. */
function idsOf({ kind, states }: Plan, id: string): readonly string[] {
  if (kind !== 'compound' && kind !== 'parallel') return []
  return states.flatMap((child, index) => [`${id}.s${index}`, ...idsOf(child, `${id}.s${index}`)])
}

function configOf(plan: Plan, id: string, ids: readonly string[]): object {
  const to = (number: number | undefined): string | undefined =>
    number === undefined || ids.length === 0 ? undefined : `#${ids[number % ids.length]}`
  if (plan.kind === 'history') return { type: 'history' }
  if (plan.kind === 'final') return { type: 'final', entry: actions[0] }
  const isLeaf = plan.kind === 'atomic'
  const always = to(plan.always)
  const on = plan.on.map(({ key, target: number, reenter }, index) => [
    key,
    { target: to(number), reenter, actions: actions[(number + index) % actions.length] },
  ])
  return {
    on: Object.fromEntries(on),
    ...(plan.after === undefined ? {} : { after: { 10: { target: to(plan.after) } } }),
    // Forwards only, so that a machine settles.
    ...(always === undefined || always <= `#${id}` ? {} : { always: { guard: () => true, target: always } }),
    entry: actions[on.length],
    ...(isLeaf ? {} : { states: statesOf(plan, id, ids), onDone: { target: to(plan.onDone) } }),
    ...(plan.kind === 'parallel' ? { type: 'parallel' } : {}),
    ...(plan.kind === 'compound' ? { initial: `s${plan.states.findIndex(({ kind }) => kind !== 'history')}` } : {}),
  }
}

const statesOf = (plan: Plan, id: string, ids: readonly string[]): object =>
  Object.fromEntries(
    plan.states.map((child, index) => [
      `s${index}`,
      { id: `${id}.s${index}`, ...configOf(child, `${id}.s${index}`, ids) },
    ]),
  )

const isSound = (plan: Plan): boolean =>
  (plan.kind !== 'compound' || plan.states.some(({ kind }) => kind !== 'history')) &&
  (plan.kind === 'compound' || plan.kind === 'parallel' ? plan.states.every(isSound) : true)

function machineOf(plan: Plan, more: object = {}): AnyStateMachine {
  const config = configOf(plan, 'm', idsOf(plan, 'm')) as { readonly states?: object }
  const states = { ...config.states, ...more }
  return createMachine({
    ...config,
    id: 'm',
    context: {},
    options: { maxIterations: 40 },
    ...(Object.keys(states).length > 0 ? { states } : {}),
  } as never) as never
}

const system = (machine: AnyStateMachine): readonly Definition[] => [
  defineAggregate(Subject, machine, { sends: [Peer], unhandled: 'reject' }) as Definition,
  peer,
  watcher,
]
const lostIn = (machine: AnyStateMachine): readonly string[] =>
  analyse(system(machine))
    .filter(({ code }) => code === 'state-unreachable')
    .map(({ place }) => place.slice('subject in '.length))

const sound = root.filter(isSound)

test('whatever the machine, the analysis ends with findings that each have a name of their own, twice the same', () => {
  fc.assert(
    fc.property(sound, (plan) => {
      const found = analyse(system(machineOf(plan)), { limits: { maxOutbox: 1 } })
      expect(new Set(found.map(({ name }) => name)).size).toBe(found.length)
      expect(analyse(system(machineOf(plan)), { limits: { maxOutbox: 1 } })).toEqual(found)
    }),
    { numRuns: 100 },
  )
})

test('a state that nothing leads to is always found, and changes nothing else', () => {
  fc.assert(
    fc.property(sound, (plan) => {
      fc.pre(plan.kind === 'compound')
      expect(lostIn(machineOf(plan, { nowhere: {} }))).toEqual([...lostIn(machineOf(plan)), 'nowhere'])
    }),
    { numRuns: 100 },
  )
})

test('a state that a machine gets into is never called unreachable', () => {
  let visited = 0
  const step = fc.constantFrom('A', 'B', 'peer.Done', 'C', 'timer')
  fc.assert(
    fc.property(sound, fc.array(step, { maxLength: 12 }), (plan, steps) => {
      const machine = machineOf(plan)
      const lost = new Set(lostIn(machine))
      let snapshot = born(machine)
      for (const type of [undefined, ...steps]) {
        snapshot = type === undefined ? snapshot : next(machine, snapshot, type)
        for (const { path } of snapshot._nodes) expect(lost).not.toContain(path.join('.'))
        visited += snapshot._nodes.length
      }
    }),
    { numRuns: 200 },
  )
  expect(visited).toBeGreaterThan(1_000)
})

/** A machine that loops fails in both: what it got into by then does not count. */
function born(machine: AnyStateMachine): Snapshot {
  try {
    return getInitialSnapshot(machine)
  } catch {
    return fc.pre(false) as never
  }
}

function next(machine: AnyStateMachine, snapshot: Snapshot, type: string): Snapshot {
  if (snapshot.status !== 'active') return snapshot
  try {
    return getNextSnapshot(machine, snapshot, eventOf(snapshot, type))
  } catch {
    return snapshot
  }
}

type Snapshot = ReturnType<typeof getInitialSnapshot<AnyStateMachine>>

/** For a timer, the one of the innermost state that has one. */
function eventOf({ _nodes: nodes }: Snapshot, type: string): { readonly type: string } {
  if (type !== 'timer') return { type }
  return { type: nodes.findLast(({ after }) => after.length > 0)?.after[0]?.eventType ?? 'A' }
}
