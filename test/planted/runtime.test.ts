// runtime.test.ts: mistakes in the runtime and in the stores are found, each in a process of its own into whose sources it is
// planted; the sources as they are pass the very same.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { type RuntimeBug, runtimeBugs } from './runtime/corpus.ts'
import type { Finding } from './runtime/find.ts'
import { writeTable } from './table.ts'

/** Seconds of processor time that looking for one bug may take. */
const mostSeconds = 30
const here = new URL('.', import.meta.url)
const rows: { readonly bug: RuntimeBug; readonly finding: Finding | undefined }[] = []

test('the corpus fits the sources: each change has exactly one place', () => {
  for (const { name, file, find } of runtimeBugs) {
    const source = readFileSync(new URL(`../../${file}`, here), 'utf8')
    expect(source.split(find).length - 1, name).toBe(1)
  }
})

test.each(['memory', 'sqlite', 'shards'])(
  'nothing is found in the sources as they are, on %s',
  async (store) => {
    expect(await look(store, undefined)).toBeUndefined()
  },
  240_000,
)

describe.each(runtimeBugs)('$name', (bug) => {
  test(bug.missed === undefined ? 'is found' : 'is looked for', async () => {
    const finding = await look(bug.store ?? 'memory', bug.name)
    rows.push({ bug, finding })
    if (bug.missed !== undefined) return
    expect(finding).toBeDefined()
    expect(finding?.seconds).toBeLessThan(mostSeconds)
  }, 240_000)
})

test('at least twelve are planted, and at least ten of twelve found', () => {
  const missed = runtimeBugs.filter((bug) => bug.missed !== undefined)
  expect(runtimeBugs.length).toBeGreaterThanOrEqual(12)
  expect(missed.length).toBeLessThanOrEqual(runtimeBugs.length / 6)
})

test('of all planted bugs, in machines and here, at most one in ten has a story of more than twelve steps', () => {
  // The machines' stories have no more, see machines.test.ts.
  const machines = readdirSync(new URL('machines/', here)).length - 1
  const long = rows.filter(({ finding }) => (finding?.steps ?? 0) > 12).map(({ bug }) => bug.name)
  expect(long.length, long.join(', ')).toBeLessThanOrEqual((machines + rows.length) / 10)
})

afterAll(() => {
  if (process.env.INTERSTATE_WRITE_TABLES === undefined || rows.length < runtimeBugs.length) return
  writeTable(
    'runtime',
    {
      columns: [
        ['mistake', 'l'],
        ['how it comes about', 'l'],
        ['breaks', 'l'],
        ['what the kit says', 'l'],
        ['runs until found', 'r'],
        ['steps of the story', 'r'],
        ['processor seconds', 'r'],
      ],
      rows: rows.map(({ bug, finding }) => [
        `${bug.name} (\`${bug.file.replace('packages/', '').replace('src/', '')}\`)`,
        bug.why,
        bug.guarantee,
        finding === undefined ? `nothing: ${bug.missed}` : said(finding),
        finding?.runs ?? '–',
        finding?.steps ?? '–',
        finding?.seconds ?? '–',
      ]),
    },
    'planted-runtime-bugs',
  )
})

/** Ids and numbers are another run's tomorrow. */
function said({ by, what }: Finding): string {
  const [sentence = what] = what.split(' Found in run')
  const code = /\[([A-Z_]+)\]$/.exec(what)?.[1]
  return `${by === 'simulate' ? `\`${code}\` ` : ''}${sentence.replaceAll('|', '\\|')}`
}

/** Looks for a bug in a process of its own. */
function look(store: string, planted: string | undefined): Promise<Finding | undefined> {
  const hook = new URL('runtime/hook.ts', here).href
  const { pathname: script } = new URL('runtime/find.ts', here)
  const { PLANTED: _, NODE_OPTIONS: __, ...env } = process.env
  const child = spawn(process.execPath, ['--conditions=@interstate/source', '--import', hook, script, store], {
    env: planted === undefined ? env : { ...env, PLANTED: planted },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [told, complained] = ['', '']
  child.stdout.on('data', (part) => {
    told += part
  })
  child.stderr.on('data', (part) => {
    complained += part
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(undefined)
      else if (code === 1) resolve(JSON.parse(told) as Finding)
      else reject(new Error(`The search ended with ${code}: ${complained}`))
    })
  })
}
