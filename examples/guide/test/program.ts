// program.ts: runs a program of the guide the way a reader does, in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a program ended. */
export interface Ended {
  readonly lines: readonly string[]
  readonly errors: string
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
}

/** Options of {@link start}. */
export interface Surroundings {
  readonly folder: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a program, named by its path under `src`. */
export function start(name: string, { folder, args = [], env = {} }: Surroundings): ChildProcess {
  const path = fileURLToPath(new URL(`../src/${name}`, import.meta.url))
  const flags = ['--conditions=@interstate/source', '--disable-warning=ExperimentalWarning']
  return spawn(process.execPath, [...flags, path, ...args], { cwd: folder, env: { ...process.env, ...env } })
}

/** Runs a program to its end. */
export async function run(name: string, surroundings: Surroundings): Promise<Ended> {
  const child = start(name, surroundings)
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { lines: output.split('\n').filter((line) => line !== ''), errors, signal, code }
}
