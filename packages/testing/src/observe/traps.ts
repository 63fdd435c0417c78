// traps.ts: catches a machine that asks for the time, for chance, for a timer or for the network while it takes a turn.
//   T1  Globals are exchanged while a transition runs, which is never across an await, and put back whatever happens.
//   T2  The exports of node's own modules are exchanged once: telling the importing modules takes 40 µs each time. They
//       do what they always did except while a transition runs.
//   T3  Not caught: what a module kept for itself before (`const { now } = Date`, `const D = Date`), and what it reads
//       from files or processes. Taking each transition twice finds most of that.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { callerOf } from './caller.ts'

/** Makes the error for a call that a turn must not make. */
export type Spring = (called: string, caller: string | undefined) => Error

let spring: Spring | undefined

/** Runs a transition with all traps set. */
export function trapped<T>(onCall: Spring, body: () => T): T {
  if (spring !== undefined) return body()
  spring = onCall
  const before = globals.map(({ owner, name }) => owner[name])
  try {
    globals.forEach(({ owner, name, trap }, index) => {
      owner[name] = trap(before[index] as Callable)
    })
    return body()
  } finally {
    globals.forEach(({ owner, name }, index) => {
      owner[name] = before[index]
    })
    spring = undefined
  }
}

/** Exchanges the exports of node's modules, at the first time. */
export function trapModules(): void {
  if (modulesTrapped) return
  modulesTrapped = true
  for (const [module, from, names] of moduleExports) {
    for (const name of names) {
      const original = module[name] as Callable
      module[name] = trapping(`${name} of ${from}`, original)
    }
  }
  syncBuiltinESMExports()
}

type Callable = (...args: never[]) => unknown
type Owner = Record<string, unknown>

interface GlobalTrap {
  readonly owner: Owner
  readonly name: string
  /** What stands there meanwhile. */
  readonly trap: (original: Callable) => unknown
}

let modulesTrapped = false

const moduleExports: readonly (readonly [module: Owner, from: string, names: readonly string[]])[] = [
  [crypto as unknown as Owner, 'node:crypto', ['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync']],
  [timers as unknown as Owner, 'node:timers', ['setTimeout', 'setInterval', 'setImmediate']],
  [timersPromises as unknown as Owner, 'node:timers/promises', ['setTimeout', 'setInterval', 'setImmediate']],
]

const globals: readonly GlobalTrap[] = [
  on(Date, 'now', 'Date.now'),
  { owner: globalThis as unknown as Owner, name: 'Date', trap: memo(trapDate) },
  on(Math, 'random', 'Math.random'),
  on(Object.getPrototypeOf(performance), 'now', 'performance.now'),
  on(Object.getPrototypeOf(globalThis.crypto), 'randomUUID', 'crypto.randomUUID'),
  on(Object.getPrototypeOf(globalThis.crypto), 'getRandomValues', 'crypto.getRandomValues'),
  on(process, 'hrtime', 'process.hrtime'),
  on(process, 'nextTick', 'process.nextTick'),
  on(globalThis, 'setTimeout'),
  on(globalThis, 'setInterval'),
  on(globalThis, 'setImmediate'),
  on(globalThis, 'queueMicrotask'),
  on(globalThis, 'fetch'),
]

function on(owner: object, name: string, called: string = name): GlobalTrap {
  return { owner: owner as Owner, name, trap: memo((original) => trapping(called, original)) }
}

/** One trap for one original; fake timers may exchange the original. */
function memo(make: (original: Callable) => unknown): (original: Callable) => unknown {
  let latest: { readonly original: Callable; readonly trap: unknown } | undefined
  return (original) => {
    if (latest?.original !== original) latest = { original, trap: make(original) }
    return latest.trap
  }
}

/** `new Date(0)` is data and stays; `new Date()` and `Date()` ask for the time. */
function trapDate(original: Callable): unknown {
  return new Proxy(original, {
    construct(target, args, newTarget) {
      if (args.length === 0) sprung('new Date()')
      return Reflect.construct(target, args, newTarget)
    },
    apply(target, self, args) {
      sprung('Date()')
      return Reflect.apply(target, self, args)
    },
    get(target, property) {
      // Fake timers bring a Date of their own, with its own `now`.
      if (property === 'now') return trapping('Date.now', Reflect.get(target, property))
      return Reflect.get(target, property)
    },
  })
}

function trapping(called: string, original: Callable): Callable {
  // Not a plain function: `process.hrtime.bigint` and the like are reached through it.
  return new Proxy(original, {
    apply(target, self, args) {
      sprung(called)
      return Reflect.apply(target, self, args)
    },
    get(target, property) {
      if (property === 'bigint') sprung(`${called}.bigint`)
      return Reflect.get(target, property)
    },
  })
}

function sprung(called: string): void {
  const make = spring
  if (make === undefined) return
  // Who asks for a stack may be answered by a source map reader that looks at the clock.
  spring = undefined
  try {
    const { place, isNode } = callerOf(sprung)
    if (!isNode) throw make(called, place)
  } finally {
    spring = make
  }
}
