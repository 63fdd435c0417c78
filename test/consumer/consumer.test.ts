// The packages as npm would give them to somebody: packed, installed into an empty project, imported, checked, run.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isCI } from '../tools.ts'

const root = join(import.meta.dirname, '../..')
/** Those that are published. */
const packages = readdirSync(join(root, 'packages')).filter((name) => manifestOf(name).private !== true)
const project = mkdtempSync(join(tmpdir(), 'interstate-consumer-'))

beforeAll(async () => {
  // A compiler takes nothing away: modules that are no more would stay.
  for (const name of packages) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true })
  await npm(root, 'run', 'build')
  const workspaces = packages.flatMap((name) => ['--workspace', `packages/${name}`])
  await npm(root, 'pack', '--pack-destination', project, ...workspaces)
  cpSync(join(import.meta.dirname, 'project'), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest()))
  await npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund')
}, 180_000)
afterAll(() => rmSync(project, { recursive: true, force: true }))

describe.each(packages)('@interstate/%s, packed', (name) => {
  test('has what its users need, and no tests', async () => {
    const listed = await output(project, 'tar', '-tzf', tarball(name))
    const files = listed
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''))
    const needed = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']
    expect(files).toEqual(expect.arrayContaining(needed))
    expect(files.filter((file) => !/^(dist|src)\//.test(file)).sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(files.filter((file) => /\.test(-d)?\.|\.prop\.|(^|\/)tests?\/|tsbuildinfo/.test(file))).toEqual([])
    // A module that is in one and not in the other was built from something else.
    const modules = (folder: string, end: string): string[] =>
      files
        .filter(
          (file) =>
            file.startsWith(`${folder}/`) && file.endsWith(end) && !file.endsWith('.d.ts') === !end.endsWith('.d.ts'),
        )
        .map((file) => file.slice(folder.length + 1, -end.length))
        .sort()
    expect(modules('dist', '.js')).toEqual(modules('src', '.ts'))
    expect(modules('dist', '.d.ts')).toEqual(modules('src', '.ts'))
  })

  test('is clean to publint', async () => {
    expect(await bin('publint', 'run', join(project, tarball(name)), '--strict')).toContain('All good!')
  })

  test('has types that are not wrong', async () => {
    await bin('attw', join(project, tarball(name)), '--profile', 'esm-only', '--no-color')
  })
})

describe('an empty project that installs them', () => {
  test('imports them as ES modules, from what was built', async () => {
    await importsThem(process.execPath)
  })

  test('does so on the oldest Node.js that all of them take', { timeout: 180_000 }, async ({ skip }) => {
    const node = await oldestNode()
    if (node === undefined) skip('it is fetched in CI, or given as INTERSTATE_OLDEST_NODE')
    else await importsThem(node)
  })

  test.each([
    // XState's own types don't bear both at once.
    ['reads their types to the last', '--skipLibCheck', 'false'],
    ['is as strict as can be', '--exactOptionalPropertyTypes', 'true'],
  ])('compiles, and only its wrong payload does not, when it %s', async (_, option, value) => {
    await bin('tsc', '-p', project, option, value)
  })

  test('runs what it has compiled', async () => {
    const shipped = 'label of 7, 1200 cents\nPAYLOAD_INVALID\n'
    expect(await output(project, process.execPath, 'typescript.ts', 'typescript.db')).toBe(`${shipped}${shipped}`)
    expect(await output(project, process.execPath, 'testing.ts')).toBe('60000 function function true memory\n')
  })

  test('has the command interstate, which looks into its store', async () => {
    const interstate = (...args: readonly string[]) =>
      output(project, join(project, 'node_modules/.bin/interstate'), ...args)
    expect(await interstate('--version')).toBe(`${manifestOf('cli').version}\n`)
    expect(await interstate('--help')).toContain('Usage: interstate')
    await output(project, process.execPath, 'esm.mjs', 'command.db')
    const shown = await interstate('entity', 'show', 'counter/1', '--json', '--store', 'command.db')
    expect(JSON.parse(shown)).toMatchObject({ entity: 'counter/1', context: { total: 42 } })
  })
})

async function importsThem(node: string): Promise<void> {
  const file = `${packages.length}-${Math.random()}.db`
  const printed = await output(project, node, 'esm.mjs', file)
  const [inMemory, inFile, onRedis, ...modules] = printed.trim().split('\n')
  expect(inMemory).toBe('memory: {"type":"Total","total":42}')
  expect(inFile).toBe('sqlite: {"type":"Total","total":42}')
  expect(onRedis).toBe('redis: STORE_FAILED')
  expect(modules.length).toBe(packages.length - 1)
  for (const module of modules) expect(module).toMatch(/node_modules\/@interstate\/[a-z-]+\/dist\/index\.js$/)
}

/** Fetched from npm, where one is found for every system: 45 MB, so not for everybody. */
async function oldestNode(): Promise<string | undefined> {
  const given = process.env.INTERSTATE_OLDEST_NODE
  if (given !== undefined || !isCI) return given
  const { engines } = manifestOf('store-sqlite')
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(project, 'oldest')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await npm(
    folder,
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    `${name}@${engines.node.replace('>=', '~')}`,
  )
  return join(folder, 'node_modules', name, 'bin/node')
}

/** A package.json with the packed packages, and with what they want beside them in the versions that are tested here. */
function manifest(): object {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>
  }
  const locked = ['xstate', 'zod', 'ioredis', 'vitest', 'fast-check', '@types/node'].map((name) => [
    name,
    lock.packages[`node_modules/${name}`]?.version,
  ])
  const packed = packages.map((name) => [`@interstate/${name}`, `file:${tarball(name)}`])
  return { name: 'consumer', private: true, type: 'module', dependencies: Object.fromEntries([...packed, ...locked]) }
}

function tarball(name: string): string {
  return `interstate-${name}-${manifestOf(name).version}.tgz`
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
}

function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  return output(cwd, 'npm', ...args)
}

function bin(name: string, ...args: readonly string[]): Promise<string> {
  return output(root, process.execPath, join(root, 'node_modules/.bin', name), ...args)
}

/** What a command prints; if it fails, that is the error. */
async function output(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 1 << 24 })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error })
  }
}

interface Manifest {
  readonly version: string
  readonly private?: boolean
  readonly engines: { readonly node: string }
}
