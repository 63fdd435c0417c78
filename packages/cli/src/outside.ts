// outside.ts: all that a command sees of the process around it, so that a test can be the process.
import type { StoreDriver } from '@interstate/core'
import type { Place } from './places.ts'

/** A store that is open for looking at it; nobody took its shards. */
export interface OpenStore {
  readonly driver: StoreDriver
  /** Closes the store, and the client that was made for it. */
  close(): Promise<void>
}

/** See the file head. */
export interface Outside {
  /** Writes to standard output. */
  readonly out: (text: string) => void
  /** Writes to standard error. */
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Width of the terminal; `undefined` where output goes elsewhere and nothing is cut. */
  readonly columns: number | undefined
  readonly hasColours: boolean
  /** Asks the person at the terminal; `undefined` where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly open: (place: Place) => Promise<OpenStore>
  /** Folder from which paths are meant. */
  readonly folder: string
}
