// Two nodes are in one component if, and only if, each can be reached from the other; a closed component is never left.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closed, components } from '../src/model/components.ts'

const graphs = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 20 }),
  }),
)

test('components are what can be reached both ways', () => {
  fc.assert(
    fc.property(graphs, ({ size, edges }) => {
      const targets = (node: number): number[] => edges.filter(([from]) => from === node).map(([, to]) => to)
      const nodes = Array.from({ length: size }, (_, node) => node)
      const reach = nodes.map((node) => reachable(node, targets))
      const found = components(size, targets)
      for (const one of nodes) {
        for (const two of nodes) {
          const isBothWays = reach[one]?.has(two) === true && reach[two]?.has(one) === true
          expect(found.of[one] === found.of[two]).toBe(isBothWays)
        }
      }
      const ends = closed(found, targets)
      for (const node of nodes) {
        const isClosed = [...(reach[node] ?? [])].every((other) => reach[other]?.has(node))
        expect(ends.has(found.of[node] as number)).toBe(isClosed)
      }
    }),
    { numRuns: 500 },
  )
})

function reachable(from: number, targets: (node: number) => readonly number[]): ReadonlySet<number> {
  const found = new Set([from])
  for (const node of found) for (const target of targets(node)) found.add(target)
  return found
}
