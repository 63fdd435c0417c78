// The packages as npm would give them to somebody: packed, installed into an empty project, imported, checked, run.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const packages = readdirSync(join(root, 'packages'))
const project = mkdtempSync(join(tmpdir(), 'interstate-consumer-'))

beforeAll(async () => {
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
  const node = process.execPath

  test('imports them as ES modules, from what was built', async () => {
    const printed = await output(project, node, 'esm.mjs', 'esm.db')
    const [inMemory, inFile, ...modules] = printed.trim().split('\n')
    expect(inMemory).toBe('memory: {"type":"Total","total":42}')
    expect(inFile).toBe('sqlite: {"type":"Total","total":42}')
    for (const module of modules) expect(module).toMatch(/node_modules\/@interstate\/[a-z-]+\/dist\/index\.js$/)
  })

  test('compiles against their types, and a wrong payload does not', async () => {
    await bin('tsc', '-p', project)
  })

  test.each(['typescript.ts', 'testing.ts'])('runs its %s', async (program) => {
    expect(await output(project, node, program, `${program}.db`)).toBe(program)
  })
})

/** A package.json with the packed packages, and with what they want beside them in the versions that are tested here. */
function manifest(): object {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>
  }
  const locked = ['xstate', 'zod', 'vitest', 'fast-check', '@types/node'].map((name) => [
    name,
    lock.packages[`node_modules/${name}`]?.version,
  ])
  const packed = packages.map((name) => [`@interstate/${name}`, `file:${tarball(name)}`])
  return { name: 'consumer', private: true, type: 'module', dependencies: Object.fromEntries([...packed, ...locked]) }
}

function tarball(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return `interstate-${name}-${version}.tgz`
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
