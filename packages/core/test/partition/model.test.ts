// model.test.ts: with all rules nothing goes wrong in any order of steps; without any one of them something does.
import { describe, expect, test } from 'vitest'
import { type Bounds, type Rule, rules, search } from './model.ts'

const restarts = { forgets: true, closes: true }

/** Small worlds; each has all that some rules are there for. In every one of them all rules together hold. */
const worlds = {
  'one message, two couriers, echoes': { owners: [['m1']], couriers: 2, echoes: true, receives: true, ...restarts },
  'two messages, two couriers': { owners: [['m1', 'm2']], couriers: 2, ...restarts },
  'two messages, two couriers, deliver and handle in one write': {
    ...{ owners: [['m1', 'm2']], couriers: 2, receives: true, whole: true },
  },
  'two messages, echoes': { owners: [['m1', 'm2']], couriers: 1, echoes: true, ...restarts },
  'three messages, one courier': {
    ...{ owners: [['m1', 'm2', 'm3']], couriers: 1, receives: true, whole: true, ...restarts },
  },
  'two hosts that both take the sender for theirs': {
    ...{ owners: [['m1'], ['n1']], couriers: 1, receives: true, whole: true, echoes: true },
  },
  'two messages, two erasures': { owners: [['m1', 'm2']], couriers: 1, erasures: 2, ...restarts },
  'one message, two couriers, two erasures': { owners: [['m1']], couriers: 2, erasures: 2, ...restarts },
  'a sender that goes back in time': { owners: [['m1', 'm2', 'm3']], couriers: 1, losses: 1 },
} as const satisfies Record<string, Bounds>

/** What goes wrong without a rule, or without two of which one catches what the other lets through. */
const removals: readonly (readonly [removed: Rule | readonly Rule[], world: keyof typeof worlds, broken: RegExp])[] = [
  ['a commit is conditional on the version', 'two messages, echoes', /^G1/],
  ['a delivery by proof is conditional on the version', 'one message, two couriers, echoes', /^G1/],
  ['forgetting is conditional on the version', 'one message, two couriers, echoes', /^G1/],
  ['an attempt is recognised by its tag', 'two messages, two couriers, deliver and handle in one write', /^G1/],
  ['only owners set the tag', 'one message, two couriers, echoes', /^G1/],
  ['an old epoch is fenced', 'two hosts that both take the sender for theirs', /^G1/],
  ['the mark covers duplicates', 'one message, two couriers, echoes', /^G1/],
  ['the chain must fit', 'a sender that goes back in time', /^G6/],
  ['a receipt must fit', 'a sender that goes back in time', /^G2/],
  ['a gap is refused', 'three messages, one courier', /^G6/],
  ['first contact needs a proof', 'two messages, two couriers', /^G6/],
  ['first contact needs a proof', 'one message, two couriers, echoes', /^G1/],
  ['load, then prove', 'one message, two couriers, echoes', /^G1/],
  ['only the head is proved', 'two messages, two couriers', /^G6/],
  ['a proof from memory was loaded for before the commit', 'one message, two couriers, echoes', /^G1/],
  ['a mark is forgotten by proof only', 'one message, two couriers, echoes', /^G1/],
  ['a lane has an id', 'two messages, two couriers', /^G15/],
  [['a lane has an id', 'the chain must fit', 'a receipt must fit'], 'two messages, two couriers', /^G2/],
  ['a lane is closed only when empty', 'two messages, two couriers', /^G2/],
  ['only what was delivered is trimmed', 'one message, two couriers, echoes', /^G2/],
  ['what is received overtakes nothing', 'two messages, two couriers, deliver and handle in one write', /^G6/],
  ['a mark that moves is not forgotten in the same commit', 'three messages, one courier', /^G1/],
  ['a new document has another incarnation', 'two messages, two erasures', /^G15/],
  [
    ['a new document has another incarnation', 'the chain must fit', 'a receipt must fit'],
    'two messages, two erasures',
    /^G2/,
  ],
  ['a document with marks is not erased', 'one message, two couriers, two erasures', /^G1/],
  ['nothing is erased while somebody holds a proof', 'one message, two couriers, two erasures', /^G1/],
  ['nothing is erased while an attempt is unsettled', 'two messages, two erasures', /^G1/],
]

describe('G1, G2, G6, G12 hold in every order of steps, without a false alarm (G15) or a dead end (G16)', () => {
  test.for(Object.entries<Bounds>(worlds))('%s', ([, bounds]) => {
    const { counterexample, exhausted, stuck } = search(bounds)
    expect({ counterexample, exhausted, stuck }).toEqual({
      counterexample: undefined,
      exhausted: true,
      stuck: undefined,
    })
  })
})

describe('each rule is needed: without it there is a story that breaks a guarantee', () => {
  test('no rule is left out here', () => {
    expect(new Set(removals.flatMap(([removed]) => removed))).toEqual(new Set(rules))
  })

  test('the shortest stories are those of counterexamples.txt', { timeout: 120_000 }, async () => {
    const told = removals.map(([removed, world, broken]) => {
      const { counterexample } = search(worlds[world], [removed].flat())
      expect.soft(counterexample?.broken, `without "${removed}"`).toMatch(broken)
      const { story = [], broken: what } = counterexample ?? {}
      const title = `Without "${[removed].flat().join('" and "')}" (${world}), ${story.length} steps:`
      return `${[title, ...story.map((step) => `  ${step}`), `  => ${what}`].join('\n')}\n`
    })
    await expect(told.join('\n')).toMatchFileSnapshot('counterexamples.txt')
  })
})
