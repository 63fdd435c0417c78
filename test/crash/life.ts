// life.ts: starts a process (child.ts), hears what it says, and sees how it ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Life } from './client.ts'

const program = fileURLToPath(new URL('./child.ts', import.meta.url))
// A third of the time to start. A process that is killed leaves no cache behind; the first that ends by itself does.
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/interstate-crash', import.meta.url))

/** Processes that have not ended. A test that runs out of time leaves some. */
const alive = new Set<ChildProcess>()
afterAll(() => {
  for (const process of alive) process.kill('SIGKILL')
})

/** How a process ended. */
export interface End {
  /** Its exit status, or the signal that ended it. */
  readonly how: number | NodeJS.Signals
  readonly said: readonly string[]
  readonly stderr: string
}

/** A process that was started. */
export class Living {
  readonly ended: Promise<End>
  readonly #process: ChildProcess
  readonly #said: string[] = []

  /**
   * @param under - A command that runs the process, `strace` say.
   * @param hears - Is told of each line as it is said.
   */
  constructor(life: Life, hears: (line: string, living: Living) => void = () => {}, under: readonly string[] = []) {
    const told = join(life.files.folder, `${life.name}.json`)
    writeFileSync(told, JSON.stringify(life))
    const [command, ...args] = [...under, process.execPath, '--conditions=@interstate/source', program, told]
    this.#process = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
    alive.add(this.#process)
    this.ended = this.#end(hears)
  }

  signal(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#process.kill(signal)
  }

  async #end(hears: (line: string, living: Living) => void): Promise<End> {
    let stderr = ''
    let begun = ''
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${begun}${text}`.split('\n')
      begun = lines.pop() ?? ''
      for (const line of lines) {
        this.#said.push(line)
        hears(line, this)
      }
    })
    const how = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('close', (status, signal) => resolve(status ?? signal ?? -1))
    })
    alive.delete(this.#process)
    return { how, said: this.#said, stderr }
  }
}

/** Starts a process and waits until it has ended by itself. */
export function liveToTheEnd(life: Life, under: readonly string[] = []): Promise<End> {
  return new Living(life, undefined, under).ended
}

function environment(): NodeJS.ProcessEnv {
  mkdirSync(compileCache, { recursive: true })
  const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env
  return { ...env, NODE_COMPILE_CACHE: compileCache }
}
