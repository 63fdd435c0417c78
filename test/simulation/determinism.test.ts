// A seed is a whole run: the same on every machine, and on every Node.js that the packages take.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { isCI } from '../tools.ts'
import { hashes, type Printed } from './log.ts'

const seeds = [1, 2, 3, 65]

test('a seed run twice gives the same log, to the letter', { timeout: 60_000 }, async () => {
  const once = await hashes(seeds)
  expect(await hashes(seeds)).toEqual(once)
  expect(new Set(once).size).toBe(2 * seeds.length)
})

test('it gives the same log on another Node.js', { timeout: 180_000 }, async ({ skip }) => {
  const node = await otherNode()
  if (node === undefined) {
    skip('it is fetched in CI, or given as INTERSTATE_OTHER_NODE')
    return
  }
  const [here, there] = [await printed(process.execPath), await printed(node)]
  expect(majorOf(there)).not.toBe(majorOf(here))
  expect(there.hashes).toEqual(here.hashes)
})

function majorOf({ node }: Printed): string | undefined {
  return node.split('.')[0]
}

async function printed(node: string): Promise<Printed> {
  const program = join(import.meta.dirname, 'log.ts')
  // The oldest one that strips types does so on request only.
  const options = ['--conditions=@interstate/source', '--experimental-strip-types', '--no-warnings']
  const { stdout } = await promisify(execFile)(node, [...options, program, JSON.stringify(seeds)])
  return JSON.parse(stdout)
}

/** Fetched from npm, where one is found for every system: 45 MB, so not for everybody. */
async function otherNode(): Promise<string | undefined> {
  const given = process.env.INTERSTATE_OTHER_NODE
  if (given !== undefined || !isCI) return given
  const folder = mkdtempSync(join(tmpdir(), 'interstate-node-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const name = `node-${process.platform}-${process.arch}`
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await promisify(execFile)('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `${name}@22`], {
    cwd: folder,
  })
  return join(folder, 'node_modules', name, 'bin/node')
}
