// small-disk.ts: a disk of a few megabytes that can be filled and freed: a tmpfs.
// Best in a mount namespace of its own, which ends with its keeper: nothing stays mounted whatever happens to the test. Root
// may make one, and so may everybody where user namespaces are allowed. Otherwise by sudo, where that asks nothing.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const isRoot = process.getuid?.() === 0
const namespace = isRoot ? ['unshare', '--mount'] : ['unshare', '--user', '--map-root-user', '--mount']
const enter = isRoot ? ['nsenter', '--mount'] : ['nsenter', '--user', '--preserve-credentials', '--mount']

/** Whether this system lets us make one. */
export function canMakeDisk(): boolean {
  return canUnshare() || (!isRoot && succeeds('sudo', '-n', 'true'))
}

function canUnshare(): boolean {
  return succeeds(...namespace, 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /mnt && exec nsenter --version')
}

/** See the file head. */
export class SmallDisk implements Disposable {
  /** Where processes under {@link under} see it. */
  readonly path: string
  /** A command that runs a process which sees the disk. */
  readonly under: readonly string[]
  /** Where this process sees it. SQLite would not: it resolves links itself, and this one may be a magic one. */
  readonly #outside: string
  readonly #unmount: () => void

  private constructor(path: string, under: readonly string[], outside: string, unmount: () => void) {
    this.path = path
    this.under = under
    this.#outside = outside
    this.#unmount = unmount
  }

  static async of(megabytes: number): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'interstate-disk-'))
    const mount = ['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', path]
    if (canUnshare()) {
      const keeper = await keep(mount)
      const under = [...enter, '--target', String(keeper.pid)]
      return new SmallDisk(path, under, `/proc/${keeper.pid}/root${path}`, () => keeper.kill('SIGKILL'))
    }
    if (!succeeds('sudo', '-n', ...mount)) throw new Error('No small disk can be made.')
    return new SmallDisk(path, [], path, () => succeeds('sudo', '-n', 'umount', '--lazy', path))
  }

  /** Fills it until so much is left. */
  fill(bytesLeft: number): void {
    const { bavail, bsize } = statfsSync(this.#outside)
    appendFileSync(join(this.#outside, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - bytesLeft)))
  }

  /** Takes away what filled it. */
  free(): void {
    rmSync(join(this.#outside, 'ballast'))
  }

  /** Copies its files to where every process sees them. */
  copyTo(folder: string): void {
    for (const name of readdirSync(this.#outside)) copyFileSync(join(this.#outside, name), join(folder, name))
  }

  [Symbol.dispose](): void {
    this.#unmount()
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A process whose mount namespace has the disk. */
async function keep(mount: readonly string[]): Promise<ChildProcess> {
  const [command, ...args] = [...namespace, 'sh', '-c', '"$@" && echo mounted && exec cat', 'keeper', ...mount]
  // It waits for the end of its input, and so ends with this process at the latest.
  const keeper = spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    keeper.stdout?.once('data', resolve)
    keeper.once('error', reject)
    keeper.once('close', () => reject(new Error('No small disk could be mounted.')))
  })
  return keeper
}

function succeeds(...[command, ...args]: readonly string[]): boolean {
  return spawnSync(command as string, args, { stdio: 'ignore' }).status === 0
}
