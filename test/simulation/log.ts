// log.ts: prints a hash of everything that happens in some runs. Two machines, and two versions of Node.js, print the same.
import { hash } from 'node:crypto'
import { bank } from './bank.ts'

/** What the program prints. */
export interface Printed {
  readonly node: string
  readonly hashes: readonly string[]
}

/** Two hashes for each seed: of hosts one after the other, and of three at once. */
export async function hashes(seeds: readonly number[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const seed of seeds) {
    for (const hosts of [1, 3]) {
      const lines: string[] = []
      await bank().simulate({ seed, hosts, runs: 2, faults: 'harsh', onRun: (log) => void lines.push(...log) })
      found.push(hash('sha256', lines.join('\n'), 'hex'))
    }
  }
  return found
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const printed: Printed = {
    node: process.versions.node,
    hashes: await hashes(JSON.parse(process.argv[2] ?? '[1]') as number[]),
  }
  console.log(JSON.stringify(printed))
}
