// planted-backlog.ts: a program: simulates the bank on a runtime that drops the backlog it finds at its start. Prints what is found.
import { registerHooks } from 'node:module'

const target = new URL('../../packages/runtime/src/loader.ts', import.meta.url).href
const reads = '      for (const row of rows) this.#residents.deliver(itemOf(row))\n'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (url !== target) return loaded
    const source = String(loaded.source)
    if (source.split(reads).length !== 2) throw new Error('The place of the backlog has moved.')
    return { ...loaded, source: source.replace(reads, '') }
  },
})

const { bank } = await import('./bank.ts')
const { found } = await import('./found.ts')
const { finding, what, story } = await found(bank().simulate({ faults: 'harsh' }))
console.log(JSON.stringify({ finding, what, steps: story?.steps.length }))
